"""Minimal GRU: gate and candidate see only the cell, so the memory is a linear recurrence. Feng et al. 2024, https://arxiv.org/abs/2410.01201"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.linear import Mixture, Residual
from bakeoff.registry import family
from bakeoff.space import Range
from bakeoff.types import Grid, Sizes


@family("mingru", group="recurrent")
class MinGRU(Encoder):
    """Layers of half forward, half backward memory (all forward when causal), each with a residual path around it.

    Departs from the paper: layers are normalised before, and their output is mixed by a linear map.
    """

    ranks = frozenset({1})
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 2, dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.stack = Residual((Layer(dim, causal, truncate) for _ in range(depth)), dropout)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.stack(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.stack.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.stack.step(x, state)


class Layer(Mixture):
    def __init__(self, dim: int, causal: bool, truncate: int) -> None:
        super().__init__(dim, causal, truncate)
        self.gate = nn.Linear(dim, dim)
        nn.init.uniform_(self.gate.bias, -4.0, 0.0)                          # memories that last 2 … 50 cells

    def share(self, x: Tensor) -> Tensor:
        return self.gate(x).sigmoid()                                        # z = σ(W_z x)
