"""The contract of a task: targets, head, loss, answers, metrics. It knows no family and no kind of data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Literal, Protocol, Self

from torch import Tensor, nn

from bakeoff.metrics.base import Metric
from bakeoff.nn.encoder import Encoder
from bakeoff.space import Space
from bakeoff.types import Answer, Batch, Needs, Params, Spec

Sort = Literal["label", "number", "whole", "itself"]
"""What the targets of a task are to the data check. label: one of few words, by which splits are balanced; number; whole: anything
JSON can hold – a sentence, a list of tags, boxes – taken as it comes; itself: there is none, what is read is what is to be said."""


class Task(Protocol):
    """What is asked of the data.

    It may have `bears`, a frozenset of the changes of examples (types.Change) under which its targets stay right: those are on
    offer in training. Without it examples are never changed.

    One by which examples can be gone on with has also `drawn(out, generator)`: what a head says of one step, (B, …) → that step as
    data have it, drawn by its chances.

    One whose head may have a `read_out` (nn/encoder.ReadOut) has `aim(y, params)`, from which such a family takes its own loss.

    It may have a static `unfit(target, steps)`: why an example with so many cells along its first axis cannot have this target, in a
    sentence, or None. Such examples are set aside before anything is learnt.
    """

    name: ClassVar[str]
    sort: ClassVar[Sort]                      # what targets are; see Sort
    settles: ClassVar[bool]                   # what is decoded is not what the loss is taken of: its head has an `answer`
    metrics: tuple[Metric, ...]               # the first is tuned for; --metric moves another to the front

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        """Learns classes, scale … from the training split only. Raises DataError where they cannot be."""
        ...

    def state(self) -> dict[str, Any]:
        """What `fit` learnt, as JSON: with it `restore` gives the same task in a worker or for predicting."""
        ...

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self: ...

    def why_not(self, spec: Spec) -> str | None:
        """Why data of this Spec cannot be asked for it, in a sentence; None: they can."""
        ...

    def needs(self) -> Needs: ...

    def space(self, spec: Spec) -> Space:
        """Choices of the loss and head, the same for every neural contender (pooling, label smoothing)."""
        ...

    def collate(self, targets: Sequence[object]) -> Tensor:
        """Targets of a whole split at once → one tensor with the example first, targets of many lengths padded as the task likes.
        Raises DataError for an unknown label. Not called where `sort` is 'itself'."""
        ...

    def prepared(self, spec: Spec, params: Params) -> Spec:
        """The Spec of what `prepare` gives at a setting: what the network reads."""
        ...

    def prepare(self, batch: Batch, params: Params) -> Batch:
        """Before the fold; the same in training, predicting and export. What the head needs of it goes into `given`."""
        ...

    # A task whose targets move with the cells may have `changed(batch, params, generator) → Batch`, by which examples are changed anew
    # each time they are trained on, never where they are judged.

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        """(Grid (B, *S', dim), Batch) → out, what the loss is taken of. make: see Network.

        Where what is kept of an answer is something else – the path through a lattice, words written one after another –
        the module has also `answer(grid, batch, out) → (B, …)`; out is None where there are no targets. Answers of different
        lengths are filled up with NaN, and what stands on padding is NaN.
        """
        ...

    def loss(self, out: Any, y: Any, params: Params) -> Tensor:
        """(B,): one number per example, label smoothing and the like included."""
        ...

    def plain_loss(self, out: Any, y: Any) -> Tensor:
        """(B,): the loss without regularisation: what validation reports and ties are broken by."""
        ...

    def decode(self, out: Tensor) -> list[Answer]:
        """Answers in the user's labels and units. out: (N, …) float, on the CPU: what the head's `answer` (or the head, where it has
        none) or a baseline's `outputs` gave for all examples, NaN behind shorter ones."""
        ...
