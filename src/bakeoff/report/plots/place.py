"""Names beside points without overlap: candidates around each point, the cheapest that is free, then a few rounds of mending."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from bakeoff.report.plots.svg import Box

RINGS = (9.0, 16.0, 26.0, 38.0, 54.0, 74.0, 98.0, 128.0, 164.0, 208.0)
ANGLES = tuple(math.radians(angle) for angle in (0, 180, 25, 335, 155, 205, 90, 270, 55, 305, 125, 235))
ROUNDS = 3
LEADER = 14.0                                 # px between point and name from which on a line leads there
DOT = 5.5


class Spot(NamedTuple):
    """Where a name stands, and where its leader line starts at the point's edge and ends; None: beside its point."""

    box: Box
    leader: tuple[float, float, float, float] | None


def place(points: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], frame: Box,
          avoid: Sequence[Box] = (), radii: Sequence[float] | None = None) -> list[Spot | None]:
    """A spot per point, in the frame, no two overlapping and none on a point. avoid: better not covered (bars, lines).

    sizes: width and height of each name; radii: of the points. None: there is no room at all, the name stays in the table.
    """
    round_each = radii or [DOT] * len(points)
    dots = [Box(x - r, y - r, x + r, y + r) for (x, y), r in zip(points, round_each, strict=True)]
    crowd = [sum(math.dist(one, other) for other in points) for one in points]
    order = sorted(range(len(points)), key=lambda i: (crowd[i], i))
    spots: list[Spot | None] = [None] * len(points)
    for again in range(ROUNDS):
        before = list(spots)
        for i in order:
            taken = [spot.box for k, spot in enumerate(spots) if spot is not None and k != i]
            leaders = [spot.leader for k, spot in enumerate(spots) if spot is not None and spot.leader is not None and k != i]
            found = cheapest(points[i], sizes[i], frame, taken, leaders, dots, avoid)
            if found is None and again == ROUNDS - 1 and spots[i] is None:
                found = anywhere(points[i], sizes[i], frame, taken, dots)
            spots[i] = found or spots[i]
        if spots == before and None not in spots:
            break
    return spots


def cheapest(point: tuple[float, float], size: tuple[float, float], frame: Box, taken: Sequence[Box],
             leaders: Sequence[tuple[float, float, float, float]], dots: Sequence[Box], avoid: Sequence[Box]) -> Spot | None:
    best: tuple[float, Spot] | None = None
    for ring in RINGS:
        for turn, angle in enumerate(ANGLES):
            spot = spot_at(point, size, ring, angle)
            box = spot.box
            if not box.inside(frame) or any(box.meets(other, 2) for other in taken) or any(box.meets(dot) for dot in dots):
                continue
            cost = ring + 0.8 * turn + 14 * sum(box.meets(other) for other in avoid)
            cost += 60 * sum(crosses(line, box) for line in leaders)
            if spot.leader is not None:
                cost += 12 + 40 * sum(crosses(spot.leader, other) for other in (*taken, *dots) if not encloses(other, point))
                cost += 40 * sum(cut(spot.leader, other) for other in leaders)
            if best is None or cost < best[0]:
                best = cost, spot
        if best is not None and best[0] < ring + 10:
            break                                                 # farther out can only be dearer
    return best[1] if best else None


def spot_at(point: tuple[float, float], size: tuple[float, float], ring: float, angle: float) -> Spot:
    """The name's box whose nearest edge lies `ring` away in the direction of `angle`."""
    (x, y), (wide, high) = point, size
    dx, dy = math.cos(angle), math.sin(angle)
    cx = x + dx * ring + (wide / 2 if dx > 0.3 else -wide / 2 if dx < -0.3 else 0)
    cy = y + dy * (ring + high / 2)
    box = Box(cx - wide / 2, cy - high / 2, cx + wide / 2, cy + high / 2)
    return Spot(box, leader_of(point, box))


def leader_of(point: tuple[float, float], box: Box) -> tuple[float, float, float, float] | None:
    x, y = point
    to_x, to_y = min(max(x, box.left), box.right), min(max(y, box.top + 3), box.bottom - 3)
    away = math.dist(point, (to_x, to_y))
    if away < LEADER:
        return None
    start = (DOT + 1) / away
    stop = 1 - 2 / away
    return x + (to_x - x) * start, y + (to_y - y) * start, x + (to_x - x) * stop, y + (to_y - y) * stop


def anywhere(point: tuple[float, float], size: tuple[float, float], frame: Box, taken: Sequence[Box], dots: Sequence[Box]) -> Spot | None:
    """The nearest free place of the whole frame."""
    wide, high = size
    best: tuple[float, Box] | None = None
    top = frame.top
    while top + high <= frame.bottom:
        left = frame.left
        while left + wide <= frame.right:
            box = Box(left, top, left + wide, top + high)
            away = math.dist(point, (left + wide / 2, top + high / 2))
            if (best is None or away < best[0]) and not any(box.meets(other, 1) for other in (*taken, *dots)):
                best = away, box
            left += 6
        top += 5
    return Spot(best[1], leader_of(point, best[1])) if best else None


def encloses(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


def crosses(line: tuple[float, float, float, float], box: Box) -> bool:
    """Whether a line touches a box: sampled every few px, which is fine enough for text."""
    x1, y1, x2, y2 = line
    count = max(2, int(math.dist((x1, y1), (x2, y2)) / 4))
    return any(encloses(box, (x1 + (x2 - x1) * k / count, y1 + (y2 - y1) * k / count)) for k in range(count + 1))


def cut(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two lines cross each other."""
    def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
        return (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    return (side(*one, *other[:2]) * side(*one, *other[2:]) < 0) and (side(*other, *one[:2]) * side(*other, *one[2:]) < 0)


def stacked(wanted: Sequence[float], height: float, low: float, high: float) -> list[float]:
    """Middles of lines of text at one edge, each as near to its wanted y as the others let it, in the same order."""
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    step = min(height, (high - low) / max(len(wanted) - 1, 1))
    blocks: list[tuple[float, list[int]]] = []                    # (y of the first, members)
    for i in order:
        blocks.append((wanted[i], [i]))
        while len(blocks) > 1 and blocks[-2][0] + step * len(blocks[-2][1]) > blocks[-1][0]:
            members = blocks[-2][1] + blocks[-1][1]
            first = sum(wanted[k] - step * place for place, k in enumerate(members)) / len(members)
            blocks[-2:] = [(first, members)]
    placed = [0.0] * len(wanted)
    for first, members in blocks:
        start = min(max(first, low), high - step * (len(members) - 1))
        for rank, k in enumerate(members):
            placed[k] = start + step * rank
    return squeezed(placed, order, step, low, high)


def squeezed(placed: list[float], order: Sequence[int], step: float, low: float, high: float) -> list[float]:
    """Blocks that were pushed back from an edge onto their neighbours are spread again: once down, once up."""
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + step)
    if order and placed[order[-1]] > high:
        placed[order[-1]] = high
        for after, before in pairwise(reversed(order)):
            placed[before] = min(placed[before], placed[after] - step)
    return [max(y, low) if len(order) == 1 else y for y in placed]
