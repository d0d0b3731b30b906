"""One label per example."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.errors import DataError, near
from bakeoff.metrics.accuracy import CLASSIFY
from bakeoff.nn.encoder import Encoder
from bakeoff.registry import task
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Sort
from bakeoff.tasks.head import PooledHead, pool_choice
from bakeoff.types import Answer, Batch, Change, Needs, Params, Spec


@task("classify")
class Classify:
    """Masked pool → linear → cross-entropy. out: (B, K) logits."""

    sort: ClassVar[Sort] = "label"
    settles: ClassVar[bool] = False
    bears: ClassVar[frozenset[Change]] = frozenset({"shift", "flip", "noise", "scale", "mask", "drop"})

    def __init__(self, classes: Sequence[str] = ()) -> None:
        self.classes = list(classes)
        self.number = {name: index for index, name in enumerate(self.classes)}
        self.metrics = CLASSIFY

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        self.__init__(sorted({str(target) for target in targets}, key=in_order))    # type: ignore[misc]
        if len(self.classes) < 2:
            raise DataError(f"there is one class only: {self.classes}", "the training examples",
                            "Give at least two classes, or a number as target with --task regress.")
        return self

    def state(self) -> dict[str, Any]:
        return {"classes": self.classes}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(state["classes"])

    def why_not(self, spec: Spec) -> str | None:
        return None if spec.ahead is None else "these series have no target of their own: they go on, and are to be forecast"

    def needs(self) -> Needs:
        return Needs()

    def space(self, spec: Spec) -> Space:
        return Space({
            "pool": pool_choice(spec),
            "label_smoothing": Param("label_smoothing", 0.0, "share of the target spread over all classes", values=(0.0, 0.05, 0.1)),
        })

    def collate(self, targets: Sequence[object]) -> Tensor:
        try:
            return torch.tensor([self.number[str(target)] for target in targets], dtype=torch.int64)
        except KeyError as unknown:
            name = str(unknown.args[0])
            raise DataError(f"label {name!r} is not among the {len(self.classes)} training classes", "", near(name, self.classes)) from None

    def prepared(self, spec: Spec, params: Params) -> Spec:
        return spec

    def prepare(self, batch: Batch, params: Params) -> Batch:
        return batch

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        return PooledHead(encoder, dim, len(self.classes), params)

    def loss(self, out: Tensor, y: Tensor, params: Params) -> Tensor:
        return F.cross_entropy(out, y, reduction="none", label_smoothing=params.get("label_smoothing", 0.0))

    def plain_loss(self, out: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(out, y, reduction="none")

    def decode(self, out: Tensor) -> list[Answer]:
        chances = out.double().softmax(-1)
        best = chances.argmax(-1).tolist()
        return [Answer(self.classes[k], dict(zip(self.classes, row, strict=True))) for k, row in zip(best, chances.tolist(), strict=True)]


def in_order(label: str) -> tuple[int, float, str]:
    """Numbers by value, then words by letter: '2' before '10'."""
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)
