"""Examples as rows of numbers, one column per cell and channel: pixels of images, columns of tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from bakeoff.baselines.base import blocks
from bakeoff.data.base import Dataset
from bakeoff.types import Grid, Spec

GRID = 16                     # cells per axis to which examples of different sizes are averaged


class Flat:
    """A table's columns are centred and scaled one by one; cells of a grid are centred one by one and scaled by one deviation
    per channel, since a pixel at the edge that hardly ever changes must not weigh as much as all others."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.channels = spec, spec.channels or 1
        fixed = [size for size in spec.sizes if size is not None]
        self.same = len(fixed) == spec.rank
        self.sizes = tuple(fixed) if self.same else tuple(min(GRID, size) for size in spec.typical)
        self.mean: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self.scale: NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    @property
    def numbers(self) -> int:
        return int(np.prod(self.sizes)) * self.channels

    def fit(self, data: Dataset) -> NDArray[np.float32]:
        """The training rows (N, numbers), from which mean and scale are taken."""
        rows = self.plain(data)
        self.mean = rows.mean(0, dtype=np.float64).astype(np.float32)
        rows -= self.mean
        spread = np.einsum("nd,nd->d", rows, rows, dtype=np.float64) / max(1, len(rows))
        if not self.spec.one_cell:
            spread = np.tile(spread.reshape(-1, self.channels).mean(0), int(np.prod(self.sizes)))
        self.scale = (1 / np.sqrt(np.where(spread > 1e-12, spread, 1.0))).astype(np.float32)
        rows *= self.scale
        return rows

    def read(self, data: Dataset) -> NDArray[np.float32]:
        rows = self.plain(data)
        rows -= self.mean
        rows *= self.scale
        return rows

    def plain(self, data: Dataset) -> NDArray[np.float32]:
        rows = np.empty((len(data), self.numbers), dtype=np.float32)
        for where in blocks(data):
            grid = data.take(where).x
            rows[where] = (grid.x if self.same else averaged(grid, self.sizes)).flatten(1).numpy()
        return rows

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return {"mean": self.mean, "scale": self.scale}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        self = cls(spec)
        self.mean, self.scale = arrays["mean"], arrays["scale"]
        return self


def averaged(grid: Grid, sizes: tuple[int, ...]) -> torch.Tensor:
    """(B, *S, C) with padding → (B, *sizes, C): each example's own cells averaged into as many parts per axis."""
    x, valid = grid
    axes = len(sizes)
    pools: list[Any] = [F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d]
    rows = []
    for number, cells in enumerate(x.float()):
        if valid is not None:
            for axis in range(axes):
                others = tuple(other for other in range(axes) if other != axis)
                length = int((valid[number].any(others) if others else valid[number]).sum())
                cells = cells.narrow(axis, 0, max(1, length))
        rows.append(pools[axes - 1](cells.movedim(-1, 0), sizes).movedim(0, -1))
    return torch.stack(rows)
