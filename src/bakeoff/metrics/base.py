"""Rows per example, a value for any set of rows: intervals, paired tests and merging need nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bakeoff.types import Answer

Rows = NDArray[np.float64]
Units = NDArray[np.int64]


class Metric(Protocol):
    """What a task is judged by.

    It may have a `signature`, which says how it is counted where there are several ways, and a method `each(rows)` (m,) for metrics
    that mean something else for one example than for many.
    """

    name: ClassVar[str]
    unit: ClassVar[str]                       # "" for a share of 0 … 1, else what stands behind the number
    best: ClassVar[Literal["high", "low"]]
    # aim: ClassVar[bool] = False, where there: it is shown beside the others and not tuned for
    # span: ClassVar[tuple[float, float]], where there: the least and the largest value that it can have

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        """(m, k) with the example's index first; one or more rows per example (errors and length for CER)."""
        ...

    def value(self, rows: Rows) -> float:
        """The metric over these rows, in any order and with repetitions (the bootstrap repeats rows). NaN where undefined."""
        ...


@runtime_checkable
class Summed(Protocol):
    """What a Metric offers beside when its value is a function of sums over rows, as nearly all are.

    Then the value without any one example costs a subtraction instead of another pass over all rows, and comparing
    17 contenders on 10,000 examples takes a second. Metrics without it are compared all the same, more slowly.
    """

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        """Sums of what the value is made of, per unit. unit: (m,) in 0 … units − 1 → (units, p)."""
        ...

    def of(self, totals: Rows) -> NDArray[np.float64]:
        """(..., p) sums → (...) values; NaN where undefined."""
        ...


def sign(metric: type[Metric] | Metric) -> int:
    """+1 where high is good, −1 where low is."""
    return 1 if metric.best == "high" else -1


def whole(metric: Summed, rows: Rows) -> float:
    """The value of a summed metric over all rows."""
    return float(metric.of(metric.totals(rows, np.zeros(len(rows), dtype=np.int64), 1))[0])


def sums(columns: Sequence[NDArray[np.float64]], unit: Units, units: int) -> Rows:
    """Each column (m,) added up per unit → (units, len(columns))."""
    return np.stack([np.bincount(unit, weights=column, minlength=units) for column in columns], axis=-1)


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """above / below, NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(np.broadcast_shapes(above.shape, below.shape), np.nan), where=below > 0)


class PerUnit:
    """A mean over so many units of each example – steps, words, characters – and not over examples. rows: index, a sum over the
    units of the example, how many these are."""

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([rows[:, 2], rows[:, 1]], unit, units)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return ratio(totals[..., 1], totals[..., 0])

    def value(self, rows: Rows) -> float:
        return whole(self, rows)
