"""Fixed random kernels in groups, of which at each step one wins and one loses; how often each did, and a ridge regression on it.
Dempster et al. 2023, https://arxiv.org/abs/2203.13652

On images the kernels are patches of training images (dictionary.py). Probabilities: softmax of the ridge's scores, made as
steep as fits the scores of examples left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bakeoff.baselines import ridge
from bakeoff.baselines.base import aims, as_series, class_count, in_series
from bakeoff.baselines.convolved import Convolved, afforded
from bakeoff.baselines.dictionary import RIVALS, Dictionary, Scenes
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("hydra")
class Hydra(Convolved):
    """Nothing but the ridge, and what is usual of each count, is learnt, so it needs no gradient and little time."""

    kinds = (Dictionary, Scenes)

    def __init__(self) -> None:
        super().__init__()
        self.usual: NDArray[np.float32] = np.zeros((2, 0), dtype=np.float32)        # mean and spread of each root

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        groups = (64, 16) if as_series(spec).rank == 1 else (32, 10)
        meaning = f"groups of {RIVALS} kernels" + (" at each dilation" if groups[0] == 64 else "")
        return Space({"hydra.groups": Param("hydra.groups", groups[0], meaning, values=groups)})

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        data, classes, generator = in_series(data), class_count(task), np.random.default_rng(seed)
        groups, kind = int(params["hydra.groups"]), self.kinds[data.spec.rank > 1]
        each = kind.drawn(data, groups, np.random.default_rng(seed)).numbers / groups
        self.kernels = kind.drawn(data, afforded(groups, each, len(data)), generator)
        x = self.roots(data)
        none = (x == 0).mean(0)
        self.usual = np.stack([x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64) + none ** 4 + 1e-8]).astype(np.float32)
        self.reading = ridge.Reading.learnt(self.levelled(x), aims(data, classes), classes, level=False)
        return self

    def roots(self, data: Dataset) -> NDArray[np.float32]:
        """Roots of the votes: a count's spread grows with its root."""
        x: NDArray[np.float32] = self.kernels.features(data)
        return np.sqrt(np.maximum(x, 0, out=x), out=x)

    def levelled(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """In deviations from what is usual; what never happened stays zero, and what rarely happens is not blown up."""
        return (x - self.usual[0]) * (x != 0) / self.usual[1]

    def found(self, data: Dataset) -> NDArray[np.float32]:
        return self.levelled(self.roots(data))

    def macs(self) -> float:
        """Convolutions and contests, a root and a scaling of each count, then the ridge."""
        return super().macs() + 2 * self.usual.shape[1]

    def parameters(self) -> int:
        return super().parameters() + self.usual.size

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        arrays, record = super().state()
        return {**arrays, "usual": self.usual}, record

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = super().restore(arrays, record, spec, task)
        self.usual = arrays["usual"]
        return self
