"""A finished run's folder, read for the report: JSON, tables and answers as plain values. Nothing is computed or written."""

from __future__ import annotations

import csv
import json
import math
import zlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import RunError
from bakeoff.folder import finals_of
from bakeoff.report.format import in_row
from bakeoff.train.record import canonical, trial_from
from bakeoff.types import Trial, labels_of

SCORE = "score:"                              # how the score columns of answers.parquet begin


@dataclass(frozen=True)
class Row:
    """A line of leaderboard.csv."""

    rank: int | None
    contender: str
    group: str
    value: float | None
    low: float | None
    high: float | None
    p_vs_best: float | None
    tied: bool
    state: str
    why: str
    numbers: Mapping[str, float | None]       # parameters, macs, train_seconds, step_ms, latency…, peak…, trials, examples, seconds

    @property
    def ranked(self) -> bool:
        return self.rank is not None and self.value is not None


@dataclass(frozen=True)
class Answers:
    """What the finals of one contender said, one entry per test example. answers: (seeds, N); scores: (seeds, N, K) or None.

    labels: of the score columns; empty where they were not asked for. several: targets and answers are sets of labels, 'a;b'.
    """

    keys: list[str]
    targets: NDArray[Any]
    answers: NDArray[Any]
    labels: list[str]
    scores: NDArray[np.float64] | None
    several: bool = False

    def members(self) -> NDArray[np.bool_]:
        """(N, K): which labels each test example has."""
        if not self.several:
            return np.array(self.labels)[None, :] == self.targets.astype(str)[:, None]
        sets = [set(labels_of(target)) for target in self.targets.tolist()]
        return np.array([[label in there for label in self.labels] for there in sets], dtype=bool).reshape(len(sets), len(self.labels))

    def score(self, place: int, target: str) -> float | None:
        """Of one example: probability given to the target, of a set of labels to having or not having each, on average; or the
        absolute error where a number is asked for; mean over seeds."""
        if self.several and self.scores is not None:
            there = np.isin(self.labels, labels_of(target))
            return float(np.where(there, self.scores[:, place], 1 - self.scores[:, place]).mean())
        if self.scores is not None:
            return float(self.scores[:, place, self.labels.index(target)].mean()) if target in self.labels else None
        said, truth = (number(value) for value in (self.answers[0, place], target))
        return float(np.abs(self.answers[:, place].astype(float) - truth).mean()) if said is not None and truth is not None else None


