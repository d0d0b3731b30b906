"""What claims that train networks share: generated examples as a data set, and networks of about equal size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bakeoff import registry
from bakeoff.data.base import Arrays, Dataset
from bakeoff.nn.network import Network
from bakeoff.tasks.base import Task
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.types import Spec

COMMON = {"pool": "last", "causal": True, "fold": "keep"}     # read one way, step by step, answered at the last: what is remembered was carried there


class Entry(NamedTuple):
    """A network as a claim lets it enter. name: as the page says it; params: choices that differ from the family's starting setting."""

    name: str
    family: str
    params: Mapping[str, Any] = {}

    @property
    def group(self) -> str:
        return str(registry.get("family", self.family).group)


def made(cells: NDArray[np.float32] | Sequence[NDArray[np.float32]], targets: Sequence[Any], task: Task, like: Dataset | None = None,
         sizes: tuple[int | None, ...] | None = None) -> Dataset:
    """cells (N, T, C), or a list of (T, C) of many lengths, and targets in the task's own words → a data set, its targets collated.

    The Spec is taken from these examples, on which the task is fitted, or from `like`, the training split. sizes: (None,) where the
    length is said to vary though it does not.
    """
    flat = cells.reshape(-1, cells.shape[-1]) if isinstance(cells, np.ndarray) else np.concatenate(cells)
    lengths = np.array([len(one) for one in cells])
    arrays = Arrays(cells) if isinstance(cells, np.ndarray) else Arrays(flat, lengths[:, None])
    if like is None:
        spec = Spec("series", ("time",), sizes or arrays.sizes(1), flat.shape[1], None, None, {"train": len(cells), "val": 0, "test": 0}, "made",
                    tuple(flat.mean(0).tolist()), tuple(flat.std(0).tolist()), (int(lengths.max()),), (int(np.median(lengths)),))
        task.fit(targets, spec)
    else:
        spec = like.spec
    return Dataset(spec, arrays, targets, [str(number) for number in range(len(cells))]).collate(task.collate)


def setting(entry: Entry, spec: Spec, task: Task, **params: Any) -> dict[str, Any]:
    """The family's starting setting, but for `params` and the entry's own, whose names it must have."""
    space = space_of(registry.get("family", entry.family), spec, task)
    chosen = {**params, **entry.params}
    unknown = set(chosen) - set(space) - set(COMMON)
    assert not unknown, f"{entry.family} has no {', '.join(sorted(unknown))}"
    return {**space.defaults(), **chosen}


def network_of(entry: Entry, spec: Spec, task: Task, params: Mapping[str, Any], seed: int) -> Network:
    torch.manual_seed(seed)
    return Network(registry.get("family", entry.family), spec, task, params)


def width_for(parameters: int, entry: Entry, spec: Spec, task: Task, params: Mapping[str, Any]) -> int:
    """The width, a multiple of 4 (of 8 where heads share it), with which the network comes nearest to so many parameters."""
    step = 8 if f"{entry.family}.heads" in params else 4
    width, before = step, -math.inf
    while (count := network_of(entry, spec, task, {**params, "width": width}, 0).parameter_count()) < parameters:
        before, width = count, width + step
    return width if width == step or count - parameters <= parameters - before else width - step


def fitted(entry: Entry, train: Dataset, task: Task, params: Mapping[str, Any], *, steps: int, seed: int, val: Dataset | None = None,
           looks: int = 0) -> tuple[Network, loop.Course | None]:
    """A network trained for so many steps by the one loop, and how that went; None where it diverged."""
    network = network_of(entry, train.spec, task, params, seed)
    try:
        course = loop.train(network, train, val, task, params, examples=steps * min(int(params["batch"]), len(train)), seed=seed, looks=looks)
    except loop.Diverged:
        course = None
    return network, course
