"""Dynamic filter network: one branch makes the filters, from the same input, that the other branch is filtered by. Jia et al. 2016, https://arxiv.org/abs/1605.09673"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Separable
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.filtered import filtered
from bakeoff.nn.masked import zeroed
from bakeoff.nn.norm import BatchNorm
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("dfn", group="dynamic")
class DFN(Encoder):
    """Residual blocks; in each a convolution makes filters of what it saw, either for every cell or, of its mean, for the example.

    Causal: the mean is that of the steps so far. Departs from the paper: blocks with a path around them instead of one
    encoder and decoder, filters that start as the one that changes nothing; those of an example are one per channel.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "blocks")] = 2,
                 kernel: Annotated[int, Choice(3, 5, 7, meaning="cells a filter sees; on more than one axis 3")] = 5,
                 each: Annotated[str, Choice("cell", "example", meaning="what has filters of its own")] = "cell",
                 heads: Annotated[int, Choice(1, 2, 4, 8, meaning="filters of a cell, each for its share of the numbers")] = 4,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        kernel, groups = kernel if rank == 1 else 3, dim if each == "example" else min(heads, dim)
        self.blocks = nn.ModuleList(Block(dim, kernel, groups, each == "example", rank, causal, activation, dropout) for _ in range(depth))

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        for block in self.blocks:
            x = block(x, valid)
        return Grid(x, valid)

    def start(self, batch: int) -> State:
        blocks: list[Any] = list(self.blocks)
        return [block.start(batch) for block in blocks]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        blocks: list[Any] = list(self.blocks)
        after = []
        for block, past in zip(blocks, state, strict=True):
            x, past = block.step(x, past)
            after.append(past)
        return x, after


class Block(nn.Module):
    def __init__(self, dim: int, kernel: int, groups: int, whole: bool, rank: int, causal: bool, activation: str, dropout: float) -> None:
        super().__init__()
        self.kernel, self.groups, self.whole, self.causal = kernel, groups, whole, causal
        self.look, self.looked = Separable(dim, dim, kernel, rank=rank, causal=causal, bias=False), BatchNorm(dim)
        self.make = nn.Linear(dim, groups * kernel ** rank)
        self.norm, self.mix = BatchNorm(dim), nn.Linear(dim, dim, bias=False)
        self.activation, self.drop = activation_of(activation), ChannelDrop(dropout)
        middle = [kernel - 1 if causal and axis == 0 else kernel // 2 for axis in range(rank)]
        own = sum(place * kernel ** (rank - 1 - axis) for axis, place in enumerate(middle))
        with torch.no_grad():
            self.make.bias.view(groups, -1).zero_()[:, own] = 1.0            # a filter starts by giving each cell back

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        seen = self.activation(self.looked(self.look(x), valid))
        if self.whole:
            total, count = sums(seen, valid, self.causal)
            seen = total / count.clamp(min=1)
        y = self.norm(filtered(x, self.filters(seen), self.kernel, causal=self.causal), valid)
        return x + zeroed(self.drop(self.mix(self.activation(y))), valid)

    def filters(self, seen: Tensor) -> Tensor:
        """F_θ = g(what was seen): (…, D) → (…, groups, taps)."""
        return self.make(seen).unflatten(-1, (self.groups, -1))

    def start(self, batch: int) -> list[Tensor]:
        """What the convolution and the filter reach back to, and the sum and number of the cells so far."""
        weight = self.make.weight
        past = self.look.start(batch)
        return [past, torch.zeros_like(past), weight.new_zeros(batch, weight.shape[1]), weight.new_zeros(batch, 1)]

    def step(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        seen, past = self.look.step(x, state[0])
        seen = self.activation(self.looked(seen, None))
        total, count = state[2] + seen, state[3] + 1
        cells = torch.cat([state[1], x[:, None]], 1)
        own = cells.unflatten(-1, (self.groups, -1))                         # (B, kernel, groups, D / groups)
        y = torch.einsum("bkgr,bgk->bgr", own, self.filters(total / count if self.whole else seen)).flatten(1)
        return x + self.drop(self.mix(self.activation(self.norm(y, None)))), [past, cells[:, 1:], total, count]


def sums(x: Tensor, valid: Tensor | None, causal: bool) -> tuple[Tensor, Tensor]:
    """Over the valid cells, of each example or of its steps so far: (B, 1 or T, 1 …, D) and their number (B or 1, 1 or T, 1 …, 1)."""
    axes = list(range(2 if causal else 1, x.dim() - 1))
    count = x.new_ones(1, *x.shape[1:-1], 1) if valid is None else valid[..., None].to(x.dtype)
    if axes:
        x, count = x.sum(axes, keepdim=True), count.sum(axes, keepdim=True)
    return (x.cumsum(1), count.cumsum(1)) if causal else (x, count)
