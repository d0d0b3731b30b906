"""Dynamic time warping inside a Sakoe–Chiba band, many pairs at once, and the nearest neighbours by it.

Sakoe & Chiba 1978, "Dynamic programming algorithm optimization for spoken word recognition"; lower bound: Keogh &
Ratanamahatana 2005, "Exact indexing of dynamic time warping". All distances are squared.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]

PAIRS = 2048                  # warped at a time: a band of so many numbers per step stays in the processor's cache
QUERIES = 256                 # answered at a time
ROUND = 8                     # further candidates per query and round, the lowest bound first
LOOK = 16                     # diagonals between two looks at which pairs are already too far


class Stack(NamedTuple):
    """Series one behind the other. x: (N, T, C), zero past each length; lengths: (N,), at least 1."""

    x: Floats
    lengths: Whole

    def some(self, where: Whole) -> Stack:
        return Stack(self.x[where], self.lengths[where])


def warped(a: Stack, b: Stack, band: int, limit: Floats | None = None) -> Floats:
    """(P,) squared distances of pairs a[p], b[p]: the least sum of squared differences along a path from both starts to both ends.

    band: most steps by which the path may run ahead, besides the difference of the two lengths. limit: (P,); a pair that is sure
    to lie beyond its limit comes back infinite. Runs along diagonals i + j: the cells of one need only the two before it.
    """
    pairs, time, channels = a.x.shape
    other = b.x.shape[1]
    result = np.full(pairs, np.inf, dtype=np.float32)
    here = np.arange(pairs)
    x, y = np.ascontiguousarray(a.x.transpose(1, 2, 0)), np.ascontiguousarray(b.x.transpose(1, 2, 0)[::-1])     # (T, C, P), y backwards
    end_a, end_b = a.lengths - 1, b.lengths - 1
    free = band + np.abs(end_a - end_b)                                      # (P,) each pair's own band
    widest, ragged = int(free.max(initial=0)), bool((free != free[:1]).any())
    rows = [np.full((time + 3, pairs), np.inf, dtype=np.float32) for _ in range(3)]      # row i + 1 holds cell (i, d − i)
    filled = [slice(0, 1)] * 3
    for diagonal in range(int((end_a + end_b).max(initial=0)) + 1):
        low = max(0, diagonal - other + 1, (diagonal - widest + 1) // 2)
        high = min(time - 1, diagonal, (diagonal + widest) // 2)
        now, last, before = (rows[(diagonal - back) % 3] for back in range(3))
        cost = now[low + 1:high + 2]
        now[low] = now[high + 2] = np.inf                                    # read by the next two, and else left from earlier ones
        first = other - 1 - (diagonal - low)
        if diagonal:
            np.minimum(last[low:high + 1], last[low + 1:high + 2], out=cost)
            np.minimum(cost, before[low:high + 1], out=cost)
        else:
            cost[:] = 0
        for channel in range(channels):
            gap = x[low:high + 1, channel] - y[first:first + high - low + 1, channel]
            cost += np.square(gap, out=gap)
        if ragged:
            cost[np.abs(2 * np.arange(low, high + 1) - diagonal)[:, None] > free] = np.inf
        done = np.flatnonzero(end_a + end_b == diagonal)
        result[here[done]] = now[end_a[done] + 1, done]
        filled[diagonal % 3] = slice(low + 1, high + 2)
        if limit is not None and diagonal % LOOK == LOOK - 1:
            near = np.minimum(cost.min(0, initial=np.inf), last[filled[(diagonal - 1) % 3]].min(0, initial=np.inf)) < limit[here]
            alive = near & (end_a + end_b > diagonal)
            if not alive.any():
                break
            if 2 * alive.sum() < len(here):
                here, end_a, end_b, free = here[alive], end_a[alive], end_b[alive], free[alive]
                x, y, *rows = (np.ascontiguousarray(part[..., alive]) for part in (x, y, *rows))
    return result


def bounds(queries: Stack, stored: Stack, band: int) -> Floats:
    """(Q, N): no warped distance is smaller. Lengths all equal: how far the query leaves the other's envelope; else the two ends."""
    if (queries.lengths != queries.x.shape[1]).any() or (stored.lengths != queries.x.shape[1]).any():
        return ends(queries, stored)
    from scipy.ndimage import maximum_filter1d, minimum_filter1d
    top, bottom = (reach(stored.x, 2 * band + 1, axis=1, mode="nearest") for reach in (maximum_filter1d, minimum_filter1d))
    found = np.empty((len(queries.x), len(stored.x)), dtype=np.float32)
    for number, x in enumerate(queries.x):
        outside = x - np.clip(x, bottom, top)
        found[number] = np.einsum("ntc,ntc->n", outside, outside)
    return found


def ends(queries: Stack, stored: Stack) -> Floats:
    """(Q, N): every path holds the pair of first steps and the pair of last ones, one and the same where both have one step."""
    found = np.square(queries.x[:, None, 0] - stored.x[None, :, 0]).sum(-1)
    last = [stack.x[np.arange(len(stack.x)), stack.lengths - 1] for stack in (queries, stored)]
    two = np.maximum(queries.lengths[:, None], stored.lengths[None]) > 1
    return found + np.where(two, np.square(last[0][:, None] - last[1][None]).sum(-1), np.float32(0))


def nearest(queries: Stack, stored: Stack, band: int, count: int, without: Whole | None = None) -> Whole:
    """(Q, count) positions in `stored`, the nearest first. without: (Q,) a position that each query may not find (itself)."""
    found = [search(queries.some(part), stored, band, count, None if without is None else without[part])
             for part in np.array_split(np.arange(len(queries.x)), max(1, -(-len(queries.x) // QUERIES)))]
    return np.concatenate(found)


def search(queries: Stack, stored: Stack, band: int, count: int, without: Whole | None) -> Whole:
    """Candidates in the order of their bounds; what cannot be nearer than the nearest so far is not warped."""
    bound = bounds(queries, stored, band) * np.float32(1 - 1e-5)             # rounding must not lift it above the distance
    if without is not None:
        bound[np.arange(len(bound)), without] = np.inf
    order = np.argsort(bound, axis=1, kind="stable")
    bound = np.take_along_axis(bound, order, 1)
    distance = np.full((len(bound), count), np.inf, dtype=np.float32)
    place = np.full((len(bound), count), -1, dtype=np.int64)
    active, begin = np.arange(len(bound)), np.zeros(len(bound), dtype=np.int64)
    while len(active):
        step = max(ROUND, PAIRS // len(active))
        column = begin[active, None] + np.arange(step)
        inside = column < bound.shape[1]
        column = np.where(inside, column, 0)
        wanted = inside & (bound[active[:, None], column] < distance[active, -1:])
        row, place_in_row = np.nonzero(wanted)
        candidate = order[active[row], column[wanted]]
        new = np.full(wanted.shape, np.inf, dtype=np.float32)
        for start in range(0, len(row), PAIRS):
            part = slice(start, start + PAIRS)
            new[row[part], place_in_row[part]] = warped(queries.some(active[row[part]]), stored.some(candidate[part]), band,
                                                        distance[active[row[part]], -1])
        both = np.concatenate([distance[active], new], 1)
        places = np.concatenate([place[active], order[active[:, None], column]], 1)
        keep = np.argsort(both, axis=1, kind="stable")[:, :count]
        distance[active], place[active] = np.take_along_axis(both, keep, 1), np.take_along_axis(places, keep, 1)
        begin[active] += step
        active = active[wanted.all(1) & (begin[active] < bound.shape[1])]
    return place
