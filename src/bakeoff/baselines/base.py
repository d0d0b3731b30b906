"""The contract of a contender without an encoder: it cannot be switched off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.data.base import Dataset
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


class Baseline(Protocol):
    """Fits on a Dataset in one go. Its file's docstring gives the sentence and the paper.

    Deterministic baselines are fitted once and count for every seed. What is learnt is arrays and JSON, never pickle.
    One that says what comes next has also `begin` and `step`, as a Network has them.
    """

    name: ClassVar[str]                       # set by @baseline
    group: ClassVar[str]
    deterministic: ClassVar[bool]
    growth: ClassVar[float]                   # the time of `fit`, and of answering as many examples again, grows by at most
                                              # this power of their number: from it the plan says how many end within a share

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        """A sentence for the report, or None: it enters."""
        ...

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        """Few finite choices (at most 8 settings in all), names 'baseline.parameter'; empty where nothing is tuned."""
        ...

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        """data.y holds the collated targets. Single-threaded."""
        ...

    def outputs(self, data: Dataset) -> Tensor:
        """What a network's head would give, for every example of the view in order: of labels (N, K) log-probabilities, of sets of
        labels log-odds, of numbers (N, 1) in the task's scaled units; the task decodes it."""
        ...

    def macs(self) -> float:
        """Multiply-adds to answer one example of the typical size, by the baseline's own formula."""
        ...

    def parameters(self) -> int:
        """Numbers learnt and kept (stored training examples count)."""
        ...

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        """Arrays for safetensors, and JSON."""
        ...

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self: ...


SORTS = ("label", "number")
LEAST = 1e-6                  # probability that anything has
WRITTEN = ("translate", "summarise")          # tasks whose answers are texts
BLOCK = 1 << 20               # numbers read at a time: what is derived from them still fits the processor's cache or little more


MOST_BANDS = 256              # numbers per step of time with which a grid still counts as a series


def as_series(spec: Spec) -> Spec:
    """A grid that goes along in time with few numbers per step, a spectrogram, as a series with a channel for each of them; any
    other Spec as it is."""
    rest = [size for size in spec.sizes[1:] if size is not None]
    bands = prod(rest)
    if spec.rank < 2 or spec.axes[0] != "time" or len(rest) < spec.rank - 1 or spec.channels is None or bands * spec.channels > MOST_BANDS:
        return spec
    return replace(spec, axes=spec.axes[:1], sizes=spec.sizes[:1], channels=bands * spec.channels, mean=spec.mean * bands,
                   std=spec.std * bands, longest=spec.longest[:1], typical=spec.typical[:1])


def in_series(data: Dataset) -> Dataset:
    """The examples as `as_series` has their Spec."""
    spec = as_series(data.spec)
    return data if spec is data.spec else data.beside(spec)


def unanswerable(task: Task, sets: bool = False) -> str | None:
    """Why a contender that gives one label or one number per example cannot enter; None: it can. sets: it gives several labels too."""
    if task.sort not in SORTS:
        return f"it gives one label or one number per example, and {task.name} asks for something else"
    return "it gives one label per example, and these have several" if of_sets(task) and not sets else None


def unconvolvable(spec: Spec) -> str | None:
    """Why fixed kernels cannot be laid over the examples of a Spec; None: they can."""
    spec = as_series(spec)
    if spec.channels is None:
        return "it convolves numbers, and the ids of words or characters are names, not amounts"
    if spec.one_cell:
        return "it convolves neighbouring cells, and a table's row has no cells beside each other"
    if spec.rank > 2:
        return f"it convolves along one or two axes, and here are {spec.rank}"
    if spec.rank == 2 and None in spec.sizes:
        return "its kernels are pooled in fixed regions, and these examples differ in size"
    return None


def of_sets(task: Task) -> bool:
    """Whether a target is a set of labels."""
    return bool(getattr(task, "several", False))


def class_count(task: Task) -> int:
    """K, or 0 where the answer is a number."""
    return len(getattr(task, "classes", ()))


def aims(data: Dataset, classes: int) -> NDArray[Any]:
    """The collated targets of this view: (N,) int64 labels, (N, K) float32 of sets of labels, or (N, 1) float64 in the task's scaled
    units where classes is 0."""
    y: NDArray[Any] = data.y.numpy()[data.index]
    return y if classes else y.astype(np.float64).reshape(len(y), 1)


def blocks(data: Dataset, numbers: int = BLOCK) -> Iterator[NDArray[np.int64]]:
    """Positions of this view in order, so many at a time that about `numbers` cells × channels are read at once."""
    channels = data.spec.channels or 1
    longest = int(data.lengths().max(initial=1))
    size = max(1, numbers // max(1, longest * channels))
    for start in range(0, len(data), size):
        yield np.arange(start, min(start + size, len(data)))


def log_chances(chances: NDArray[Any]) -> Tensor:
    """(N, K) probabilities → float32 log-probabilities; none is below LEAST, so that one wrong answer costs a finite loss."""
    import torch
    floored = np.maximum(chances, LEAST)
    return torch.from_numpy(np.log(floored / floored.sum(1, keepdims=True)).astype(np.float32))


def log_odds(chances: NDArray[Any]) -> Tensor:
    """(N, K) probabilities, each for itself → float32 log-odds, none of which is certain."""
    import torch
    held = np.clip(chances, LEAST, 1 - LEAST)
    return torch.from_numpy(np.log(held / (1 - held)).astype(np.float32))
