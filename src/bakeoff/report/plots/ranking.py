"""The one picture that carries the answer: contenders by value, a dot and a bar each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bakeoff.report.format import Score
from bakeoff.report.palette import mark
from bakeoff.report.plots.svg import SMALL, TEXT, Scale, chart, el, fitting, line, measured, text, tick_text
from bakeoff.report.plots.window import window
from bakeoff.report.records import Row

HEAD, FOOT = 30, 44


@dataclass(frozen=True)
class Ranking:
    """rows: ranked, the best first; remarks: a word behind a contender; lost: name → why it has no value."""

    rows: Sequence[Row]
    seeds: Mapping[str, Sequence[float]]
    tied: frozenset[str]                      # the best among them
    best_baseline: Row | None
    remarks: Mapping[str, str]
    lost: Mapping[str, str]
    metric: str
    high_is_good: bool
    score: Score


def ranking(shown: Ranking, width: float, narrow: bool, label: str) -> Markup:
    step = 27 if narrow else 29
    names = min(
        max((measured(name, TEXT) for name in (*(row.contender for row in shown.rows), *shown.lost)), default=40) + 6,
        104 if narrow else 150,
    )
    values = 44 if narrow else 138
    low, high = window(shown.rows)
    across = Scale(low, high, names + 16, width - values - 12)
    bottom = HEAD + step * len(shown.rows)
    marks = across.ticks(4 if narrow else 6)
    write = tick_text(marks, shown.score.bare)
    parts = [*bands(shown, step, width)]
    for tick in marks:
        parts += [
            line(across(tick), HEAD, across(tick), bottom, "grid"),
            text(across(tick), bottom + 15, write(tick), anchor="middle", kind="soft small"),
        ]
    direction = f"{shown.metric}, higher is better →" if shown.high_is_good else f"← {shown.metric}, lower is better"
    parts.append(text(across.end if shown.high_is_good else across.start, bottom + 34, fitting(direction, width - 20, SMALL),
                      anchor="end" if shown.high_is_good else "start", kind="soft small"))
    if shown.best_baseline is not None:
        parts += across_line(shown.best_baseline, across, bottom, shown.score)
    for place, row in enumerate(shown.rows):
        parts.append(contender(shown, row, HEAD + step * (place + 0.5), across, width, names, narrow))
    for place, (name, why) in enumerate(shown.lost.items()):
        y = bottom + FOOT + 22 * (place + 0.5)
        parts += [
            text(names, y, fitting(name, names), anchor="end", kind="soft"),
            text(names + 16, y, fitting(why, width - names - 16, SMALL), kind="soft small"),
        ]
    return chart(width, bottom + FOOT + 22 * len(shown.lost), *parts, label=label, kind="ranking")


def bands(shown: Ranking, step: float, width: float) -> list[Markup]:
    """The shading of those not distinguishable from the best; neighbours grow together."""
    return [el("rect", x=0, y=float(HEAD + step * place), width=width, height=float(step), class_="band")
            for place, row in enumerate(shown.rows) if row.contender in shown.tied and len(shown.tied) > 1]


def across_line(baseline: Row, across: Scale, bottom: float, score: Score) -> list[Markup]:
    assert baseline.value is not None
    words = f"best baseline {score(baseline.value)}"
    if not across.holds(baseline.value):
        return []
    x = across(baseline.value)
    wide = measured(words, SMALL)
    start = min(max(x - wide / 2, 0), across.end - wide / 2)
    return [line(x, HEAD - 8, x, bottom, "baseline"), text(start, HEAD - 18, words, kind="soft small")]


def contender(shown: Ranking, row: Row, y: float, across: Scale, width: float, names: float, narrow: bool) -> Markup:
    """One line: name, interval, seeds, dot, remark, value."""
    assert row.value is not None
    score, colour = shown.score, mark(row.group)
    interval = score.interval(row.low, row.high)
    parts = [text(names, y, fitting(row.contender, names), anchor="end", kind="name")]
    ends = (row.low if row.low is not None else row.value, row.high if row.high is not None else row.value)
    if across.holds(row.value):
        x = across(row.value)
        right, left = across(ends[1]), across(ends[0])
        parts += [line(left, y, right, y, "bar")]
        parts += [
            line(across(seed), y - 5, across(seed), y + 5, "seed") for seed in shown.seeds.get(row.contender, ()) if across.holds(seed)
        ]
        parts.append(el("circle", cx=x, cy=y, r=5, class_="dot"))
    else:                                                         # off the axis: an arrow at the edge it lies beyond
        out = -1 if row.value < across.low else 1
        x = right = left = across.start if out < 0 else across.end
        parts.append(el("path", d=f"M{x + 7 * out:.1f},{y:.1f}l{-9 * out},-5v10z", class_="dot"))
        left, right = left - 8, right + 8
    if remark := shown.remarks.get(row.contender, ""):
        parts.append(beside(remark, left, right, y, across))
    end = width - 4
    if narrow:
        parts.append(text(end, y, score(row.value), anchor="end", kind="strong"))
    else:
        parts += [
            text(width - 92, y, score(row.value), anchor="end", kind="strong"),
            text(end, y, interval, anchor="end", kind="soft small"),
        ]
    tip = f"{row.contender}: {shown.metric} {score(row.value)}" + (f" (95 % {interval})" if interval else "")
    return el("g", *parts, el("rect", x=0, y=y - 12, width=width, height=24, class_="touch"), class_=f"one {colour}", data_tip=tip)


def beside(remark: str, left: float, right: float, y: float, across: Scale) -> Markup:
    """A remark where there is room: right of the bar, else left of it, else nothing."""
    wide = measured(remark, SMALL)
    if right + 8 + wide <= across.end + 8:
        return text(right + 8, y, remark, kind="remark small")
    if left - 8 - wide >= across.start:
        return text(left - 8, y, remark, anchor="end", kind="remark small")
    return Markup("")


def small_interval(row: Row, across: tuple[float, float]) -> Markup:
    """A dot and a bar for a cell of the leaderboard, all rows on the same axis."""
    assert row.value is not None
    scale = Scale(*across, 6, 126)
    y = 9.0
    parts: list[Markup] = []
    if scale.holds(row.value):
        parts = [
            line(scale(row.low if row.low is not None else row.value), y, scale(row.high if row.high is not None else row.value), y, "bar"),
            el("circle", cx=scale(row.value), cy=y, r=3.5, class_="dot"),
        ]
    else:
        out = -1 if row.value < across[0] else 1
        parts = [el("path", d=f"M{scale(row.value) + 4 * out:.1f},{y}l{-7 * out},-4v8z", class_="dot")]
    return el("svg", *parts, class_=f"chart inline {mark(row.group)}", viewBox="0 0 132 18", width=132, height=18, aria_hidden="true")
