"""WaveNet: dilated convolutions of which one half says how much of the other passes; all layers are heard at the end. van den Oord et al. 2016, https://arxiv.org/abs/1609.03499"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import zeroed
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("wavenet", group="conv")
class WaveNet(Encoder):
    """Gated layers with dilation 1, 2, 4 …, a path around each and one from each to the end; causal along the first axis where asked.

    Receptive field: 1 + (kernel − 1)·(2^depth − 1) cells, centred unless causal: 31 for the defaults. Departs from the paper:
    three cells a convolution instead of two, separable ones unless asked otherwise, and the skips are as wide as the layers.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True
    variant_of = "tcn"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 8, "layers; each doubles the reach")] = 4,
                 kernel: Annotated[int, Choice(2, 3, 5, meaning="cells a convolution sees; on more than one axis 3")] = 3,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        kernel = kernel if rank == 1 else 3
        self.layers = nn.ModuleList(Layer(dim, kernel, 2 ** layer, rank, causal, separable, dropout, last=layer == depth - 1)
                                    for layer in range(depth))
        self.activation, self.mix = activation_of(activation), nn.Linear(dim, dim)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        heard = torch.zeros_like(x)
        for layer in self.layers:
            x, heard = layer(x, heard, valid)
        return Grid(zeroed(self.said(heard), valid), valid)

    def said(self, heard: Tensor) -> Tensor:
        return self.activation(self.mix(self.activation(heard)))

    def start(self, batch: int) -> State:
        layers: list[Any] = list(self.layers)
        return [layer.conv.start(batch) for layer in layers]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        layers: list[Any] = list(self.layers)
        heard, after = torch.zeros_like(x), []
        for layer, past in zip(layers, state, strict=True):
            y, past = layer.conv.step(x, past)
            after.append(past)
            x, heard = layer.told(x, heard, layer.gated(y))
        return self.said(heard), after


class Layer(nn.Module):
    """last: nobody reads what it hands on, so it only speaks to the end."""

    def __init__(self, dim: int, kernel: int, dilation: int, rank: int, causal: bool, separable: bool, dropout: float, last: bool) -> None:
        super().__init__()
        self.conv = (Separable if separable else Conv)(dim, 2 * dim, kernel, rank=rank, dilation=dilation, causal=causal)
        self.skip = nn.Linear(dim, dim, bias=False)
        self.on = None if last else nn.Linear(dim, dim, bias=False)
        self.drop = ChannelDrop(dropout)

    def forward(self, x: Tensor, heard: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
        return self.told(x, heard, zeroed(self.gated(self.conv(x)), valid))

    def gated(self, y: Tensor) -> Tensor:
        new, gate = y.chunk(2, -1)
        return new.tanh() * gate.sigmoid()                                   # z = tanh(W_f ∗ x) ⊙ σ(W_g ∗ x)

    def told(self, x: Tensor, heard: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """What the next layer reads, and what the end hears."""
        z = self.drop(z)
        return x if self.on is None else x + self.on(z), heard + self.skip(z)
