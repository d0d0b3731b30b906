"""The one place where data, family and task meet."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from bakeoff.errors import Defect
from bakeoff.nn.embed import Embed, Scale
from bakeoff.nn.encoder import Encoder, ReadOut, State
from bakeoff.nn.fold import Fold
from bakeoff.types import Batch, Grid, Params, Sizes, Spec

if TYPE_CHECKING:
    from bakeoff.tasks.base import Task

SHARED = ("activation", "dropout", "truncate")        # common choices that reach an encoder whose signature names them


class Network(nn.Module):
    """prepare → scale → fold → embed → encoder → back → head → what the loss is taken of; → the head's answer."""

    def __init__(self, family: type[Encoder], spec: Spec, task: Task, params: Params) -> None:
        """params: a point of the contender's space (train/choices.py): common choices, and 'family.parameter'."""
        super().__init__()
        needs, spec = task.needs(), task.prepared(spec, params)
        causal = needs.causal or bool(params.get("causal", False))
        self.task, self.keep, self.params = task, needs.keep, params
        self.fold = Fold.parse(params["fold"], spec.rank)
        width = int(params["width"])
        taken = inspect.signature(family.__init__).parameters
        own = {name.partition(".")[2]: value for name, value in params.items() if name.startswith(f"{family.name}.")}
        shared = {name: params[name] for name in SHARED if name in taken and name in params}

        def make(*, rank: int = self.fold.rank, causal: bool = causal, full: bool = needs.keep > 0, sizes: Sizes | None = None) -> Encoder:
            """One more encoder of the family that runs, for tasks that write. sizes: of what it is to read, where that is not the data."""
            if causal and not family.can_be_causal:
                raise Defect(f"{family.name} cannot be causal; admit() should have said so")
            sizes = self.fold.sizes(spec.sizes) if sizes is None else sizes
            return family(width, rank=rank, sizes=sizes, causal=causal, full=full, **shared, **own)

        self.scale = Scale(spec, params.get("scaling", "none"))
        self.encoder, channels = make(), self.fold.channels(spec)
        self.encoder.read_channels = channels
        self.embed = Embed(channels, spec.vocab, width * self.encoder.reads, params.get("dropout", 0.0), self.encoder.embeds)
        self.head = task.head(self.encoder, make, width, params)

    def forward(self, batch: Batch) -> Any:
        """What the loss is taken of."""
        return self.head(*self.read(batch))

    def loss(self, batch: Batch) -> Tensor:
        """(B,): what training makes small: the task's loss, or that of a family which reads out itself."""
        own: ReadOut | None = getattr(self.head, "read_out", None)
        if own is None:
            return self.task.loss(self(batch), batch.y, self.params)
        task: Any = self.task
        batch = task.prepare(batch, self.params)
        given, _ = self.fold(self.scale(batch.x))
        return own.loss(self.encoder(self.embed(given)), given, task.aim(batch.y, self.params))

    def answer(self, batch: Batch) -> Tensor:
        """What the task decodes, (B, …): the head's `answer`, where it has one, else what the loss is taken of."""
        grid, batch = self.read(batch)
        own: Any = getattr(self.head, "answer", None)
        return self.head(grid, batch) if own is None else own(grid, batch, None)

    def judge(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(what the task decodes, plain loss (B,)) of a batch with targets, its cells read once."""
        grid, batch = self.read(batch)
        out = self.head(grid, batch)
        own: Any = getattr(self.head, "answer", None)
        return out if own is None else own(grid, batch, out), self.task.plain_loss(out, batch.y)

    def read(self, batch: Batch) -> tuple[Grid, Batch]:
        """The encoded cells, on the data's own axes where the task keeps them, and the batch as the task prepared it."""
        batch = self.task.prepare(batch, self.params)
        grid, cells = self.fold(self.scale(batch.x))         # (B, *S, C) → (B, *R, p^r·C)
        grid = self.encoder(self.embed(grid))                # (B, *R', D)
        return self.fold.back(grid, cells) if self.keep else grid, batch

    def begin(self, cells: Tensor) -> tuple[Any, State]:
        """(B, T, *rest, C), the past of examples as it is stored → (what `forward` gives for its last step, (B, …), the state after
        it). For tasks that keep an answer per step."""
        if self.fold.rank > 1:                               # such an encoder has no steps: what was read is read again
            return self(empty_batch(Grid(cells)))[:, -1], cells
        x, state = self.encoder.begin(self.lowered(cells))
        return self.said(x, cells[:, -1:]), state

    def step(self, cells: Tensor, state: State) -> tuple[Any, State]:
        """(B, *rest, C), one more step → (what `forward` gives for it, the state after it)."""
        if self.fold.rank > 1:
            return self.begin(torch.cat([state, cells[:, None].to(state.dtype)], 1))
        x, state = self.encoder.step(self.lowered(cells[:, None])[:, 0], state)
        return self.said(x, cells[:, None]), state

    def lowered(self, cells: Tensor) -> Tensor:
        """(B, T, *rest, C) → (B, T, D), as the encoder reads it. Cells are read as they are stored: `prepare` is for whole examples."""
        return self.embed(self.fold(self.scale(Grid(cells)))[0]).x

    def said(self, x: Tensor, cells: Tensor) -> Any:
        """(B, D) of the steps (B, 1, *rest, C) → what the head gives for them."""
        return self.head(Grid(x[:, None]), empty_batch(Grid(cells)))[:, 0]

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


def empty_batch(grid: Grid) -> Batch:
    """A batch without targets, for predicting."""
    return Batch(grid, None, [], {})
