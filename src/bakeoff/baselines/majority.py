"""Answers every example with what was seen most often in training – a class, labels of sets, a tag per word, a transcript: the least
any model must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import aims, blocks, class_count, log_chances, log_odds, of_sets
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("majority")
class Majority:
    """Class frequencies. A class that this part of the training split happens not to hold counts as half an example.

    Where every word has a tag, it is the tag that the word has most often; a word that was not seen has the most frequent of all.
    Of transcripts it is the most frequent one, the first by letters where several are.
    """

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.shares: NDArray[np.float64] = np.zeros(0)
        self.of_word: NDArray[np.int64] = np.zeros(0, np.int64)       # per id, the number of its tag
        self.text: NDArray[np.int64] | None = None                    # numbers of its characters
        self.apart = False                    # labels of sets: each share for itself

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        if task.sort == "label" or task.name == "transcribe":
            return task.why_not(spec)
        if not tags_of(task):
            return f"it names the most frequent class, and {task.name} asks for something else"
        return None if spec.vocab is not None and spec.rank == 1 else "it knows words by their ids, and here are numbers"

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space()

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        if tags := tags_of(task):
            self.of_word = most_frequent(data, len(tags))
            return self
        if task.name == "transcribe":
            texts, often = np.unique(data.y.numpy()[data.index][:, 0], axis=0, return_counts=True)
            usual = texts[often.argmax()]
            self.text = usual[usual >= 0]
            return self
        classes, self.apart = class_count(task), of_sets(task)
        y = aims(data, classes)
        counts = np.maximum(y.sum(0, dtype=np.float64) if self.apart else np.bincount(y, minlength=classes), 0.5)
        self.shares = counts / (len(y) if self.apart else counts.sum())
        return self

    def outputs(self, data: Dataset) -> Tensor:
        """(N, K) log-probabilities, of sets log-odds; (N, T) numbers of tags, NaN behind a sentence; or (N, L) of characters."""
        if self.text is not None:
            return torch.from_numpy(np.tile(self.text.astype(np.float32), (len(data), 1)))
        if not len(self.of_word):
            return (log_odds if self.apart else log_chances)(np.tile(self.shares, (len(data), 1)))
        said = torch.full((len(data), int(data.lengths().max(initial=0))), torch.nan)
        table = torch.from_numpy(self.of_word).float()
        for where in blocks(data):
            x, valid = data.take(where).x
            said[torch.from_numpy(where), :x.shape[1]] = table[x] if valid is None else table[x].masked_fill(~valid, torch.nan)
        return said

    def macs(self) -> float:
        return 0.0

    def parameters(self) -> int:
        return len(self.shares) + len(self.of_word) + (0 if self.text is None else len(self.text))

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"shares": self.shares, "of_word": self.of_word, **({} if self.text is None else {"text": self.text})}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.shares, self.of_word, self.text, self.apart = arrays["shares"], arrays["of_word"], arrays.get("text"), of_sets(task)
        return self


def tags_of(task: Task) -> Sequence[str]:
    """The tags of a task that asks for one per word, else none."""
    return tuple(getattr(task, "tags", ()))


def most_frequent(data: Dataset, tags: int) -> NDArray[np.int64]:
    """(V,) per id the number of the tag it has most often, where it was not seen of the most frequent of all."""
    counts = np.zeros((data.spec.vocab or 0, tags), np.int64)
    wanted = data.y.numpy()[data.index]                               # (N, T), negative where there is nothing to learn
    for where in blocks(data):
        x = data.take(where).x.x.numpy()
        own = wanted[where][:, :x.shape[1]]
        known = own >= 0
        np.add.at(counts, (x[known], own[known]), 1)
    return np.where(counts.sum(1) > 0, counts.argmax(1), counts.sum(0).argmax()).astype(np.int64)
