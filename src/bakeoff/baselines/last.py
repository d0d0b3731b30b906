"""Repeats the last value: what a price is forecast by, unless something better is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.ahead import Window, ahead_of, answered, only_forecasts
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("last")
class Last:
    """Every step ahead is as the last one known."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.spec: Spec | None = None

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return only_forecasts(spec, task)

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.spec = data.spec
        return self

    def outputs(self, data: Dataset) -> Tensor:
        return answered(data, self.answer)

    def answer(self, window: Window) -> Window:
        return np.repeat(window[:, -1:], ahead_of(self.spec).horizon, 1)

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return 0

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"nothing": np.zeros(1)}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.spec = spec
        return self
