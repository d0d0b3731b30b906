"""Convolutional recurrent network: convolutions see local patterns, a recurrence reads their order. Shi et al. 2015, https://arxiv.org/abs/1507.05717"""

from __future__ import annotations

from typing import Annotated, Any

from torch import Tensor, nn

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.front import Front
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
    well_known = True
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 convs: Annotated[int, Range(1, 3, "convolutions before the recurrence")] = 1,
                 kernel: Annotated[int, Choice(3, 5, 7, meaning="cells a convolution sees; on two axes 3")] = 5,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 activation: str = "relu", dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.front = Front(dim, convs, kernel if rank == 1 else 3, sizes=sizes, large=LARGE, full=full or causal, causal=causal,
                           framed=rank == 3, separable=separable, activation=activation, dropout=dropout)
        self.stride = self.front.stride
        self.readers = nn.ModuleList(
            Recurrent(gru, dim, 1, causal=causal and axis == 0, dropout=dropout, truncate=truncate) for axis in range(1 if rank == 3 else rank))

    def forward(self, grid: Grid) -> Grid:
        x, valid = self.front(grid)
        for axis, reader in enumerate(self.readers):
            x = along(reader, x, valid, axis + 1)
        return Grid(x, valid)

    def start(self, batch: int) -> State:
        reader: Any = self.readers[0]
        return self.front.start(batch), reader.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        reader: Any = self.readers[0]
        pasts, memory = state
        x, pasts = self.front.step(x, pasts)
        x, memory = reader.step(x, memory)
        return x, (pasts, memory)
