"""The contract of a family: a Grid in, a Grid out. It stands here because the network and the tasks name it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from bakeoff.types import Grid, Sizes

State = Any                   # tensors, nested in tuples and lists, the example on the first axis of each; None: nothing was read


class Aim(NamedTuple):
    """What the answers to a batch should be, for a family with a loss of its own."""

    loss: Callable[[Tensor], Tensor]                      # (B, K) logits → (B,): the task's
    shares: Tensor                                        # (B, K): 1 for a right class, else 0; in between where labels are smoothed
    weights: Tensor                                       # (B, K): what each of them counts


class ReadOut(nn.Module):
    """Grid of an encoder → (B, K) logits: in place of pool and linear map, made by `Encoder.read_out`."""

    def forward(self, grid: Grid) -> Tensor:
        raise NotImplementedError

    def loss(self, grid: Grid, given: Grid, aim: Aim) -> Tensor:
        """(B,): what training makes small. given: the scaled and folded cells, or ids, that the encoder's input was embedded from."""
        return aim.loss(self(grid))


class Encoder(nn.Module):
    """Grid (B, *S, D) → Grid (B, *S', D): rank kept, S' = ceil(S / stride), `valid` with it.

    It knows no files, targets, losses or optimizers. A family adds its own parameters with ranges to `__init__`; the
    common choices `activation`, `dropout` and `truncate` reach it where its signature names them (see train/choices.py).
    """

    name: ClassVar[str]                                   # set by @family
    group: ClassVar[str]                                  # set by @family
    ranks: ClassVar[frozenset[int]]                       # read without folding
    can_be_causal: ClassVar[bool] = False                 # then causal=True: output t sees inputs ≤ t only
    pools: ClassVar[bool] = False                         # gives one cell (text CNN, memory network): not for dense tasks
    orderless: ClassVar[bool] = False                     # reads a single cell (a table's row) as well as many
    well_known: ClassVar[bool] = False                    # stands for its group where time is too short for all
    variant_of: ClassVar[str | None] = None               # a family that differs from that one in one idea
    start_cells: ClassVar[int] = 64                       # the starting fold leaves at most so many cells of an example
    reads: int = 1                                        # embedding width in multiples of dim
    embeds: float = 1.0                                   # how large embeddings begin, in multiples of the common deviation
    read_sizes: Sizes = ()                                # cells per axis of what it is given; (): not known
    read_channels: int | None = None                      # numbers per cell before they are embedded, told by the Network; None: ids
    stride: tuple[int, ...]                               # per axis; cannot be inferred from sizes, so it is said

    def __init__(self, dim: int = 0, *, rank: int = 1, sizes: Sizes = (), causal: bool = False, full: bool = False) -> None:
        """dim: D. sizes: per axis what is fixed, None: varies. full (and causal) promise S' = S.

        A family writes its own __init__ with these parameters, none of the first four optional, and calls this one.
        """
        super().__init__()
        self.stride = (1,) * rank
        self.read_sizes = tuple(sizes)

    @property
    def sizes(self) -> Sizes:
        """Cells per axis of what it gives, None where that varies."""
        read = self.read_sizes or (None,) * len(self.stride)
        return tuple(None if size is None else -(-size // step) for size, step in zip(read, self.stride, strict=True))

    def forward(self, grid: Grid) -> Grid:
        raise NotImplementedError

    def passed(self, share: float) -> None:
        """Told before each step of training how much of it is over, 0 … 1; never where an answer is given. For what is put in or
        taken out by plan: what it changes belongs into a buffer, so that it is saved with the weights."""

    def read_out(self, classes: int) -> ReadOut | None:
        """Its own way from the cells to one number per class, where a task asks for labels; None: pooled, and a linear map."""
        return None

    def start(self, batch: int) -> State:
        """What stands for the past of so many examples before the first `step`: causal encoders of rank 1 with full=True."""
        return None

    def begin(self, x: Tensor) -> tuple[Tensor, State]:
        """(B, T, D) of a past that is known, T at least 1 → (what `step` gives for its last cell, the state after it)."""
        if type(self).step is Encoder.step:               # the past is kept whole: it needs to be read once
            return self.forward(Grid(x, None)).x[:, -1], x
        out, state = self.step(x[:, 0], self.start(len(x)))
        for cell in x.unbind(1)[1:]:
            out, state = self.step(cell, state)
        return out, state

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """(B, D) → (B, D), what `forward` gives for the last cell of all that was read, and the state after it.

        Here the past is kept and read again at every step; a family that can do with less overrides both.
        """
        seen = x[:, None] if state is None else torch.cat([state, x[:, None]], 1)
        return self.forward(Grid(seen, None)).x[:, -1], seen
