"""What the baselines of forecasts share: the windows that they look at, and who they are for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import blocks
from bakeoff.data.base import Dataset
from bakeoff.tasks.base import Task
from bakeoff.types import Ahead, Spec

Window = NDArray[np.float64]                  # (B, look-back, A) in the user's units, of the channels that are forecast


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


def answered(data: Dataset, answer: Callable[[Window], Window]) -> Tensor:
    """(N, horizon, A): what `answer` makes of each window, a block of them at a time."""
    import torch
    ahead = ahead_of(data.spec)
    out = torch.empty((len(data), ahead.horizon, len(ahead.aimed)))
    for rows in blocks(data):
        out[torch.from_numpy(rows)] = torch.from_numpy(np.ascontiguousarray(answer(windows(data, rows)))).float()
    return out
