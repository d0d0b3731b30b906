"""Metrics of forecasts, a row per window: sums over its steps and channels, those without a true value left out.

An answer's value is (horizon,) numbers, or (channels, horizon), and its scores the quantiles, level → the same shape; a target has
its values likewise, with 'naive', the mean error of the seasonal naive over the series' training steps, 'spread', their deviation,
and 'naive2', what Naive2 misses by in this window, in percent and in size, summed over what is known; each per channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.metrics.base import Metric, PerUnit, Rows, Units, ratio, sums, whole
from bakeoff.metrics.error import MAE, RMSE, curves, misses, of_target, summed
from bakeoff.registry import metric
from bakeoff.types import Answer

Floats = NDArray[np.float64]


@metric("mase")
class MASE(PerUnit):
    """Mean absolute error over that of the seasonal naive in training: Hyndman & Koehler 2006, https://doi.org/10.1016/j.ijforecast.2006.03.001.
    A channel on which the naive makes no error does not count. rows: index, scaled errors, how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = "of the naive error"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        missed, known = misses(answers, targets)
        naive = beside(targets, "naive", missed)
        return summed(np.abs(missed) / naive, known & ~np.isnan(naive))


@metric("smape")
class SMAPE(PerUnit):
    """200 · |error| / (|said| + |true|), 0 where both are 0, as in the M4 competition. rows: index, percentages, how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = "%"
    best: ClassVar[Literal["high", "low"]] = "low"
    span: ClassVar[tuple[float, float]] = (0.0, 200.0)

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        missed, known = misses(answers, targets)
        said = np.stack([curves(answer.value) for answer in answers])
        size = np.abs(said) + np.abs(said - missed)
        return summed(200 * np.abs(missed) / np.where(size == 0, 1.0, size), known)


@metric("owa")
class OWA:
    """Mean of sMAPE and MASE, each over that of Naive2, as in the M4 competition: Makridakis et al. 2020,
    https://doi.org/10.1016/j.ijforecast.2019.04.014. rows: index, percentages, scaled errors, and those two of Naive2."""

    name: ClassVar[str]
    unit: ClassVar[str] = "of Naive2"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        missed, known = misses(answers, targets)
        naive = beside(targets, "naive", missed)
        rivals = np.stack([of_naive2(target, missed.shape[1]) for target in targets])                    # (N, 2, channels)
        scaled = np.where(np.isnan(naive[..., 0]), 0.0, rivals[:, 1] / naive[..., 0])
        return np.column_stack([SMAPE().rows(answers, targets)[:, :2], summed(np.abs(missed) / naive, known & ~np.isnan(naive))[:, 1],
                                rivals[:, 0].sum(1), scaled.sum(1)])

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([rows[:, column] for column in range(1, 5)], unit, units)

    def of(self, totals: Rows) -> Floats:
        return (ratio(totals[..., 0], totals[..., 2]) + ratio(totals[..., 1], totals[..., 3])) / 2

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("rse")
class RSE:
    """Root of the squared errors over those of the true values' mean, all channels together: Lai et al. 2018 (LSTNet),
    https://arxiv.org/abs/1703.07015. rows: index, squared errors, true values, their squares, how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = "of the deviation"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        missed, known = misses(answers, targets)
        true = np.stack([curves(of_target(target)) for target in targets])
        about = true - (true[known].mean() if known.any() else 0.0)             # large numbers would cancel in Σy² − (Σy)²/n
        squares, mean, square = summed(missed ** 2, known), summed(about, known), summed(about ** 2, known)
        return np.column_stack([squares[:, :2], mean[:, 1], square[:, 1:]])

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([rows[:, column] for column in range(1, 5)], unit, units)

    def of(self, totals: Rows) -> Floats:
        missed, true, square, count = np.moveaxis(totals, -1, 0)
        return np.sqrt(np.maximum(ratio(missed, square - ratio(true ** 2, count)), 0.0))

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("mse_scaled")
class ScaledMSE(PerUnit):
    """Mean squared error in deviations of the training part, per channel. rows: index, squares, how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = "squared deviations"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        missed, known = misses(answers, targets)
        return summed((missed / beside(targets, "spread", missed)) ** 2, known)


@metric("mae_scaled")
class ScaledMAE(PerUnit):
    """Mean absolute error in deviations of the training part, per channel. rows: index, sizes, how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = "deviations"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        missed, known = misses(answers, targets)
        return summed(np.abs(missed / beside(targets, "spread", missed)), known)


@metric("quantile_loss")
class QuantileLoss(PerUnit):
    """Pinball loss, mean over the quantiles that are given: q · e where the truth is higher by e, (1 − q) · e where it is lower.
    Koenker & Bassett 1978, https://doi.org/10.2307/1913643. rows: index, losses, how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = "target's unit"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        true, known = truth_of(targets)
        total = np.zeros(true.shape)
        levels = list(answers[0].scores)
        for level in levels:
            above = true - quantile(answers, level)
            total += np.maximum(float(level) * above, (float(level) - 1) * above) / len(levels)
        return summed(total if levels else np.full(true.shape, np.nan), known)


@metric("coverage")
class Coverage(PerUnit):
    """Share of the truths between the lowest and the highest quantile, which should be what these promise: .8 between .1 and .9.
    Nothing is tuned for it: the widest interval would win. rows: index, how many inside, how many."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"
    aim: ClassVar[bool] = False

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        true, known = truth_of(targets)
        levels = sorted(answers[0].scores, key=float)
        if not levels:
            return summed(np.full(true.shape, np.nan), known)
        low, high = quantile(answers, levels[0]), quantile(answers, levels[-1])
        inside = np.where(np.isnan(low) | np.isnan(high), np.nan, (low <= true) & (true <= high))
        return summed(inside, known)


def truth_of(targets: Sequence[object]) -> tuple[Floats, NDArray[np.bool_]]:
    """(N, channels, horizon), and where it is known."""
    true = np.stack([curves(of_target(target)) for target in targets])
    return true, ~np.isnan(true)


def quantile(answers: Sequence[Answer], level: str) -> Floats:
    """(N, channels, horizon)."""
    return np.stack([curves(answer.scores[level]) for answer in answers])


def of_naive2(target: object, channels: int) -> Floats:
    """(2, channels), NaN where nothing is known of it."""
    found = target.get("naive2") if isinstance(target, Mapping) else None
    return np.full((2, channels), np.nan) if found is None else curves(found)


def beside(targets: Sequence[object], name: str, missed: Floats) -> Floats:
    """(N, channels, 1): what stands beside the targets' values, NaN where it is none."""
    rows: list[Any] = [target[name] for target in targets if isinstance(target, Mapping)]
    return np.stack([np.asarray(row, np.float64).reshape(-1) for row in rows]).reshape(*missed.shape[:2], 1)


FORECAST: tuple[Metric, ...] = (MASE(), MAE(), RMSE(), SMAPE(), OWA(), RSE(), ScaledMSE(), ScaledMAE(), QuantileLoss(), Coverage())
