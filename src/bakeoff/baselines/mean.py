"""Answers every example with the mean of the training targets: the least any model must beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import aims
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("mean")
class Mean:
    """One number."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.middle = 0.0                     # in the task's scaled units

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return None if task.sort == "number" else f"it gives the mean target, and {task.name} asks for something else"

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.middle = float(aims(data, 0).mean())
        return self

    def outputs(self, data: Dataset) -> Tensor:
        import torch
        return torch.full((len(data), 1), self.middle)

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return 1

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"middle": np.array([self.middle])}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.middle = float(arrays["middle"][0])
        return self
