"""One label per example, or a set of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.errors import DataError, near
from bakeoff.metrics.accuracy import CLASSIFY
from bakeoff.metrics.sets import SETS
from bakeoff.nn.encoder import Aim, Encoder
from bakeoff.registry import task
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Sort
from bakeoff.tasks.head import OwnHead, PooledHead, pool_choice
from bakeoff.types import SEPARATOR, Answer, Batch, Change, Needs, Params, Spec, label_order, labels_of

UNEQUAL = 1.5                 # largest class over smallest, from which weights are on offer
SURE = 0.5                    # probability from which a label belongs to the set that is answered


@task("classify")
class Classify:
    """Masked pool → linear → cross-entropy over the classes; of sets of labels, a sigmoid and binary cross-entropy for each.

    out: (B, K) logits. y: (B,) class numbers; of sets (B, K), 1 for each label.
    """

    sort: ClassVar[Sort] = "label"
    settles: ClassVar[bool] = False
    bears: ClassVar[frozenset[Change]] = frozenset({"shift", "flip", "noise", "scale", "mask", "drop"})

    def __init__(self, classes: Sequence[str] = (), counts: Sequence[int] = (), examples: int = 0, several: bool = False) -> None:
        """counts: of the training examples, how many each class has; several: a target is a set of labels, 'a;b'."""
        self.classes, self.counts, self.examples, self.several = list(classes), list(counts), examples, several
        self.number = {name: index for index, name in enumerate(self.classes)}
        self.metrics = SETS if several else CLASSIFY

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        sets = [labels_of(target) if spec.several else [str(target)] for target in targets]
        found = Counter(label for labels in sets for label in labels)
        classes = sorted(found, key=label_order)
        self.__init__(classes, [found[name] for name in classes], len(sets), spec.several)    # type: ignore[misc]
        if len(self.classes) < 2:
            raise DataError(f"there is one class only: {self.classes}", "the training examples",
                            "Give at least two classes, or a number as target with --task regress.")
        return self

    def state(self) -> dict[str, Any]:
        return {"classes": self.classes, "counts": self.counts, "examples": self.examples, "several": self.several}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(**state)

    def why_not(self, spec: Spec) -> str | None:
        return None if spec.ahead is None else "these series have no target of their own: they go on, and are to be forecast"

    def needs(self) -> Needs:
        return Needs()

    def space(self, spec: Spec) -> Space:
        space = Space({
            "pool": pool_choice(spec),
            "label_smoothing": Param("label_smoothing", 0.0, "share of the target spread over all classes", values=(0.0, 0.05, 0.1)),
        })
        if self.counts and (self.several or max(self.counts) >= UNEQUAL * min(self.counts)):
            space["weights"] = Param("weights", "none", "balanced: rare classes count more in the loss, so that all together count alike",
                                     values=("none", "balanced"))
        return space

    def balanced(self) -> Tensor:
        """(K,): what an example of a class counts, N / (K · its examples), as King & Zeng 2001, "Logistic regression in rare events
        data"; of sets what having the label counts beside not having it, (N − n) / n."""
        counts = torch.tensor(self.counts, dtype=torch.float32)
        return (self.examples - counts).clamp(min=1) / counts if self.several else self.examples / (len(counts) * counts)

    def collate(self, targets: Sequence[object]) -> Tensor:
        try:
            if not self.several:
                return torch.tensor([self.number[str(target)] for target in targets], dtype=torch.int64)
            y = torch.zeros(len(targets), len(self.classes))
            for row, target in enumerate(targets):
                y[row, [self.number[label] for label in labels_of(target)]] = 1
            return y
        except KeyError as unknown:
            name = str(unknown.args[0])
            raise DataError(f"label {name!r} is not among the {len(self.classes)} training classes", "", near(name, self.classes)) from None

    def prepared(self, spec: Spec, params: Params) -> Spec:
        return spec

    def prepare(self, batch: Batch, params: Params) -> Batch:
        return batch

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        own = encoder.read_out(len(self.classes))
        return PooledHead(encoder, dim, len(self.classes), params) if own is None else OwnHead(own)

    def loss(self, out: Tensor, y: Tensor, params: Params) -> Tensor:
        smooth = params.get("label_smoothing", 0.0)
        weights = self.balanced().to(out.device) if params.get("weights") == "balanced" else None
        if self.several:
            return F.binary_cross_entropy_with_logits(out, y * (1 - smooth) + smooth / 2, reduction="none", pos_weight=weights).mean(1)
        losses = F.cross_entropy(out, y, reduction="none", label_smoothing=smooth)
        return losses if weights is None else losses * weights[y]

    def aim(self, y: Tensor, params: Params) -> Aim:
        """Smoothing and class weights as `loss` has them, for a family with a loss of its own."""
        smooth = params.get("label_smoothing", 0.0)
        right = y if self.several else F.one_hot(y, len(self.classes)).float()
        weights = torch.ones_like(right)
        if params.get("weights") == "balanced":
            balanced = self.balanced().to(y.device)
            weights = torch.where(right > 0, balanced, weights) if self.several else balanced[y][:, None].expand_as(right)
        shares = right * (1 - smooth) + smooth / (2 if self.several else len(self.classes))
        return Aim(lambda out: self.loss(out, y, params), shares, weights)

    def plain_loss(self, out: Tensor, y: Tensor) -> Tensor:
        if self.several:
            return F.binary_cross_entropy_with_logits(out, y, reduction="none").mean(1)
        return F.cross_entropy(out, y, reduction="none")

    def decode(self, out: Tensor) -> list[Answer]:
        """value: the label, or those of a set joined: 'a;b', '' for none. scores: sum to 1, but for sets."""
        chances = out.double().sigmoid() if self.several else out.double().softmax(-1)
        rows = [dict(zip(self.classes, row, strict=True)) for row in chances.tolist()]
        if self.several:
            return [Answer(SEPARATOR.join(name for name, chance in row.items() if chance >= SURE), row) for row in rows]
        return [Answer(self.classes[k], row) for k, row in zip(chances.argmax(-1).tolist(), rows, strict=True)]
