"""ConvNeXt: a wide convolution of each channel by itself, then a small network in every cell, as in a transformer. Liu et al. 2022, https://arxiv.org/abs/2201.03545"""

from __future__ import annotations

from math import prod
from typing import Annotated, Any

from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import strided, zeroed
from bakeoff.nn.residual import halvings
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("convnext", group="conv")
class ConvNeXt(Encoder):
    """Blocks of width D; between two of them the grid is halved while it is large enough, unless the task wants every cell.

    Causal: the wide convolution sees earlier cells only along the first axis, and all else stays in its cell. Departs from the
    paper: the width stays D in all stages, blocks start at full strength (no layer scale), and the hidden width is 2·D to begin with.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 6, "blocks")] = 2,
                 kernel: Annotated[int, Choice(3, 5, 7, 9, meaning="cells a channel's convolution sees; on three axes 3")] = 7,
                 expand: Annotated[int, Choice(1, 2, 4, meaning="hidden width in every cell, in multiples of D")] = 2,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        strides = [1, *halvings(depth - 1, sizes, full or causal)]
        self.stride = (prod(strides),) * rank
        kernel = kernel if rank < 3 else 3
        self.blocks = nn.ModuleList(Block(dim, kernel, expand, rank, stride, causal, activation, dropout) for stride in strides)
        self.norm = nn.LayerNorm(dim)

    def forward(self, grid: Grid) -> Grid:
        for block in self.blocks:
            grid = block(grid)
        return Grid(zeroed(self.norm(grid.x), grid.valid), grid.valid)

    def start(self, batch: int) -> State:
        blocks: list[Any] = list(self.blocks)
        return [block.each.start(batch) for block in blocks]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        blocks: list[Any] = list(self.blocks)
        after = []
        for block, past in zip(blocks, state, strict=True):
            y, past = block.each.step(x, past)
            after.append(past)
            x = x + block.drop(block.feed(y))
        return self.norm(x), after


class Block(nn.Module):
    """Grid → Grid, every axis divided by stride before anything else."""

    def __init__(self, dim: int, kernel: int, expand: int, rank: int, stride: int, causal: bool, activation: str, dropout: float) -> None:
        super().__init__()
        self.strides = (stride,) * rank
        self.norm = nn.LayerNorm(dim) if stride > 1 else None
        self.shrink = Conv(dim, dim, 2, rank=rank, stride=2) if stride > 1 else None
        self.each = Conv(dim, dim, kernel, rank=rank, causal=causal, groups=dim)
        self.feed = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, expand * dim), activation_of(activation), nn.Linear(expand * dim, dim))
        self.drop = ChannelDrop(dropout)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        if self.norm is not None and self.shrink is not None:
            x, valid = self.shrink(zeroed(self.norm(x), valid)), strided(valid, self.strides)
            x = zeroed(x, valid)
        return Grid(x + zeroed(self.drop(self.feed(self.each(x))), valid), valid)
