"""A mean over seeds, a share of cases, and their intervals. Free of what takes long to import, since rules need nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Mean(NamedTuple):
    """A mean and its 95 % t interval."""

    value: float
    low: float
    high: float


    def within(self, low: float, high: float) -> Mean:
        """The interval ends where the quantity does: an accuracy's at 0 and 1."""
        return Mean(self.value, max(low, self.low), min(high, self.high))


def mean_of(values: Sequence[float]) -> Mean:
    """Over seeds; one alone has no interval (−∞, ∞)."""
    from scipy import stats
    count, value = len(values), sum(values) / len(values)
    if count < 2:
        return Mean(value, -math.inf, math.inf)
    deviation = math.sqrt(sum((one - value) ** 2 for one in values) / (count - 1))
    half = float(stats.t.ppf(0.975, count - 1)) * deviation / math.sqrt(count)
    return Mean(value, value - half, value + half)


def geometric(logs: Sequence[float]) -> Mean:
    """exp of the mean of logs, and of the ends of its interval: of times and ratios, which are never under 0."""
    return Mean(*(math.exp(end) if end < 700 else math.inf for end in mean_of(logs)))


def share_of(hits: int, tries: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share."""
    from scipy.stats import beta
    return (float(beta.ppf(0.025, hits, tries - hits + 1)) if hits else 0.0, float(beta.ppf(0.975, hits + 1, tries - hits)) if hits < tries else 1.0)
