"""The two charts that claims are told with: lines against something that was varied, and values side by side.

Each is drawn twice, for a wide and for a narrow window; the page shows the one that fits, so that no text shrinks below 12 px.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from bakeoff.report.format import MINUS, count, plain, quantity, significant
from bakeoff.report.palette import mark
from bakeoff.report.plots.place import crosses, stacked
from bakeoff.report.plots.svg import SMALL, TEXT, Box, Scale, chart, el, fitting, line, measured, number, path, text

WIDE, NARROW = 640.0, 340.0                   # px
HIGH = {WIDE: 330.0, NARROW: 300.0}
TOP, FOOT = 32.0, 46.0
STEP = 26.0                                   # px from bar to bar
DASHES = "7 4"
FEW = 12                                      # points up to which intervals are drawn as bars, beyond that as a band
SHAPES = ("circle", "square", "triangle", "diamond", "open", "open square")       # by place among the lines of one group
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Line(NamedTuple):
    """name: stands at the line's end; group: one of registry.GROUPS, gives the colour; points: (across, upward); ends: (low, high) of
    each point; dashed: for what is counted rather than measured, or a reference. A value that an axis cannot show (not finite, or
    0 on a logarithmic one) leaves a gap."""

    name: str
    group: str
    points: Sequence[tuple[float, float]]
    ends: Sequence[tuple[float, float]] | None = None
    dashed: bool = False


class Bar(NamedTuple):
    """A value with its 95 % interval, where it has one."""

    name: str
    group: str
    value: float
    low: float | None = None
    high: float | None = None


def lines(all_lines: Sequence[Line], *, across: str, upward: str, log_across: bool = False, log_upward: bool = False,
          level: tuple[float, str] | None = None) -> Markup:
    """Lines with their names at their ends. across, upward: titles of the axes, with units; level: a value to compare with (guessing,
    a bar) and its name."""
    shown = [one._replace(points=[all_points[k] for k in kept], ends=None if one.ends is None else [one.ends[k] for k in kept])
             for one in all_lines for all_points in [one.points] for kept in [seen(one.points, log_across, log_upward)] if kept]
    if not shown:
        return Markup("")
    label = f"{upward} against {across}: {', '.join(one.name for one in shown)}"
    return both(lambda width: drawn_lines(shown, across, upward, log_across, log_upward, level, width, label))


def bars(rows: Sequence[Bar], *, across: str, log: bool = False, level: float | None = None, end: float | None = None) -> Markup:
    """Values under one another: bars from nothing, or dots where the axis is logarithmic or values lie on both sides of nothing. level: a
    value to compare with, dashed; end: where the axis ends at least."""
    shown = [row for row in rows if math.isfinite(row.value) and (row.value > 0 or not log)]
    if not shown:
        return Markup("")
    label = f"{across}: {', '.join(f'{row.name} {value_text(row.value)}' for row in shown)}"
    return both(lambda width: drawn_bars(shown, across, log, level, end, width, label))


def both(draw: Callable[[float], Markup]) -> Markup:
    """The chart for a wide window and for a narrow one."""
    return el("div", draw(WIDE), class_="wide") + el("div", draw(NARROW), class_="narrow")


def seen(points: Sequence[tuple[float, float]], log_across: bool, log_upward: bool) -> list[int]:
    """Places of the points that the axes can show."""
    return [k for k, (x, y) in enumerate(points)
            if math.isfinite(x) and math.isfinite(y) and (x > 0 or not log_across) and (y > 0 or not log_upward)]


def drawn_lines(shown: Sequence[Line], across_title: str, upward_title: str, log_across: bool, log_upward: bool,
                level: tuple[float, str] | None, width: float, label: str) -> Markup:
    narrow = width == NARROW
    names = min(max(measured(one.name, TEXT) for one in shown) + 26, 112.0 if narrow else 190.0)
    across = scale_of([x for one in shown for x, _ in one.points], log_across, 0, 1, False)
    heights = [y for one in shown for _, y in one.points] + ([level[0]] if level is not None else [])
    heights += [end for one in shown for pair in one.ends or () for end in pair if math.isfinite(end) and (end > 0 or not log_upward)]
    bottom = HIGH[width] - FOOT
    upward = scale_of(heights, log_upward, bottom, TOP)
    levels = upward.ticks(4 if narrow else 5)
    write = tick_words(levels, log_upward)
    left = max(measured(write(tick), SMALL) for tick in levels) + 12
    right = width - names
    across = Scale(across.low, across.high, left + 6, right - 6, log_across)
    parts = []
    for tick in levels:
        parts += [line(left, upward(tick), right, upward(tick), "grid"),
                  text(left - 8, upward(tick), write(tick), anchor="end", kind="soft small")]
    parts += [*feet(across, bottom, left, right, log_across, 4 if narrow else 7, shown), line(left, bottom, right, bottom, "axis"),
              text(0, 10, fitting(upward_title + (", log scale" if log_upward else ""), width, SMALL), kind="soft small"),
              text(right, bottom + 35, fitting(f"{across_title}{', log scale' if log_across else ''} →", right, SMALL), anchor="end",
                   kind="soft small")]
    traces = [[(across(x), upward(y)) for x, y in one.points] for one in shown]
    if level is not None and upward.holds(level[0]):
        parts += levelled(level, upward(level[0]), left, right, traces)
    ys = stacked([trace[-1][1] for trace in traces], 15.5, TOP, bottom - 4)
    used: dict[str, int] = {}
    for one, trace, y in zip(shown, traces, ys, strict=True):
        place = used[one.group] = used.get(one.group, -1) + 1
        drawn = [*spread(one, trace, upward)]
        if len(trace) > 1:
            drawn.append(path(trace, "validation", stroke_dasharray=DASHES if one.dashed else None))
        every = math.ceil(len(trace) / FEW)
        drawn += [marker(SHAPES[place % len(SHAPES)], *point) for point in trace[::-every]]
        end = trace[-1]
        if abs(y - end[1]) > 2 or end[0] < right - 8:
            drawn.append(path([(end[0] + 6, end[1]), (right + 2, end[1]), (right + 10, y)] if end[0] < right - 8
                              else [(end[0] + 6, end[1]), (right + 10, y)], "leader", fill="none"))
        drawn.append(text(right + 13, y, fitting(one.name, names - 14), kind="name"))
        x, value = one.points[-1]
        tip = f"{one.name}: {value_text(value)} at {value_text(x)}"
        parts.append(el("g", *drawn, class_=f"one {mark(one.group)}", data_tip=plain(tip)))
    return chart(width, HIGH[width], *parts, label=label, kind="progress")


def scale_of(values: Sequence[float], log: bool, start: float, end: float, room: bool = True) -> Scale:
    """An axis that holds all values; one that begins near nothing begins at nothing."""
    low, high = min(values), max(values)
    if log:
        low, high = (low / 1.5, high * 1.5) if high < low * 1.01 else (low, high)
        more = (high / low) ** 0.04 if room else 1.0
        return Scale(low / more, high * more, start, end, log=True)
    if room:
        more = 0.05 * (high - low) or 0.1 * abs(high) or 0.5
        low, high = 0.0 if 0 <= low < 0.4 * high else low - more, high + more
    elif high == low:
        low, high = low - 0.5, high + 0.5
    return Scale(low, high, start, end)


def tick_words(values: Sequence[float], log: bool) -> Callable[[float], str]:
    """Ticks in as few letters as can be read: 10⁻⁶ where numbers get tiny or huge, else 1 k, 20 k, else decimals."""
    known = [abs(value) for value in values if value]
    if known and log and (min(known) < 1e-3 or max(known) >= 1e12):
        return raised
    return value_text


def value_text(value: float) -> str:
    """Three digits: '1.24 M', '12.3', '0.868', '3.2·10⁻⁶'; a whole number in full as long as it is short: '1,024'."""
    if value and math.isfinite(value) and abs(value) < 1e-4:
        return raised(value)
    if value == round(value, 0) and abs(value) < 10_000:
        return count(value)
    return quantity(value) if abs(value) >= 1000 else significant(value, 3 if abs(value) >= 1e-3 else 2)


def raised(value: float) -> str:
    """.00032 → '3.2·10⁻⁴', 1e-6 → '10⁻⁶'."""
    if not value:
        return "0"
    power = math.floor(math.log10(abs(value)) + 1e-9)
    front = significant(abs(value) / 10.0 ** power, 2)
    if front == "10":
        front, power = "1", power + 1
    words = f"10{str(power).translate(RAISED)}" if power else "1"
    words = words if front == "1" else f"{front}·{words}" if power else front
    return f"{MINUS}{words}" if value < 0 else words


def feet(across: Scale, bottom: float, left: float, right: float, log: bool, about: int, shown: Sequence[Line]) -> list[Markup]:
    """Ticks below: where the values stood that were tried, if they are few; else round numbers. What would touch its neighbour is left out."""
    tried = sorted({x for one in shown for x, _ in one.points})
    at = tried if len(tried) <= about + 3 else across.ticks(about)
    write = tick_words(at, log)
    parts, taken = [], left - 20
    for tick in at:
        x, half = across(tick), measured(write(tick), SMALL) / 2
        parts.append(line(x, bottom, x, bottom + 4, "axis"))
        if x - half > taken + 8:
            parts.append(text(x, bottom + 15, write(tick), anchor="middle", kind="soft small"))
            taken = x + half
    return parts


def spread(one: Line, trace: Sequence[tuple[float, float]], upward: Scale) -> list[Markup]:
    """Intervals: a bar at each point, or a band where there are many points."""
    if one.ends is None:
        return []
    ends = [(upward(low) if upward.holds(low) else upward.start, upward(high) if upward.holds(high) else upward.end) for low, high in one.ends]
    if len(trace) <= FEW:
        return [line(x, low, x, high, "bar thin") for (x, _), (low, high) in zip(trace, ends, strict=True)]
    there = [(x, high) for (x, _), (_, high) in zip(trace, ends, strict=True)]
    back = [(x, low) for (x, _), (low, _) in zip(reversed(trace), reversed(ends), strict=True)]
    return [path([*there, *back], "interval")]


def levelled(level: tuple[float, str], y: float, left: float, right: float, traces: Sequence[Sequence[tuple[float, float]]]) -> list[Markup]:
    """The value to compare with, its name where the fewest lines run through it."""
    words = fitting(level[1], (right - left) * 0.7, SMALL)
    wide = measured(words, SMALL)
    pieces = [(*one, *other) for trace in traces for one, other in pairwise(trace)]
    places = [(x, above) for above in (-9.0, 10.0) for x in (left + 4, (left + right - wide) / 2, right - wide - 2)]
    x, above = min(places, key=lambda spot: sum(crosses(piece, Box(spot[0], y + spot[1] - 8, spot[0] + wide, y + spot[1] + 8))
                                                for piece in pieces))
    return [line(left, y, right, y, "baseline"), text(x, y + above, words, kind="remark small")]


def marker(shape: str, x: float, y: float) -> Markup:
    """A point of a line; the shape tells lines of one group apart."""
    kind = "dot open" if shape.startswith("open") else "dot"
    if shape in ("circle", "open"):
        return el("circle", cx=float(x), cy=float(y), r=4, class_=kind)
    corners = {"square": ((-3.8, -3.8), (3.8, -3.8), (3.8, 3.8), (-3.8, 3.8)), "triangle": ((0, -5.2), (4.8, 3.6), (-4.8, 3.6)),
               "diamond": ((0, -5.4), (5.4, 0), (0, 5.4), (-5.4, 0))}[shape.removeprefix("open ")]
    d = "M" + "L".join(f"{number(float(x + dx))},{number(float(y + dy))}" for dx, dy in corners) + "z"
    return el("path", d=d, class_=kind)


def drawn_bars(shown: Sequence[Bar], title: str, log: bool, level: float | None, end: float | None, width: float, label: str) -> Markup:
    narrow = width == NARROW
    widest = max(measured(row.name, TEXT) for row in shown) + 8
    above = widest > (124.0 if narrow else 230.0)                            # names that would be cut stand over their bars
    names, step = (0.0, STEP + 18) if above else (widest, STEP)
    said = [value_text(row.value) for row in shown]
    values = max(measured(words, TEXT) for words in said) + 14
    known = [end for row in shown for end in (row.value, row.low, row.high) if end is not None and math.isfinite(end) and (end > 0 or not log)]
    known += [more for more in (level, end) if more is not None]
    both_sides = min(known) < 0 or log
    across = scale_of(known if both_sides else [0.0, *known], log, names + 10, width - values)
    bottom = 8 + step * len(shown)
    ticks = across.ticks(3 if narrow else 6)
    write = tick_words(ticks, log)
    parts, taken = [], -math.inf
    for tick in ticks:
        half = measured(write(tick), SMALL) / 2
        parts.append(line(across(tick), 4, across(tick), bottom, "grid"))
        if across(tick) - half > taken + 8:
            parts.append(text(across(tick), bottom + 14, write(tick), anchor="middle", kind="soft small"))
            taken = across(tick) + half
    if not log and across.low < 0:
        parts.append(line(across(0), 4, across(0), bottom, "zero"))
    if level is not None:
        parts.append(line(across(level), 4, across(level), bottom, "baseline"))
    parts.append(text(width - values, bottom + 33, fitting(f"{title}{', log scale' if log else ''} →", width - values, SMALL), anchor="end",
                      kind="soft small"))
    for place, (row, words) in enumerate(zip(shown, said, strict=True)):
        y = 8 + step * (place + 1) - STEP / 2
        x = across(row.value)
        drawn = [text(0, y - 20, fitting(row.name, width), kind="name") if above else text(names, y, row.name, anchor="end", kind="name")]
        if both_sides:
            drawn.append(line(across.start if log else across(0), y, x, y, "rest"))
        else:
            drawn.append(el("rect", x=across(0), y=y - 6, width=max(x - across(0), 1.0), height=12, class_="fill", opacity=0.45))
        if row.low is not None and row.high is not None:
            drawn.append(line(across(row.low), y, across(row.high), y, "bar"))
        if both_sides or row.low is not None:
            drawn.append(el("circle", cx=x, cy=y, r=4.5, class_="dot"))
        drawn.append(text(width, y, words, anchor="end", kind="strong"))
        between = f" (95 % {value_text(row.low)} – {value_text(row.high)})" if row.low is not None and row.high is not None else ""
        parts.append(el("g", *drawn, class_=f"one {mark(row.group)}", data_tip=plain(f"{row.name}: {words}{between}")))
    return chart(width, bottom + 44, *parts, label=label, kind="claim")
