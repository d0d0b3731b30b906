"""Gated recurrent unit: two gates decide what a sequence's memory keeps and what it forgets. Cho et al. 2014, https://arxiv.org/abs/1406.1078"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Recurrent, gru
from bakeoff.registry import family
from bakeoff.space import Range
from bakeoff.types import Grid, Sizes


@family("gru", group="recurrent")
class GRU(Encoder):
    """Reads a sequence step by step, both ways unless causal. Departs from the paper: a residual path around each layer."""

    ranks = frozenset({1})
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers")] = 1, dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.layers = Recurrent(gru, dim, depth, causal=causal, dropout=dropout, truncate=truncate)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.layers(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.layers.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.layers.step(x, state)
