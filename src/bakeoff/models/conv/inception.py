"""InceptionTime: short, middle and long convolutions side by side in every layer. Ismail Fawaz et al. 2020, https://arxiv.org/abs/1909.04939"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, nested
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.norm import BatchNorm
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("inception", group="conv")
class Inception(Encoder):
    """Blocks of D numbers in four equal branches: three kernels and a maximum. A residual path spans every three blocks.

    Departs from the paper: kernels are odd, one network stands for the ensemble of five, and convolutions go channel by
    channel unless asked otherwise (.85 against .79 after two core-seconds, mean of three UCR problems and TREC).
    """

    ranks = frozenset({1, 2, 3})
    well_known = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 6, "blocks")] = 3,
                 kernel: Annotated[int, Choice(9, 19, 39, meaning="longest kernel on one axis, halved twice; on more axes 7")] = 19,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself; the next block mixes them")] = True,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.blocks = nn.ModuleList(Block(dim, nested(kernel, rank), rank, separable, activation) for _ in range(depth))
        self.shortcuts = nn.ModuleList(BatchNorm(dim) for _ in range(depth // 3))
        self.activation, self.drop = activation_of(activation), ChannelDrop(dropout)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        start = x
        for layer, block in enumerate(self.blocks):
            x = block(self.drop(x) if layer else x, valid)
            if layer % 3 == 2:
                x = start = self.activation(x + self.shortcuts[layer // 3](start, valid))
        return Grid(x, valid)


class Block(nn.Module):
    def __init__(self, dim: int, kernels: tuple[int, ...], rank: int, separable: bool, activation: str) -> None:
        super().__init__()
        part = dim // 4
        self.narrow = nn.Linear(dim, part, bias=False)
        self.convs = nn.ModuleList(Conv(part, part, k, rank=rank, groups=part if separable else 1, bias=False) for k in kernels)
        self.after_max = nn.Linear(dim, dim - part * len(kernels), bias=False)
        self.norm, self.activation = BatchNorm(dim), activation_of(activation)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        narrow = self.narrow(x)
        y = torch.cat([*(conv(narrow) for conv in self.convs), self.after_max(neighbours_max(x))], -1)
        return self.activation(self.norm(y, valid))


def neighbours_max(x: Tensor) -> Tensor:
    """The largest of the cells one step around, (B, *S, C); zero beyond the edges, as in padding."""
    axes = x.dim() - 2
    x = F.pad(x, (0, 0, *(1, 1) * axes))
    if axes == 1:
        return F.max_pool2d(x.unsqueeze(1).permute(0, 3, 1, 2), (1, 3), 1).permute(0, 2, 3, 1).squeeze(1)
    pool = F.max_pool2d if axes == 2 else F.max_pool3d
    return pool(x.movedim(-1, 1), 3, 1).movedim(1, -1)
