"""Answers every image with the usual boxes of each class, wherever it looks: the least any model of boxes must beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("mean_box")
class MeanBox:
    """Per class the mean box of training, in shares of the image, or the means of a few groups of like boxes. The score of each is how
    many training images have one."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.boxes: NDArray[np.float64] = np.zeros((0, 6))       # class, score, corners in shares of width and height

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return None if task.name == "detect" else f"it answers with the usual boxes, and {task.name} asks for something else"

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        name = "mean_box.groups"
        return Space({name: Param(name, 1, "groups of like boxes per class, the mean of each is answered", values=(1, 2, 4, 8))})

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        from sklearn.cluster import KMeans
        y: NDArray[Any] = data.y.numpy()[data.index].astype(np.float64)
        there = y[..., 0] >= 0
        shares = y[..., 1:] / np.tile(sizes(data), 2)[:, None]
        found = []
        for label in np.unique(y[..., 0][there]).tolist():
            own = shares[there & (y[..., 0] == label)]
            groups = min(int(params.get("mean_box.groups", 1)), len(np.unique(own, axis=0)))
            fitted = KMeans(groups, n_init=4, random_state=seed).fit(own) if groups > 1 else None
            which = np.zeros(len(own), np.int64) if fitted is None else fitted.labels_
            found += [[label, min(1.0, float((which == group).sum()) / len(data)), *own[which == group].mean(0)] for group in range(groups)]
        self.boxes = np.array(sorted(found, key=lambda row: -row[1]), np.float64).reshape(-1, 6)
        return self

    def outputs(self, data: Dataset) -> Tensor:
        import torch
        out = np.repeat(self.boxes[None], len(data), 0)
        out[..., 2:] *= np.tile(sizes(data), 2)[:, None]
        return torch.from_numpy(out.astype(np.float32))

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return self.boxes.size

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"boxes": self.boxes}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.boxes = arrays["boxes"]
        return self


def sizes(data: Dataset) -> NDArray[np.float64]:
    """(N, 2) width and height of each image in its file; where that is not known, of what is read."""
    given = data.arrays.given.get("size")
    if given is not None:
        return np.asarray(given)[data.index].astype(np.float64)
    high, wide = data.arrays.cells.shape[1:3]
    return np.tile(np.array([[wide, high]], np.float64), (len(data), 1))
