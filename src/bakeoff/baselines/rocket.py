"""Thousands of fixed random convolutions, pooled to a few numbers each, and a ridge regression on them.
Dempster et al. 2020, https://arxiv.org/abs/1910.13051

In the form of MiniRocket for series (waves.py); for images the kernels are patches of training images (patches.py).
Probabilities: softmax of the ridge's scores, made as steep as fits the scores of examples left out.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from bakeoff.baselines import ridge
from bakeoff.baselines.base import aims, as_series, class_count, in_series
from bakeoff.baselines.convolved import Convolved, afforded
from bakeoff.baselines.patches import Patches
from bakeoff.baselines.waves import Waves
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec


@baseline("rocket")
class Rocket(Convolved):
    """Nothing but the ridge is learnt, so it needs no gradient and little time."""

    kinds = (Waves, Patches)

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
        kernels = afforded(kernels, each, len(data))
        if data.spec.rank == 1:
            self.kernels = Waves.drawn(data, kernels, bool(params["rocket.differences"]), generator)
        else:
            self.kernels = Patches.drawn(data, kernels, generator)
        self.reading = ridge.Reading.learnt(self.found(data), aims(data, classes), classes)
        return self
