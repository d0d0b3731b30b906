"""LITE: one light layer of three kernels and hand-made filters side by side, then two dilated convolutions. Ismail-Fawaz et al. 2024, https://arxiv.org/abs/2409.02869"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, nested
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.norm import BatchNorm
from bakeoff.nn.stack import Stack
from bakeoff.registry import family
from bakeoff.space import Choice
from bakeoff.types import Grid, Sizes


@family("lite", group="conv")
class LITE(Encoder):
    """First presented at DSAA 2023. The first layer holds D numbers in three equal branches, and one for each hand-made filter.

    On more than one axis the filters lie along each of them. Departs from the paper: kernels are odd, one network stands for the
    ensemble of five, branches go channel by channel over the embedded cells, each hand-made filter watches a learned mixture of the
    channels, and the longest are left out unless asked for.
    """

    ranks = frozenset({1, 2, 3})
    variant_of = "inception"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 kernel: Annotated[int, Choice(9, 19, 39, meaning="longest kernel on one axis, halved twice; on more axes 7")] = 19,
                 longest: Annotated[int, Choice(8, 16, 32, 64, meaning="longest hand-made filter on one axis; on more axes 4")] = 32,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        kernels, part = nested(kernel, rank), dim // 3
        self.parts = [part, part, dim - 2 * part]
        self.convs = nn.ModuleList(Conv(n, n, k, rank=rank, groups=n, bias=False) for n, k in zip(self.parts, kernels, strict=True))
        self.made = HandMade(dim, longest if rank == 1 else 4, rank)
        wide = dim + self.made.looks.out_features
        self.norm, self.activation, self.drop = BatchNorm(wide), activation_of(activation), ChannelDrop(dropout)
        later = kernels[1:] if rank == 1 else (3, 3)                         # dilated, these reach as far
        self.stack = Stack((wide, dim, dim), later, rank=rank, dilations=(2, 4), activation=activation, dropout=dropout)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        branches = [conv(part) for conv, part in zip(self.convs, x.split(self.parts, -1), strict=True)]
        x = self.activation(self.norm(torch.cat([*branches, self.made(x)], -1), valid))
        return Grid(self.stack(self.drop(x), valid), valid)


class HandMade(nn.Module):
    """(B, *S, D) → (B, *S, axes · filters): what rises, what falls, and what peaks, at several lengths along each axis."""

    def __init__(self, dim: int, longest: int, rank: int) -> None:
        super().__init__()
        filters = hand_made(longest)
        count, cells = filters.shape
        self.looks = nn.Linear(dim, rank * count, bias=False)
        self.each = Conv(count, count, cells, rank=1, groups=count, bias=False)
        del self.each.weight                                                 # these are not learned
        self.each.register_buffer("weight", filters[:, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for axis, looks in enumerate(self.looks(x).chunk(x.dim() - 2, -1), 1):
            lines = looks.movedim(axis, -2)
            seen.append(self.each(lines.flatten(0, -3)).reshape(lines.shape).movedim(-2, axis))
        return torch.cat(seen, -1)


def hand_made(longest: int) -> Tensor:
    """(filters, cells): rising and falling of 2, 4, 8 … `longest` cells, then peaks of 6, 12, 24 … cells; each in the middle."""
    lengths = [2 ** n for n in range(1, longest.bit_length())]
    filters = []
    for length in lengths:
        sign = (-1.0) ** torch.arange(1, length + 1)                         # −1, 1, −1, 1 …
        filters += [sign, -sign]
    for length in lengths[1:]:
        up = (torch.arange(1, length // 4 + 1) / (length // 4)) ** 2
        hill = torch.cat([up, up.flip(0)])
        filters.append(torch.cat([-hill, 2 * hill, -hill]))
    table = torch.zeros(len(filters), longest // 2 * 3 + 1)
    for row, one in zip(table, filters, strict=True):
        first = longest // 4 * 3 - (len(one) - 1) // 2
        row[first:first + len(one)] = one
    return table
