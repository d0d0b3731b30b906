"""What rocket and hydra share: many kernels that are drawn and not learnt, and a ridge on what they find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines import ridge
from bakeoff.baselines.base import as_series, in_series, unanswerable, unconvolvable
from bakeoff.data.base import Dataset
from bakeoff.tasks.base import Task
from bakeoff.types import Spec

NUMBERS = 1 << 25             # features × training examples: above it fewer are drawn, down to LEAST of them
LEAST = 0.4
AT_ONCE = 512                 # examples whose features are held while answering


class Convolved:
    """A baseline gives `kinds`, `space` and `fit`, which draws `kernels` and learns `reading`."""

    deterministic = False
    growth = 1.4                              # features grow evenly; the ridge by the cube until there are as many examples as features
    kinds: ClassVar[tuple[Any, Any]]          # of kernels: those for series, and those for more axes

    def __init__(self) -> None:
        self.kernels: Any = None
        self.reading: ridge.Reading | None = None

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return unconvolvable(spec) or unanswerable(task)

    def found(self, data: Dataset) -> NDArray[np.float32]:
        """(N, features) that the ridge reads."""
        features: NDArray[np.float32] = self.kernels.features(data)
        return features

    def outputs(self, data: Dataset) -> Tensor:
        assert self.reading is not None
        data = in_series(data)
        return self.reading.answers(self.found(data.subset(np.arange(start, min(start + AT_ONCE, len(data)))))
                                    for start in range(0, len(data), AT_ONCE))

    def macs(self) -> float:
        """Convolutions and pooling, then the ridge."""
        assert self.reading is not None
        return float(self.kernels.macs() + self.reading.weights.size)

    def parameters(self) -> int:
        assert self.reading is not None
        return int(self.kernels.parameters()) + self.reading.weights.size + self.reading.offsets.size

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        assert self.reading is not None
        arrays, record = self.kernels.state()
        return {**arrays, "weights": self.reading.weights, "offsets": self.reading.offsets}, {**record, "sharpness": self.reading.sharpness}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self, spec = cls(), as_series(spec)
        self.kernels = cls.kinds[spec.rank > 1].restore(arrays, record, spec)
        self.reading = ridge.Reading(arrays["weights"], arrays["offsets"], record["sharpness"])
        return self


def afforded(asked: int, each: float, examples: int) -> int:
    """How many of the kernels, or groups, asked for are drawn, where each gives so many features."""
    return min(asked, max(int(LEAST * asked), int(NUMBERS / (each * max(1, examples)))))
