"""Which part of the metric's axis is shown: where the decision falls. What lies far off is marked at the edge."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.report.records import Row

FAR = 2.2                                     # times the median distance from the best: beyond it a contender is off the axis


def window(rows: Sequence[Row]) -> tuple[float, float]:
    """(low, high) of the axis for ranked rows, the best first; wide enough for the intervals of all that are shown."""
    values = [row.value for row in rows if row.value is not None]
    distances = sorted(abs(value - values[0]) for value in values[1:])
    reach = FAR * distances[len(distances) // 2] if distances else 0.0
    near = [row for row in rows if row.value is not None and (abs(row.value - values[0]) <= reach or not distances)]
    ends = [end for row in near or rows[:1] for end in (row.low, row.value, row.high) if end is not None]
    low, high = min(ends), max(ends)
    room = 0.03 * (high - low) or 0.05 * abs(high) or 0.5
    return low - room, high + room
