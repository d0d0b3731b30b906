"""Conformer: attention looks far, a gated convolution looks near, between two half feed-forward parts. Gulati et al. 2020, https://arxiv.org/abs/2005.08100"""

from __future__ import annotations

from typing import Annotated, Any

from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.activation import activation_of
from bakeoff.nn.attention import Attention, Turn, feed, seen, shared, turns
from bakeoff.nn.conv import Conv
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import zeroed
from bakeoff.nn.norm import BatchNorm
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("conformer", group="hybrid")
class Conformer(Encoder):
    """Attention goes over all cells in raster order, the convolution along the axes. Causal: both along the first axis.

    Departs from the paper: queries and keys are turned by their place (rotary) instead of relative encodings, heads have at least 8
    numbers, kernels are shorter, and no strided convolutions stand in front.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "blocks")] = 1,
                 heads: Annotated[int, Choice(1, 2, 4, 8, meaning="attention heads")] = 4,
                 kernel: Annotated[int, Choice(7, 15, 31, meaning="cells a convolution sees; on more than one axis 3")] = 15,
                 expand: Annotated[int, Choice(1, 2, 4, meaning="hidden width of the feed-forward parts, in multiples of D")] = 2,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.causal, self.heads = causal, shared(heads, dim)
        kernel = kernel if rank == 1 else 3
        self.blocks = nn.ModuleList(Block(dim, heads, kernel, expand, rank, causal, activation, dropout) for _ in range(depth))

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        sizes = tuple(x.shape[1:-1])
        cells = None if valid is None else valid.flatten(1)
        mask, ordered = seen(sizes, cells, self.causal, x.device)
        turn = turns(sizes, self.heads, x)
        for block in self.blocks:
            x = block(x, valid, turn, mask, ordered)
        return Grid(x, valid)

    def start(self, batch: int) -> State:
        blocks: list[Any] = list(self.blocks)
        return [(block.attend.start(batch), block.near.conv.start(batch)) for block in blocks]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Keys and values of all cells so far are kept."""
        blocks: list[Any] = list(self.blocks)
        turn, after = turns((state[0][0][0].shape[2] + 1,), self.heads, x, last=True), []
        for block, (kept, past) in zip(blocks, state, strict=True):
            x, kept, past = block.step(x, turn, kept, past)
            after.append((kept, past))
        return x, after


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, kernel: int, expand: int, rank: int, causal: bool, activation: str, dropout: float) -> None:
        super().__init__()
        self.first, self.second = feed(dim, expand, activation), feed(dim, expand, activation)
        self.attend, self.near = Attention(dim, heads), Near(dim, kernel, rank, causal, activation)
        self.norm, self.drop = nn.LayerNorm(dim), ChannelDrop(dropout)
        nn.init.xavier_uniform_(self.attend.ask.weight)

    def forward(self, x: Tensor, valid: Tensor | None, turn: Turn, mask: Tensor | None, ordered: bool) -> Tensor:
        x = x + self.drop(self.first(x)) / 2                                 # x̃  = x + ½ FFN(x)
        heard = self.attend(x.flatten(1, -2), turn, mask, ordered)
        x = x + self.drop(heard.view(x.shape))                               # x′ = x̃ + MHSA(x̃)
        x = x + self.drop(self.near(x, valid))                               # x″ = x′ + Conv(x′)
        return zeroed(self.norm(x + self.drop(self.second(x)) / 2), valid)   # y  = LayerNorm(x″ + ½ FFN(x″))

    def step(self, x: Tensor, turn: Turn, kept: Turn, past: Tensor) -> tuple[Tensor, Turn, Tensor]:
        """One cell (B, D)."""
        x = x + self.drop(self.first(x)) / 2
        heard, kept = self.attend.step(x[:, None], turn, kept)
        x = x + self.drop(heard[:, 0])
        y, past = self.near.step(x, past)
        x = x + self.drop(y)
        return self.norm(x + self.drop(self.second(x)) / 2), kept, past


class Near(nn.Module):
    """The convolution module: (B, *S, D) → the same, without a residual path."""

    def __init__(self, dim: int, kernel: int, rank: int, causal: bool, activation: str) -> None:
        super().__init__()
        self.norm, self.gate = nn.LayerNorm(dim), nn.Linear(dim, 2 * dim)
        self.conv = Conv(dim, dim, kernel, rank=rank, causal=causal, groups=dim, bias=False)
        self.level, self.activation, self.mix = BatchNorm(dim), activation_of(activation), nn.Linear(dim, dim)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        gated = zeroed(F.glu(self.gate(self.norm(x))), valid)                # the convolution sees nothing of padding
        return self.mix(self.activation(self.level(self.conv(gated), valid)))

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        y, past = self.conv.step(F.glu(self.gate(self.norm(x))), past)
        return self.mix(self.activation(self.level(y, None))), past
