"""Made-up data of the shapes that the speed benchmarks train on: noise, since what is learnt costs the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from bakeoff import registry
from bakeoff.data.base import Arrays, Dataset
from bakeoff.nn.network import Network
from bakeoff.train.choices import space_of
from bakeoff.types import Spec

CLASSES = tuple("abcdefghij")
VOCABULARY = 4000


def problem(kind: str, count: int = 1024) -> tuple[Dataset, Any]:
    """(data with collated targets, task) of 'series' (128 × 3), 'image' (16 × 16 grey pixels) or 'text' (32 ids), 10 classes."""
    rng = np.random.default_rng(0)
    axes: tuple[str, ...] = ("time",)
    if kind == "series":
        cells: np.ndarray = rng.standard_normal((count, 128, 3), dtype=np.float32)
    elif kind == "image":
        cells, axes = rng.integers(0, 256, (count, 16, 16, 1), dtype=np.uint8), ("height", "width")
    else:
        cells = rng.integers(0, VOCABULARY, (count, 32), dtype=np.int32)
    sizes, channels = cells.shape[1:1 + len(axes)], cells.shape[-1] if kind != "text" else None
    spec = Spec(kind, axes, sizes, channels, None if channels else VOCABULARY, None, {"train": count, "val": 0, "test": 0}, "noise",
                (0.0,) * (channels or 0), (1.0 if kind == "series" else 255.0,) * (channels or 0), sizes, sizes)
    task = registry.get("task", "classify")(CLASSES)
    targets = [CLASSES[number] for number in rng.integers(0, 10, count)]
    data = Dataset(spec, Arrays(cells), targets, [str(number) for number in range(count)])
    return data.aim(task.collate(targets)), task


def setting(name: str, data: Dataset, task: Any, **params: Any) -> dict[str, Any]:
    """A contender's starting setting, but for `params`."""
    return {**space_of(registry.get("family", name), data.spec, task).defaults(), **params}


def network_of(name: str, data: Dataset, task: Any, params: dict[str, Any]) -> Network:
    return Network(registry.get("family", name), data.spec, task, params)
