"""Every number is 1 as often as it was in training, whatever else is: how often each key of a piano sounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.steps import TASK, answered, examples, log_odds
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("rate")
class Rate:
    """A chance per channel."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.task: Task | None = None
        self.odds: NDArray[np.float64] = np.zeros(0)                         # (C,) log-odds

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        if task.name != TASK:
            return f"it says how often each number of a step is 1, and {task.name} asks for something else"
        return task.why_not(spec) or (None if spec.binary else "it says how often each number of a step is 1, and these are real numbers")

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.task, ones, count = task, np.zeros(data.spec.channels or 1), 0
        for steps in examples(data):
            ones += steps.sum((0, 1)).numpy()
            count += steps.shape[0] * steps.shape[1]
        self.odds = log_odds(ones, float(count))
        return self

    def outputs(self, data: Dataset) -> Tensor:
        return answered(data, self.task, self.said)

    def said(self, steps: Tensor) -> Tensor:
        """(…, C) → log-odds of the step that comes next."""
        import torch
        return torch.from_numpy(self.odds).float().expand(steps.shape)

    def begin(self, cells: Tensor) -> tuple[Tensor, None]:
        return self.said(cells[:, -1]), None

    def step(self, cells: Tensor, state: None) -> tuple[Tensor, None]:
        return self.said(cells), None

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return len(self.odds)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"odds": self.odds}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.task, self.odds = task, arrays["odds"]
        return self
