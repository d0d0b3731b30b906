"""Simple recurrent network: the new memory is a tanh of the old memory and the next cell. Elman 1990, https://doi.org/10.1207/s15516709cog1402_1"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Recurrent, started
from bakeoff.registry import family
from bakeoff.space import Range
from bakeoff.types import Grid, Sizes


@family("rnn", group="recurrent")
class RNN(Encoder):
    """Reads a sequence step by step, both ways unless causal. Departs from the paper: a residual path around each layer."""

    ranks = frozenset({1})
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers")] = 1, dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.layers = Recurrent(elman, dim, depth, causal=causal, dropout=dropout, truncate=truncate)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.layers(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.layers.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.layers.step(x, state)


def elman(inputs: int, units: int) -> nn.RNNBase:
    return started(nn.RNN(inputs, units))
