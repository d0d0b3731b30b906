"""The leaderboard: value with its interval, difference to the best, other metrics, costs, what was spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from bakeoff.report import findings
from bakeoff.report.format import BYTES, COUNTS, TIMES, Cell, Score, Unit, column, count, p_digits, plain
from bakeoff.report.palette import mark
from bakeoff.report.plots.ranking import small_interval
from bakeoff.report.plots.window import window
from bakeoff.report.records import Row
from bakeoff.report.view import View, parted

# column of leaderboard.csv, its head, the units it may be written in (one for the whole column), whether it goes on paper
MEASURED: tuple[tuple[str, str, tuple[tuple[float, str], ...], bool], ...] = (
    ("parameters", "parameters", COUNTS, True), ("macs", "operations", COUNTS, True), ("train_seconds", "training", TIMES, True),
    ("step_ms", "step", ((1.0, "ms"),), False), ("latency_ms_p50", "latency", ((1.0, "ms"),), True),
    ("latency_ms_p95", "latency p95", ((1.0, "ms"),), False), ("peak_train_bytes", "memory training", BYTES, False),
    ("peak_infer_bytes", "memory answering", BYTES, False), ("examples", "examples", COUNTS, False), ("seconds", "spent", TIMES, False))


class Column(NamedTuple):
    """unit: below its head; cells and the numbers it is sorted by, row by row; extra: not on paper."""

    name: str
    unit: str
    cells: list[Cell]
    keys: Sequence[float | None]
    extra: bool = False


class Line(NamedTuple):
    """A contender. ends: its interval as text, picture: as a bar; state: why it has no value, else ''."""

    rank: str
    contender: str
    mark: str
    group: str
    remark: str
    tied: bool
    ends: str
    picture: Markup
    state: str


def build(view: View) -> dict[str, Any]:
    run, score = view.run, view.score
    rows = [*run.ranked, *(row for row in run.rows if not row.ranked)]
    across = window(run.ranked) if run.ranked else (0.0, 1.0)
    values = [row.value for row in rows]
    return {
        "finding": parted(findings.on_leaderboard(run)), "lines": [line(view, row, across) for row in rows],
        "value": Column(run.metric, str(run.comparison.get("unit") or ""), column(list(map(score, values))), values),
        "columns": [*against_best(view, rows), *other_metrics(view, rows), *measured(rows)]}


def line(view: View, row: Row, across: tuple[float, float]) -> Line:
    run = view.run
    said = ["best" if row.contender == run.best else "tied" if row.contender in run.tied else "",
            "recommended" if row.contender == run.recommended else "", "untuned" if row.contender in view.untuned else ""]
    return Line(count(row.rank) if row.rank else "", plain(row.contender), mark(row.group), plain(row.group), ", ".join(filter(None, said)),
                bool(run.tied) and row.contender in (run.best, *run.tied), view.score.interval(row.low, row.high),
                small_interval(row, across) if row.ranked else Markup(""), "" if row.ranked else plain(row.why or row.state))


def against_best(view: View, rows: Sequence[Row]) -> list[Column]:
    apart = [view.against_best.get(row.contender) for row in rows]
    values, chances = [one.value if one else None for one in apart], [one.p if one else None for one in apart]
    return [Column("to the best", "", column(["" if value is None else view.score.signed(value) for value in values]), values),
            Column("p", "against the best", column(["" if p is None else p_digits(p) for p in chances]), chances)]


def other_metrics(view: View, rows: Sequence[Row]) -> list[Column]:
    """The task's other metrics, and the first without test examples that also stand in train."""
    beside: Mapping[str, Mapping[str, float | None]] = view.run.comparison.get("beside") or {}
    found = []
    for name in dict.fromkeys(name for one in beside.values() for name in one):
        numbers = [(beside.get(row.contender) or {}).get(name) for row in rows]
        found.append(Column(plain(name).replace("_", " "), "", column(list(map(Score.of(numbers), numbers))), numbers, True))
    unshared: Mapping[str, float] = view.run.comparison.get("without_shared") or {}
    if unshared:
        numbers = [unshared.get(row.contender) for row in rows]
        found.append(Column(view.run.metric, "without shared", column(list(map(view.score, numbers))), numbers))
    return found


def measured(rows: Sequence[Row]) -> list[Column]:
    """Costs and what was spent, each in one unit; what nobody has is left out."""
    found = []
    for key, name, units, on_paper in MEASURED:
        numbers = [row.numbers.get(key) for row in rows]
        if any(number is not None for number in numbers):
            unit = Unit.fitting(numbers, units)
            found.append(Column(name, unit.name, column([unit(number) for number in numbers]), numbers, not on_paper))
    trials = [row.numbers.get("trials") for row in rows]
    return [*found, Column("trials", "", column([count(number or 0) for number in trials]), trials, True)]
