"""Value against cost on a logarithmic axis, the Pareto front, every point named where it stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bakeoff.report.format import Score, duration, milliseconds, quantity, size
from bakeoff.report.palette import mark
from bakeoff.report.plots.place import Spot, place
from bakeoff.report.plots.svg import SMALL, TEXT, Box, Scale, chart, el, fitting, line, measured, steps, text, tick_text
from bakeoff.report.plots.window import window
from bakeoff.report.records import Row

LEFT, TOP, FOOT = 46, 40, 46


@dataclass(frozen=True)
class Axis:
    """A cost. column: of the leaderboard; name: in a switch; title: on the axis; write: a value with its unit."""

    key: str
    column: str
    name: str
    title: str
    write: Callable[[float | None], str]


AXES = (
    Axis("macs", "macs", "operations", "operations (multiply-adds) to answer one example", quantity),
    Axis("latency", "latency_ms_p50", "latency", "time to answer one example alone, median", milliseconds),
    Axis("parameters", "parameters", "parameters", "parameters", quantity),
    Axis("memory", "peak_infer_bytes", "memory", "peak memory while answering, beyond the bare process", size),
    Axis("seconds", "train_seconds", "training time", "time of one training with the chosen setting", duration),
)


def priced(rows: Sequence[Row], axis: Axis) -> list[tuple[Row, float, float]]:
    """(row, cost, value) of those whose cost is known."""
    found = []
    for row in rows:
        cost = row.numbers.get(axis.column)
        if cost is not None and row.value is not None and cost >= 0:
            found.append((row, cost, row.value))
    return found


def front(rows: Sequence[Row], axis: Axis, high_is_good: bool) -> list[Row]:
    """Contenders for which nothing is both cheaper and better, the cheapest first. Pretrained ones, too, can stand on it."""
    better, found, so_far = 1 if high_is_good else -1, [], -math.inf
    for row, _, value in sorted(priced(rows, axis), key=lambda one: (one[1], -better * one[2])):
        if better * value > so_far:
            found.append(row)
            so_far = better * value
    return found


def value_against_cost(rows: Sequence[Row], axis: Axis, metric: str, high_is_good: bool, score: Score, recommended: str,
                       width: float, height: float, label: str) -> Markup:
    points = priced(rows, axis)
    positive = [cost for _, cost, _ in points if cost > 0]
    free = any(cost == 0 for _, cost, _ in points)
    low, high = (min(positive), max(positive)) if positive else (1.0, 10.0)
    room = (high / low) ** 0.04 if high > low else 2.0
    right, bottom = width - 14, height - FOOT
    across = Scale(low / room, high * room, LEFT + (40 if free else 8), right - 8, log=True)
    upward = Scale(*window(rows), bottom - 8, TOP)
    edge = LEFT + 12                                              # where what costs nothing stands
    parts = [*axes(across, upward, axis, metric, high_is_good, score, right, bottom, width)]
    if free:
        parts.append(text(edge, bottom + 15, "0", anchor="middle", kind="soft small"))

    def spot(row: Row, cost: float, value: float) -> tuple[float, float]:
        return (across(cost) if cost > 0 else edge), upward(value)

    where = {row.contender: spot(row, cost, value) for row, cost, value in points}
    best = front(rows, axis, high_is_good)
    corners = [where[row.contender] for row in best]
    if corners:
        parts.append(steps([*corners, (right, corners[-1][1])], "front"))
    bars = {row.contender: Box(where[row.contender][0] - 1, upward(row.high), where[row.contender][0] + 1, upward(row.low))
            for row, _, _ in points if row.low is not None and row.high is not None}
    frame = Box(LEFT + 2, TOP - 10, width - 2, bottom - 1)
    names = {row.contender: fitting(row.contender, 120 if width > 500 else 86) for row, _, _ in points}
    spots = place(
        [where[row.contender] for row, _, _ in points],
        [(measured(names[row.contender], TEXT) + 2, 15.0) for row, _, _ in points],
        frame,
        [*bars.values(), *segments(corners, right)],
        [10.0 if row.contender == recommended else 5.5 for row, _, _ in points],
    )
    on_front = {row.contender for row in best}
    for (row, cost, value), named in zip(points, spots, strict=True):
        parts.append(point(row, where[row.contender], bars.get(row.contender), named, names[row.contender], row.contender in on_front,
                           row.contender == recommended, beyond(value, upward), f"{axis.write(cost)}, {metric} {score(value)}"
                           + (f" (95 % {score.interval(row.low, row.high)})" if row.low is not None else "")))
    return chart(width, height, *parts, label=label, kind="cost")


def axes(across: Scale, upward: Scale, axis: Axis, metric: str, high_is_good: bool, score: Score, right: float, bottom: float,
         width: float) -> list[Markup]:
    parts = []
    levels = upward.ticks(5)
    write = tick_text(levels, score.bare)
    for level in levels:
        parts += [
            line(LEFT, upward(level), right, upward(level), "grid"),
            text(LEFT - 8, upward(level), write(level), anchor="end", kind="soft small"),
        ]
    last = -math.inf
    for tick in across.ticks(8 if width > 500 else 4):
        words, x = axis.write(tick), across(tick)
        parts.append(line(x, bottom, x, bottom + 4, "axis"))
        if x - measured(words, SMALL) / 2 > last + 6 and x + measured(words, SMALL) / 2 < width:
            parts.append(text(x, bottom + 15, words, anchor="middle", kind="soft small"))
            last = x + measured(words, SMALL) / 2
    parts.append(line(LEFT, bottom, right, bottom, "axis"))
    parts.append(text(LEFT - 36, 12, f"{metric}, {'higher' if high_is_good else 'lower'} is better", kind="soft small"))
    parts.append(text(right, bottom + 34, fitting(f"{axis.title}, log scale →" if width > 500 else f"{axis.title} →", width - 20, SMALL),
                      anchor="end", kind="soft small"))
    return parts


def segments(corners: Sequence[tuple[float, float]], right: float) -> list[Box]:
    """The staircase as thin boxes, for the names to keep off."""
    found = []
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], (right, corners[-1][1] if corners else 0)], strict=True):
        found += [Box(min(x1, x2), y1 - 1, max(x1, x2), y1 + 1), Box(x2 - 1, min(y1, y2), x2 + 1, max(y1, y2))]
    return found


def beyond(value: float, upward: Scale) -> int:
    """−1 below the axis, +1 above it, 0 on it."""
    return 0 if upward.holds(value) else 1 if value > upward.high else -1


def point(row: Row, at: tuple[float, float], bar: Box | None, named: Spot | None, name: str, on_front: bool, recommended: bool, off: int,
          tip: str) -> Markup:
    x, y = at
    parts = []
    if bar is not None and not off:
        parts.append(line(x, bar.top, x, bar.bottom, "bar thin"))
    if recommended:
        parts.append(el("circle", cx=x, cy=y, r=9, class_="ring"))
    arrow = f"M{x:.1f},{y - 9 * off:.1f}l-5,{9 * off}h10z"         # off the axis: it points to where the value lies
    parts.append(el("path", d=arrow, class_="dot") if off else el("circle", cx=x, cy=y, r=5, class_="dot"))
    if named is not None:
        if named.leader is not None:
            parts.append(line(*named.leader, "leader"))
        parts.append(
            text(named.box.left + 1, (named.box.top + named.box.bottom) / 2, name, kind="name halo" + (" strong" if on_front else ""))
        )
    parts.append(el("circle", cx=x, cy=y, r=14, class_="touch"))
    return el("g", *parts, class_=f"one {mark(row.group)}", data_tip=f"{row.contender}: {tip}")
