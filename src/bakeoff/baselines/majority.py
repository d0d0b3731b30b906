"""Answers every example with what was seen most often in training: the least any model must beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import aims, class_count, log_chances
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("majority")
class Majority:
    """Class frequencies, or of transcripts the most frequent one, the first by letters where several are.

    A class that this part of the training split happens not to hold counts as half an example.
    """

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.shares: NDArray[np.float64] = np.zeros(0)
        self.text: NDArray[np.int64] | None = None                            # numbers of its characters

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        if task.name in ("classify", "transcribe"):
            return task.why_not(spec)
        return f"it names the most frequent class, and {task.name} asks for something else"

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        if task.name == "transcribe":
            texts, often = np.unique(data.y.numpy()[data.index][:, 0], axis=0, return_counts=True)
            usual = texts[often.argmax()]
            self.text = usual[usual >= 0]
            return self
        classes = class_count(task)
        counts = np.maximum(np.bincount(aims(data, classes), minlength=classes), 0.5)
        self.shares = counts / counts.sum()
        return self

    def outputs(self, data: Dataset) -> Tensor:
        if self.text is not None:
            return torch.from_numpy(np.tile(self.text.astype(np.float32), (len(data), 1)))
        return log_chances(np.tile(self.shares, (len(data), 1)))

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return len(self.shares) if self.text is None else len(self.text)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return ({"shares": self.shares} if self.text is None else {"text": self.text}), {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.shares, self.text = arrays.get("shares", self.shares), arrays.get("text")
        return self
