"""The contract of a contender without an encoder: it cannot be switched off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

from numpy.typing import NDArray
from torch import Tensor

from bakeoff.data.base import Dataset
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


class Baseline(Protocol):
    """Fits on a Dataset in one go. Its file's docstring gives the sentence and the paper.

    Deterministic baselines are fitted once and count for every seed. What is learnt is arrays and JSON, never pickle.
    """

    name: ClassVar[str]                       # set by @baseline
    group: ClassVar[str]
    deterministic: ClassVar[bool]

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
        """What a network's head would give, for every example of the view in order: classify (N, K) log-probabilities,
        regress (N, 1) in the task's scaled units; the task decodes it."""
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
