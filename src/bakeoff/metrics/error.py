"""Metrics of numbers, in the target's own unit: one per example, or a forecast of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.metrics.base import Metric, Rows, Units, ratio, sums, whole
from bakeoff.registry import metric
from bakeoff.types import Answer


@metric("rmse")
class RMSE:
    """Root of the mean squared error. rows: index, error; of a forecast the root of its mean square, and how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = "target's unit"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        missed, known = misses(answers, targets)
        if missed.shape[1:] == (1,):
            return np.column_stack([np.arange(len(missed), dtype=np.float64), missed])
        index, square, count = summed(missed ** 2, known).T
        return np.column_stack([index, np.sqrt(square / np.maximum(count, 1)), count])

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([many(rows), many(rows) * rows[:, 1] ** 2], unit, units)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return np.sqrt(ratio(np.maximum(totals[..., 1], 0.0), totals[..., 0]))    # a subtraction may leave −1e-17

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("mae")
class MAE:
    """Mean absolute error. rows: index, error; of a forecast the mean size, and how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = "target's unit"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        missed, known = misses(answers, targets)
        if missed.shape[1:] == (1,):
            return np.column_stack([np.arange(len(missed), dtype=np.float64), missed])
        index, size, count = summed(np.abs(missed), known).T
        return np.column_stack([index, size / np.maximum(count, 1), count])

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([many(rows), many(rows) * np.abs(rows[:, 1])], unit, units)

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


def misses(answers: Sequence[Answer], targets: Sequence[object]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Said minus true, and where the truth is known: (N, 1) of a number each, (N, channels, horizon) of forecasts."""
    if targets and isinstance(targets[0], Mapping):
        true = np.stack([curves(of_target(target)) for target in targets])
        return np.stack([curves(answer.value) for answer in answers]) - true, ~np.isnan(true)
    said, numbered = numbers(answers, targets)
    return (said - numbered)[:, None], np.ones((len(said), 1), bool)


def of_target(target: object) -> Any:
    """A target's values: those of a forecast, or what it is."""
    return target["values"] if isinstance(target, Mapping) else target


def curves(value: Any) -> NDArray[np.float64]:
    """(channels, horizon), whatever it lay in."""
    array = np.asarray(value)
    if array.dtype == object:                 # rows of a file
        array = np.stack([np.asarray(row, np.float64) for row in array])
    return np.atleast_2d(array.astype(np.float64, copy=False))


def summed(values: NDArray[np.float64], known: NDArray[np.bool_]) -> Rows:
    """(N, …) → index, sum of what is known, how many that are."""
    flat, known = values.reshape(len(values), -1), known.reshape(len(values), -1)
    return np.column_stack([np.arange(len(flat), dtype=np.float64), np.where(known, flat, 0.0).sum(1), known.sum(1)])


def many(rows: Rows) -> NDArray[np.float64]:
    """How many numbers each row is of: one, where nothing else is said."""
    return rows[:, 2] if rows.shape[1] > 2 else np.ones(len(rows))


REGRESS: tuple[Metric, ...] = (RMSE(), MAE(), R2())
