"""What claims that count share: a contender's network for examples of a given shape, its weights and its multiply-adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from bakeoff import registry
from bakeoff.cost import count
from bakeoff.nn.network import Network
from bakeoff.tasks.base import Task
from bakeoff.tasks.classify import Classify
from bakeoff.train.choices import space_of
from bakeoff.types import Batch, Grid, Spec

AXES = {1: ("series", ("time",)), 2: ("image", ("height", "width"))}
CLASSES = 10


def spec_of(sizes: tuple[int, ...], channels: int) -> Spec:
    """Of 2,000 series or images of that shape, with 10 classes."""
    kind, axes = AXES[len(sizes)]
    return Spec(kind, axes, sizes, channels, None, None, {"train": 2000, "val": 0, "test": 0}, "counted", (0.0,) * channels, (1.0,) * channels,
                sizes, sizes)


def task_of() -> Task:
    task: Any = Classify([str(number) for number in range(CLASSES)], [200] * CLASSES, 2000)
    return task


def network_for(name: str, sizes: tuple[int, ...], channels: int, **params: Any) -> Network:
    """A family's network at its starting setting, but for `params`."""
    family, spec, task = registry.get("family", name), spec_of(sizes, channels), task_of()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Network(family, spec, task, {**space_of(family, spec, task).defaults(), **params})


def counted(name: str, sizes: tuple[int, ...], channels: int, params: Mapping[str, Any]) -> dict[str, Any]:
    """Weights, multiply-adds of one example, and the cells that the encoder reads."""
    network = network_for(name, sizes, channels, **params)
    one = Batch(Grid(torch.zeros(1, *sizes, channels)), None, [""], {})
    cells, _ = network.fold(one.x)
    return {"parameters": network.parameter_count(), "macs": count(network, one).macs, "cells": cells.x[..., 0].numel()}
