"""One row of the published results: its parts, their bars, and the result file, written anew after every part so that a stop loses none.

A script: `row = Row(3, "adding", __doc__)`, then per contender and setting `if row.wants("gru T=600"): row.add(Part(…))`, then
`sys.exit(row.finish())`. What is trained here goes through bakeoff's own contenders, tasks and loop: `made` turns arrays into a data set,
`setting` and `width_for` choose a point of a contender's space, `fit` trains at it, `compete` is `bakeoff run`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import bakeoff
from bakeoff.claims import trained
from bakeoff.claims.seeds import mean_of
from bakeoff.data.base import Arrays, Dataset
from bakeoff.machine import machine, versions
from bakeoff.nn.network import Network
from bakeoff.train import loop
from bakeoff.train.record import write_json
from bakeoff.types import Spec

RESULTS = Path(__file__).parent / "results"


@dataclass
class Part:
    """A contender at a setting. name begins with the contender's name: 'gru T=600'."""

    name: str
    published: str                            # as printed, with what it is of; '' where nothing is
    bar: float | None                         # None: reported beside the others
    best: str                                 # 'high', 'low', or 'equal': then the bar is how far the value may lie from `target`
    values: list[float]                       # one per seed
    unit: str                                 # 'accuracy', 'mse' …
    how: str = "mean"                         # value is the 'mean' or the 'best' of values
    reduced: str | None = None                # what was reduced against the paper
    counts: bool = True                       # False: reduced in a way that the row does not name
    setting: str = ""                         # what must be known beside the command
    seconds: float = 0.0
    target: float | None = None
    value: float = field(init=False)
    low: float = field(init=False)            # 95 % t interval of the mean over seeds; the extremes where the best is taken
    high: float = field(init=False)
    reached: bool | None = field(init=False)

    def __post_init__(self) -> None:
        values = np.asarray(self.values, float)
        pick = min if self.best == "low" else max
        self.value = float(values.mean() if self.how == "mean" else pick(values))
        interval = mean_of(self.values)[1:] if len(values) > 1 else (self.value, self.value)
        self.low, self.high = interval if self.how == "mean" else (float(values.min()), float(values.max()))
        self.reached = None if self.bar is None else self.within(self.bar)

    def within(self, bar: float) -> bool:
        if self.best == "equal":
            assert self.target is not None
            return abs(self.value - self.target) <= bar
        return self.value <= bar if self.best == "low" else self.value >= bar

    def __str__(self) -> str:
        sign = {"low": "≤", "high": "≥", "equal": f"{self.target} ±"}[self.best]
        said = "" if self.bar is None else f" (bar {sign} {self.bar:g}: {'reached' if self.reached else 'MISSED'})"
        return f"{self.name}: {self.value:.4g} [{self.low:.4g}, {self.high:.4g}] {self.unit}{said} – {self.seconds:.0f} s"


class Row:
    """Command line, parts and result file of a row. full: whether this machine runs what a CPU would take hours for."""

    def __init__(self, number: int, name: str, head: str) -> None:
        parser = argparse.ArgumentParser(description=head, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--data", type=Path, help="the folder of the data set")
        parser.add_argument("--only", default="", help="parts whose name begins with one of these words (with commas); the others' results are kept")
        parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
        parser.add_argument("--full", action="store_true", help="nothing reduced, however long it takes (the default on a GPU)")
        asked = parser.parse_args()
        self.number, self.path = number, RESULTS / f"{number:02d}_{name}.json"
        self.data: Path | None = asked.data
        self.device = torch.device("cuda" if asked.device == "auto" and torch.cuda.is_available() else asked.device.replace("auto", "cpu"))
        self.full = asked.full or self.device.type == "cuda"
        self.only = [one.strip() for one in asked.only.split(",") if one.strip()]
        self.began = self.last = time.perf_counter()
        self.parts: list[dict[str, Any]] = []
        self.before = 0.0
        if self.only and self.path.exists():
            record = json.loads(self.path.read_text(encoding="utf-8"))
            self.parts = [part for part in record["parts"] if not self.wants(part["name"])]
            self.before = sum(part["seconds"] for part in self.parts)

    def folder(self) -> Path:
        """--data; ends the script where it was not given or is none."""
        if self.data is None or not self.data.exists():
            raise SystemExit(f"row {self.number} reads a data set: give its folder by --data (see the head of the script)")
        return self.data

    def wants(self, name: str) -> bool:
        return not self.only or any(name.startswith(one) for one in self.only)

    def add(self, part: Part) -> None:
        """Adds a part, whose seconds are those since the part before where it does not say, and writes the result file."""
        now = time.perf_counter()
        part.seconds, self.last = part.seconds or round(now - self.last, 1), now
        print(part, flush=True)
        self.parts.append(asdict(part))
        RESULTS.mkdir(exist_ok=True)
        write_json(self.path, self.record())

    @property
    def reached(self) -> bool:
        counted = [part["reached"] for part in self.parts if part["bar"] is not None and part["counts"]]
        return bool(counted) and all(counted)

    def record(self) -> dict[str, Any]:
        where = machine(self.device.type)
        if self.device.type == "cuda":
            where["gpu"] = torch.cuda.get_device_name()
        return {"row": self.number, "script": f"benchmarks/scores/{self.path.stem}.py", "parts": self.parts, "reached": self.reached,
                "seconds": round(self.before + time.perf_counter() - self.began, 1), "machine": where,
                "threads": torch.get_num_threads(), "load": list(os.getloadavg()),
                "versions": versions(),
                "revision": revision()}

    def finish(self) -> int:
        """The exit code: 0 where every part that counts reached its bar."""
        print(f"row {self.number}: {'reached' if self.reached else 'NOT reached'} → {self.path.relative_to(RESULTS.parent)}")
        return 0 if self.reached else 1


def revision() -> str:
    """The commit that ran, with '+' where files differed from it."""
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=RESULTS.parent, capture_output=True, text=True, check=False).stdout.strip()
    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no", "--", "../../src") else "")


