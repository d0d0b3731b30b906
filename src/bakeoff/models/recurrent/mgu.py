"""Minimal gated unit: one gate both decides what is forgotten and what of the memory the new one sees. Zhou et al. 2016, https://arxiv.org/abs/1603.09420"""

from __future__ import annotations

from typing import Annotated, Any

from torch import Tensor
from torch.nn import functional as F

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Cell, Recurrent, started
from bakeoff.nn.scan import mgu_scan
from bakeoff.registry import family
from bakeoff.space import Range
from bakeoff.types import Grid, Sizes


@family("mgu", group="recurrent")
class MGU(Encoder):
    """Reads a sequence step by step, both ways unless causal. Departs from the paper: a residual path around each layer, and
    the gate starts closed (bias −1), so that memory lasts."""

    ranks = frozenset({1})
    can_be_causal = True
    start_cells = 48
    variant_of = "gru"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers")] = 1, dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.layers = Recurrent(mgu, dim, depth, causal=causal, dropout=dropout, truncate=truncate)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.layers(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.layers.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.layers.step(x, state)


class Unit(Cell):
    gates = 2                                                                # f, new

    def scan(self, others: list[Any], x: Tensor, weight: Tensor, truncate: int) -> Tensor:
        return mgu_scan(x, weight, truncate)

    def step(self, x: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        (h,) = memory
        own_f, own_n = F.linear(x, self.weight_ih_l0, self.bias_ih_l0).chunk(2, -1)
        weight_f, weight_n = self.weight_hh_l0.chunk(2)
        f = (own_f + F.linear(h, weight_f)).sigmoid()                        # f = σ(W_f [h, x] + b_f)
        new = (own_n + F.linear(f * h, weight_n)).tanh()                     # h̃ = tanh(W_h [f ⊙ h, x] + b_h)
        return (h.lerp(new, f),)                                             # h ← (1 − f) ⊙ h + f ⊙ h̃


def mgu(inputs: int, units: int) -> Cell:
    return started(Unit(inputs, units), gate=0, bias=-1.0)