@dataclass(frozen=True)
class Run:
    """All that the report shows."""

    folder: Path
    question: Mapping[str, Any]
    plan: Mapping[str, Any]
    data: Mapping[str, Any]
    verdict: Mapping[str, Any]
    comparison: Mapping[str, Any]
    shown: Mapping[str, Any]
    written: Mapping[str, Any]                # what contenders write, where that is the task; else empty
    looked: Mapping[str, Any]                 # where they looked when they wrote one text from another; else empty
    rows: list[Row]
    trials: list[Trial]

    @cached_property
    def ranked(self) -> list[Row]:
        """Contenders with a value, the best first."""
        return sorted((row for row in self.rows if row.ranked), key=lambda row: row.rank or 0)

    @cached_property
    def row(self) -> dict[str, Row]:
        return {row.contender: row for row in self.rows}

    @cached_property
    def tuning(self) -> dict[str, list[Trial]]:
        """Trials of the search per contender, in the order of their numbers."""
        return self._stage("tune")

    @cached_property
    def finals(self) -> dict[str, list[Trial]]:
        return self._stage("final")

    def _stage(self, stage: str) -> dict[str, list[Trial]]:
        found: dict[str, list[Trial]] = {row.contender: [] for row in self.rows}
        for trial in sorted(
            (trial for trial in self.trials if trial.job.stage == stage), key=lambda trial: (trial.job.fold, trial.job.number)
        ):
            found.setdefault(trial.job.contender, []).append(trial)
        return found

    def group(self, contender: str) -> str:
        if contender in self.row:
            return self.row[contender].group
        return str(self.plan.get("contenders", {}).get(contender, {}).get("group", ""))

    @property
    def high_is_good(self) -> bool:
        return self.comparison.get("best", self.plan.get("metric_best", "high")) == "high"

    @property
    def metric(self) -> str:
        return str(self.verdict.get("metric") or self.plan["metric"])

    @property
    def best(self) -> str:
        return str(self.verdict["best"])

    @property
    def recommended(self) -> str:
        return str(self.verdict["recommended"])

    @cached_property
    def tied(self) -> list[str]:
        """Contenders not distinguishable from the best, without it, by rank."""
        named = set(self.verdict.get("tied_with") or [])
        return [row.contender for row in self.ranked if row.contender in named and row.contender != self.best]

    @property
    def tests(self) -> int:
        return int(self.verdict.get("n_test") or self.data.get("counts", {}).get("test") or 0)

    @property
    def forecasts(self) -> bool:
        """Whether an answer is a stretch of time instead of a label or number."""
        return bool((self.data.get("facts") or {}).get("forecast"))

    @property
    def several(self) -> bool:
        """Whether an example has a set of labels."""
        return bool(self.data.get("several"))

    @property
    def whole(self) -> bool:
        """Whether an answer is neither a label nor one number."""
        return not self.classes and not self.data.get("target")

    @property
    def drawn(self) -> bool:
        """Whether answers are drawn on the examples, as forecasts and boxes are, since no word or number says them."""
        return self.forecasts or bool((self.data.get("facts") or {}).get("boxes"))

    @property
    def classes(self) -> list[str]:
        return [str(label) for label in self.data.get("classes") or {}]

    @cached_property
    def shares(self) -> dict[str, float]:
        """Seconds that the plan gave each contender; none where counts decide."""
        if not self.plan.get("budget_seconds"):
            return {}
        return {name: float(one.get("share_seconds") or 0) for name, one in (self.plan.get("contenders") or {}).items()}

    def best_trial(self, contender: str) -> Trial | None:
        """The finished trial whose setting was refitted."""
        done = [trial for trial in self.tuning.get(contender, ()) if trial.state == "done" and trial.score is not None]
        return max(done, key=lambda trial: (trial.score or 0.0, -trial.job.number), default=None)

    def answers_to(self, asked: Mapping[str, str]) -> dict[str, dict[str, dict[str, Any]]]:
        """Of some test examples (key → target): key → contender → answer of its first seed, and as score the probability given
        to the target, or the absolute error, mean over seeds. Of what is drawn nothing."""
        found: dict[str, dict[str, dict[str, Any]]] = {key: {} for key in asked}
        for row in self.ranked if asked and not self.drawn else ():
            answers = self.answers(row.contender, scores=self.several, labels=set(asked.values()))
            if answers is None:
                continue
            place = {key: k for k, key in enumerate(answers.keys)}
            for key, target in asked.items():
                if key in place:
                    said = answers.answers[0, place[key]]
                    found[key][row.contender] = {"answer": said.item() if isinstance(said, np.generic) else said,
                                                 "score": answers.score(place[key], target)}
        return found

    def answers(self, contender: str, scores: bool = False, labels: AbstractSet[str] = frozenset()) -> Answers | None:
        """Outer folds one after the other. scores: of all labels, or of `labels` alone.

        None where no answers were kept, or those of the seeds do not belong together.
        """
        import pyarrow as pa
        import pyarrow.parquet as parquet
        base = finals_of(self.folder, contender)
        tables = []
        for seed in sorted(base.glob("seed-*"), key=lambda seed: by_number(seed.name)):
            folds = sorted(base.glob(f"fold-*/{seed.name}/answers.parquet"), key=lambda file: by_number(file.parts[-3]))
            files = [file for file in (seed / "answers.parquet", *folds) if file.is_file()]
            names = parquet.read_schema(files[0]).names if files else []
            wanted = [name for name in names if scores or not name.startswith(SCORE) or name.removeprefix(SCORE) in labels]
            if files:
                tables.append(pa.concat_tables([parquet.read_table(file, columns=wanted).replace_schema_metadata() for file in files]))
        if not tables or any(table.column_names != tables[0].column_names or table["key"] != tables[0]["key"] for table in tables):
            return None
        read = [name.removeprefix(SCORE) for name in tables[0].column_names if name.startswith(SCORE)]
        given = None
        if read:
            given = np.stack([np.column_stack([table[SCORE + label].to_numpy() for label in read]) for table in tables]).astype(float)
        return Answers([str(key) for key in tables[0]["key"].to_pylist()], np.array(in_words(tables[0]["target"].to_pylist())),
                       np.array([in_words(table["answer"].to_pylist()) for table in tables]), read, given, self.several)


def in_words(values: list[Any]) -> list[Any]:
    """Lists of tags, boxes … as they are printed; anything else as it is."""
    return [str(in_row(value)) if isinstance(value, list | dict) else value for value in values]


def read(folder: Path) -> Run:
    """Raises RunError where the folder is no run, or one that has not ended."""
    if not (folder / "question.json").is_file():
        raise RunError("this is not a run's folder", f"{folder}: question.json is missing", "Give the folder that `bakeoff run` printed.")
    if not (folder / "verdict.json").is_file() or not (folder / "leaderboard.csv").is_file():
        raise RunError("this run has not ended, there is no verdict yet", str(folder), f"Finish it first: bakeoff resume {folder}")
    with (folder / "leaderboard.csv").open(newline="", encoding="utf-8") as file:
        rows = [row_of(record) for record in csv.DictReader(file)]
    question, plan, data, verdict, comparison, shown, written, looked = (
        load(folder / f"{name}.json") for name in ("question", "plan", "data", "verdict", "comparison", "shown", "written", "looked"))
    return Run(folder, question, plan, data, verdict, comparison, shown, written, looked, rows, trials_of(folder / "trials.jsonl"))


def by_number(name: str) -> tuple[int, str]:
    """'seed-10' comes after 'seed-9'."""
    tail = name.rpartition("-")[2]
    return (int(tail) if tail.isdigit() else -1, name)


def load(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def row_of(record: Mapping[str, str]) -> Row:
    plain = {"rank", "contender", "group", "metric", "value", "low", "high", "p_vs_best", "tied", "state", "why"}
    rank = number(record["rank"])
    return Row(None if rank is None else int(rank), record["contender"], record["group"], number(record["value"]), number(record["low"]),
               number(record["high"]), number(record["p_vs_best"]), record["tied"].strip().lower() in {"true", "1", "yes"},
               record["state"], record["why"], {name: number(text) for name, text in record.items() if name not in plain})


def number(text: object) -> float | None:
    """A finite number, or None."""
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def trials_of(file: Path) -> list[Trial]:
    """Whole lines with a right checksum; what a crash left half written is passed over."""
    if not file.is_file():
        return []
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
            if f"{zlib.crc32(canonical(record['trial']).encode()):08x}" == record["sum"]:
                found.append(trial_from(record["trial"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found