def made(cells: Any, targets: Sequence[Any], task: Any, *, vocab: int | None = None, axes: tuple[str, ...] = ("time",), kind: str = "series",
         like: Dataset | None = None) -> Dataset:
    """cells (N, *S, C), or ids (N, *S) with `vocab`, and targets in the task's own words → a data set, targets collated.

    task: fitted on these targets, unless `like` (the training split) is given, whose Spec is taken over.
    """
    spec = None if like is None else like.spec
    if spec is None:
        shape = cells.shape[1:1 + len(axes)]
        flat = None if vocab is not None else np.asarray(cells, np.float32).reshape(-1, cells.shape[-1])
        spec = Spec(kind, axes, shape, None if flat is None else flat.shape[1], vocab, None, {"train": len(cells), "val": 0, "test": 0}, "made",
                    () if flat is None else tuple(flat.mean(0).tolist()), () if flat is None else tuple(flat.std(0).tolist()), shape, shape)
        task.fit(targets, spec)
    data = Dataset(spec, Arrays(cells), targets, [str(number) for number in range(len(cells))])
    return data.collate(None if task.sort == "itself" else task.collate)


def setting(name: str, data: Dataset, task: Any, **params: Any) -> dict[str, Any]:
    """A contender's starting setting, but for `params`, whose names must be choices of it."""
    return trained.setting(trained.Entry(name, name), data.spec, task, **params)


def network_of(name: str, data: Dataset, task: Any, params: dict[str, Any], seed: int = 0) -> Network:
    return trained.network_of(trained.Entry(name, name), data.spec, task, params, seed)


def width_for(parameters: int, name: str, data: Dataset, task: Any, params: dict[str, Any], step: int = 2) -> int:
    """The largest width, a multiple of `step`, with at most so many parameters."""
    width = step
    while network_of(name, data, task, {**params, "width": width + step}).parameter_count() <= parameters:
        width += step
    return width


def fit(name: str, train: Dataset, task: Any, params: dict[str, Any], *, steps: int, seed: int, val: Dataset | None = None, looks: int = 0,
        device: torch.device | None = None) -> Network:
    """A contender trained at a setting for so many steps by the one loop."""
    network = network_of(name, train, task, params, seed).to(device or "cpu")
    batch = min(int(params["batch"]), len(train))
    loop.train(network, train, val, task, params, examples=steps * batch, seed=seed, looks=looks, device=device)
    return network


def compete(data: str | Path, out: str | Path | None = None, **options: Any) -> bakeoff.Result:
    """`bakeoff run DATA` in a folder of its own, which is kept where `out` is given."""
    return bakeoff.run(data, out=out or Path(tempfile.mkdtemp()) / "run", **options)


def seeds_of(result: bakeoff.Result, contender: str) -> list[float]:
    """The metric that was tuned for, on the test split, one value per seed."""
    return list(result.read("comparison.json")["values"][contender]["seeds"])


def beside(result: bakeoff.Result, contender: str, metric: str) -> float:
    """Another of the task's metrics on the test split, mean over seeds."""
    return float(result.read("comparison.json")["beside"][contender][metric])
