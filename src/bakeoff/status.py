"""Where a run stands, from its records alone: the table that is drawn while it goes on, and `bakeoff status`."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bakeoff.errors import RunError
from bakeoff.plan import EFFICIENCY, MEASURED, Plan
from bakeoff.report.format import Score, count, duration, plain, significant
from bakeoff.train.record import trial_from
from bakeoff.tune import best_of
from bakeoff.types import Trial

SILENT = 60.0                 # seconds without a record after which a run may have been stopped
BAR = 16                      # cells of a bar of tuning
FULL, EMPTY, PARTS = "█", "·", " ▏▎▍▌▋▊▉"


@dataclass
class Row:
    """One contender's line. value: of its best trial; choices: what that trial has that the start has not."""

    name: str
    asked: int
    finals_asked: int
    done: int = 0
    pruned: int = 0
    failed: int = 0
    finals: int = 0
    running: int = 0
    best: Trial | None = None
    choices: str = ""
    why: str = ""

    @property
    def ended(self) -> int:
        return self.done + self.pruned + self.failed

    @property
    def share(self) -> float:
        """Of its trials and finals, each counting alike, 0 … 1."""
        return min(1.0, (self.ended + self.finals) / max(1, self.asked + self.finals_asked))

    def record(self) -> dict[str, Any]:
        return {"trials": self.ended, "trials_asked": self.asked, "done": self.done, "pruned": self.pruned, "failed": self.failed,
                "finals": self.finals, "finals_asked": self.finals_asked, "value": self.best.value if self.best else None,
                "choices": self.choices, "why": self.why}

    def count(self, trial: Trial) -> None:
        if trial.job.stage == "final":
            self.finals += 1
            self.why = trial.why if trial.state == "failed" else self.why
            return
        setattr(self, trial.state, getattr(self, trial.state) + 1)
        if trial.state == "failed":
            self.why = trial.why
        elif trial.state == "done":
            self.best = best_of([self.best, trial] if self.best else [trial])


@dataclass
class Standing:
    """A plan and what has ended of it. `add` is told of every ended training."""

    plan: Plan
    rows: dict[str, Row] = field(init=False)
    trials: list[Trial] = field(default_factory=list)
    score: Score = field(default_factory=Score)

    def __post_init__(self) -> None:
        folds = self.folds
        self.rows = {
            name: Row(name, share.trials * folds, (1 if share.deterministic else self.plan.seeds) * folds, why=share.error)
            for name, share in self.plan.contenders.items()}
        told, self.trials = self.trials, []
        for trial in told:
            self.add(trial)

    @property
    def folds(self) -> int:
        return max(1, int(self.plan.splits.get("outer_folds") or 1))

    def add(self, trial: Trial) -> bool:
        """Counts an ended training; whether it is its contender's best so far."""
        self.trials.append(trial)
        row = self.rows.get(trial.job.contender)
        if row is None:
            return False
        before = row.best
        row.count(trial)
        if row.best is before:
            return False
        assert row.best is not None
        row.choices = telling(row.best.job.params, self.plan.contenders[row.name].start)
        self.score = Score.of([one.best.value for one in self.rows.values() if one.best], self.plan.metric_unit)
        return True

    def value(self, row: Row) -> str:
        return "" if row.best is None else self.score(row.best.value)

    def asked_again(self) -> None:
        """The plan's counts after a cut."""
        for name, share in self.plan.contenders.items():
            self.rows[name].asked = share.trials * self.folds

    def leaders(self) -> list[str]:
        """Contenders whose best so far is the best of all."""
        scores = {name: row.best.score for name, row in self.rows.items() if row.best is not None and row.best.score is not None}
        return [name for name, score in scores.items() if score == max(scores.values())]

    def left_seconds(self) -> float:
        """Predicted waiting time from the last record to the verdict."""
        tuned = Counter(trial.job.contender for trial in self.trials if trial.job.stage == "tune")
        finals = Counter(trial.job.contender for trial in self.trials if trial.job.stage == "final")
        left = (self.plan.seconds_left(tuned, self.folds) + self.plan.finals_left(finals, self.folds)) * self.plan.lateness(self.trials)
        return left / self.plan.jobs / EFFICIENCY + 3.0 + len(self.rows) * 2 * MEASURED


def telling(params: Mapping[str, Any], start: Mapping[str, Any], most: int = 4) -> str:
    """The choices by which a setting differs from the start, most important first: 'lr .002, width 32'."""
    changed = [name for name in start if name in params and params[name] != start[name]]
    said = [f"{name.rpartition('.')[2]} {choice(params[name])}" for name in changed[:most]]
    return ", ".join(said) if said else "as it starts"


