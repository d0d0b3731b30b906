"""Answers every example with how often each class was seen in training, or each label of sets: the least any model must beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import aims, class_count, log_chances, log_odds, of_sets
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("majority")
class Majority:
    """Class frequencies. A class that this part of the training split happens not to hold counts as half an example."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.shares: NDArray[np.float64] = np.zeros(0)
        self.apart = False                    # labels of sets: each share for itself

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return None if task.name == "classify" else f"it names the most frequent class, and {task.name} asks for something else"

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        classes, self.apart = class_count(task), of_sets(task)
        y = aims(data, classes)
        counts = np.maximum(y.sum(0, dtype=np.float64) if self.apart else np.bincount(y, minlength=classes), 0.5)
        self.shares = counts / (len(y) if self.apart else counts.sum())
        return self

    def outputs(self, data: Dataset) -> Tensor:
        return (log_odds if self.apart else log_chances)(np.tile(self.shares, (len(data), 1)))

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return len(self.shares)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"shares": self.shares}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.shares, self.apart = arrays["shares"], of_sets(task)
        return self
