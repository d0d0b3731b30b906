"""Temporal shift: each cell borrows channels from the cells beside it. Lin et al. 2019, https://arxiv.org/abs/1811.08383

A family of one's own, against two that are there: a class, its parameters with ranges, and what it does to a Grid; tuning, budget,
comparison and report follow. As a package of its own: docs/howto/own-family.md.
"""

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import bakeoff
from bakeoff import Encoder, Range, family
from bakeoff.types import Grid, Sizes


@family("shift", group="conv")
class Shift(Encoder):
    """Layers of width D, each with a residual path around it."""

    ranks = frozenset({1})                    # it reads series and texts; images and sound reach it through a fold

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 6, "layers")] = 3) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.layers = nn.ModuleList(nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
                                    for _ in range(depth))

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid                       # (B, T, D), and (B, T) which cells are real; None: all are
        for layer in self.layers:
            y = layer(shifted(x))
            x = x + (y if valid is None else y * valid[..., None])           # padding stays zero
        return Grid(x, valid)


def shifted(x: Tensor) -> Tensor:
    """A quarter of the channels from the cell before, a quarter from the cell behind, the others as they are."""
    part = x.shape[-1] // 4
    before = F.pad(x[:, :-1, :part], (0, 0, 1, 0))
    behind = F.pad(x[:, 1:, part:2 * part], (0, 0, 0, 1))
    return torch.cat([before, behind, x[..., 2 * part:]], -1)


if __name__ == "__main__":                    # training runs in other processes, which import this file
    result = bakeoff.run("sample:vowels", slate="shift,tcn,gru", budget="2m")
    print(result.verdict["sentence"])
    print(f"{result.folder}/report.html")
