"""Who differs from whom: a triangle of small intervals, and the differences from the best alone where there is less room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bakeoff.report.format import Score, probability
from bakeoff.report.palette import mark
from bakeoff.report.plots.svg import SMALL, TEXT, Scale, chart, el, fitting, line, measured, text, tick_text

MOST = 16                                     # contenders in the triangle; the table behind it has all
ALPHA = 0.05


@dataclass(frozen=True)
class Difference:
    """row − column in the metric's unit; distinct: p < .05, corrected."""

    row: str
    column: str
    value: float
    low: float | None
    high: float | None
    p: float | None

    @property
    def distinct(self) -> bool:
        return self.p is not None and self.p < ALPHA


def triangle(names: Sequence[str], groups: Mapping[str, str], differences: Mapping[tuple[str, str], Difference], score: Score, metric: str,
             width: float, label: str) -> Markup:
    """Row minus column: each cell an interval around a zero line, the number above it; shaded where the two differ."""
    names = names[:MOST]
    left = min(max(measured(name, TEXT) for name in names) + 14, 150)
    tail = min(measured(names[-1], TEXT) + 16, 130)               # the last name stands on the diagonal, right of all cells
    wide = min(64.0, (width - left - tail) / max(len(names) - 1, 1))
    high = 38.0
    reach = extent([differences[pair] for pair in differences if pair[0] in names and pair[1] in names])
    largest = max((abs(one.value) for one in differences.values() if one.distinct), default=1.0) or 1.0
    parts = []
    for i, name in enumerate(names):
        y = 8 + high * i
        if i:
            parts.append(text(left - 12, y + high / 2, fitting(name, left - 14), anchor="end", kind=f"name {mark(groups[name])}"))
        for j in range(i):
            one = differences.get((name, names[j]))
            if one is not None:
                parts.append(cell(one, left + wide * j, y, wide, high, reach, largest, score, metric))
        parts.append(text(left + wide * i + 4, y + high / 2, fitting(name, tail - 6 if i == len(names) - 1 else width - left - wide * i),
                          kind=f"name {mark(groups[name])}"))
    return chart(width, 16 + high * len(names), *parts, label=label, kind="pairs")


def extent(differences: Sequence[Difference]) -> float:
    """Half the width of a cell's axis: wide enough for all that cannot be told apart. What lies farther off is an arrow."""
    def end(one: Difference) -> float:
        return max(abs(value) for value in (one.low, one.value, one.high) if value is not None)
    ends = sorted(map(end, differences))
    close = max((end(one) for one in differences if not one.distinct), default=0.0)
    return max(close, ends[len(ends) // 3]) or 1.0 if ends else 1.0


def cell(one: Difference, x: float, y: float, wide: float, high: float, reach: float, largest: float, score: Score, metric: str) -> Markup:
    across = Scale(-reach, reach, x + 5, x + wide - 5)
    low, top = one.low if one.low is not None else one.value, one.high if one.high is not None else one.value
    shade = 0.22 + 0.78 * min(1.0, abs(one.value) / largest) if one.distinct else 0.0
    parts = []
    if shade:
        parts.append(el("rect", x=x + 1, y=y + 1, width=wide - 2, height=high - 2, class_="tint", fill_opacity=f"{shade:.2f}"))
    written = score.signed(one.value)
    if measured(written, SMALL) <= wide - 2:
        parts.append(text(x + wide / 2, y + 13, written, anchor="middle", kind="small" + ("" if one.distinct else " soft")))
    parts.append(line(x + wide / 2, y + 22, x + wide / 2, y + high - 5, "zero"))
    if across.holds(one.value):
        parts += [
            line(across(low), y + 28, across(top), y + 28, "bar ink"),
            el("circle", cx=across(one.value), cy=y + 28, r=2.5, class_="dot ink"),
        ]
    else:
        out = 1 if one.value > 0 else -1
        parts.append(el("path", d=f"M{across(one.value) + 2 * out:.1f},{y + 28:.1f}l{-5 * out},-3v6z", class_="dot ink"))
    tip = f"{one.row} − {one.column}: {metric} {score.signed(one.value)}"
    if one.low is not None:
        tip += f" (95 % {score.signed_interval(one.low, one.high)})"
    tip += f", {probability(one.p)}" if one.p is not None else ""
    return el("g", *parts, el("rect", x=x, y=y, width=wide, height=high, class_="touch"), class_="one", data_tip=tip)


def against_best(best: str, names: Sequence[str], groups: Mapping[str, str], differences: Mapping[tuple[str, str], Difference],
                 score: Score, width: float, label: str) -> Markup:
    """Differences from the best, an interval each around a zero line."""
    found = [one for name in names if (one := differences.get((name, best))) is not None]
    step, left, top = 27.0, min(max((measured(one.row, TEXT) for one in found), default=40) + 6, 104), 26.0
    ends = [0.0, *(end for one in found for end in (one.low, one.value, one.high) if end is not None)]
    reach = 1.6 * extent(found)
    across = Scale(max(min(ends), -reach), min(max(ends), reach), left + 14, width - 58)
    bottom = top + step * len(found)
    marks = across.ticks(3)
    write = tick_text(marks, score.bare)
    parts = [text(across(0), 10, f"{fitting(best, 110)} = 0", anchor="middle", kind="soft small")]
    for tick in marks:
        parts += [line(across(tick), top, across(tick), bottom, "grid"),
                  text(across(tick), bottom + 14, write(tick), anchor="middle", kind="soft small")]
    parts.append(line(across(0), top, across(0), bottom, "zero"))
    for place, one in enumerate(found):
        y = top + step * (place + 0.5)
        parts.append(el("g", text(left, y, fitting(one.row, left), anchor="end", kind="name"), *apart(one, y, across),
                        text(width - 4, y, score.signed(one.value), anchor="end", kind="strong" if one.distinct else "soft"),
                        class_=f"one {mark(groups[one.row])}"))
    return chart(width, bottom + 28, *parts, label=label, kind="pairs")


def apart(one: Difference, y: float, across: Scale) -> list[Markup]:
    """A dot and a bar, or an arrow at the edge that they lie beyond; hollow where the two cannot be told apart."""
    if not across.holds(one.value):
        out = 1 if one.value > 0 else -1
        return [el("path", d=f"M{across(one.value) + 4 * out:.1f},{y:.1f}l{-9 * out},-5v10z", class_="dot")]
    low, high = one.low if one.low is not None else one.value, one.high if one.high is not None else one.value
    return [line(across(low), y, across(high), y, "bar"),
            el("circle", cx=across(one.value), cy=y, r=5, class_="dot" if one.distinct else "dot open")]
