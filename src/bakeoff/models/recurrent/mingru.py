"""Minimal GRU: gate and candidate see only the cell, so the memory is a linear recurrence. Feng et al. 2024, https://arxiv.org/abs/2410.01201"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn

from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import flip, zeroed
from bakeoff.nn.scan import linear_scan
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
        self.layers = nn.ModuleList(Layer(dim, causal, truncate) for _ in range(depth))
        self.drop = ChannelDrop(dropout)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        for layer in self.layers:
            x = x + zeroed(self.drop(layer(x, valid)), valid)
        return Grid(x, valid)

    def start(self, batch: int) -> State:
        layers: list[Any] = list(self.layers)
        return [layer.gate.weight.new_zeros(batch, layer.gate.out_features) for layer in layers]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        layers: list[Any] = list(self.layers)
        after = []
        for layer, memory in zip(layers, state, strict=True):
            new, memory = layer.step(x, memory)
            after.append(memory)
            x = x + self.drop(new)
        return x, after


class Layer(nn.Module):
    def __init__(self, dim: int, causal: bool, truncate: int) -> None:
        super().__init__()
        self.truncate, self.backwards = truncate, 0 if causal else dim // 2
        self.norm = nn.LayerNorm(dim)
        self.gate, self.new, self.mix = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, dim)
        nn.init.uniform_(self.gate.bias, -4.0, 0.0)                          # memories that last 2 … 50 cells

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        x = self.norm(x).transpose(0, 1).contiguous()                        # (T, B, D): a step is one piece of memory
        z = self.gate(x).sigmoid()                                           # z = σ(W_z x)
        h = self.turned(linear_scan(self.turned(1 - z, valid), self.turned(z * self.new(x), valid), self.truncate), valid)
        return self.mix(h).transpose(0, 1)                                   # h ← (1 − z) ⊙ h + z ⊙ W_h x

    def step(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """One cell (B, D) where all memory goes forwards."""
        x = self.norm(x)
        h = torch.lerp(h, self.new(x), self.gate(x).sigmoid())
        return self.mix(h), h

    def turned(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """The last half of the numbers in the other direction of time."""
        if not self.backwards:
            return x
        ahead, back = x.split([x.shape[-1] - self.backwards, self.backwards], -1)
        return torch.cat([ahead, flip(back, valid, 0)], -1)
