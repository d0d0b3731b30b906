"""Small datasets in memory, made from arrays or lists of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from bakeoff.data.base import Arrays, Dataset
from bakeoff.tasks.base import Task
from bakeoff.tasks.classify import Classify
from bakeoff.tasks.regress import Regress
from bakeoff.types import Spec

AXES = {1: ("time",), 2: ("height", "width"), 3: ("time", "height", "width")}


def make(cells: Any, targets: Sequence[Any], vocabulary: list[str] | None = None) -> tuple[Dataset, Task]:
    """cells: (N, *S, C), or a list of (*S, C) that differ in size; (N, T) or a list of (T,) ids where there is a vocabulary.
    Numbers as targets make a regression."""
    ids = vocabulary is not None
    each = list(cells)
    rank = each[0].ndim if ids else each[0].ndim - 1
    shapes = np.array([one.shape[:rank] for one in each], dtype=np.int64)
    same = bool((shapes == shapes[0]).all())
    arrays = Arrays(np.stack(each)) if same else Arrays(np.concatenate([one.reshape(-1, *one.shape[rank:]) for one in each]), shapes)
    channels = None if ids else each[0].shape[-1]
    flat = np.zeros((1, 1)) if channels is None else np.concatenate([one.reshape(-1, channels) for one in each]).astype(np.float64)
    spec = Spec("made", AXES[rank], tuple(shapes[0].tolist()) if same else (None,) * rank, channels,
                None if vocabulary is None else len(vocabulary), None, {"train": len(each)}, "made",
                () if ids else tuple(flat.mean(0).tolist()), () if ids else tuple(flat.std(0).tolist()),
                tuple(int(size) for size in shapes.max(0)), tuple(max(1, int(size)) for size in np.median(shapes, axis=0)))
    task: Task = (Regress() if isinstance(targets[0], float) else Classify()).fit(targets, spec)
    data = Dataset(spec, arrays, list(targets), [str(number) for number in range(len(each))])
    data.vocabulary = vocabulary
    data.aim(task.collate(targets))
    return data, task


@pytest.fixture
def made() -> Callable[..., tuple[Dataset, Task]]:
    return make
