"""Thousands of fixed random convolutions, pooled to a few numbers each, and a ridge regression on them.

Dempster, Petitjean & Webb 2020, ROCKET, https://arxiv.org/abs/1910.13051, in the form of MiniRocket for series (waves.py); for
images the kernels are patches of training images (patches.py). Probabilities: softmax of the ridge's scores, made as steep as
fits the scores of examples left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines import ridge
from bakeoff.baselines.base import aims, as_series, class_count, in_series, unanswerable
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
        self.weights: NDArray[np.float32] = np.zeros((0, 1), dtype=np.float32)      # the features' scale is part of them
        self.offsets: NDArray[np.float32] = np.zeros(1, dtype=np.float32)
        self.sharpness = 1.0

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        spec = as_series(spec)
        if spec.channels is None:
            return "it convolves numbers, and the ids of words or characters are names, not amounts"
        if spec.one_cell:
            return "it convolves neighbouring cells, and a table's row has no cells beside each other"
        if spec.rank > 2:
            return f"it convolves along one or two axes, and here are {spec.rank}"
        if spec.rank == 2 and None in spec.sizes:
            return "its kernels are pooled in fixed regions, and these examples differ in size"
        return unanswerable(task)

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
        x, y = self.kernels.features(data), aims(data, classes)
        mean = x.mean(0, dtype=np.float64).astype(np.float32)
        x -= mean
        spread = np.sqrt(np.einsum("nd,nd->d", x, x) / max(1, len(x)))
        scale = (1 / np.where(spread > 1e-6, spread, 1.0)).astype(np.float32)
        x *= scale
        wanted = np.where(y[:, None] == np.arange(classes), 1.0, -1.0) if classes else y
        found = ridge.fit(x, wanted)
        self.weights = found.weights * scale[:, None]
        self.offsets = found.offsets - mean @ self.weights
        if classes:
            self.sharpness = ridge.sharpness(found.left_out, y[found.rows])
        return self

    def outputs(self, data: Dataset) -> Tensor:
        import torch
        assert self.kernels is not None
        data = in_series(data)
        parts = [self.kernels.features(data.subset(np.arange(start, min(start + AT_ONCE, len(data))))) @ self.weights
                 for start in range(0, len(data), AT_ONCE)]
        scores = torch.from_numpy(np.concatenate([*parts, np.zeros((0, self.weights.shape[1]), dtype=np.float32)]) + self.offsets)
        return (scores * self.sharpness).log_softmax(-1) if scores.shape[1] > 1 else scores

    def macs(self) -> float:
        """Convolutions and pooling, then the ridge."""
        assert self.kernels is not None
        return self.kernels.macs() + self.weights.size

    def parameters(self) -> int:
        assert self.kernels is not None
        return self.kernels.parameters() + self.weights.size + self.offsets.size

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        assert self.kernels is not None
        arrays, record = self.kernels.state()
        return {**arrays, "weights": self.weights, "offsets": self.offsets}, {**record, "sharpness": self.sharpness}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self, spec = cls(), as_series(spec)
        self.kernels = (Waves if spec.rank == 1 else Patches).restore(arrays, record, spec)
        self.weights, self.offsets, self.sharpness = arrays["weights"], arrays["offsets"], record["sharpness"]
        return self
