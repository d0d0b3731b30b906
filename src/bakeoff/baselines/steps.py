"""What the baselines of the next step share: steps as they come, and who they are for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import blocks
from bakeoff.data.base import Dataset
from bakeoff.tasks.base import Task

TASK = "predict"
Counts = NDArray[np.float64]


def examples(data: Dataset) -> Iterator[Tensor]:
    """The steps of each example, (T, cells of a step, C), as float64."""
    for rows in blocks(data):
        x, valid = data.take(rows).x
        for number in range(len(x)):
            steps = len(x[number]) if valid is None else int(valid[number].flatten(1)[:, 0].sum() if valid.dim() > 2 else valid[number].sum())
            yield x[number, :steps].double().reshape(steps, -1, x.shape[-1])


def answered(data: Dataset, task: Task | None, said: Callable[[Tensor], Tensor]) -> Tensor:
    """(N, 2), as the task decodes it: what `said` makes of the steps (B, T, *frame), judged, a block of examples at a time."""
    import torch
    judge: Any = task
    out = torch.empty((len(data), 2))
    for rows in blocks(data):
        came = data.take(rows).x
        out[torch.from_numpy(rows)] = judge.judged(said(came.x), came)
    return out


def log_odds(ones: Counts, count: Counts | float) -> Counts:
    """Of counted chances, drawn towards one half as if two more had been seen, a one and a zero: none is without limit."""
    return np.log(ones + 1) - np.log(count - ones + 1)
