"""Mamba: a linear memory that each cell tells how fast to forget, what to take in and what to give out. Gu & Dao 2023, https://arxiv.org/abs/2312.00752"""

from __future__ import annotations

from math import gcd
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.conv import Conv
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.linear import Residual, turned
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

CHUNK = 16                    # cells that weigh one another by a matrix; what came before them is one state
HEAD = 16                     # channels that forget at one pace


@family("mamba", group="recurrent")
class Mamba(Encoder):
    """Layers whose channels are read half forwards, half backwards (all forwards when causal), each with a residual path around it.

    Departs from the paper: channels share their pace in heads, as in its second version (Dao & Gu 2024, https://arxiv.org/abs/2405.21060),
    of 16 instead of 64; as many channels as D (there 2·D) with 16 numbers of memory each; the convolution leaves what is asked of the
    memory as it is; layer normalisation instead of that by the root of squares, and none behind the memory.
    """

    ranks = frozenset({1})
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 2,
                 expand: Annotated[int, Choice(1, 2, meaning="channels, in multiples of D")] = 1,
                 memory: Annotated[int, Choice(8, 16, 32, meaning="numbers of memory per channel")] = 16,
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
    """Channels E; those of one direction are E / ways, in heads of P; a cell asks each direction's memory by itself."""

    def __init__(self, dim: int, causal: bool, truncate: int, expand: int, memory: int, kernel: int) -> None:
        super().__init__()
        self.truncate, self.ways, self.memory = truncate, 1 if causal else 2, memory
        size = expand * dim // self.ways
        channels, self.backwards = size * self.ways, 0 if causal else size
        self.head = gcd(size, HEAD)
        heads = size // self.head
        self.parts = [channels, channels, self.ways * 2 * memory, self.ways * heads]
        self.norm, self.enter, self.leave = nn.LayerNorm(dim), nn.Linear(dim, sum(self.parts)), nn.Linear(channels, dim)
        self.conv = Conv(channels, channels, kernel, rank=1, causal=True, groups=channels, bias=False)      # enter has one
        start = torch.logspace(-3, -1, heads).repeat(self.ways)              # Δ from .001 to .1: with a = −1 memories of 10 … 1000 cells
        with torch.no_grad():
            self.enter.bias[-len(start):] = start + (-torch.expm1(-start)).log()                 # softplus of it is Δ
        self.decay = nn.Parameter(torch.zeros(self.ways, heads))             # a = −exp(decay)
        self.direct = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        u, gate, asked, pace = self.enter(self.norm(x)).split(self.parts, -1)
        u = F.silu(self.conv(turned(u, valid, self.backwards, 1)))
        b, c, delta = self.questions(asked, pace, valid)
        halves = u.unflatten(-1, (self.ways, -1, self.head))
        y = remembered(delta * -self.decay.exp(), b, c, halves * delta.unsqueeze(-1), self.truncate).flatten(-3)
        return self.leave(turned(torch.addcmul(y, self.direct, u), valid, self.backwards, 1) * F.silu(gate))

    def questions(self, asked: Tensor, pace: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """b, c (B, T, ways, N) and Δ (B, T, ways, heads), in the order in which each direction reads."""
        asked, pace = (turned(part, valid, part.shape[-1] // 2 if self.backwards else 0, 1) for part in (asked, pace))
        b, c = asked.unflatten(-1, (self.ways, 2, self.memory)).unbind(-2)
        return b, c, F.softplus(pace).unflatten(-1, (self.ways, -1))

    def start(self, batch: int) -> tuple[Tensor, Tensor]:
        return self.conv.start(batch), self.decay.new_zeros(batch, *self.decay.shape, self.memory, self.head)

    def step(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One cell (B, D) where all channels go forwards."""
        past, h = state
        u, gate, asked, pace = self.enter(self.norm(x)).split(self.parts, -1)
        u, past = self.conv.step(u, past)
        u = F.silu(u)
        b, c, delta = self.questions(asked, pace, None)
        new = u.unflatten(-1, (self.ways, -1, self.head)) * delta.unsqueeze(-1)
        keep = (delta * -self.decay.exp()).exp()[..., None, None]            # h ← exp(Δ a) h + b (Δ x)ᵀ
        h = keep * h + b[:, :, None, :, None] * new.unsqueeze(-2)
        y = (c[:, :, None, :, None] * h).sum(-2).flatten(1)                  # y = c h + D x
        return self.leave(torch.addcmul(y, self.direct, u) * F.silu(gate)), (past, h)


def remembered(pace: Tensor, b: Tensor, c: Tensor, x: Tensor, truncate: int = 0) -> Tensor:
    """h ← exp(pace) h + b xᵀ; y = c h, for each head: chunks of cells as products of matrices (the dual form of Dao & Gu 2024, §6).

    pace (B, T, W, H), none above 0, b, c (B, T, W, N), x (B, T, W, H, P) → y (B, T, W, H, P). truncate = n: no gradient flows from step
    n·k to n·k − 1.
    """
    length = x.shape[1]
    size = length if torch.compiler.is_exporting() else gcd(CHUNK, truncate)             # chunks would fix an exported length
    if size != length:
        pace, b, c, x = (F.pad(part, (0, 0) * (part.dim() - 2) + (0, -length % size)) for part in (pace, b, c, x))
    pace, b, c, x = (part.unflatten(1, (-1, size)) for part in (pace, b, c, x))
    b, c, x = b.transpose(2, 3), c.transpose(2, 3), x.permute(0, 1, 3, 4, 2, 5)          # (B, K, W, Q, N), x (B, K, W, H, Q, P)
    so_far = pace.permute(0, 1, 3, 4, 2).cumsum(-1)                                      # (B, K, W, H, Q)
    ahead = torch.full((size, size), float("-inf"), dtype=x.dtype, device=x.device).triu(1)
    kept = (so_far.unsqueeze(-1) - so_far.unsqueeze(-2) + ahead).exp()                   # from cell to cell of the chunk
    y = ((c @ b.transpose(-1, -2)).unsqueeze(3) * kept) @ x
    added = b.transpose(-1, -2).unsqueeze(3) @ (x * (so_far[..., -1:] - so_far).exp().unsqueeze(-1))
    states = [torch.zeros_like(added[:, 0])]
    for number, (keep, new) in enumerate(zip(so_far[..., -1].exp()[..., None, None].unbind(1), added.unbind(1), strict=True)):
        before = states[-1].detach() if truncate and number * size % truncate == 0 else states[-1]
        states[-1] = before
        states.append(torch.addcmul(new, keep, before))
    y = y + (c.unsqueeze(3) @ torch.stack(states[:-1], 1)) * so_far.exp().unsqueeze(-1)
    return y.permute(0, 1, 4, 2, 3, 5).flatten(1, 2)[:, :length]
