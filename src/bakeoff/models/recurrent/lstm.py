"""Long short-term memory: a cell of memory guarded by input, forget and output gates. Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Recurrent, lstm
from bakeoff.registry import family
from bakeoff.space import Range
from bakeoff.types import Grid, Sizes


@family("lstm", group="recurrent")
class LSTM(Encoder):
    """Reads a sequence step by step, both ways unless causal. Departs from the paper: a residual path around each layer."""

    ranks = frozenset({1})
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers")] = 1, dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.layers = Recurrent(lstm, dim, depth, causal=causal, dropout=dropout, truncate=truncate)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.layers(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.layers.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.layers.step(x, state)
