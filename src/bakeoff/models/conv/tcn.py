"""Temporal convolutional network: dilated convolutions that double their reach with each layer. Bai et al. 2018, https://arxiv.org/abs/1803.01271"""

from __future__ import annotations

from typing import Annotated, Any

from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.norm import BatchNorm
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("tcn", group="conv")
class TCN(Encoder):
    """Residual blocks of two convolutions with dilation 1, 2, 4 …; causal along the first axis where asked.

    Receptive field: 1 + 2·(kernel − 1)·(2^depth − 1) cells, centred unless causal: 29 for the defaults, 5 for depth 1, 1525 at most: all of the
    1024 cells that a fold leaves.
    Departs from the paper: batch instead of weight normalisation, and separable convolutions unless asked otherwise.
    """

    ranks = frozenset({1, 2, 3})
    well_known = True
    can_be_causal = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 7, "blocks; each doubles the reach")] = 3,
                 kernel: Annotated[int, Choice(3, 5, 7, meaning="cells a convolution sees; on more than one axis 3")] = 3,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 settled: Annotated[float, Choice(0.0, 0.2, 0.4, meaning="share of training, its end, in which cells are normalised as in answers")]
                 = 0.0,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.settled = settled
        kernel = kernel if rank == 1 else 3
        self.blocks = nn.ModuleList(Block(dim, kernel, 2 ** layer, rank, causal, separable, activation, dropout) for layer in range(depth))

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        for block in self.blocks:
            x = block(x, valid)
        return Grid(x, valid)

    def passed(self, share: float) -> None:
        """Statistics of a batch are noise where few cells decide: 64 are marked in 32 examples of the adding problem (T = 200), whose
        squared error is .005 in training and .001 on new examples after 1,200 steps. Settled while the rate is still high, it may be
        thrown back (T = 600, for the last .4 of 1,800 steps: from .01 to 1)."""
        if share >= 1 - self.settled:
            for module in self.modules():
                if isinstance(module, BatchNorm):
                    module.train(False)

    def start(self, batch: int) -> State:
        blocks: list[Any] = list(self.blocks)
        return [[conv.start(batch) for conv in block.convs] for block in blocks]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        blocks: list[Any] = list(self.blocks)
        after = []
        for block, pasts in zip(blocks, state, strict=True):
            x, pasts = block.step(x, pasts)
            after.append(pasts)
        return x, after


class Block(nn.Module):
    def __init__(self, dim: int, kernel: int, dilation: int, rank: int, causal: bool, separable: bool, activation: str,
                 dropout: float) -> None:
        super().__init__()
        conv = Separable if separable else Conv
        self.convs = nn.ModuleList(conv(dim, dim, kernel, rank=rank, dilation=dilation, causal=causal, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(BatchNorm(dim) for _ in range(2))
        self.activation, self.drop = activation_of(activation), ChannelDrop(dropout)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        y = x
        for conv, norm in zip(self.convs, self.norms, strict=True):
            y = self.drop(self.activation(norm(conv(y), valid)))
        return self.activation(x + y)

    def step(self, x: Tensor, pasts: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One cell (B, D); pasts: the last cells that each convolution reaches back to."""
        convs: list[Any] = list(self.convs)
        y, after = x, []
        for conv, norm, past in zip(convs, self.norms, pasts, strict=True):
            y, past = conv.step(y, past)
            after.append(past)
            y = self.drop(self.activation(norm(y, None)))
        return self.activation(x + y), after
