"""Text CNN: detectors for short phrases, of which only the strongest response anywhere counts. Kim 2014, https://arxiv.org/abs/1408.5882"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv
from bakeoff.nn.encoder import Encoder
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("textcnn", group="conv")
class TextCNN(Encoder):
    """Parallel convolutions of neighbouring sizes → maximum over all cells → D numbers in one cell."""

    ranks = frozenset({1, 2, 3})
    well_known = True
    pools = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 smallest: Annotated[int, Range(1, 7, "cells the smallest detector sees, on one axis")] = 3,
                 detectors: Annotated[int, Choice(1, 2, 4, meaning="detectors of each size, in multiples of D")] = 1,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        kernels = [smallest + step for step in range(3)] if rank == 1 else [2, 3, 4]
        self.convs = nn.ModuleList(Conv(dim, detectors * dim, k, rank=rank) for k in kernels)
        self.activation, self.drop = activation_of(activation), nn.Dropout(dropout)
        self.mix = nn.Linear(detectors * dim * len(kernels), dim)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        strongest = []
        for conv in self.convs:
            y = conv(x)
            if valid is not None:
                y = y.masked_fill(~valid[..., None], -torch.inf)
            strongest.append(y.flatten(1, -2).amax(1))
        y = torch.cat(strongest, -1)
        some = None
        if valid is not None:
            some = valid.flatten(1).any(1)
            y = y.masked_fill(~some[:, None], 0.0)
        y = self.mix(self.drop(self.activation(y)))                          # after the maximum: the same, and cheaper
        one = (1,) * len(self.stride)
        if some is not None:
            y, some = y.masked_fill(~some[:, None], 0.0), some.view(-1, *one)
        return Grid(y.view(len(y), *one, -1), some)
