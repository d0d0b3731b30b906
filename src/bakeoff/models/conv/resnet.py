"""Residual network: blocks of convolutions that each add a correction to what they were given. He et al. 2016, https://arxiv.org/abs/1512.03385

On one axis the block of Wang et al. 2017 (three convolutions of falling size, https://arxiv.org/abs/1611.06455).
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.masked import strided
from bakeoff.nn.norm import BatchNorm
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

LARGE = 12                    # axes of a fixed size are halved while so many cells are left


@family("resnet", group="conv")
class ResNet(Encoder):
    """Blocks of width D; each after the first halves the grid while it is large enough, unless the task wants every cell.

    Departs from the papers: the width stays D in all stages, and convolutions are separable unless asked otherwise.
    """

    ranks = frozenset({1, 2, 3})
    well_known = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "blocks")] = 1,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        strides, total = [1], 1
        for _ in range(depth - 1):
            fits = not full and all(size is not None and size // total >= LARGE for size in sizes)
            strides.append(2 if fits else 1)
            total *= strides[-1]
        self.stride = (total,) * rank
        kernels = (7, 5, 3) if rank == 1 else (3, 3)
        self.blocks = nn.ModuleList(Block(dim, kernels, rank, stride, separable, activation) for stride in strides)
        self.drop = ChannelDrop(dropout)

    def forward(self, grid: Grid) -> Grid:
        for layer, block in enumerate(self.blocks):
            grid = block(Grid(self.drop(grid.x), grid.valid) if layer else grid)
        return grid


class Block(nn.Module):
    """Grid → Grid, every axis divided by stride."""

    def __init__(self, dim: int, kernels: tuple[int, ...], rank: int, stride: int, separable: bool, activation: str) -> None:
        super().__init__()
        self.strides = (stride,) * rank
        conv = Separable if separable else Conv
        self.convs = nn.ModuleList(conv(dim, dim, k, rank=rank, stride=stride if i == 0 else 1, bias=False) for i, k in enumerate(kernels))
        self.norms = nn.ModuleList(BatchNorm(dim) for _ in kernels)
        self.activation = activation_of(activation)
        self.shortcut = Conv(dim, dim, 1, rank=rank, stride=stride, bias=False) if stride > 1 else None

    def forward(self, grid: Grid) -> Grid:
        y, valid = grid.x, strided(grid.valid, self.strides)
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = norm(conv(y if layer == 0 else self.activation(y)), valid)
        short: Tensor = grid.x if self.shortcut is None else self.shortcut(grid.x)
        return Grid(self.activation(short + y), valid)
