"""Answers with what the most similar training examples were: warped distance for series, angle between texts, Euclid else.

Cover & Hart 1967, "Nearest neighbor pattern classification"; for series Bagnall et al. 2017, https://arxiv.org/abs/1602.01711.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import LEAST, WRITTEN, aims, class_count, log_chances, log_odds, unanswerable
from bakeoff.baselines.stores import Series, Store, store_for
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec

Whole = NDArray[np.int64]

LOOK = 256                    # training examples looked up among the others, to learn how far neighbours are to be believed
BELIEF = 10.0 ** np.arange(-2, 1.6, 0.25)                 # examples' worth of class frequencies mixed into the votes


@baseline("nearest")
class Nearest:
    """Keeps the training examples. The k nearest vote, or their targets are averaged; where a text is to be written, it is that of the
    nearest."""

    deterministic = True
    growth = 2.0                              # every example is compared with every stored one

    def __init__(self) -> None:
        self.store: Store | None = None
        self.targets: NDArray[Any] = np.zeros(0)
        self.classes = 0
        self.neighbours = 1
        self.belief = 1.0
        self.written = False                  # targets are ids of texts, (N, L)

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return None if task.name in WRITTEN else unanswerable(task, sets=True)

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        if task.name in WRITTEN:
            return Space()
        series = store_for(spec) is Series
        space = Space({"nearest.neighbours": Param("nearest.neighbours", 1 if series else 5, "how many nearest examples are asked",
                                                   values=(1, 3) if series else (1, 3, 5, 10, 20, 50))})
        if series:
            several = (spec.channels or 1) > 1
            space["nearest.band"] = Param("nearest.band", 0.03, "how far time may be warped, as a share of the longest series",
                                          values=(0.03, 0.1) if several else (0.0, 0.03, 0.1, 0.2))
            if several:
                space["nearest.scaled"] = Param("nearest.scaled", True, "whether channels are made equally wide, or count as measured",
                                                values=(True, False))
        return space

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.classes, self.written = class_count(task), task.name in WRITTEN
        self.targets = data.y.numpy()[data.index] if self.written else aims(data, self.classes)
        self.neighbours = min(int(params.get("nearest.neighbours", 1)), len(data))
        self.store = store_for(data.spec).holding(data, params)
        if self.classes and len(data) > self.neighbours:
            self.belief = self.calibrated(self.store)
        return self

    def calibrated(self, store: Store) -> float:
        """How many examples' worth of class frequencies make the votes for some training examples, looked up among the others,
        most likely."""
        count = len(self.targets)
        some = np.arange(count) if count <= LOOK else np.sort(np.random.default_rng(0).permutation(count)[:LOOK])
        found = store.among(some, self.neighbours)
        truth = self.targets[some]

        def loss(belief: float) -> float:
            votes = self.votes(found, belief)
            if truth.ndim > 1:
                return -float(np.log(np.where(truth > 0, votes, 1 - votes).clip(LEAST)).mean())
            return -float(np.log(votes[np.arange(len(some)), truth]).mean())
        return float(BELIEF[int(np.argmin([loss(belief) for belief in BELIEF]))])

    def votes(self, found: Whole, belief: float) -> NDArray[np.float64]:
        """(Q, k) positions → (Q, K) shares; of sets of labels each for itself. A class is at least half an example frequent."""
        if self.targets.ndim > 1:
            often = np.maximum(self.targets.sum(0, dtype=np.float64), 0.5) / len(self.targets)
            return (self.targets[found].sum(1) + belief * often) / (found.shape[1] + belief)
        counts = np.maximum(np.bincount(self.targets, minlength=self.classes), 0.5)
        votes = np.eye(self.classes)[self.targets[found]].sum(1)
        return (votes + belief * counts / counts.sum()) / (found.shape[1] + belief)

    def outputs(self, data: Dataset) -> Tensor:
        assert self.store is not None
        found = self.store.nearest(data, self.neighbours)
        if self.classes:
            return (log_odds if self.targets.ndim > 1 else log_chances)(self.votes(found, self.belief))
        return torch.from_numpy((self.targets[found[:, 0]] if self.written else self.targets[found].mean(1)).astype(np.float32))

    def macs(self) -> float:
        """Of the comparisons with all stored examples; what the lower bounds save is not taken off."""
        assert self.store is not None
        return self.store.macs()

    def parameters(self) -> int:
        assert self.store is not None
        return sum(array.size for name, array in self.store.state()[0].items() if not name.startswith("keys")) + self.targets.size

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        assert self.store is not None
        arrays, record = self.store.state()
        return {**arrays, "targets": self.targets}, {**record, "neighbours": self.neighbours, "belief": self.belief}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.store = store_for(spec).restore(arrays, record, spec)
        self.targets, self.classes, self.written = arrays["targets"], class_count(task), task.name in WRITTEN
        self.neighbours, self.belief = record["neighbours"], record["belief"]
        return self
