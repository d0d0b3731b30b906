"""N-BEATS: dense blocks that each explain a part of the window, take it away, and add their share to the answer. Oreshkin et al. 2020, https://arxiv.org/abs/1905.10437"""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Annotated

from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.masked import zeroed
from bakeoff.nn.norm import BatchNorm
from bakeoff.nn.resize import fixed_grid
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

MOST = {1: 512, 2: 24, 3: 8}          # cells per axis, by rank: more of them, or an unknown number, are averaged to so many


@family("nbeats", group="dense")
class NBeats(Encoder):
    """The window flattened, a few numbers per cell → doubly residual blocks → D numbers in one cell.

    Departs from the paper: a block's expansion for the answer has D numbers and is summed before the basis, which is the task's
    linear head and so shared by all blocks; layers are normalised, since the common learning rates are too quick for deep stacks
    without; the generic basis alone, and one network instead of an ensemble of 180.
    """

    ranks = frozenset({1, 2, 3})
    pools = True
    orderless = True
    start_cells = 512

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 8, "blocks")] = 3,
                 layers: Annotated[int, Range(1, 4, "dense layers of a block")] = 2,
                 hidden: Annotated[int, Choice(1, 2, 4, 8, meaning="hidden width in multiples of D")] = 4,
                 channels: Annotated[int, Choice(1, 2, 4, 8, 16, meaning="numbers per cell that are read")] = 2,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.grid = tuple(MOST[rank] if size is None else min(MOST[rank], size) for size in sizes)
        self.few = nn.Linear(dim, channels, bias=False)
        window = channels * prod(self.grid)
        self.blocks = nn.ModuleList(Block(window, hidden * dim, dim, layers, activation, dropout, last=block == depth - 1) for block in range(depth))

    def forward(self, grid: Grid) -> Grid:
        window = fixed_grid(Grid(self.few(grid.x), grid.valid), self.grid).flatten(1)
        some = None if grid.valid is None else grid.valid.flatten(1).any(1)
        answer = window.new_zeros(())
        for block in self.blocks:
            backcast, forecast = block(window, some)
            answer = answer + forecast                                       # ŷ = Σ_l ŷ_l
            window = window if backcast is None else window - backcast       # x_{l+1} = x_l − x̂_l
        one = (1,) * len(self.grid)
        answer = zeroed(answer, some).view(len(grid.x), *one, -1)
        return Grid(answer, None if some is None else some.view(-1, *one))


class Block(nn.Module):
    """(B, window) → its backcast (B, window), and its share of the answer (B, D). The last one need not explain what is left."""

    def __init__(self, window: int, hidden: int, dim: int, layers: int, activation: str, dropout: float, last: bool) -> None:
        super().__init__()
        widths = [window, *(hidden,) * layers]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(BatchNorm(hidden) for _ in range(layers))
        self.activation, self.drop = activation_of(activation), nn.Dropout(dropout)
        self.forecast = nn.Linear(hidden, dim)
        self.backcast = None if last else nn.Linear(hidden, window)

    def forward(self, x: Tensor, some: Tensor | None) -> tuple[Tensor | None, Tensor]:
        """some: (B,), which examples have any cell."""
        h = x
        for layer, norm in zip(self.layers, self.norms, strict=True):
            h = self.drop(self.activation(norm(layer(h), some)))             # h_i = ReLU(W_i h_{i−1} + b_i)
        return None if self.backcast is None else self.backcast(h), self.forecast(h)         # x̂ = V^b h; V^f is the head's
