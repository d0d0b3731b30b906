"""A mean over seeds and its interval. Free of what takes long to import, since rules need nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Mean(NamedTuple):
    """A mean and its 95 % t interval."""

    value: float
    low: float
    high: float


def mean_of(values: Sequence[float]) -> Mean:
    """Over seeds; one alone has no interval (−∞, ∞)."""
    from scipy import stats
    count, value = len(values), sum(values) / len(values)
    if count < 2:
        return Mean(value, -math.inf, math.inf)
    deviation = math.sqrt(sum((one - value) ** 2 for one in values) / (count - 1))
    half = float(stats.t.ppf(0.975, count - 1)) * deviation / math.sqrt(count)
    return Mean(value, value - half, value + half)
