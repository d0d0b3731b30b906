"""Repeats the last value: what a price is forecast by, and a chord followed by, unless something better is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines import steps
from bakeoff.baselines.ahead import Window, ahead_of, answered, fan_of, only_forecasts
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("last")
class Last:
    """Every step ahead is as the last one known. Where it is asked for chances, what is 0 and what is 1 stays so as often as it did
    in training, each channel by itself."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.spec: Spec | None = None
        self.task: Task | None = None
        self.fan: NDArray[np.float64] = np.zeros((0, 0, 0))
        self.odds: NDArray[np.float64] = np.zeros((2, 0))                    # of a 1 after a 0, and after a 1, per channel

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return task.why_not(spec) if task.name == steps.TASK else only_forecasts(spec, task)

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.spec, self.task = data.spec, task
        if task.name != steps.TASK:
            self.fan = fan_of(data, self.answer)
        elif data.spec.binary:
            ones, count = np.zeros((2, data.spec.channels or 1)), np.zeros((2, data.spec.channels or 1))
            for came in steps.examples(data):
                before, after = came[:-1], came[1:]
                for value in (0, 1):
                    ones[value] += ((before == value) * after).sum((0, 1)).numpy()
                    count[value] += (before == value).sum((0, 1)).numpy()
            self.odds = steps.log_odds(ones, count)
        return self

    def outputs(self, data: Dataset) -> Tensor:
        if self.task is not None and self.task.name == steps.TASK:
            return steps.answered(data, self.task, self.said)
        return answered(data, self.answer, self.fan)

    def answer(self, window: Window) -> Window:
        return np.repeat(window[:, -1:], ahead_of(self.spec).horizon, 1)

    def said(self, came: Tensor) -> Tensor:
        """(…, C) → what comes next: log-odds of numbers that are 0 or 1, else the same again."""
        import torch
        if not self.odds.size:
            return came.float()
        after_zero, after_one = torch.from_numpy(self.odds).float()
        return torch.where(came > 0.5, after_one, after_zero)

    def begin(self, cells: Tensor) -> tuple[Tensor, None]:
        return self.said(cells[:, -1]), None

    def step(self, cells: Tensor, state: None) -> tuple[Tensor, None]:
        return self.said(cells), None

    def macs(self) -> float:
        return float(self.fan.size)

    def parameters(self) -> int:
        return int(self.fan.size + self.odds.size)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"fan": self.fan, "odds": self.odds}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.spec, self.task, self.fan, self.odds = spec, task, arrays["fan"], arrays["odds"]
        return self
