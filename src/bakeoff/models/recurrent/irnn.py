"""Identity recurrent network: ReLUs that start by adding each cell to an unchanged memory. Le et al. 2015, https://arxiv.org/abs/1504.00941"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Cell, Rectified, Recurrent, started
from bakeoff.registry import family
from bakeoff.space import Range
from bakeoff.types import Grid, Sizes

SMALL = 0.03                  # deviation of the input weights: a memory of hundreds of cells stays of the size of one


@family("irnn", group="recurrent")
class IRNN(Encoder):
    """Reads a sequence step by step, both ways unless causal.

    Departs from the paper: a residual path around each layer (around the whole reading, not inside the memory), and the memory
    is held below 1000, so that no sequence is long enough for it to overflow once training has left the identity.
    """

    ranks = frozenset({1})
    can_be_causal = True
    start_cells = 48
    variant_of = "rnn"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers")] = 1, dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.layers = Recurrent(irnn, dim, depth, causal=causal, dropout=dropout, truncate=truncate)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.layers(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.layers.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.layers.step(x, state)


def irnn(inputs: int, units: int) -> Cell:
    cell = started(Rectified(inputs, units))
    nn.init.eye_(cell.weight_hh_l0)
    nn.init.normal_(cell.weight_ih_l0, std=SMALL)
    return cell
