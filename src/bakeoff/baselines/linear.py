"""Logistic or ridge regression on what the kind offers: pixels, columns, n-grams of a text, a summary of a series or a clip.

Wang & Manning 2012, https://aclanthology.org/P12-2018, on how far n-grams and a linear model go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import aims, as_series, class_count, in_series, of_sets, unanswerable
from bakeoff.baselines.descent import descend
from bakeoff.baselines.flat import Flat
from bakeoff.baselines.motion import Motion
from bakeoff.baselines.ngrams import Ngrams
from bakeoff.baselines.summary import Summary
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec

Reader = Flat | Ngrams | Summary


def reader_for(spec: Spec) -> type[Flat] | type[Ngrams] | type[Summary]:
    """How examples of this Spec become rows of numbers."""
    if spec.channels is None:
        return Ngrams
    if spec.rank == 3:
        return Motion
    return Summary if spec.rank == 1 and not spec.one_cell else Flat


@baseline("linear")
class Linear:
    """One weighted sum of features per class (cross-entropy; of sets of labels, each label for itself) or for the number (squared
    error), weights held small by L2."""

    deterministic = True
    growth = 1.1                              # passes over the examples, a fixed number of them; n-grams are sorted

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self.weights: NDArray[np.float32] = np.zeros((0, 1), dtype=np.float32)
        self.offsets: NDArray[np.float32] = np.zeros(1, dtype=np.float32)
        self.apart = False                    # labels of sets: each score for itself
        self.filled = 0.0                     # features that are not zero, per example

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return unanswerable(task, sets=True)

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        spec = as_series(spec)
        values = (3.0, 30.0, 300.0) if spec.channels is None else (0.01, 0.1, 1.0, 10.0, 100.0)
        start = 30.0 if spec.channels is None else 1.0 if spec.rank == 1 else 0.1          # neighbouring pixels say the same
        return Space({"linear.C": Param("linear.C", start,
                                        "how freely the weights may grow: one over the L2 penalty", values=values)})

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        data, classes, self.apart = in_series(data), class_count(task), of_sets(task)
        self.reader = reader_for(data.spec)(data.spec)
        rows: Any = self.reader.fit(data)
        self.filled = float(rows.nnz if isinstance(self.reader, Ngrams) else rows.size) / max(1, rows.shape[0])
        self.weights, self.offsets = descend(rows, aims(data, classes), classes, float(params["linear.C"]))
        return self

    def outputs(self, data: Dataset) -> Tensor:
        import torch
        assert self.reader is not None
        scores = torch.from_numpy(np.asarray(self.reader.read(in_series(data)) @ self.weights) + self.offsets)
        return scores.log_softmax(-1) if scores.shape[1] > 1 and not self.apart else scores

    def macs(self) -> float:
        """Features × outputs; a series costs what its spectrum and lags cost before."""
        product = self.filled * self.weights.shape[1]
        return product + self.reader.macs() if isinstance(self.reader, Summary) else product

    def parameters(self) -> int:
        return sum(array.size for name, array in self.state()[0].items() if not name.startswith("keys"))

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        assert self.reader is not None
        arrays, record = self.reader.state()
        return {**arrays, "weights": self.weights, "offsets": self.offsets}, {**record, "filled": self.filled}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self, spec = cls(), as_series(spec)
        self.reader = reader_for(spec).restore(arrays, record, spec)
        self.weights, self.offsets, self.filled = arrays["weights"], arrays["offsets"], record["filled"]
        self.apart = of_sets(task)
        return self
