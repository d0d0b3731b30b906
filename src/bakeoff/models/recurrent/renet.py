"""ReNet: recurrent networks sweep a picture down each column and across each row, in place of convolutions. Visin et al. 2015, https://arxiv.org/abs/1505.00393"""

from __future__ import annotations

from typing import Annotated, Any

from torch import Tensor, nn

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.recurrent import Recurrent, along, gru, lstm
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes


@family("renet", group="recurrent")
class ReNet(Encoder):
    """Each layer sweeps both ways along one axis after the other, every line by itself and by its own length: columns, rows, on
    three axes through time first, on one axis only along it. Causal: the first axis is read one way. Departs from the paper: a
    residual path around each sweep.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True
    start_cells = 256                                        # the lines of a picture are read side by side
    variant_of = "gru"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 3, "layers, each a sweep along every axis")] = 1,
                 unit: Annotated[str, Choice("gru", "lstm", meaning="what sweeps")] = "gru",
                 dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        kernel = gru if unit == "gru" else lstm
        self.sweeps = nn.ModuleList(Recurrent(kernel, dim, 1, causal=causal and axis == 0, dropout=dropout, truncate=truncate)
                                    for _layer in range(depth) for axis in range(rank))

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        for number, sweep in enumerate(self.sweeps):
            x = along(sweep, x, valid, 1 + number % len(self.stride))
        return Grid(x, valid)

    def start(self, batch: int) -> State:
        sweeps: list[Any] = list(self.sweeps)
        return [sweep.start(batch) for sweep in sweeps]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        sweeps: list[Any] = list(self.sweeps)
        after = []
        for sweep, memory in zip(sweeps, state, strict=True):
            x, memory = sweep.step(x, memory)
            after.append(memory)
        return x, after
