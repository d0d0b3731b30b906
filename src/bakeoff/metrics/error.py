"""Metrics of one number per example, in the target's own unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.metrics.base import Metric, Rows, Units, ratio, sums, whole
from bakeoff.registry import metric
from bakeoff.types import Answer


@metric("rmse")
class RMSE:
    """Root of the mean squared error. rows: index, error."""

    name: ClassVar[str]
    unit: ClassVar[str] = "target's unit"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        said, true = numbers(answers, targets)
        return np.column_stack([np.arange(len(true), dtype=np.float64), said - true])

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([np.ones(len(rows)), rows[:, 1] ** 2], unit, units)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return np.sqrt(ratio(np.maximum(totals[..., 1], 0.0), totals[..., 0]))    # a subtraction may leave −1e-17

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("mae")
class MAE:
    """Mean absolute error. rows: index, error."""

    name: ClassVar[str]
    unit: ClassVar[str] = "target's unit"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        said, true = numbers(answers, targets)
        return np.column_stack([np.arange(len(true), dtype=np.float64), said - true])

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([np.ones(len(rows)), np.abs(rows[:, 1])], unit, units)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return ratio(totals[..., 1], totals[..., 0])

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("r2")
class R2:
    """Share of the targets' variance that is explained; below 0 where their mean would do better. rows: index, error, target.

    NaN where the targets do not vary.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = "of the variance"
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        said, true = numbers(answers, targets)
        return np.column_stack([np.arange(len(true), dtype=np.float64), said - true, true])

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        target = rows[:, 2] - (rows[:, 2].mean() if len(rows) else 0.0)       # years or pascals would cancel in Σy² − (Σy)²/n
        return sums([np.ones(len(rows)), rows[:, 1] ** 2, target, target ** 2], unit, units)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        count, missed, target, square = np.moveaxis(totals, -1, 0)
        return 1 - ratio(missed, square - ratio(target ** 2, count))

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


def numbers(answers: Sequence[Answer], targets: Sequence[object]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What was said, and what is true, as floats."""
    said = np.array([float(str(answer.value)) for answer in answers], dtype=np.float64)
    true = np.array([float(str(target)) for target in targets], dtype=np.float64)
    return said, true


REGRESS: tuple[Metric, ...] = (RMSE(), MAE(), R2())
