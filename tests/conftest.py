"""What tests share: planted data as Datasets, and the folder of real data sets where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bakeoff.data.base import Arrays, Dataset, Splits
from bakeoff.tasks.classify import Classify
from bakeoff.types import Spec

torch.set_num_threads(1)
SHARED = Path(__file__).parents[1] / "../shared/data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the checkout; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("real data sets are not beside this checkout")
    return SHARED


@pytest.fixture
def bumps() -> Callable[..., tuple[Splits, Classify]]:
    """Series of two classes that a glance tells apart: a bump upwards or downwards somewhere in noise."""
    def make(examples: int = 120, length: int = 24, inner: int = 0, ragged: bool = False, seed: int = 0) -> tuple[Splits, Classify]:
        rng = np.random.default_rng(seed)
        x = rng.normal(0, 0.3, (examples, length, 1)).astype(np.float32)
        labels = ["up" if k % 2 else "down" for k in range(examples)]
        for k, label in enumerate(labels):
            at = rng.integers(2, length // 2 if ragged else length - 4)
            x[k, at:at + 3] += 2.0 if label == "up" else -2.0
        spec = Spec("series", ("time",), (None if ragged else length,), 1, None, None, {"train": examples}, "planted", (0.0,), (1.0,),
                    (length,), (length,))
        if ragged:
            lengths = rng.integers(length // 2 + 2, length + 1, examples)
            arrays = Arrays(np.concatenate([series[:size] for series, size in zip(x, lengths, strict=True)]), lengths[:, None])
        else:
            arrays = Arrays(x)
        task = Classify().fit(labels, spec)
        data = Dataset(spec, arrays, labels, [f"case {k}" for k in range(examples)])
        data.aim(task.collate(labels))
        part = examples // 5
        if inner:
            rows = np.arange(examples)
            folds = tuple((rows[rows % inner != k], rows[rows % inner == k]) for k in range(inner))
            return Splits(data, None, data.subset(range(part)), folds), task
        return Splits(data.subset(range(2 * part, examples)), data.subset(range(part, 2 * part)), data.subset(range(part))), task
    return make
