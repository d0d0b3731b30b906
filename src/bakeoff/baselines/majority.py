"""Answers every example with how often each class was seen in training: the least any model must beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import aims, class_count, log_chances
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

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return None if task.sort == "label" else f"it names the most frequent class, and {task.name} asks for something else"

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        classes = class_count(task)
        counts = np.maximum(np.bincount(aims(data, classes), minlength=classes), 0.5)
        self.shares = counts / counts.sum()
        return self

    def outputs(self, data: Dataset) -> Tensor:
        return log_chances(np.tile(self.shares, (len(data), 1)))

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return len(self.shares)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"shares": self.shares}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.shares = arrays["shares"]
        return self
