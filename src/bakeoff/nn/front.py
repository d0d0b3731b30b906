"""Convolutions that stand before something which looks further: they see what is near and halve the grid."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.masked import strided
from bakeoff.nn.norm import BatchNorm
from bakeoff.types import Grid, Sizes


class Front(nn.Module):
    """Grid → Grid: `count` convolutions, normalised; each halves all axes while `large` cells or more are left of every one of them.

    full: it never does. framed: the first axis is left alone, the others are convolved at each of its steps.
    """

    def __init__(self, dim: int, count: int, kernel: int, *, sizes: Sizes, large: int, full: bool, causal: bool = False,
                 framed: bool = False, separable: bool = True, activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__()
        rank, self.framed = len(sizes), framed
        self.strides, total = [], 1
        for _ in range(count):
            fits = not full and all(size is not None and size // total >= large for size in sizes[framed:])
            self.strides.append(2 if fits else 1)
            total *= self.strides[-1]
        self.stride = (1,) * framed + (total,) * (rank - framed)
        conv = Separable if separable else Conv
        self.convs = nn.ModuleList(conv(dim, dim, kernel, rank=rank - framed, stride=s, causal=causal and not framed, bias=False)
                                   for s in self.strides)
        self.norms = nn.ModuleList(BatchNorm(dim) for _ in self.strides)
        self.activation, self.drop = activation_of(activation), ChannelDrop(dropout)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        for conv, norm, stride in zip(self.convs, self.norms, self.strides, strict=True):
            valid = strided(valid, (1,) * self.framed + (stride,) * (len(self.stride) - self.framed))
            y = conv(x.flatten(0, 1)).unflatten(0, x.shape[:2]) if self.framed else conv(x)
            x = self.drop(self.activation(norm(y, valid)))
        return Grid(x, valid)

    def start(self, batch: int) -> list[Tensor]:
        convs: list[Any] = list(self.convs)
        return [conv.start(batch) for conv in convs]

    def step(self, x: Tensor, pasts: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One cell (B, D), causal and of stride 1; pasts: the last cells that each convolution reaches back to."""
        convs: list[Any] = list(self.convs)
        after = []
        for conv, norm, past in zip(convs, self.norms, pasts, strict=True):
            x, past = conv.step(x, past)
            after.append(past)
            x = self.drop(self.activation(norm(x, None)))
        return x, after
