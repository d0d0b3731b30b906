"""Thousands of fixed random convolutions, pooled to a few numbers each, and a ridge regression on them.
Dempster et al. 2020, https://arxiv.org/abs/1910.13051

In the form of MiniRocket for series (waves.py); for images the kernels are patches of training images (patches.py).
Probabilities: softmax of the ridge's scores, made as steep as fits the scores of examples left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines import ridge
from bakeoff.baselines.base import aims, as_series, class_count, in_series, unanswerable, unconvolvable
from bakeoff.baselines.patches import Patches
from bakeoff.baselines.waves import Waves
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec

NUMBERS = 1 << 25             # features × training examples: above it there are fewer kernels, down to LEAST of them
LEAST = 0.4
AT_ONCE = 512                 # examples whose features are held while answering


@baseline("rocket")
class Rocket:
    """Nothing but the ridge is learnt, so it needs no gradient and little time."""

    deterministic = False
    growth = 1.4                              # features grow evenly; the ridge by the cube until there are as many examples as features

    def __init__(self) -> None:
        self.kernels: Waves | Patches | None = None
        self.reading: ridge.Reading | None = None

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return unconvolvable(spec) or unanswerable(task)

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        meaning = "kernels with their thresholds"
        if as_series(spec).rank == 2:
            return Space({"rocket.kernels": Param("rocket.kernels", 250, meaning, values=(250, 80))})
        return Space({
            "rocket.kernels": Param("rocket.kernels", 10_000, meaning, values=(10_000, 2_500)),
            "rocket.differences": Param("rocket.differences", False, "whether half of them read the change from step to step",
                                        values=(False, True)),
        })

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        data, classes, generator = in_series(data), class_count(task), np.random.default_rng(seed)
        kernels = int(params["rocket.kernels"])
        each = 1 if data.spec.rank == 1 else 2 * 16                          # features of a kernel
        kernels = min(kernels, max(int(LEAST * kernels), NUMBERS // (each * max(1, len(data)))))
        if data.spec.rank == 1:
            self.kernels = Waves.drawn(data, kernels, bool(params["rocket.differences"]), generator)
        else:
            self.kernels = Patches.drawn(data, kernels, generator)
        self.reading = ridge.Reading.learnt(self.kernels.features(data), aims(data, classes), classes)
        return self

    def outputs(self, data: Dataset) -> Tensor:
        assert self.kernels is not None
        assert self.reading is not None
        data = in_series(data)
        return self.reading.answers(self.kernels.features(data.subset(np.arange(start, min(start + AT_ONCE, len(data)))))
                                    for start in range(0, len(data), AT_ONCE))

    def macs(self) -> float:
        """Convolutions and pooling, then the ridge."""
        assert self.kernels is not None
        assert self.reading is not None
        return self.kernels.macs() + self.reading.weights.size

    def parameters(self) -> int:
        assert self.kernels is not None
        assert self.reading is not None
        return self.kernels.parameters() + self.reading.weights.size + self.reading.offsets.size

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        assert self.kernels is not None
        assert self.reading is not None
        arrays, record = self.kernels.state()
        return {**arrays, "weights": self.reading.weights, "offsets": self.reading.offsets}, {**record, "sharpness": self.reading.sharpness}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self, spec = cls(), as_series(spec)
        self.kernels = (Waves if spec.rank == 1 else Patches).restore(arrays, record, spec)
        self.reading = ridge.Reading(arrays["weights"], arrays["offsets"], record["sharpness"])
        return self
