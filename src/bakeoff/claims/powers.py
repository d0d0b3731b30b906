"""How fast something grows: the exponent of a power law through measured points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from bakeoff.claims.seeds import Mean


def exponent(points: Sequence[tuple[float, float]]) -> Mean:
    """b of y ≈ a · x^b by least squares on a log-log scale, with its 95 % t interval; two points have none (−∞, ∞)."""
    across, upward = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    middle, height = sum(across) / len(across), sum(upward) / len(upward)
    spread = sum((x - middle) ** 2 for x in across)
    slope = sum((x - middle) * (y - height) for x, y in zip(across, upward, strict=True)) / spread
    if len(points) < 3:
        return Mean(slope, -math.inf, math.inf)
    from scipy import stats
    rest = sum((y - height - slope * (x - middle)) ** 2 for x, y in zip(across, upward, strict=True)) / (len(points) - 2)
    half = float(stats.t.ppf(0.975, len(points) - 2)) * math.sqrt(rest / spread)
    return Mean(slope, slope - half, slope + half)


def local(points: Sequence[tuple[float, float]]) -> list[float]:
    """The exponent from each point to the next."""
    return [math.log(y2 / y1) / math.log(x2 / x1) for (x1, y1), (x2, y2) in pairwise(points)]
