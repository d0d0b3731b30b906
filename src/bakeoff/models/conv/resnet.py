"""Residual network: blocks of convolutions that each add a correction to what they were given. He et al. 2016, https://arxiv.org/abs/1512.03385

On one axis the block of Wang et al. 2017 (three convolutions of falling size, https://arxiv.org/abs/1611.06455).
"""

from __future__ import annotations

from math import prod
from typing import Annotated

from bakeoff.nn.encoder import Encoder
from bakeoff.nn.residual import Residual
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("resnet", group="conv")
class ResNet(Encoder):
    """Blocks of width D; each after the first halves the grid while it is large enough, unless the task wants every cell.

    Departs from the papers: the width stays D in all stages, convolutions are separable, and on one axis blocks halve it, unless asked
    otherwise. On few and short series that costs: SonyAIBORobotSurface1, three blocks, .80 halved and .95 not (three seeds; .96 in print).
    """

    ranks = frozenset({1, 2, 3})
    well_known = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "blocks")] = 1,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 halved: Annotated[bool, Choice(True, False, meaning="blocks after the first halve the grid, where the task allows it")] = True,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.blocks = Residual(dim, depth, rank=rank, sizes=sizes, full=full or not halved, separable=separable, activation=activation,
                               dropout=dropout)
        self.stride = (prod(self.blocks.strides),) * rank

    def forward(self, grid: Grid) -> Grid:
        return Grid(*self.blocks(grid))
