"""The ledger: what every contender was given and what it spent, cuts, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bakeoff.report import findings
from bakeoff.report.format import NOTHING, Cell, column, count, duration, plain, quantity, short
from bakeoff.report.palette import mark
from bakeoff.report.view import Table, View, parted
from bakeoff.types import Trial

KINDS = ("done", "pruned", "failed", "final")
HEAD = ("contender", "time given", "spent", "trials given", "done", "pruned", "failed", "finals", "examples asked", "seen", "operations", "note")
FAILURES = 40                                 # listed; the rest stands in trials.jsonl


class Spent(NamedTuple):
    """A contender's bar; parts: (kind, start, width) in % of the axis; share: where what it was given ends."""

    contender: str
    mark: str
    parts: list[tuple[str, float, float]]
    share: float
    tip: str


def build(view: View) -> dict[str, Any]:
    run = view.run
    planned: Mapping[str, Mapping[str, Any]] = run.plan.get("contenders") or {}
    names = [*(row.contender for row in run.rows), *(name for name in planned if name not in run.row)]
    seconds = {name: by_kind(run.tuning.get(name, []), run.finals.get(name, [])) for name in names}
    totals = {name: sum(one.values()) for name, one in seconds.items()}
    shares = {name: run.shares.get(name, 0.0) for name in names}
    most = max([*totals.values(), *shares.values()], default=0.0) or 1.0
    rows = [[*account(view, name, planned.get(name, {})), plain(planned.get(name, {}).get("note") or planned.get(name, {}).get("error") or "")]
            for name in names]
    columns = [aligned(texts) for texts in zip(*rows, strict=True)]
    return {"finding": parted(findings.on_ledger(run, totals)), "top": duration(most), "given": bool(run.shares),
            "bars": [bar(name, mark(run.group(name)), seconds[name], shares[name], most) for name in names],
            "table": Table(HEAD, list(zip(*columns, strict=True)), "The ledger"),
            "cuts": [f"{plain(cut.get('when', ''))}: {plain(cut.get('why', ''))} – {what_was_cut(cut.get('what'))}"
                     for cut in run.plan.get("cuts") or ()],
            "failed": [(plain(name), plain(why)) for name, why in view.failed.items()], "trouble": trouble(view)}


def by_kind(tuning: Sequence[Trial], finals: Sequence[Trial]) -> dict[str, float]:
    """Seconds of finished, pruned and failed trials, and of finals."""
    found = dict.fromkeys(KINDS, 0.0)
    for trial in tuning:
        found[trial.state] += trial.spent.seconds
    for trial in finals:
        found["failed" if trial.state == "failed" else "final"] += trial.spent.seconds
    return found


def bar(name: str, colour: str, seconds: Mapping[str, float], share: float, most: float) -> Spent:
    parts, start = [], 0.0
    for kind in KINDS:
        if seconds[kind] > 0:
            parts.append((kind, start, 100 * seconds[kind] / most))
            start += 100 * seconds[kind] / most
    told = ", ".join(f"{'finals' if kind == 'final' else kind} {duration(seconds[kind])}" for kind in KINDS if seconds[kind])
    given = f"given {duration(share)}; " if share else ""
    return Spent(plain(name), colour, parts, 100 * share / most, f"{plain(name)}: {given}{told or 'nothing spent'}")


def account(view: View, name: str, planned: Mapping[str, Any]) -> list[str]:
    """A contender's line of the table, without its note."""
    tuning, finals = view.run.tuning.get(name, []), view.run.finals.get(name, [])
    states = Counter(trial.state for trial in tuning)
    share, everything = view.run.shares.get(name, 0.0), [*tuning, *finals]
    return [plain(name), duration(share) if share else NOTHING, duration(sum(trial.spent.seconds for trial in everything)),
            count(planned.get("trials") or 0), *(count(states[state]) for state in ("done", "pruned", "failed")),
            count(sum(trial.state == "done" for trial in finals)), count(sum(trial.spent.asked for trial in tuning)),
            count(sum(trial.spent.examples for trial in tuning)), quantity(sum(trial.spent.macs for trial in everything))]


def aligned(texts: Sequence[str]) -> Sequence[str | Cell]:
    """A column of whole numbers as cells, any other as it is."""
    return column(texts) if all(text.replace(",", "").isdigit() for text in texts) else texts


def what_was_cut(what: object) -> str:
    """{'trials': {'gru': '8 → 5'}} → 'trials: gru 8 → 5'."""
    if not isinstance(what, Mapping):
        return plain(what)

    def said(value: object) -> str:
        return ", ".join(f"{plain(key)} {plain(one)}" for key, one in value.items()) if isinstance(value, Mapping) else plain(value)
    return "; ".join(f"{plain(name)}: {said(value)}" for name, value in what.items())


def trouble(view: View) -> Table | None:
    """Trainings that failed, with their reason."""
    rows: list[list[str]] = [
        [plain(trial.job.contender), "trial" if trial.job.stage == "tune" else "final", count(trial.job.number + 1), short(trial.why, 300)]
        for trial in view.run.trials if trial.state == "failed"]
    title = f"{count(len(rows))} training{'s' if len(rows) > 1 else ''} failed"
    return Table(["contender", "", "number", "why"], rows[:FAILURES], title) if rows else None
