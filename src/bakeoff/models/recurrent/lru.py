"""Linear recurrent unit: complex numbers that shrink and turn at their own pace remember, and all else looks at one cell. Orvieto et al. 2023, https://arxiv.org/abs/2303.06349"""

from __future__ import annotations

from math import pi
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.linear import Residual, turned
from bakeoff.nn.scan import complex_scan
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

FIRST = 0.4                   # the least of a memory that is left after a cell, at the start


@family("lru", group="recurrent")
class LRU(Encoder):
    """Layers of D / 2 complex memories, half forward and half backward (all forward when causal), each layer normalised before
    and gated after, with a residual path around it.

    Departs from the paper: layer instead of batch normalisation; complex numbers are pairs of real ones, D in all as elsewhere.
    """

    ranks = frozenset({1})
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 2,
                 radius: Annotated[float, Choice(0.9, 0.99, 0.999, meaning="most of a memory that is left after a cell, at the start")] = 0.99,
                 turn: Annotated[float, Choice(0.05, 0.5, 1.0, meaning="most that a memory turns per cell at the start, in full turns")] = 0.05,
                 dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.stack = Residual((Layer(dim, causal, truncate, radius, turn) for _ in range(depth)), dropout)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.stack(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.stack.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.stack.step(x, state)


class Layer(nn.Module):
    """Numbers of a memory lie as real parts, imaginary parts of each direction."""

    def __init__(self, dim: int, causal: bool, truncate: int, radius: float, turn: float) -> None:
        super().__init__()
        self.truncate, self.ways = truncate, 1 if causal else 2
        size = dim // (2 * self.ways)
        self.backwards = 0 if causal else 2 * size
        area = torch.rand(self.ways, size) * (radius ** 2 - FIRST ** 2) + FIRST ** 2      # |λ|², even on a ring
        self.decay = nn.Parameter((-0.5 * area.log()).log())                 # ν
        self.angle = nn.Parameter((2 * pi * turn * torch.rand(self.ways, size)).clamp(min=1e-4).log())      # θ
        self.gain = nn.Parameter(0.5 * (1 - area).log())                     # γ = √(1 − |λ|²), as a logarithm
        self.norm = nn.LayerNorm(dim)
        self.enter, self.leave = nn.Linear(dim, 2 * self.ways * size, bias=False), nn.Linear(2 * self.ways * size, dim, bias=False)
        self.direct, self.mix = nn.Parameter(torch.randn(dim)), nn.Linear(dim, 2 * dim)
        nn.init.normal_(self.enter.weight, std=(2 * dim) ** -0.5)
        nn.init.normal_(self.leave.weight, std=(self.ways * size) ** -0.5)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        x = self.norm(x).transpose(0, 1).contiguous()                        # (T, B, D): a step is one piece of memory
        pull = turned(F.linear(x, self.entering()), valid, self.backwards)
        h = complex_scan(self.turns(), pull.unflatten(-1, (self.ways, -1)), self.truncate).flatten(-2)      # h ← λ ⊙ h + γ ⊙ B x
        return self.told(turned(h, valid, self.backwards), x).transpose(0, 1)

    def start(self, batch: int) -> Tensor:
        return self.leave.weight.new_zeros(batch, self.leave.in_features)

    def step(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """One cell (B, D) where all memory goes forwards."""
        x = self.norm(x)
        (re, im), (cos, sin) = h.chunk(2, -1), self.turns()[0].chunk(2)
        h = torch.cat([cos * re - sin * im, cos * im + sin * re], -1) + F.linear(x, self.entering())
        return self.told(h, x), h

    def turns(self) -> Tensor:
        """λ = exp(−exp(ν) + i·exp(θ)) → (ways, 2·size): never outside the circle."""
        size, angle = (-self.decay.exp()).exp(), self.angle.exp()
        return torch.cat([size * angle.cos(), size * angle.sin()], -1)

    def entering(self) -> Tensor:
        """γ ⊙ B."""
        gain = self.gain.exp()
        return self.enter.weight * torch.cat([gain, gain], -1).view(-1, 1)

    def told(self, h: Tensor, x: Tensor) -> Tensor:
        y = self.leave(h) + self.direct * x                                  # y = Re(C h) + D ⊙ x
        return F.glu(self.mix(F.gelu(y)), -1)
