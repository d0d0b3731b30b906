"""Compact convolutional transformer: convolutions make the tokens that a transformer reads. Hassani et al. 2021, https://arxiv.org/abs/2104.05704"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from bakeoff.nn.attention import Layers
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.front import Front
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

LARGE = 8                     # axes of a fixed size are halved while so many cells are left


@family("cct", group="attention")
class CCT(Encoder):
    """Convolutions, each halving the grid while it is large enough, then the layers of a transformer over the cells that are left.

    The paper's sequence pooling is the heads' pooling by attention, offered to every family. Departs from the paper: strides
    instead of max pooling, normalised and separable convolutions, positions that work for any length instead of learnt ones.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True
    variant_of = "transformer"
    start_cells = 256

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 convs: Annotated[int, Range(1, 3, "convolutions before the layers")] = 1,
                 kernel: Annotated[int, Choice(3, 5, 7, meaning="cells a convolution sees; on more than one axis 3")] = 3,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 depth: Annotated[int, Range(1, 4, "layers")] = 1,
                 heads: Annotated[int, Choice(1, 2, 4, 8, meaning="attention heads")] = 4,
                 expand: Annotated[int, Choice(1, 2, 4, meaning="hidden width of the feed-forward part, in multiples of D")] = 2,
                 position: Annotated[str, Choice("sinusoid", "rotary", meaning="how a cell knows its place")] = "sinusoid",
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.front = Front(dim, convs, kernel if rank == 1 else 3, sizes=sizes, large=LARGE, full=full or causal, causal=causal,
                           separable=separable, activation=activation, dropout=dropout)
        self.stride = self.front.stride
        self.body = Layers(dim, depth, heads, expand, position, activation, dropout, causal=causal)

    def forward(self, grid: Grid) -> Grid:
        return self.body(self.front(grid))

    def start(self, batch: int) -> State:
        return self.front.start(batch), self.body.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Keys and values of all cells so far are kept."""
        x, pasts = self.front.step(x, state[0])
        x, kept = self.body.step(x, state[1])
        return x, (pasts, kept)
