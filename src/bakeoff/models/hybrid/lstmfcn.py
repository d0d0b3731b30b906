"""LSTM-FCN: a long short-term memory reads beside three plain convolutions, and both are heard. Karim et al. 2017, https://arxiv.org/abs/1709.05206"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Recurrent, lstm
from bakeoff.nn.stack import Stack
from bakeoff.registry import family
from bakeoff.space import Choice
from bakeoff.types import Grid, Sizes


@family("lstmfcn", group="hybrid")
class LSTMFCN(Encoder):
    """Two branches of D numbers per cell, mixed into D.

    Departs from the paper: its dimension shuffle hands the LSTM the whole series as one step with as many numbers as the series
    has cells, which fixes their number for good and makes the recurrence a single gated layer. Here it reads cell by cell,
    both ways unless causal, so that series may differ in length. Kernels are odd, and convolutions separable unless asked otherwise.
    """

    ranks = frozenset({1})
    can_be_causal = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Choice(1, 2, meaning="layers of the LSTM")] = 1,
                 kernel: Annotated[int, Choice(5, 9, 17, meaning="cells the first convolution sees")] = 9,
                 wide: Annotated[int, Choice(1, 2, meaning="how many times D the middle convolution holds")] = 2,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 activation: str = "relu", dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.convs = Stack((dim, dim, wide * dim, dim), (kernel, kernel // 4 * 2 + 1, 3), rank=1, causal=causal, separable=separable,
                           activation=activation, dropout=dropout)
        self.reader = Recurrent(lstm, dim, depth, causal=causal, dropout=dropout, truncate=truncate)
        self.drop, self.mix = ChannelDrop(dropout), nn.Linear(2 * dim, dim, bias=False)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        return Grid(self.mixed(self.convs(x, valid), self.reader(x, valid)), valid)

    def mixed(self, seen: Tensor, read: Tensor) -> Tensor:
        return self.mix(self.drop(torch.cat([seen, read], -1)))

    def start(self, batch: int) -> State:
        return self.convs.start(batch), self.reader.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        pasts, memory = state
        seen, pasts = self.convs.step(x, pasts)
        read, memory = self.reader.step(x, memory)
        return self.mixed(seen, read), (pasts, memory)
