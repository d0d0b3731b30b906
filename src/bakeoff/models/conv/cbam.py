"""Convolutional block attention: a residual network whose blocks weigh first their channels and then their cells. Woo et al. 2018, https://arxiv.org/abs/1807.06521"""

from __future__ import annotations

from math import prod
from typing import Annotated

import torch
from torch import Tensor, nn

from bakeoff.nn.conv import Conv
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.norm import BatchNorm
from bakeoff.nn.residual import Residual
from bakeoff.nn.squeeze import Squeeze
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("cbam", group="conv")
class CBAM(Encoder):
    """The blocks of a residual network, each correction weighed channel by channel and then cell by cell before it is added.

    Departs from the paper: the width stays D in all stages, convolutions are separable unless asked otherwise, channels are
    squeezed four times and not sixteen, and on three axes a cell is weighed by what lies one step around it.
    """

    ranks = frozenset({1, 2, 3})
    variant_of = "resnet"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "blocks")] = 1,
                 reduce: Annotated[int, Choice(2, 4, 8, 16, meaning="how many times fewer numbers weigh the channels")] = 4,
                 kernel: Annotated[int, Choice(3, 5, 7, meaning="cells that decide how a cell is weighed; on three axes 3")] = 7,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.blocks = Residual(dim, depth, rank=rank, sizes=sizes, full=full, separable=separable, activation=activation, dropout=dropout,
                               weigh=lambda: Attention(dim, reduce, kernel if rank < 3 else 3, rank))
        self.stride = (prod(self.blocks.strides),) * rank

    def forward(self, grid: Grid) -> Grid:
        return Grid(*self.blocks(grid))


class Attention(nn.Module):
    def __init__(self, dim: int, reduce: int, kernel: int, rank: int) -> None:
        super().__init__()
        self.channels = Squeeze(dim, reduce, strongest=True)
        self.cells, self.norm = Conv(2, 1, kernel, rank=rank, bias=False), BatchNorm(1)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        x = self.channels(x, valid)                                          # F' = M_c(F) ⊗ F
        seen = torch.cat([x.mean(-1, keepdim=True), x.amax(-1, keepdim=True)], -1)
        return x * self.norm(self.cells(seen), valid).sigmoid()              # F'' = M_s(F') ⊗ F'
