"""The next step of every example from all the steps before it, as of piano rolls and films.

Numbers that are 0 or 1 get a chance each, which are taken to be independent: Boulanger-Lewandowski et al. 2012,
https://arxiv.org/abs/1206.6392; in the form of Bai et al. 2018, https://arxiv.org/abs/1803.01271
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.errors import Defect
from bakeoff.metrics.likelihood import CHANCES, DISTANCES
from bakeoff.nn.encoder import Encoder
from bakeoff.registry import task
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Sort
from bakeoff.types import Answer, Batch, Grid, Needs, Params, Spec

RAREST = 1e-4                 # chance that a number is 1 with which the head begins, where training saw it less often


@task("predict")
class Predict:
    """Causal encoder → a linear map per step → the next step. out: (B, T, *frame), of which out[:, t] is about step t + 1: log-odds
    of numbers that are 0 or 1, else numbers in the user's units. Step 0, before which nothing was seen, is not judged."""

    sort: ClassVar[Sort] = "itself"
    settles: ClassVar[bool] = True

    def __init__(self, binary: bool = True, frame: Sequence[int] = (1,), mean: Sequence[float] = (0.5,), std: Sequence[float] = (0.5,)) -> None:
        """frame: sizes of a step, its channels last. mean, std: of the training cells, per channel."""
        self.binary, self.frame, self.mean, self.std = binary, tuple(frame), tuple(mean), tuple(std)
        self.metrics = CHANCES if binary else DISTANCES

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        channels = spec.channels or 1
        frame = (*(size or 1 for size in spec.sizes[1:]), channels)
        self.__init__(spec.binary, frame, spec.mean or (0.0,) * channels, spec.std or (1.0,) * channels)      # type: ignore[misc]
        return self

    def state(self) -> dict[str, Any]:
        return {"binary": self.binary, "frame": list(self.frame), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(**state)

    def why_not(self, spec: Spec) -> str | None:
        if spec.ahead is not None:
            return "these series go on, and are to be forecast"
        if spec.channels is None:
            return "what comes next are words, and this task says numbers"
        if spec.axes[0] != "time" or spec.one_cell:
            return "these examples have no steps in time, of which one could be next"
        if None in spec.sizes[1:]:
            return "steps of different sizes cannot be said by one map"
        return None

    def needs(self) -> Needs:
        return Needs(causal=True, keep=1)

    def space(self, spec: Spec) -> Space:
        """Scaled by the example, a step would tell of those to come. Numbers that are 0 or 1 stay so: what is 1 once in a thousand
        steps would else stand thirty deviations out.

        A step of many numbers passes through D of them, and every step teaches, not only every example: it starts wider and faster
        (2,500 chorales of 88 keys, D 64, lr .006 → D 128, lr .01: gru 8.74 → 8.36 nats, lstm 8.77 → 8.44, mingru 8.69 → 8.42, rnn
        8.79 → 8.50, crnn 8.68 → 8.42, transformer 8.73 → 8.64, tcn 8.95 → 8.90), in smaller batches (1,400 chorales, 16 → 8: gru
        8.57 → 8.41, mingru 8.60 → 8.49, transformer 9.12 → 9.02), and guarded against learning by heart (5,000, dropout 0 → .1: gru
        8.55 → 8.37, tcn 10.38 → 8.51, transformer 8.70 → 8.58).
        """
        ways = ("none",) if spec.binary else ("train", "none")
        wide = 128 if prod(self.frame) > 64 else 64
        train = spec.counts.get("train", 0)
        return Space({
            "lr": Param("lr", 1e-2, "learning rate; sgd takes 20 times as much", low=3e-4, high=5e-2, log=True),
            "width": Param("width", wide, "D, numbers per cell", values=(16, 32, 64, 128)),
            "dropout": Param("dropout", 0.1 if spec.binary else 0.0, "share of numbers dropped at embedding and head, and between layers", high=0.5),
            "scaling": Param("scaling", ways[0], "input scaling: by the training split per channel, none", values=ways),
            "batch": Param("batch", 8 if train < 2000 else 16 if train < 20_000 else 32, "examples per step", values=(8, 16, 32, 64, 128)),
        })

    def collate(self, targets: Sequence[object]) -> Tensor:
        raise Defect("what is read is what is to be said: there are no targets")

    def prepared(self, spec: Spec, params: Params) -> Spec:
        return spec

    def prepare(self, batch: Batch, params: Params) -> Batch:
        return batch

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        return NextStep(self, dim, len(encoder.stride), params)

    def loss(self, out: Tensor, y: Grid, params: Params) -> Tensor:
        """Every step of the batch weighs alike, whatever the length of its example."""
        cost, steps = self.cost(out, y, self.unit(out))
        return cost * (len(cost) / steps.sum().clamp(min=1))

    def plain_loss(self, out: Tensor, y: Grid) -> Tensor:
        cost, steps = self.cost(out, y, self.unit(out))
        return cost / steps.clamp(min=1)

    def unit(self, out: Tensor) -> Tensor:
        """What a miss is counted in: deviations of the training cells, and their root number, so that losses are of one size."""
        if self.binary:
            return out.new_ones(())
        return torch.tensor([std if std > 0 else 1.0 for std in self.std], device=out.device) * math.sqrt(prod(self.frame))

    def cost(self, out: Tensor, y: Grid, unit: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
        """(what the steps cost: nats, or squares; how many they are), both (B,). out: (B, T, *frame); y: the steps as they came."""
        said, came = out[:, :-1], y.x[:, 1:].to(out.dtype)
        each = F.binary_cross_entropy_with_logits(said, came, reduction="none") if self.binary else ((said - came) / unit).square()
        cost = each.flatten(2).sum(2)                                        # (B, T − 1)
        if y.valid is None:
            return cost.sum(1), cost.new_full((len(cost),), cost.shape[1])
        there = y.valid.flatten(2)[:, 1:, 0] if y.valid.dim() > 2 else y.valid[:, 1:]
        return (cost * there).sum(1), there.sum(1).to(cost.dtype)

    def judged(self, out: Tensor, came: Grid) -> Tensor:
        """(B, 2): what `decode` reads."""
        return torch.stack(self.cost(out, came), 1)

    def decode(self, out: Tensor) -> list[Answer]:
        """value: what the steps of the example cost together, and how many they are."""
        what = "nats" if self.binary else "squares"
        return [Answer({what: cost, "steps": round(steps)}, {}) for cost, steps in out.double().tolist()]

    def drawn(self, out: Tensor, generator: torch.Generator) -> Tensor:
        """(B, *frame) as one step of the data: numbers that are 0 or 1 drawn by their chances, others as said. out: (B, *frame)."""
        return torch.bernoulli(out.sigmoid(), generator=generator) if self.binary else out


class NextStep(nn.Module):
    """Grid (B, T, D), or (B, T, *rest, D) of an encoder that reads whole frames, → (B, T, *frame).

    Numbers that are 0 or 1 begin with how often each was 1 in training, others with the step before.
    """

    def __init__(self, task: Predict, dim: int, rank: int, params: Params) -> None:
        super().__init__()
        self.task = task
        self.drop = nn.Dropout(params.get("dropout", 0.0))
        self.out = nn.Linear(dim, prod(task.frame) if rank == 1 else task.frame[-1])
        channels = torch.tensor(task.mean if task.binary else task.std)
        begin = channels.clamp(RAREST, 1 - RAREST).logit() if task.binary else torch.zeros_like(channels)
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            self.out.bias.copy_(begin.repeat(len(self.out.bias) // len(begin)))
        self.register_buffer("std", channels, persistent=False)

    def forward(self, grid: Grid, batch: Batch) -> Tensor:
        out = self.out(self.drop(grid.x)).reshape(*grid.x.shape[:2], *self.task.frame)
        return out if self.task.binary else batch.x.x.to(out.dtype) + out * self.get_buffer("std")

    def answer(self, grid: Grid, batch: Batch, out: Tensor | None) -> Tensor:
        """(B, 2): see Predict.judged."""
        return self.task.judged(self(grid, batch) if out is None else out, batch.x)
