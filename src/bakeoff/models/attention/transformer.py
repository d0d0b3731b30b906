"""Transformer: every cell asks all others what they know, and mixes the answers. Vaswani et al. 2017, https://arxiv.org/abs/1706.03762"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.activation import activation_of
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import zeroed
from bakeoff.nn.position import angles, rotated, sinusoids
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("transformer", group="attention")
class Transformer(Encoder):
    """Pre-norm layers over all cells in raster order; positions work for any length, each axis with its own.

    Causal: a cell sees those that do not come later on the first axis. Departs from the paper: norm before each part
    and heads of at least 8 numbers.
    """

    ranks = frozenset({1, 2, 3})
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 1,
                 heads: Annotated[int, Choice(1, 2, 4, 8, meaning="attention heads")] = 4,
                 expand: Annotated[int, Choice(1, 2, 4, meaning="hidden width of the feed-forward part, in multiples of D")] = 2,
                 position: Annotated[str, Choice("sinusoid", "rotary", meaning="how a cell knows its place")] = "sinusoid",
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        heads = min(heads, max(1, dim // 8))
        self.causal, self.heads, self.position = causal, heads, position
        self.layers = nn.ModuleList(Layer(dim, heads, expand, activation, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        sizes = tuple(x.shape[1:-1])
        y = x.flatten(1, -2)                                                 # (B, L, D)
        cells = None if valid is None else valid.flatten(1)
        turn = None
        if self.position == "rotary":
            angle = angles(sizes, x.shape[-1] // self.heads // 2, x.device)
            turn = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        else:
            y = y + sinusoids(sizes, x.shape[-1], x.device).to(x.dtype)      # padding too: nobody sees it
        mask, ordered = self.seen(sizes, cells, x.device)
        for layer in self.layers:
            y = layer(y, turn, mask, ordered)
        return Grid(zeroed(self.norm(y), cells).view(x.shape), valid)

    def start(self, batch: int) -> State:
        empty = self.norm.weight.new_zeros(batch, self.heads, 0, len(self.norm.weight) // self.heads)
        return [(empty, empty)] * len(self.layers)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Keys and values of all cells so far are kept."""
        layers: list[Any] = list(self.layers)
        before, turn, after = state[0][0].shape[2], None, []
        if self.position == "rotary":
            angle = angles((before + 1,), x.shape[-1] // self.heads // 2, x.device)[-1:]
            turn = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        else:
            x = x + sinusoids((before + 1,), x.shape[-1], x.device)[-1].to(x.dtype)
        y = x[:, None]
        for layer, kept in zip(layers, state, strict=True):
            y, kept = layer.step(y, turn, kept)
            after.append(kept)
        return self.norm(y)[:, 0], after

    def seen(self, sizes: tuple[int, ...], cells: Tensor | None, device: torch.device) -> tuple[Tensor | None, bool]:
        """Who sees whom (B or 1, 1, L or 1, L), None: all; and whether it is the plain order of one axis."""
        if self.causal and len(sizes) == 1:
            return None, True                                                # padding lies behind: nobody sees it
        mask = None
        if cells is not None:
            mask = (cells | ~cells.any(1, keepdim=True))[:, None, None]      # an empty example sees its zeros
        if self.causal:
            step = torch.arange(sizes[0], device=device).view(-1, *(1,) * (len(sizes) - 1)).expand(sizes).flatten()
            earlier = (step <= step[:, None])[None, None]
            mask = earlier if mask is None else mask & earlier
        return mask, False


class Layer(nn.Module):
    def __init__(self, dim: int, heads: int, expand: int, activation: str, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.ask, self.mix = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.feed = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, expand * dim), activation_of(activation), nn.Linear(expand * dim, dim))
        self.drop = ChannelDrop(dropout)
        nn.init.xavier_uniform_(self.ask.weight)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor] | None, mask: Tensor | None, ordered: bool) -> Tensor:
        q, k, v = self.asked(x, turn)
        return self.told(x, F.scaled_dot_product_attention(q, k, v, mask, is_causal=ordered))

    def asked(self, x: Tensor, turn: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, D) → queries, keys and values, each (B, heads, L, D / heads)."""
        q, k, v = self.ask(self.norm(x)).view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return (q, k, v) if turn is None else (rotated(q, *turn), rotated(k, *turn), v)

    def told(self, x: Tensor, y: Tensor) -> Tensor:
        """What was mixed, (B, heads, L, D / heads), added to x (B, L, D) and thought over."""
        x = x + self.drop(self.mix(y.transpose(1, 2).reshape(x.shape)))
        return x + self.drop(self.feed(x))

    def step(self, x: Tensor, turn: tuple[Tensor, Tensor] | None, kept: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One cell (B, 1, D) that sees those kept and itself."""
        q, k, v = self.asked(x, turn)
        k, v = torch.cat([kept[0], k], 2), torch.cat([kept[1], v], 2)
        return self.told(x, F.scaled_dot_product_attention(q, k, v)), (k, v)
