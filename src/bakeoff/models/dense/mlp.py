"""Multilayer perceptron: the data shrunk to a small fixed grid, every number of it weighed against every other. Rumelhart et al. 1986, https://doi.org/10.1038/323533a0"""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Annotated

from torch import nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.norm import BatchNorm
from bakeoff.nn.resize import fixed_grid
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("mlp", group="dense")
class MLP(Encoder):
    """Average over a grid of `cells` per axis (nothing is cut off) → dense layers → D numbers in one cell."""

    ranks = frozenset({1, 2, 3})
    well_known = True
    pools = True
    orderless = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 cells: Annotated[int, Choice(1, 4, 8, 16, 32, 64, meaning="cells in all that the data are averaged to")] = 64,
                 depth: Annotated[int, Range(1, 4, "layers")] = 2,
                 hidden: Annotated[int, Choice(1, 2, 4, meaning="hidden width in multiples of D")] = 2,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        each = max(1, round(cells ** (1 / rank)))
        self.grid = tuple(each if size is None else min(each, size) for size in sizes)
        widths = [dim * prod(self.grid), *(hidden * dim,) * (depth - 1), dim]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(BatchNorm(width) for width in widths[1:])
        self.activation, self.drop = activation_of(activation), nn.Dropout(dropout)

    def forward(self, grid: Grid) -> Grid:
        x = fixed_grid(grid, self.grid).flatten(1)
        some = None if grid.valid is None else grid.valid.flatten(1).any(1)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = self.drop(self.activation(norm(layer(x), some)))
        one = (1,) * len(self.grid)
        return Grid(x.view(len(x), *one, -1), None if some is None else some.view(-1, *one))
