"""Repeats the beginning of what was read: its first words or sentences, or all of it. See et al. 2017, https://arxiv.org/abs/1704.04368"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bakeoff import subwords
from bakeoff.baselines.base import WRITTEN
from bakeoff.data.base import Dataset
from bakeoff.metrics.base import sign
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Answer, Params, Spec

LOOK = 500                    # training examples by which k is chosen
WORD, SENTENCE = r"\S+\s*", r".*?[.!?。！？]+\s*|.+$"
ALL = 0                       # k: everything


@baseline("first_k")
class FirstK:
    """The first k words or sentences, k being what does best on some training examples by the task's first metric."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.spec: Spec | None = None
        self.task: Task | None = None
        self.unit, self.k = "words", ALL

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        if task.name not in WRITTEN:
            return f"it repeats the beginning of a text, and {task.name} asks for something else"
        return None if spec.writing else "it repeats what it read, and these examples cannot be written back as a text"

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space({"first_k.unit": Param("first_k.unit", "words", "what is counted", values=("words", "sentences"))})

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.spec, self.task, self.unit = data.spec, task, str(params["first_k.unit"])
        some = data.subset(np.sort(np.random.default_rng(0).permutation(len(data))[:LOOK]))
        read, metric = texts_of(some), task.metrics[0]
        lengths = [len(parts(str(target), self.unit)) for target in some.targets]
        tried = [*sorted({1, *(int(q) for q in np.quantile(lengths, np.linspace(0.05, 0.95, 10)))}), ALL]

        def value(k: int) -> float:
            answers = [Answer(beginning(text, self.unit, k), {}) for text in read]
            return sign(metric) * float(np.nan_to_num(metric.value(metric.rows(answers, some.targets))))
        self.k = max(tried, key=value)
        return self

    def outputs(self, data: Dataset) -> Tensor:
        """(N, L) ids of pieces as the task writes them, NaN behind."""
        assert self.task is not None
        tokenizer = str(self.task.state()["tokenizer"])
        rows = subwords.encoded([beginning(text, self.unit, self.k) for text in texts_of(data)], tokenizer)
        out = torch.full((len(rows), max(map(len, rows), default=0)), torch.nan)
        for place, row in enumerate(rows):
            out[place, :len(row)] = torch.tensor(row, dtype=torch.float32)
        return out

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return 1

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"k": np.array([self.k], np.int64)}, {"unit": self.unit}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.spec, self.task, self.unit, self.k = spec, task, record["unit"], int(arrays["k"][0])
        return self


def texts_of(data: Dataset) -> list[str]:
    """What was read, as texts again."""
    starts, cells = data.arrays.offsets(), data.arrays.cells
    rows: Sequence[Sequence[int]] = [cells[starts[row]:starts[row + 1]].tolist() for row in data.index.tolist()]
    return subwords.decoded(rows, data.spec.writing)


def parts(text: str, unit: str) -> list[str]:
    return re.findall(WORD if unit == "words" else SENTENCE, text, re.DOTALL)


def beginning(text: str, unit: str, k: int) -> str:
    return text if k == ALL else "".join(parts(text, unit)[:k]).strip()
