"""What the baselines of forecasts share: the windows that they look at, and who they are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import blocks
from bakeoff.data.base import Dataset
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Ahead, Params, Spec

Window = NDArray[np.float64]                  # (B, look-back, A) in the user's units, of the channels that are forecast
LOOKED_AT = 512                               # training windows whose misses tell how far a forecast goes astray
FLOOR = 1e-5                                  # of a window's size: the deviation it counts with at least


def only_forecasts(spec: Spec, task: Task) -> str | None:
    """Why a forecaster cannot enter; None: it can."""
    if spec.ahead is None:
        return f"it says how a series goes on, and {task.name} asks for something else"
    return task.why_not(spec)


def ahead_of(spec: Spec | None) -> Ahead:
    assert spec is not None
    assert spec.ahead is not None
    return spec.ahead


def windows(data: Dataset, rows: NDArray[np.int64]) -> Window:
    """The longest look-back of these examples."""
    window: Window = data.take(rows).x.x.double().numpy()[..., list(ahead_of(data.spec).aimed)]
    return window


def futures(data: Dataset, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(B, horizon, 2·A): what followed these examples, NaN where missing, and deviations of their series in training."""
    found: NDArray[np.float64] = data.take(rows).y.double().numpy()
    return found


def deviations(window: Window) -> Window:
    """(B, 1, A), never zero: the unit in which misses are counted, so that windows of all sizes tell of each other."""
    unit: Window = window.std(1, keepdims=True) + FLOOR * (np.abs(window).mean(1, keepdims=True) + FLOOR)
    return unit


def fan_of(data: Dataset, answer: Callable[[Window], Window]) -> NDArray[np.float64]:
    """(horizon, A, Q): quantiles of what came minus what `answer` says, in deviations of the window, over training windows. Where a
    baseline has learnt from these very windows they are a little narrow."""
    ahead = ahead_of(data.spec)
    channels = len(ahead.aimed)
    missed = []
    for rows in np.array_split(np.unique(np.linspace(0, len(data) - 1, min(len(data), LOOKED_AT)).round().astype(np.int64)), 8):
        if len(rows):
            window = windows(data, rows)
            missed.append((futures(data, rows)[..., :channels] - answer(window)) / deviations(window))
    every = np.concatenate(missed)
    every[:, np.isnan(every).all(0)] = 0.0                                   # a step that is never known
    found: NDArray[np.float64] = np.moveaxis(np.nanquantile(every, ahead.levels, axis=0), 0, -1)
    return found


def answered(data: Dataset, answer: Callable[[Window], Window], fan: NDArray[np.float64]) -> Tensor:
    """(N, horizon, A, 1 + Q): what `answer` makes of each window, a block of them at a time, and its quantiles."""
    import torch
    ahead = ahead_of(data.spec)
    out = torch.empty((len(data), ahead.horizon, len(ahead.aimed), 1 + fan.shape[-1]))
    for rows in blocks(data):
        window = windows(data, rows)
        point = answer(window)[..., None]
        out[torch.from_numpy(rows)] = torch.from_numpy(np.concatenate([point, point + deviations(window)[..., None] * fan], -1)).float()
    return out


class Rule:
    """A forecast by a rule of which nothing is learnt but how far it goes astray; `answer` is the rule."""

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

    def answer(self, window: Window) -> Window:
        """(B, look-back, A) → (B, horizon, A)."""
        raise NotImplementedError

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.spec = data.spec
        self.fan = fan_of(data, self.answer)
        return self

    def outputs(self, data: Dataset) -> Tensor:
        return answered(data, self.answer, self.fan)

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
