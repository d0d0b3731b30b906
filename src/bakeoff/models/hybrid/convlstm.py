"""Convolutional LSTM: a memory in every place, whose gates see the places around it. Shi et al. 2015, https://arxiv.org/abs/1506.04214"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn

from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.convscan import conv_lstm_scan
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import flip
from bakeoff.nn.recurrent import Recurrent, lstm
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("convlstm", group="hybrid")
class ConvLSTM(Encoder):
    """The first axis is time, read both ways unless causal; the gates convolve over the others. With time alone it is an LSTM.

    Departs from the paper: no peepholes, whose weights would fix the number of places; a residual path around each layer; and
    convolutions are separable unless asked otherwise.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers")] = 1,
                 kernel: Annotated[int, Choice(3, 5, meaning="places a gate sees along each axis but time")] = 3,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        layers = [Layer(dim, kernel, rank, causal, separable, dropout, truncate) for _ in range(depth if rank > 1 else 0)]
        self.layers = nn.ModuleList(layers or [Recurrent(lstm, dim, depth, causal=causal, dropout=dropout, truncate=truncate)])

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        for layer in self.layers:
            x = layer(x, valid)
        return Grid(x, valid)

    def start(self, batch: int) -> State:
        reader: Any = self.layers[0]
        return reader.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        reader: Any = self.layers[0]
        y, state = reader.step(x, state)
        return y, state


class Layer(nn.Module):
    """(B, T, *R, D) → the same, on one or two axes R. Directions of time are groups of channels in one loop."""

    def __init__(self, dim: int, kernel: int, rank: int, causal: bool, separable: bool, dropout: float, truncate: int) -> None:
        super().__init__()
        groups = 1 if causal else 2
        units = -(-dim // groups)
        self.dim, self.units, self.truncate = dim, units, truncate
        self.enters = nn.ModuleList((Separable if separable else Conv)(dim, 4 * units, kernel, rank=rank - 1) for _ in range(groups))
        around = (1, kernel) if rank == 2 else (kernel, kernel)
        middle = (..., around[0] // 2, around[1] // 2)
        start = torch.cat([nn.init.orthogonal_(torch.empty(units, units)) for _ in range(4 * groups)])
        if separable:
            each, start = torch.zeros(groups * units, 1, *around), start[..., None, None]
            each[middle] = 1.0
            weights = [each, start]
        else:
            weights = [torch.zeros(4 * groups * units, units, *around)]
            weights[0][middle] = start
        self.weights, self.drop = nn.ParameterList(weights), ChannelDrop(dropout)
        for enter in self.enters:
            bias = nn.init.zeros_(enter.get_parameter("mix.bias" if separable else "bias"))
            nn.init.ones_(bias[2 * units:3 * units])                         # new, input, forget, output: forget gates start open

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        steps = None if valid is None else valid.flatten(2).any(-1)          # (B, T)
        ways = self.both(x.transpose(0, 1).contiguous(), steps)
        gates = torch.cat([enter(way.flatten(0, 1)) for enter, way in zip(self.enters, ways, strict=True)], -1)
        there = None if valid is None else torch.stack(self.both(valid.transpose(0, 1), steps), -1).to(x.dtype)
        shape = (*ways[0].shape[:2], *(1,) * (x.dim() == 4), *x.shape[2:-1], len(ways))                   # (T, B, H, W, G)
        h = conv_lstm_scan(gates.view(*shape, 4, self.units), None if there is None else there.view(shape), list(self.weights), self.truncate)
        ahead, *back = h.view(*ways[0].shape[:-1], len(ways), self.units).unbind(-2)
        new = torch.cat([ahead, *(flip(one, steps, 0) for one in back)], -1)[..., :self.dim]
        return x + self.drop(new.transpose(0, 1))                            # both zero where not valid

    def both(self, x: Tensor, steps: Tensor | None) -> list[Tensor]:
        """(T, B, …) as each direction reads it."""
        return [x] if len(self.enters) == 1 else [x, flip(x, steps, 0)]
