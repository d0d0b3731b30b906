"""Conditionally parameterized convolutions: each example is convolved by its own mixture of experts' kernels. Yang et al. 2019, https://arxiv.org/abs/1904.04971"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.encoder import Encoder
from bakeoff.nn.filtered import filtered
from bakeoff.nn.masked import averaged
from bakeoff.nn.residual import Residual
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("condconv", group="dynamic")
class CondConv(Encoder):
    """The blocks of a residual network; every convolution weighs its experts by the mean of what it is given.

    Departs from the paper: the width stays D in all stages, convolutions are separable unless asked otherwise, and then both their
    parts are mixed in the same shares.
    """

    ranks = frozenset({1, 2, 3})
    variant_of = "resnet"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "blocks")] = 1,
                 experts: Annotated[int, Choice(2, 4, 8, meaning="kernels that are mixed")] = 4,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        conv = partial(MixedSeparable if separable else Mixed, experts)
        self.blocks = Residual(dim, depth, rank=rank, sizes=sizes, full=full, separable=separable, activation=activation, dropout=dropout, conv=conv)
        self.stride = (prod(self.blocks.strides),) * rank

    def forward(self, grid: Grid) -> Grid:
        return Grid(*self.blocks(grid))


class Experts(nn.Module):
    """Kernels, and each example's share of them."""

    def __init__(self, experts: int, inputs: int) -> None:
        super().__init__()
        self.route = nn.Linear(inputs, experts)
        nn.init.zeros_(self.route.bias)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """(B, *S, C) → (B, experts)."""
        return self.route(averaged(x, valid)).sigmoid()                      # r(x) = σ(R · mean(x))


class Mixed(nn.Module):
    """(B, *S, C) → (B, *S', C'), zero cells beyond the edges. All examples together are one convolution of B groups."""

    def __init__(self, experts: int, inputs: int, outputs: int, kernel: int, *, rank: int, stride: int = 1) -> None:
        super().__init__()
        self.convolve, self.stride, self.reach = (F.conv1d, F.conv2d, F.conv3d)[rank - 1], stride, kernel // 2
        self.share, self.weight = Experts(experts, inputs), several(experts, "relu", outputs, inputs, *(kernel,) * rank)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        weight = mixed(self.share(x, valid), self.weight)                    # (B, C', C, *kernel)
        y = self.convolve(x.movedim(-1, 1).flatten(0, 1)[None], weight.flatten(0, 1), None, self.stride, self.reach, groups=len(x))
        return y[0].unflatten(0, (len(x), -1)).movedim(1, -1)


class MixedSeparable(nn.Module):
    """The same, each channel by itself, then between channels."""

    def __init__(self, experts: int, inputs: int, outputs: int, kernel: int, *, rank: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride, self.rank = kernel, stride, rank
        self.share = Experts(experts, inputs)
        self.each = several(experts, "linear", inputs, kernel ** rank)
        self.mix = several(experts, "relu", outputs, inputs)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        share = self.share(x, valid)
        each = mixed(share, self.each)[(slice(None), *(None,) * self.rank)]                                # (B, 1 …, C, taps)
        y = filtered(x, each, self.kernel, stride=self.stride)
        return (y.flatten(1, -2) @ mixed(share, self.mix).transpose(1, 2)).unflatten(1, y.shape[1:-1])


def several(experts: int, after: Literal["linear", "relu"], *shape: int) -> nn.Parameter:
    """(experts, *shape), each started as a kernel of its own."""
    return nn.Parameter(torch.stack([nn.init.kaiming_normal_(torch.empty(shape), nonlinearity=after) for _ in range(experts)]))


def mixed(share: Tensor, weight: Tensor) -> Tensor:
    """(B, experts), (experts, …) → (B, …): Σ r_i W_i."""
    return (share @ weight.flatten(1)).unflatten(1, weight.shape[1:])
