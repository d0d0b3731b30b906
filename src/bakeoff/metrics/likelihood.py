"""Metrics of what comes next, a row per example: what all its steps cost together, and how many they are.

An answer's value is {'nats': …, 'steps': …} of numbers that are 0 or 1, {'squares': …, 'steps': …} of others. The first step of an
example, before which nothing was seen, does not count: Bai et al. 2018, https://arxiv.org/abs/1803.01271
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np

from bakeoff.metrics.base import Metric, PerUnit, Rows
from bakeoff.registry import metric
from bakeoff.types import Answer


@metric("nll")
class NLL(PerUnit):
    """Minus the log-likelihood of a step, a sum over its numbers, mean over the steps of all examples. rows: index, nats, steps."""

    name: ClassVar[str]
    unit: ClassVar[str] = "nats per step"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        return costs(answers, "nats")


@metric("mse")
class MSE(PerUnit):
    """Squared error of a step, a sum over its numbers, mean over the steps of all examples. rows: index, squares, steps."""

    name: ClassVar[str]
    unit: ClassVar[str] = "squared units per step"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        return costs(answers, "squares")


def costs(answers: Sequence[Answer], what: str) -> Rows:
    """index, what the steps of the answer cost, how many they are."""
    values: list[Mapping[str, float]] = [answer.value for answer in answers]                  # type: ignore[misc]
    return np.array([(index, value[what], value["steps"]) for index, value in enumerate(values)], np.float64).reshape(-1, 3)


CHANCES: tuple[Metric, ...] = (NLL(),)
DISTANCES: tuple[Metric, ...] = (MSE(),)
