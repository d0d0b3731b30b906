"""Long short-term memory: a cell of memory guarded by input, forget and output gates. Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Cell, Recurrent, lstm, started
from bakeoff.nn.scan import peephole_scan
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("lstm", group="recurrent")
class LSTM(Encoder):
    """Reads a sequence step by step, both ways unless causal. Departs from the paper: a residual path around each layer."""

    ranks = frozenset({1})
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers")] = 1,
                 peepholes: Annotated[bool, Choice(False, True, meaning="gates see the cell's memory too")] = False,
                 dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.layers = Recurrent(peephole if peepholes else lstm, dim, depth, causal=causal, dropout=dropout, truncate=truncate)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.layers(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.layers.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.layers.step(x, state)


class Peephole(Cell):
    """The LSTM whose gates see the cell. Gers et al. 2002, https://www.jmlr.org/papers/v3/gers02a.html"""

    gates, memories = 4, 2                                                   # input, forget, new, output; h and c

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units)
        self.peep = nn.Parameter(torch.zeros(3, units))                      # of input, forget and output gate

    def scan(self, others: list[Any], x: Tensor, weight: Tensor, truncate: int) -> Tensor:
        return peephole_scan(x, weight, torch.stack([cell.peep for cell in others]), truncate)

    def step(self, x: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        h, c = memory
        p_i, p_f, p_o = self.peep
        gates = F.linear(x, self.weight_ih_l0, self.bias_ih_l0) + F.linear(h, self.weight_hh_l0)
        i, f, new, o = gates.chunk(4, -1)
        c = (f + p_f * c).sigmoid() * c + (i + p_i * c).sigmoid() * new.tanh()           # c ← f ⊙ c + i ⊙ c̃
        return (o + p_o * c).sigmoid() * c.tanh(), c                                     # h = o ⊙ tanh(c)


def peephole(inputs: int, units: int) -> Cell:
    return started(Peephole(inputs, units), gate=1)
