"""Transformer: every cell asks all others what they know, and mixes the answers. Vaswani et al. 2017, https://arxiv.org/abs/1706.03762"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from bakeoff.nn.attention import Layers
from bakeoff.nn.encoder import Encoder, State
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("transformer", group="attention")
class Transformer(Encoder):
    """Pre-norm layers over all cells in raster order; positions work for any length, each axis with its own.

    Causal: a cell sees those that do not come later on the first axis. Departs from the paper: norm before each part
    and heads of at least 8 numbers.
    """

    ranks = frozenset({1, 2, 3})
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 1,
                 heads: Annotated[int, Choice(1, 2, 4, 8, meaning="attention heads")] = 4,
                 expand: Annotated[int, Choice(1, 2, 4, meaning="hidden width of the feed-forward part, in multiples of D")] = 2,
                 position: Annotated[str, Choice("sinusoid", "rotary", meaning="how a cell knows its place")] = "sinusoid",
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.body = Layers(dim, depth, heads, expand, position, activation, dropout, causal=causal)

    def forward(self, grid: Grid) -> Grid:
        return self.body(grid)

    def start(self, batch: int) -> State:
        return self.body.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Keys and values of all cells so far are kept."""
        return self.body.step(x, state)
