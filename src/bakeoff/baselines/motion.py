"""Clips as rows of numbers: the mean frame, and beside it how much each place changes from frame to frame, whatever the order.

The mean of absolute differences between neighbouring frames is the oldest measure of motion: Jain & Nagel 1979, "On the analysis of
accumulative difference pictures from image sequences of real world scenes".
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from bakeoff.baselines.base import blocks
from bakeoff.baselines.flat import GRID, Flat
from bakeoff.data.base import Dataset
from bakeoff.nn.resize import fixed_grid
from bakeoff.types import Grid, Spec


class Motion(Flat):
    """Centred and scaled as pixels are; mean and change of a channel count as two."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.sizes = tuple(min(GRID, size) for size in spec.typical[1:])
        self.channels = 2 * (spec.channels or 1)

    def plain(self, data: Dataset) -> NDArray[np.float32]:
        rows = np.empty((len(data), self.numbers), dtype=np.float32)
        for where in blocks(data):
            x, valid = data.take(where).x
            x = x.float()
            still = fixed_grid(Grid(x, valid), (1, *self.sizes))
            moved = torch.zeros_like(still)                                  # a single frame does not change
            if x.shape[1] > 1:
                later = None if valid is None else valid[:, 1:]
                change = (x[:, 1:] - x[:, :-1]).abs()
                moved = fixed_grid(Grid(change if later is None else change * later[..., None], later), (1, *self.sizes))
            rows[where] = torch.cat([still, moved], -1).flatten(1).numpy()
        return rows
