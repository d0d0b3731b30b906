"""Pre-norm layers in which cells ask one another. Vaswani et al. 2017, https://arxiv.org/abs/1706.03762"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.activation import activation_of
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import State
from bakeoff.nn.masked import zeroed
from bakeoff.nn.position import angles, rotated, sinusoids
from bakeoff.types import Grid

Turn = tuple[Tensor, Tensor]          # cosines and sines of the angles by which queries and keys are turned


class Layers(nn.Module):
    """Grid (B, *S, D) → the same cells: layers over all of them in raster order, each axis with its own positions for any length.

    causal: a cell sees those that do not come later on the first axis.
    """

    def __init__(self, dim: int, depth: int, heads: int, expand: int, position: str, activation: str, dropout: float, *, causal: bool) -> None:
        super().__init__()
        self.causal, self.heads, self.position = causal, shared(heads, dim), position
        self.layers = nn.ModuleList(Layer(dim, heads, expand, activation, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        sizes = tuple(x.shape[1:-1])
        y = x.flatten(1, -2)                                                 # (B, L, D)
        cells = None if valid is None else valid.flatten(1)
        turn = None
        if self.position == "rotary":
            turn = turns(sizes, self.heads, y)
        else:
            y = y + sinusoids(sizes, x.shape[-1], x.device).to(x.dtype)      # padding too: nobody sees it
        mask, ordered = seen(sizes, cells, self.causal, x.device)
        for layer in self.layers:
            y = layer(y, turn, mask, ordered)
        return Grid(zeroed(self.norm(y), cells).view(x.shape), valid)

    def start(self, batch: int) -> State:
        layers: list[Any] = list(self.layers)
        return [layer.attend.start(batch) for layer in layers]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Keys and values of all cells so far are kept."""
        layers: list[Any] = list(self.layers)
        before, turn, after = state[0][0].shape[2], None, []
        if self.position == "rotary":
            turn = turns((before + 1,), self.heads, x, last=True)
        else:
            x = x + sinusoids((before + 1,), x.shape[-1], x.device)[-1].to(x.dtype)
        y = x[:, None]
        for layer, kept in zip(layers, state, strict=True):
            y, kept = layer.step(y, turn, kept)
            after.append(kept)
        return self.norm(y)[:, 0], after


class Layer(nn.Module):
    """Attention, then each cell by itself; a residual path runs around both."""

    def __init__(self, dim: int, heads: int, expand: int, activation: str, dropout: float) -> None:
        super().__init__()
        self.attend, self.feed, self.drop = Attention(dim, heads), feed(dim, expand, activation), ChannelDrop(dropout)
        nn.init.xavier_uniform_(self.attend.ask.weight)

    def forward(self, x: Tensor, turn: Turn | None, mask: Tensor | None, ordered: bool) -> Tensor:
        return self.told(x, self.attend(x, turn, mask, ordered))

    def told(self, x: Tensor, y: Tensor) -> Tensor:
        """What was heard, y (B, L, D), added to x and thought over."""
        x = x + self.drop(y)
        return x + self.drop(self.feed(x))

    def step(self, x: Tensor, turn: Turn | None, kept: Turn) -> tuple[Tensor, Turn]:
        """One cell (B, 1, D) that sees those kept and itself."""
        y, kept = self.attend.step(x, turn, kept)
        return self.told(x, y), kept


class Attention(nn.Module):
    """(B, L, D) → what each cell hears from those that it sees, (B, L, D), without a residual path."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = shared(heads, dim)
        self.norm, self.ask, self.mix = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor, turn: Turn | None, mask: Tensor | None, ordered: bool) -> Tensor:
        q, k, v = self.asked(x, turn)
        return self.mixed(F.scaled_dot_product_attention(q, k, v, mask, is_causal=ordered))

    def asked(self, x: Tensor, turn: Turn | None) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, D) → queries, keys and values, each (B, heads, L, D / heads)."""
        q, k, v = self.ask(self.norm(x)).view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return (q, k, v) if turn is None else (rotated(q, *turn), rotated(k, *turn), v)

    def mixed(self, y: Tensor) -> Tensor:
        """(B, heads, L, D / heads) → (B, L, D)."""
        return self.mix(y.transpose(1, 2).flatten(2))

    def start(self, batch: int) -> Turn:
        """Keys and values before the first cell: none."""
        empty = self.mix.weight.new_zeros(batch, self.heads, 0, self.mix.in_features // self.heads)
        return empty, empty

    def step(self, x: Tensor, turn: Turn | None, kept: Turn) -> tuple[Tensor, Turn]:
        """One cell (B, 1, D) that sees those kept and itself."""
        q, k, v = self.asked(x, turn)
        k, v = torch.cat([kept[0], k], 2), torch.cat([kept[1], v], 2)
        return self.mixed(F.scaled_dot_product_attention(q, k, v)), (k, v)


def shared(heads: int, dim: int) -> int:
    """As many heads as leave each of them at least 8 numbers."""
    return min(heads, max(1, dim // 8))


def feed(dim: int, expand: int, activation: str) -> nn.Sequential:
    """Each cell by itself through a hidden layer of expand · D numbers."""
    return nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, expand * dim), activation_of(activation), nn.Linear(expand * dim, dim))


def turns(sizes: tuple[int, ...], heads: int, x: Tensor, last: bool = False) -> Turn:
    """Of every cell, or of the last alone: (L, D / heads / 2) each."""
    angle = angles(sizes, x.shape[-1] // heads // 2, x.device)
    angle = angle[-1:] if last else angle
    return angle.cos().to(x.dtype), angle.sin().to(x.dtype)


def seen(sizes: tuple[int, ...], cells: Tensor | None, causal: bool, device: torch.device) -> tuple[Tensor | None, bool]:
    """Who sees whom (B or 1, 1, L or 1, L), None: all; and whether it is the plain order of one axis. cells (B, L): the valid ones."""
    if causal and len(sizes) == 1:
        return None, True                                                    # padding lies behind: nobody sees it
    mask = None
    if cells is not None:
        mask = (cells | ~cells.any(1, keepdim=True))[:, None, None]          # an empty example sees its zeros
    if causal:
        step = torch.arange(sizes[0], device=device).view(-1, *(1,) * (len(sizes) - 1)).expand(sizes).flatten()
        earlier = (step <= step[:, None])[None, None]
        mask = earlier if mask is None else mask & earlier
    return mask, False
