"""Piano rolls with a given split, for the rows about music: read as bakeoff reads them, the three splits kept apart.

The published networks learn from `train` alone, with `valid` only to stop by; `bakeoff run` would learn its finals from both. So
these rows train on `train`, choose on `valid`, and open `test` once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from row import Part, Row, fit, setting, width_for

from bakeoff import registry
from bakeoff.data.base import Dataset
from bakeoff.data.load import load
from bakeoff.nn.network import Network
from bakeoff.options import Options
from bakeoff.train import loop


class Rolls(NamedTuple):
    train: Dataset
    val: Dataset
    test: Dataset
    task: Any


def given(path: Path, name: str) -> Rolls:
    """path: a file of piano rolls, or the folder with NAME.mat, NAME.npz or NAME.json.gz."""
    if path.is_dir():
        path = next((one for end in ("mat", "npz", "json.gz", "json") if (one := path / f"{name}.{end}").exists()), path)
    splits = load(str(path), Options(task="predict")).splits
    assert splits.test is not None
    both, keys = splits.together(), splits.together().keys
    rows = [[row for row, key in enumerate(keys) if key.startswith(split)] for split in ("train", "val")]
    seen = both.subset(rows[0])
    steps = np.concatenate([seen.raw(row).x.numpy() for row in range(len(seen))]).astype(np.float64)
    # of `train` alone, where bakeoff itself would validate by folds inside both
    spec = replace(both.spec, mean=tuple(steps.mean(0).tolist()), std=tuple(steps.std(0).tolist()),
                   counts={"train": len(rows[0]), "val": len(rows[1]), "test": len(splits.test)})
    task = registry.get("task", "predict")().fit((), spec)
    both.spec = splits.test.spec = spec
    return Rolls(*(part.collate(None) for part in (both.subset(rows[0]), both.subset(rows[1]), splits.test)), task)


def nll(network: Network, data: Dataset, task: Any, device: Any) -> float:
    """Nats per step, a sum over 88 keys, mean over all steps but the first of each piece."""
    return loop.evaluate(network, data, task, device)[0]


def compared(row: Row, rolls: Rolls, settings: Mapping[str, Mapping[str, Any]], published: Mapping[str, tuple[str, float]], *, most: int,
             steps: int, seeds: Sequence[int], reduced: str | None = None) -> None:
    """Trains each contender, as wide as `most` parameters allow, for so many steps on `train`, and adds its nats on `test` as a part."""
    train, val, test, task = rolls
    for name, own in settings.items():
        if not row.wants(name):
            continue
        params = setting(name, train, task, **own)
        params["width"] = width_for(most, name, train, task, params)
        networks = [fit(name, train, task, params, steps=steps, seed=seed, device=row.device) for seed in seeds]
        values = [nll(network, test, task, row.device) for network in networks]
        chosen = sum(nll(network, val, task, row.device) for network in networks) / len(networks)
        said, bar = published[name]
        row.add(Part(name, said, bar, "low", values, "nats per step", reduced=reduced,
                     setting=f"{networks[0].parameter_count():,} parameters, width {params['width']}, lr {params['lr']:g}, dropout "
                             f"{params['dropout']:g}, {steps:,} steps of {params['batch']} pieces; {chosen:.2f} on valid"))
