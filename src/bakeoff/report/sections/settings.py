"""Settings that were chosen and what was tried for them, the commands that repeat a row, the protocol and the machine."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bakeoff.report.again import again, joined
from bakeoff.report.format import NOTHING, count, duration, plain, short, significant, size
from bakeoff.report.palette import mark
from bakeoff.report.view import Table, View

FEW = 4                                       # different numbers that are listed one by one


class Setting(NamedTuple):
    """changed: (name, value) of what differs from the start; table: every choice with what was tried; command: repeats the row."""

    contender: str
    mark: str
    trial: str
    changed: list[tuple[str, str]]
    table: Table
    command: str


def build(view: View) -> list[Setting]:
    """One per contender that was tuned."""
    run, found = view.run, []
    for row in run.ranked:
        trial = run.best_trial(row.contender)
        if trial is None:
            continue
        trials, chosen = run.tuning[row.contender], trial.job.params
        start: Mapping[str, Any] = (run.plan.get("contenders") or {}).get(row.contender, {}).get("start") or {}
        rows = [[plain(name), value_of(value), value_of(start[name]) if name in start else NOTHING,
                 tried([one.job.params[name] for one in trials if name in one.job.params])] for name, value in chosen.items()]
        validated = f", {plain(run.metric)} {view.score(trial.value)} on validation" if trial.value is not None else ""
        found.append(Setting(
            plain(row.contender), mark(row.group), f"trial {count(trial.job.number + 1)} of {count(len(trials))}{validated}",
            [(plain(name), value_of(value)) for name, value in chosen.items() if name not in start or start[name] != value],
            Table(["choice", "chosen", "at the start", "tried"], rows, "Every choice, and what was tried"),
            again(view.run.question, view.run.folder, row.contender)))
    return found


def value_of(value: object) -> str:
    return significant(value, 3) if isinstance(value, float) else short(value, 60)


def tried(values: Sequence[Any]) -> str:
    """'0.0004 … 0.03 (9 values)', or '32 × 5, 64 × 9'."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if numbers and len(set(values)) > FEW:
        return f"{significant(min(values))} … {significant(max(values))} ({count(len(set(values)))} values)"
    often = Counter(map(value_of, values)).most_common(6)
    return ", ".join(f"{value} × {number}" for value, number in often) if len(often) > 1 else f"{often[0][0]} only" if often else NOTHING


def commands(view: View) -> list[tuple[str, str]]:
    """What each does, and the command."""
    folder = shlex.quote(plain(view.run.folder.as_posix()))
    return [("The whole run again", again(view.run.question, view.run.folder)), ("This report again, from the records", f"bakeoff report {folder}"),
            (f"Answers of {plain(view.run.recommended)} for new data", f"bakeoff predict {folder} NEW_DATA")]


def surroundings(view: View) -> list[tuple[str, str]]:
    """Protocol, machine and versions, line by line."""
    plan = view.run.plan
    machine: Mapping[str, Any] = plan.get("machine") or {}
    budget, threads = plan.get("budget_seconds"), plan.get("threads", NOTHING)
    lines = [
        ("budget", f"{duration(budget)} of waiting" if budget else "counts, no clock"), ("equal", plain(plan.get("equal", ""))),
        ("workers", f"{plan.get('jobs', NOTHING)}, {threads} thread{'' if threads == 1 else 's'} each"),
        ("search", plain(plan.get("search", ""))), ("seeds", f"{plan.get('seeds', NOTHING)}, from seed {plan.get('seed', NOTHING)}"),
        ("fixed by --set", ", ".join(f"{plain(name)}={plain(joined(value))}" for name, value in (plan.get("settings") or {}).items())),
        (plain(view.run.metric), plain(view.run.verdict.get("signature") or "")),
        ("processor", f"{plain(machine.get('cpu', ''))}, {machine.get('cores', NOTHING)} cores"), ("memory", size(machine.get("memory_bytes"))),
        ("system", plain(machine.get("platform", ""))), ("device", plain(machine.get("device", ""))),
        ("versions", ", ".join(f"{plain(name)} {plain(version)}" for name, version in (plan.get("versions") or {}).items()))]
    return [line for line in lines if line[1]]
