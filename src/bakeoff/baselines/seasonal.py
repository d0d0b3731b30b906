"""Repeats the last season: the seasonal naive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.ahead import Window, ahead_of, answered, fan_of, only_forecasts
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("seasonal")
class Seasonal:
    """Every step ahead is as the one a whole number of seasons before it. Without a known season it is the last value."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.spec: Spec | None = None
        self.fan: NDArray[np.float64] = np.zeros((0, 0, 0))

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return only_forecasts(spec, task)

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.spec = data.spec
        self.fan = fan_of(data, self.answer)
        return self

    def outputs(self, data: Dataset) -> Tensor:
        return answered(data, self.answer, self.fan)

    def answer(self, window: Window) -> Window:
        ahead = ahead_of(self.spec)
        season = min(ahead.season, window.shape[1])
        return window[:, -season:][:, np.arange(ahead.horizon) % season]

    def macs(self) -> float:
        return float(self.fan.size)

    def parameters(self) -> int:
        return int(self.fan.size)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"fan": self.fan}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.spec, self.fan = spec, arrays["fan"]
        return self
