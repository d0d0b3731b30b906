"""Convolutional recurrent network: convolutions see local patterns, a recurrence reads their order. Shi et al. 2015, https://arxiv.org/abs/1507.05717"""

from __future__ import annotations

from typing import Annotated, Any

from torch import Tensor, nn

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import strided
from bakeoff.nn.norm import BatchNorm
from bakeoff.nn.recurrent import Recurrent, along, gru
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

LARGE = 16                    # axes of a fixed size are halved while so many cells are left


@family("crnn", group="hybrid")
class CRNN(Encoder):
    """Convolutions, each halving the grid while it is large enough, then a GRU along each axis in turn.

    On two axes every column is read down, then every row across (Visin et al. 2015, https://arxiv.org/abs/1505.00393):
    the reading is short and its batch large. On three the convolutions see one frame each, and every place is read through
    time. Departs from the paper: strides instead of pooling, GRU instead of LSTM, separable convolutions.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 convs: Annotated[int, Range(1, 3, "convolutions before the recurrence")] = 1,
                 kernel: Annotated[int, Choice(3, 5, 7, meaning="cells a convolution sees; on two axes 3")] = 5,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 activation: str = "relu", dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        framed = rank == 3
        self.strides, total = [], 1
        for _ in range(convs):
            fits = not (full or causal) and all(size is not None and size // total >= LARGE for size in sizes[framed:])
            self.strides.append(2 if fits else 1)
            total *= self.strides[-1]
        self.stride = (1,) * framed + (total,) * (rank - framed)
        conv = Separable if separable else Conv
        self.convs = nn.ModuleList(conv(dim, dim, kernel if rank == 1 else 3, rank=rank - framed, stride=s, causal=causal and not framed,
                                        bias=False) for s in self.strides)
        self.norms = nn.ModuleList(BatchNorm(dim) for _ in self.strides)
        self.activation, self.drop = activation_of(activation), ChannelDrop(dropout)
        self.readers = nn.ModuleList(
            Recurrent(gru, dim, 1, causal=causal and axis == 0, dropout=dropout, truncate=truncate) for axis in range(1 if framed else rank))

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        for conv, norm, stride in zip(self.convs, self.norms, self.strides, strict=True):
            framed = x.dim() == 5
            valid = strided(valid, (1,) * framed + (stride,) * (len(self.stride) - framed))
            y = conv(x.flatten(0, 1)).unflatten(0, x.shape[:2]) if framed else conv(x)
            x = self.drop(self.activation(norm(y, valid)))
        for axis, reader in enumerate(self.readers):
            x = along(reader, x, valid, axis + 1)
        return Grid(x, valid)

    def start(self, batch: int) -> State:
        convs: list[Any] = list(self.convs)
        reader: Any = self.readers[0]
        return [conv.start(batch) for conv in convs], reader.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        convs: list[Any] = list(self.convs)
        reader: Any = self.readers[0]
        pasts, memory = state
        after = []
        for conv, norm, past in zip(convs, self.norms, pasts, strict=True):
            x, past = conv.step(x, past)
            after.append(past)
            x = self.drop(self.activation(norm(x, None)))
        x, memory = reader.step(x, memory)
        return x, (after, memory)
