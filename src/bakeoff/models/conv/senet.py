"""Squeeze-and-excitation network: a residual network whose blocks weigh their channels by what the whole example holds. Hu et al. 2018, https://arxiv.org/abs/1709.01507"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Annotated

from bakeoff.nn.encoder import Encoder
from bakeoff.nn.residual import Residual
from bakeoff.nn.squeeze import Squeeze
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("senet", group="conv")
class SENet(Encoder):
    """The blocks of a residual network, each correction's channels weighed before it is added.

    Departs from the paper: the width stays D in all stages, convolutions are separable unless asked otherwise, and since D is
    small, channels are squeezed four times and not sixteen.
    """

    ranks = frozenset({1, 2, 3})
    variant_of = "resnet"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "blocks")] = 1,
                 reduce: Annotated[int, Choice(2, 4, 8, 16, meaning="how many times fewer numbers weigh the channels")] = 4,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.blocks = Residual(dim, depth, rank=rank, sizes=sizes, full=full, separable=separable, activation=activation, dropout=dropout,
                               weigh=partial(Squeeze, dim, reduce))
        self.stride = (prod(self.blocks.strides),) * rank

    def forward(self, grid: Grid) -> Grid:
        return Grid(*self.blocks(grid))
