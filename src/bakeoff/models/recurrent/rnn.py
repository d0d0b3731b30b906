"""Simple recurrent network: the new memory is a tanh of the old memory and the next cell. Elman 1990, https://doi.org/10.1207/s15516709cog1402_1"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Cell, Kernel, Rectified, Recurrent, started
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

LEAK = 0.01                   # slope of the leaky ReLU below zero; Maas et al. 2013


@family("rnn", group="recurrent")
class RNN(Encoder):
    """Reads a sequence step by step, both ways unless causal. Departs from the paper: a residual path around each layer.

    unit: what makes the memory of the sum; without a bound (ReLUs) it is held within ±1000.
    """

    ranks = frozenset({1})
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers")] = 1,
                 unit: Annotated[str, Choice("tanh", "relu", "leaky_relu", meaning="what the new memory is of the sum")] = "tanh",
                 dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.layers = Recurrent(UNITS[unit], dim, depth, causal=causal, dropout=dropout, truncate=truncate)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.layers(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.layers.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.layers.step(x, state)


def elman(inputs: int, units: int) -> nn.RNNBase:
    return started(nn.RNN(inputs, units))


def rectified(inputs: int, units: int) -> Cell:
    return started(Rectified(inputs, units))


def leaky(inputs: int, units: int) -> Cell:
    return started(Rectified(inputs, units, LEAK))


UNITS: dict[str, Kernel] = {"tanh": elman, "relu": rectified, "leaky_relu": leaky}
