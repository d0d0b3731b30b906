"""The contract of a task: targets, head, loss, answers, metrics. It knows no family and no kind of data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor, nn

from bakeoff.metrics.base import Metric
from bakeoff.nn.encoder import Encoder
from bakeoff.space import Space
from bakeoff.types import Answer, Batch, Needs, Params, Spec


class Task(Protocol):
    """What is asked of the data."""

    name: ClassVar[str]
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
        """Targets of a whole split at once → one tensor with the example first. Raises DataError for an unknown label."""
        ...

    def prepared(self, spec: Spec, params: Params) -> Spec:
        """The Spec of what `prepare` gives at a setting: what the network reads."""
        ...

    def prepare(self, batch: Batch, params: Params) -> Batch:
        """Before the fold; the same in training, predicting and export. What the head needs of it goes into `given`."""
        ...

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        """(Grid (B, *S', dim), Batch) → out."""
        ...

    def loss(self, out: Any, y: Any, params: Params) -> Tensor:
        """(B,): one number per example, label smoothing and the like included."""
        ...

    def plain_loss(self, out: Any, y: Any) -> Tensor:
        """(B,): the loss without regularisation: what validation reports and ties are broken by."""
        ...

    def decode(self, out: Any) -> list[Answer]:
        """Answers in the user's labels and units. out: what the head, or a baseline's `outputs`, gave, on the CPU."""
        ...
