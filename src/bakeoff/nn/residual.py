"""Blocks of convolutions with a path around each, for all families that differ only in how a block's correction is weighed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.masked import strided
from bakeoff.nn.norm import BatchNorm
from bakeoff.types import Grid, Sizes

LARGE = 12                    # axes of a fixed size are halved while so many cells are left


def halvings(steps: int, sizes: Sizes, full: bool) -> list[int]:
    """The stride of each of so many steps: 2 while every axis is fixed and large enough, unless the task wants every cell."""
    strides, total = [], 1
    for _ in range(steps):
        fits = not full and all(size is not None and size // total >= LARGE for size in sizes)
        strides.append(2 if fits else 1)
        total *= strides[-1]
    return strides


class Residual(nn.ModuleList):
    """Grid → Grid: blocks of width D, each after the first with a stride of `halvings`.

    weigh: makes what stands between a block's last norm and the sum, (x, valid) → x, zero where x was; one for each block.
    conv: makes what stands in place of the plain convolutions, (x, valid) → x; called as Conv is, without bias.
    """

    def __init__(self, dim: int, depth: int, *, rank: int, sizes: Sizes, full: bool, separable: bool, activation: str, dropout: float,
                 weigh: Callable[[], nn.Module] | None = None, conv: Callable[..., nn.Module] | None = None) -> None:
        self.strides = [1, *halvings(depth - 1, sizes, full)]
        super().__init__(Block(dim, rank, stride, separable, activation, dropout if layer else 0.0, weigh() if weigh else None, conv)
                         for layer, stride in enumerate(self.strides))

    def forward(self, grid: Grid) -> Grid:
        for block in self:
            grid = block(grid)
        return grid


class Block(nn.Module):
    """Grid → Grid, every axis divided by stride."""

    def __init__(self, dim: int, rank: int, stride: int, separable: bool, activation: str, dropout: float, weigh: nn.Module | None,
                 conv: Callable[..., nn.Module] | None) -> None:
        super().__init__()
        self.strides, kernels = (stride,) * rank, (7, 5, 3) if rank == 1 else (3, 3)
        self.masked = conv is not None                                       # what makes its own weights must know where padding is
        make = conv or partial(Separable if separable else Conv, bias=False)
        self.convs = nn.ModuleList(make(dim, dim, k, rank=rank, stride=1 if i else stride) for i, k in enumerate(kernels))
        self.norms = nn.ModuleList(BatchNorm(dim) for _ in kernels)
        self.activation, self.drop, self.weigh = activation_of(activation), ChannelDrop(dropout), weigh
        self.shortcut = Conv(dim, dim, 1, rank=rank, stride=stride, bias=False) if stride > 1 else None

    def forward(self, grid: Grid) -> Grid:
        x, valid = self.drop(grid.x), strided(grid.valid, self.strides)
        y = x
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = self.activation(y) if layer else y
            y = norm(conv(y, valid if layer else grid.valid) if self.masked else conv(y), valid)
        if self.weigh is not None:
            y = self.weigh(y, valid)
        short: Tensor = x if self.shortcut is None else self.shortcut(x)
        return Grid(self.activation(short + y), valid)
