"""What comes next, token by token, so that text can be gone on with.

The encoder reads one way and every cell is asked for the one behind it. An example is judged by the second half of its window:
the first is there to be read (data say how windows lie).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.errors import Defect
from bakeoff.metrics.perplexity import CHARACTERS, WORDS
from bakeoff.nn.encoder import Encoder
from bakeoff.registry import task
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Sort
from bakeoff.types import Answer, Batch, Grid, Needs, Params, Spec

PADDING = 0                   # stands for no token: before a text's beginning and behind its end
MANY = 1000                   # windows from which wide networks pay
IDS = "ids"                   # what `prepare` gives the head: (B, L), the last of which the encoder does not read


@task("generate")
class Generate:
    """Next-token cross-entropy over the whole window in training; answers are the summed nats of its second half.

    out: (B, L − 1, V) logits. y: the Grid of ids (B, L) itself.
    """

    sort: ClassVar[Sort] = "itself"
    settles: ClassVar[bool] = True

    def __init__(self, unit: str = "character", vocab: int = 2) -> None:
        self.unit, self.vocab = unit, vocab
        self.metrics = WORDS if unit == "word" else CHARACTERS

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        self.__init__(spec.axes[0], spec.vocab or 2)      # type: ignore[misc]
        return self

    def state(self) -> dict[str, Any]:
        return {"unit": self.unit, "vocab": self.vocab}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(**state)

    def why_not(self, spec: Spec) -> str | None:
        return None if spec.vocab is not None and spec.rank == 1 else "only text is gone on with token by token"

    def needs(self) -> Needs:
        return Needs(causal=True, keep=1)

    def space(self, spec: Spec) -> Space:
        """Wide networks, small batches and a high rate, since a window holds as many examples as tokens. In some twenty-five core-seconds on
        a megabyte of plays an LSTM reaches 1.90 nats with 10,000 windows of 128 characters in batches of 16, 2.00 in batches of 32, and
        1.82 in batches of 16 at twice the common rate; a transformer with 8,000 of them 2.04 at this rate, else 2.13."""
        width = 128 if spec.counts.get("train", 0) >= MANY else 64
        return Space({
            "lr": Param("lr", 1e-2, "learning rate; sgd takes 20 times as much", low=3e-4, high=5e-2, log=True),
            "width": Param("width", width, "D, numbers per cell", values=(32, 64, 128, 256)),
            "batch": Param("batch", 16, "examples per step", values=(8, 16, 32, 64)),
        })

    def collate(self, targets: Sequence[object]) -> Tensor:
        raise Defect("what is to be said is the text itself")

    def prepared(self, spec: Spec, params: Params) -> Spec:
        sizes = tuple(None if size is None else size - 1 for size in spec.sizes)
        return replace(spec, sizes=sizes, longest=tuple(size - 1 for size in spec.longest), typical=tuple(size - 1 for size in spec.typical))

    def prepare(self, batch: Batch, params: Params) -> Batch:
        return batch._replace(x=Grid(batch.x.x[:, :-1], None), given={**batch.given, IDS: batch.x.x})

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        return NextToken(dim, self.vocab, params)

    def loss(self, out: Tensor, y: Grid, params: Params) -> Tensor:
        return self.plain_loss(out, y)

    def plain_loss(self, out: Tensor, y: Grid) -> Tensor:
        known = (y.x[:, 1:] != PADDING).sum(1).clamp(min=1)
        return nats(out, y.x).sum(1) / known

    def decode(self, out: Tensor) -> list[Answer]:
        return [Answer(value, {}) for value in out.double().tolist()]


class NextToken(nn.Module):
    """Grid (B, L − 1, D) → logits (B, L − 1, V); answer: (B,) nats of the window's second half."""

    def __init__(self, dim: int, vocab: int, params: Params) -> None:
        super().__init__()
        self.drop, self.out = nn.Dropout(params.get("dropout", 0.0)), nn.Linear(dim, vocab)

    def forward(self, grid: Grid, batch: Batch) -> Tensor:
        return self.out(self.drop(grid.x))

    def answer(self, grid: Grid, batch: Batch, out: Tensor | None) -> Tensor:
        ids = batch.given[IDS]
        return nats(self(grid, batch) if out is None else out, ids)[:, ids.shape[1] // 2 - 1:].sum(1)


def nats(out: Tensor, ids: Tensor) -> Tensor:
    """(B, L − 1, V) logits, (B, L) ids → (B, L − 1): −ln p of each id but the first, 0 of padding."""
    return F.cross_entropy(out.flatten(0, 1), ids[:, 1:].flatten(), ignore_index=PADDING, reduction="none").view(out.shape[:2])
