"""Dynamic convolution: every step says itself how much the cells around it count. Wu et al. 2019, https://arxiv.org/abs/1901.10430"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.attention import feed, shared
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.filtered import filtered
from bakeoff.nn.masked import zeroed
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("dynamicconv", group="dynamic")
class DynamicConv(Encoder):
    """Pre-norm layers of a gated dynamic convolution and a feed-forward part; the kernel doubles with each layer, to 15 at most.

    A head's numbers share a kernel, a softmax over the cells that there are: beyond edges and on padding no weight is lost. Departs
    from the paper: norm before each part, heads of at least 8 numbers, no dropout of kernels, no positions added.
    """

    ranks = frozenset({1})
    can_be_causal = True
    well_known = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 2,
                 kernel: Annotated[int, Choice(3, 7, 15, meaning="cells the first layer sees; each further one twice as many, 15 at most")] = 7,
                 heads: Annotated[int, Choice(1, 2, 4, 8, meaning="kernels of a step, each for its share of the numbers")] = 4,
                 expand: Annotated[int, Choice(1, 2, 4, meaning="hidden width of the feed-forward part, in multiples of D")] = 2,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        kernels = [min(2 ** layer * (kernel + 1) - 1, 15) for layer in range(depth)]
        self.layers = nn.ModuleList(Layer(dim, k, heads, expand, causal, activation, dropout) for k in kernels)
        self.norm = nn.LayerNorm(dim)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        y = x
        for layer in self.layers:
            y = layer(y, valid)
        return Grid(zeroed(self.norm(y), valid), valid)

    def start(self, batch: int) -> State:
        layers: list[Any] = list(self.layers)
        return [layer.start(batch) for layer in layers]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        layers: list[Any] = list(self.layers)
        after = []
        for layer, past in zip(layers, state, strict=True):
            x, past = layer.step(x, past)
            after.append(past)
        return self.norm(x), after


class Layer(nn.Module):
    def __init__(self, dim: int, kernel: int, heads: int, expand: int, causal: bool, activation: str, dropout: float) -> None:
        super().__init__()
        self.kernel, self.causal, self.heads = kernel, causal, shared(heads, dim)
        self.norm, self.ask = nn.LayerNorm(dim), nn.Linear(dim, 2 * dim)
        self.weigh, self.mix = nn.Linear(dim, self.heads * kernel), nn.Linear(dim, dim)
        self.feed, self.drop = feed(dim, expand, activation), ChannelDrop(dropout)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        v = zeroed(F.glu(self.ask(self.norm(x))), valid)                     # (B, T, D)
        there = x.new_ones(1, x.shape[1], dtype=torch.bool) if valid is None else valid
        before = self.kernel - 1 if self.causal else self.kernel // 2
        there = F.pad(there, (before, self.kernel - 1 - before))
        there = torch.stack([there[:, n:n + x.shape[1]] for n in range(self.kernel)], -1)                   # (B or 1, T, kernel)
        return self.told(x, filtered(v, self.weights(v, there), self.kernel, causal=self.causal))

    def weights(self, v: Tensor, there: Tensor) -> Tensor:
        """softmax(W v_t) over the cells that are there: (…, heads, kernel)."""
        score = self.weigh(v).unflatten(-1, (self.heads, self.kernel))
        return score.masked_fill(~there.unsqueeze(-2), -1e4).softmax(-1)     # finite: padding itself may see nothing at all

    def told(self, x: Tensor, y: Tensor) -> Tensor:
        x = x + self.drop(self.mix(y))
        return x + self.drop(self.feed(x))

    def start(self, batch: int) -> tuple[Tensor, Tensor]:
        """The cells before the first, and that none of them is there."""
        past = self.mix.weight.new_zeros(batch, self.kernel - 1, self.mix.in_features)
        return past, torch.zeros_like(past[..., 0], dtype=torch.bool)

    def step(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        v = F.glu(self.ask(self.norm(x)))                                    # (B, D)
        seen = torch.cat([state[0], v[:, None]], 1)
        there = F.pad(state[1], (0, 1), value=True)
        own = seen.unflatten(-1, (self.heads, -1))                           # (B, kernel, heads, D / heads)
        y = torch.einsum("bkhr,bhk->bhr", own, self.weights(v, there)).flatten(1)
        return self.told(x, y), (seen[:, 1:], there[:, 1:])