def choice(value: Any) -> str:
    if not isinstance(value, float):
        return plain(value)
    return f"{value:.0e}".replace("e-0", "e-") if value and abs(value) < 0.01 else significant(value, 2)


def bar(share: float, cells: int = BAR) -> str:
    """A bar of so many characters."""
    eighths = round(max(0.0, min(1.0, share)) * cells * 8)
    whole, part = divmod(eighths, 8)
    return (FULL * whole + (PARTS[part] if part else "")).ljust(cells, EMPTY)


def standing_of(folder: str | Path, now: float | None = None) -> dict[str, Any]:
    """What the records in a run's folder tell, JSON-able. now: seconds since the epoch. Raises RunError.

    phase: 'planning', 'tuning', 'finals', 'measuring', 'finished'; left_seconds and ends are None where they are not known.
    """
    folder, now = Path(folder), time.time() if now is None else now
    if not (folder / "question.json").exists():
        raise RunError("this is no run's folder", str(folder), "Give the folder that `bakeoff run` printed.")
    question = json.loads((folder / "question.json").read_text(encoding="utf-8"))
    finished = (folder / "verdict.json").exists() and (folder / "report.html").exists()
    signs = ("verdict.json",) if finished else ("log.txt", "trials.jsonl", "plan.json", "question.json")
    last = max(path.stat().st_mtime for name in signs if (path := folder / name).exists())
    found: dict[str, Any] = {
        "folder": str(folder), "data": question["data"], "phase": "finished" if finished else "planning",
        "last_record_seconds": max(0.0, now - last), "stopped": False, "left_seconds": None, "ends": None, "contenders": {}}
    if finished:
        return found
    quiet = SILENT
    if (folder / "plan.json").exists():
        plan = Plan.restore(json.loads((folder / "plan.json").read_text(encoding="utf-8")))
        standing = Standing(plan, trials=ended_trials(folder / "trials.jsonl"))
        found["phase"] = phase_of(standing)
        found["contenders"] = {row.name: row.record() for row in standing.rows.values()}
        quiet = max(SILENT, 3 * max((max(share.trial_seconds, share.final_seconds) for share in plan.contenders.values()), default=0.0))
        left = standing.left_seconds() - found["last_record_seconds"]
        if left > 0:
            found |= {"left_seconds": left, "ends": time.strftime("%Y-%m-%d %H:%M", time.localtime(now + left))}
    if found["last_record_seconds"] > quiet:
        found |= {"stopped": True, "ends": None}
    return found


def ended_trials(path: Path) -> list[Trial]:
    """Every record that is whole. The file is not touched: a run may be writing its next line just now."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [trial_from(json.loads(line)["trial"]) for line in lines if line.endswith(b"\n")]


def phase_of(standing: Standing) -> str:
    """'tuning' until every contender's trials have ended, 'finals', then 'measuring'."""
    rows = [row for row in standing.rows.values() if not standing.plan.contenders[row.name].error]
    if any(row.finals for row in rows):
        return "finals" if any(row.finals < row.finals_asked and row.done for row in rows) else "measuring"
    return "tuning" if any(row.ended < row.asked for row in rows) else "finals"


def told(found: Mapping[str, Any]) -> list[str]:
    """`standing_of` in lines."""
    ago = duration(round(found["last_record_seconds"]) or 1)
    lines = [f"{plain(found['folder'])} · {plain(found['data'])} · {found['phase']}, last record {ago} ago"]
    if found["phase"] == "finished":
        return lines
    rows = found["contenders"]
    if rows:
        score = Score.of([row["value"] for row in rows.values()])
        wide = max(map(len, rows))
        lines += [f"  {'contender':<{wide}}  {'trials':>7}  {'finals':>6}  best so far"]
        for name, row in rows.items():
            best = f"{score(row['value'])}  {row['choices']}" if row["value"] is not None else plain(row["why"])
            trials, finals = (f"{row[stage]}/{row[f'{stage}_asked']}" for stage in ("trials", "finals"))
            lines.append(f"  {name:<{wide}}  {trials:>7}  {finals:>6}  {best}")
        ended = sum(row["trials"] + row["finals"] for row in rows.values())
        asked = sum(row["trials_asked"] + row["finals_asked"] for row in rows.values())
        lines += [f"{count(ended)} of {count(asked)} trainings ended"]
    if found["stopped"]:
        lines += [f"nothing has been recorded for {ago}: if it was stopped, go on with", f"  bakeoff resume {found['folder']}"]
    elif found["left_seconds"] is not None:
        lines += [f"about {duration(found['left_seconds'])} left: it ends at about {found['ends']}"]
    return [line.rstrip() for line in lines]

