"""One number per example."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from bakeoff.errors import DataError
from bakeoff.metrics.error import REGRESS
from bakeoff.nn.encoder import Encoder
from bakeoff.registry import task
from bakeoff.space import Space
from bakeoff.tasks.base import Sort
from bakeoff.tasks.head import PooledHead, pool_choice
from bakeoff.types import Answer, Batch, Change, Needs, Params, Spec


@task("regress")
class Regress:
    """Masked pool → linear → squared error on targets scaled by the training split. out: (B, 1) in scaled units."""

    sort: ClassVar[Sort] = "number"
    settles: ClassVar[bool] = False
    bears: ClassVar[frozenset[Change]] = frozenset({"noise"})

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        self.mean, self.std = mean, std
        self.metrics = REGRESS

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        numbers = torch.tensor([as_number(target) for target in targets], dtype=torch.float64)
        self.mean, self.std = float(numbers.mean()), float(numbers.std(correction=0))
        if not self.std > 0:
            raise DataError(f"every training target is {self.mean:g}", "the target", "A target that never varies needs no model.")
        return self

    def state(self) -> dict[str, Any]:
        return {"mean": self.mean, "std": self.std}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(state["mean"], state["std"])

    def why_not(self, spec: Spec) -> str | None:
        return None if spec.ahead is None else "these series have no target of their own: they go on, and are to be forecast"

    def needs(self) -> Needs:
        return Needs()

    def space(self, spec: Spec) -> Space:
        return Space({"pool": pool_choice(spec)})

    def collate(self, targets: Sequence[object]) -> Tensor:
        numbers = torch.tensor([as_number(target) for target in targets], dtype=torch.float64)
        return ((numbers - self.mean) / self.std).float()

    def prepared(self, spec: Spec, params: Params) -> Spec:
        return spec

    def prepare(self, batch: Batch, params: Params) -> Batch:
        return batch

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        return PooledHead(encoder, dim, 1, params, exact=True)

    def loss(self, out: Tensor, y: Tensor, params: Params) -> Tensor:
        return (out.squeeze(-1) - y).square()

    def plain_loss(self, out: Tensor, y: Tensor) -> Tensor:
        return (out.squeeze(-1) - y).square()

    def decode(self, out: Tensor) -> list[Answer]:
        return [Answer(number, {}) for number in (out.double().squeeze(-1) * self.std + self.mean).tolist()]


def as_number(target: object) -> float:
    """The target as a finite float; raises DataError."""
    try:
        number = float(str(target))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"target {target!r} is no number", "", "Give numbers, or --task classify for labels.")
    return number
