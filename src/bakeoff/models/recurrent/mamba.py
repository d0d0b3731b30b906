"""Mamba: a linear memory that each cell tells how fast to forget, what to take in and what to give out. Gu & Dao 2023, https://arxiv.org/abs/2312.00752"""

from __future__ import annotations

from math import log
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.conv import Conv
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.linear import Residual, turned
from bakeoff.nn.scan import selective_scan
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("mamba", group="recurrent")
class Mamba(Encoder):
    """Layers whose channels are read half forwards, half backwards (all forwards when causal), each with a residual path around it.

    Departs from the paper: as many channels as D and 4 numbers of memory for each, unless asked otherwise (there 2·D and 16): on a
    CPU the memory is what costs. Layer normalisation instead of that by the root of squares.
    """

    ranks = frozenset({1})
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 2,
                 expand: Annotated[int, Choice(1, 2, meaning="channels, in multiples of D")] = 1,
                 memory: Annotated[int, Choice(4, 8, 16, meaning="numbers of memory per channel")] = 4,
                 kernel: Annotated[int, Choice(2, 4, meaning="cells that the convolution before the memory sees")] = 4,
                 dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.stack = Residual((Layer(dim, causal, truncate, expand, memory, kernel) for _ in range(depth)), dropout)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.stack(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.stack.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.stack.step(x, state)


class Layer(nn.Module):
    """Channels E; those of one direction are E / ways, and see one another only."""

    def __init__(self, dim: int, causal: bool, truncate: int, expand: int, memory: int, kernel: int) -> None:
        super().__init__()
        self.truncate, self.ways = truncate, 1 if causal else 2
        size = expand * dim // self.ways
        channels, self.backwards = size * self.ways, 0 if causal else size
        self.norm, self.enter, self.leave = nn.LayerNorm(dim), nn.Linear(dim, 2 * channels), nn.Linear(channels, dim)
        self.conv = Conv(channels, channels, kernel, rank=1, causal=True, groups=channels, bias=False)      # enter has one
        self.asks = nn.ModuleList(Ask(size, memory, max(1, dim // 16)) for _ in range(self.ways))
        self.decay = nn.Parameter(torch.arange(1.0, memory + 1).log()[:, None].repeat(self.ways, 1, size))      # a = −1, −2, … −N
        self.direct = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        u, gate = self.enter(self.norm(x)).chunk(2, -1)
        u = F.silu(self.conv(turned(u, valid, self.backwards, 1))).transpose(0, 1).contiguous()      # (T, B, E): a step is one piece
        halves = u.unflatten(-1, (self.ways, -1))
        said = [ask(halves[:, :, way]) for way, ask in enumerate(self.asks)]
        delta, b, c = (torch.stack(part, 2) if len(part) > 1 else part[0].unsqueeze(2) for part in zip(*said, strict=True))
        y = selective_scan(delta, -self.decay.exp(), b, c, halves, self.truncate).flatten(-2)
        y = turned(torch.addcmul(y, self.direct, u), valid, self.backwards).transpose(0, 1)
        return self.leave(y * F.silu(gate))

    def start(self, batch: int) -> tuple[Tensor, Tensor]:
        return self.conv.start(batch), self.decay.new_zeros(batch, *self.decay.shape[1:])

    def step(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One cell (B, D) where all channels go forwards."""
        (ask,), (past, h) = self.asks, state
        u, gate = self.enter(self.norm(x)).chunk(2, -1)
        u, past = self.conv.step(u, past)
        u = F.silu(u)
        delta, b, c = ask(u)
        keep = (delta[:, None] * -self.decay[0].exp()).exp()                 # h ← exp(Δ a) ⊙ h + Δ b x
        h = keep * h + b[..., None] * (delta * u)[:, None]
        y = (c[..., None] * h).sum(1) + self.direct * u                      # y = c h + D x
        return self.leave(y * F.silu(gate)), (past, h)


class Ask(nn.Module):
    """(…, E) → Δ (…, E), b and c (…, N): what a cell says about the memory."""

    def __init__(self, size: int, memory: int, rank: int) -> None:
        super().__init__()
        self.rank, self.parts = rank, [size, memory, memory]
        self.ask, self.pace = nn.Linear(size, rank + 2 * memory, bias=False), nn.Linear(rank, size)
        nn.init.uniform_(self.pace.weight, -rank ** -0.5, rank ** -0.5)
        start = torch.empty(size).uniform_(log(1e-3), log(0.1)).exp()        # Δ from .001 to .1: memories of 10 … 1000 cells
        with torch.no_grad():
            self.pace.bias.copy_(start + (-torch.expm1(-start)).log())       # softplus of it is Δ

    def forward(self, u: Tensor) -> tuple[Tensor, ...]:
        pace, rest = self.ask.weight.split([self.rank, sum(self.parts[1:])])
        said = F.linear(u, torch.cat([self.pace.weight @ pace, rest]))       # as one product: of few columns they take as long
        delta, b, c = said.split(self.parts, -1)
        return F.softplus(delta + self.pace.bias), b, c
