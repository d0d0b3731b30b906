"""A tag for every word: names in a text, parts of speech."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.errors import DataError
from bakeoff.metrics.spans import SPANS, WORDS, has_spans, listed
from bakeoff.nn.encoder import Encoder
from bakeoff.registry import task
from bakeoff.space import Space
from bakeoff.tasks.base import Sort
from bakeoff.types import Answer, Batch, Grid, Needs, Params, Spec

UNKNOWN = -1                  # in collated targets: padding, and tags that no training sentence has; nothing is learnt from these


@task("tag")
class Tag:
    """Encoder → linear map per word → cross-entropy, mean over the words of a sentence. out: (B, T, K) logits.

    Where tags say the places in spans (B-, I-), the value is F1 of spans; else every word counts for itself.
    """

    sort: ClassVar[Sort] = "whole"
    settles: ClassVar[bool] = True

    def __init__(self, tags: Sequence[str] = ("B-x", "I-x", "O")) -> None:
        self.tags = list(tags)
        self.number = {tag: index for index, tag in enumerate(self.tags)}
        self.metrics = SPANS if has_spans(self.tags) else WORDS

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        tags = sorted({tag for target in targets for tag in listed(target)})
        if len(tags) < 2:
            raise DataError(f"there is one tag only: {tags}", "the training sentences", "Give words of at least two sorts.")
        self.__init__(tags)                   # type: ignore[misc]
        return self

    def state(self) -> dict[str, Any]:
        return {"tags": self.tags}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(state["tags"])

    def why_not(self, spec: Spec) -> str | None:
        if spec.ahead is not None or spec.rank != 1 or spec.one_cell:
            return "tags are for the words of a sentence, one after the other, and these examples have none"
        return None

    def needs(self) -> Needs:
        return Needs(keep=1)

    def space(self, spec: Spec) -> Space:
        return Space()

    def collate(self, targets: Sequence[object]) -> Tensor:
        """(N, T) int64, UNKNOWN behind shorter sentences."""
        rows = [[self.number.get(tag, UNKNOWN) for tag in listed(target)] for target in targets]
        y = torch.full((len(rows), max(map(len, rows), default=1)), UNKNOWN)
        for place, row in enumerate(rows):
            y[place, :len(row)] = torch.tensor(row)
        return y

    def prepared(self, spec: Spec, params: Params) -> Spec:
        return spec

    def prepare(self, batch: Batch, params: Params) -> Batch:
        return batch

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        return PerWord(dim, len(self.tags), params)

    def loss(self, out: Tensor, y: Tensor, params: Params) -> Tensor:
        return self.plain_loss(out, y)

    def plain_loss(self, out: Tensor, y: Tensor) -> Tensor:
        y = y[:, :out.shape[1]]
        each = F.cross_entropy(out.transpose(1, 2), y, reduction="none", ignore_index=UNKNOWN)
        return each.sum(1) / (y != UNKNOWN).sum(1).clamp(min=1)

    def decode(self, out: Tensor) -> list[Answer]:
        """out: (N, T) numbers of tags, NaN behind a sentence."""
        return [Answer([self.tags[int(number)] for number in row if number == number], {}) for row in out.tolist()]


class PerWord(nn.Module):
    """Grid (B, T, D) → (B, T, K) logits; `answer`: the best tag's number (B, T), NaN on padding."""

    def __init__(self, dim: int, tags: int, params: Params) -> None:
        super().__init__()
        self.drop, self.out = nn.Dropout(params.get("dropout", 0.0)), nn.Linear(dim, tags)

    def forward(self, grid: Grid, batch: Batch) -> Tensor:
        return self.out(self.drop(grid.x))

    def answer(self, grid: Grid, batch: Batch, out: Tensor | None) -> Tensor:
        best = (self(grid, batch) if out is None else out).argmax(-1).float()
        return best if grid.valid is None else best.masked_fill(~grid.valid, torch.nan)
