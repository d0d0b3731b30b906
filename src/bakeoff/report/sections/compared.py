"""Value against cost, and who differs from whom."""

from __future__ import annotations

from markupsafe import Markup

from bakeoff.report import findings
from bakeoff.report.format import p_digits, plain
from bakeoff.report.plots.cost import AXES, Axis, front, priced, value_against_cost
from bakeoff.report.plots.pairs import MOST, against_best, triangle
from bakeoff.report.view import NARROW, WIDE, Figure, Table, View


def costs(view: View) -> list[Figure]:
    """A figure per cost that was measured, the one that decided first."""
    wanted = str(view.run.verdict.get("cost") or "macs")
    known = [axis for axis in AXES if priced(view.run.ranked, axis)]
    return [cost(view, axis) for axis in sorted(known, key=lambda axis: axis.key != wanted)]


def cost(view: View, axis: Axis) -> Figure:
    run, score = view.run, view.score
    finding = findings.on_cost(run, axis, score, view.differences)
    how = "Line: the front, the best value to be had at each cost. Bar: 95 % interval. Ring: recommended."
    charts = [value_against_cost(run.ranked, axis, view.metric, run.high_is_good, score, run.recommended, width, height, finding)
              for width, height in ((WIDE, 470.0), (NARROW, 430.0))]
    best = front(run.ranked, axis, run.high_is_good)
    points = sorted(priced(run.ranked, axis), key=lambda one: one[1])
    rows = [[plain(row.contender), row.group, axis.write(price), score(value), score.interval(row.low, row.high),
             "on the front" if row in best else ""] for row, price, value in points]
    table = Table(["contender", "group", axis.name, view.metric, "95 % interval", ""], rows)
    return Figure(finding, how, charts[0], charts[1], table, axis.name)


def pairs(view: View) -> Figure:
    run, score = view.run, view.score
    names = [row.contender for row in run.ranked]
    finding = findings.on_pairs(run, score, view.differences)
    if len(names) < 2:
        return Figure(finding, "", Markup(""))
    how = ("Each cell is the contender of its row minus the one of its column, with 95 % interval: a bar that keeps off the middle line, "
           "and shading, mean that they differ. Read along a row to see to whom it loses.")
    if len(names) > MOST:
        how += f" The first {MOST} of {len(names)} are drawn; the table has all."
    narrow_how = (f"Each contender minus {plain(run.best)}, with 95 % interval: hollow where the two cannot be told apart. "
                  "All pairs stand in the table.")
    rows = [[plain(a), plain(b), score.signed(one.value), score.signed_interval(one.low, one.high), p_digits(one.p),
             "differ" if one.distinct else "not distinguishable"]
            for k, a in enumerate(names) for b in names[k + 1:] if (one := view.differences.get((a, b))) is not None]
    drawn = (triangle(names, view.groups, view.differences, score, run.metric, WIDE, finding),
             against_best(run.best, names[1:], view.groups, view.differences, score, NARROW, finding))
    return Figure(finding, how, *drawn, Table(["a", "b", f"{view.metric}, a − b", "95 % interval", "p", ""], rows, "All pairs"),
                  more={"narrow_how": narrow_how, "notes": [plain(note) for note in run.comparison.get("notes") or ()]})
