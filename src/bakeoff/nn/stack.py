"""Plain convolutions one after the other, each normalised."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.norm import BatchNorm


class Stack(nn.Module):
    """(B, *S, widths[0]) → (B, *S, widths[-1]), zero where not valid: one layer for each kernel."""

    def __init__(self, widths: tuple[int, ...], kernels: tuple[int, ...], *, rank: int, dilations: tuple[int, ...] | None = None,
                 causal: bool = False, separable: bool = True, activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__()
        conv = Separable if separable else Conv
        steps = dilations or (1,) * len(kernels)
        self.convs = nn.ModuleList(conv(inputs, outputs, k, rank=rank, dilation=dilation, causal=causal, bias=False)
                                   for (inputs, outputs), k, dilation in zip(pairwise(widths), kernels, steps, strict=True))
        self.norms = nn.ModuleList(BatchNorm(width) for width in widths[1:])
        self.activation, self.drop = activation_of(activation), ChannelDrop(dropout)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            if layer:
                x = self.drop(x)
            x = self.activation(norm(conv(x), valid))                        # every activation keeps zero at zero
        return x

    def start(self, batch: int) -> list[Tensor]:
        convs: list[Any] = list(self.convs)
        return [conv.start(batch) for conv in convs]

    def step(self, x: Tensor, pasts: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One cell (B, widths[0]), causal; pasts: the last cells that each convolution reaches back to."""
        convs: list[Any] = list(self.convs)
        after = []
        for layer, (conv, norm, past) in enumerate(zip(convs, self.norms, pasts, strict=True)):
            if layer:
                x = self.drop(x)
            y, past = conv.step(x, past)
            after.append(past)
            x = self.activation(norm(y, None))
        return x, after
