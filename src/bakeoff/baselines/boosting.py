"""Gradient boosting of trees on binned columns, or on a summary of each series, by scikit-learn; the trees are kept as arrays and
walked here.

Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree"; why it is the one to beat on tables: Grinsztajn
et al. 2022, https://arxiv.org/abs/2207.08815.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import aims, as_series, class_count, in_series, unanswerable
from bakeoff.baselines.summary import Summary
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec

ROUNDS = 300                  # most trees per output; fewer where the inner split says so
PATIENCE = 15                 # rounds without gain on the inner split
INNER = 0.15                  # its share
FEW = 60                      # examples under which nothing is held out and PLAIN rounds are grown
PLAIN = 60
TREES, LEAST = 1000, 20       # of many classes, each with its own trees, so many trees in all, but at least so many rounds
BINS = 31                     # of a summary's numbers, which are many and cut anyway; a table's columns have scikit-learn's 255
AT_ONCE = 1 << 20             # places in trees that are walked at a time
NODE = {"feature": "feature_idx", "threshold": "num_threshold", "left": "left", "right": "right", "value": "value"}


@baseline("boosting")
class Boosting:
    """Trees are grown one after the other, each on what the ones before still get wrong."""

    deterministic = False                     # the inner split is drawn by the seed
    growth = 1.1

    def __init__(self) -> None:
        self.nodes: dict[str, NDArray[Any]] = {}                             # of all trees, one behind the other; a leaf leads to itself
        self.roots: NDArray[np.int64] = np.zeros((0, 1), dtype=np.int64)     # (rounds, outputs)
        self.start: NDArray[np.float64] = np.zeros(1)                        # (outputs,) before the first tree
        self.seen: NDArray[np.int64] = np.zeros(0, dtype=np.int64)           # class numbers that the training part held; empty: a number
        self.summary: Summary | None = None   # how a series becomes columns; None: they are there
        self.classes = 0
        self.depth = 0
        self.steps = 0.0                      # comparisons per tree

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        seen = as_series(spec)
        if seen.channels is None or (seen.rank > 1 and not seen.one_cell):
            return "it asks one column at a time, and only a table's columns and the summary of a series mean the same in every example"
        return unanswerable(task)

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space({
            "boosting.rate": Param("boosting.rate", 0.1, "share of each tree that is added", values=(0.03, 0.1, 0.3)),
            "boosting.leaves": Param("boosting.leaves", 31, "most leaves of a tree", values=(8, 31)),
        })

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
        data, self.classes = in_series(data), class_count(task)
        self.summary = Summary(data.spec) if summarised(data.spec) else None
        if self.summary is not None:
            self.summary.fit(data)
        x, y = self.columns(data), aims(data, self.classes)
        y = y if self.classes else y[:, 0]
        if self.classes:
            self.seen, count = np.unique(y, return_counts=True)
            if len(self.seen) == 1:
                self.start = np.zeros(1)
                return self
            inner = max(INNER, (len(self.seen) + 1) / len(y))
            held_out = len(y) >= FEW and count.min() >= 2 and inner <= 0.5
        else:
            inner, held_out = INNER, len(y) >= FEW
        model = HistGradientBoostingClassifier if self.classes else HistGradientBoostingRegressor
        common = {"learning_rate": float(params["boosting.rate"]), "max_leaf_nodes": int(params["boosting.leaves"]),
                  "min_samples_leaf": max(1, min(20, len(y) // 10)), "l2_regularization": 1e-3, "random_state": seed,
                  "max_bins": 255 if self.summary is None else BINS}
        rounds = min(PLAIN, max(LEAST, TREES // max(1, len(self.seen))))
        if held_out:                          # says how many rounds; the trees that count are then grown on all examples
            most = max(LEAST, min(ROUNDS, TREES // max(1, len(self.seen))))
            tried = model(max_iter=most, early_stopping=True, validation_fraction=inner, n_iter_no_change=PATIENCE, **common).fit(x, y)
            rounds = max(1, int(np.argmax(tried.validation_score_)))
        grown = model(max_iter=rounds, early_stopping=False, **common).fit(x, y)
        self.keep(grown._predictors, np.asarray(grown._baseline_prediction, dtype=np.float64).reshape(-1))
        return self

    def columns(self, data: Dataset) -> NDArray[np.float64]:
        """(N, C)."""
        return columns(data) if self.summary is None else self.summary.read(data).astype(np.float64)

    def keep(self, rounds: Any, start: NDArray[np.float64]) -> None:
        """scikit-learn's trees (rounds × outputs) as arrays."""
        parts: dict[str, list[NDArray[Any]]] = {name: [] for name in NODE}
        roots, begin, walked = np.zeros((len(rounds), len(start)), dtype=np.int64), 0, 0.0
        for row, trees in enumerate(rounds):
            for column, tree in enumerate(trees):
                nodes, here = tree.nodes, np.arange(begin, begin + len(tree.nodes))
                leaf = nodes["is_leaf"].astype(bool)
                for name, field in NODE.items():
                    values = nodes[field]
                    parts[name].append(np.where(leaf, here, values.astype(np.int64) + begin) if name in ("left", "right") else values)
                roots[row, column], begin = begin, begin + len(nodes)
                self.depth = max(self.depth, int(nodes["depth"].max()))
                walked += float((nodes["depth"] * nodes["count"] * leaf).sum() / nodes["count"][0])
        self.nodes = {name: np.concatenate(arrays) for name, arrays in parts.items()} if begin else {}
        self.roots, self.start, self.steps = roots, start, walked / max(1, roots.size)

    def scores(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, outputs): what the trees add up to."""
        total = np.tile(self.start, (len(x), 1))
        step = max(1, AT_ONCE // max(1, self.roots.size))
        for begin in range(0, len(x) if self.roots.size else 0, step):
            part = x[begin:begin + step]
            place = np.tile(self.roots.reshape(-1), (len(part), 1))          # (n, trees)
            rows = np.arange(len(part))[:, None]
            for _ in range(self.depth):
                low = part[rows, self.nodes["feature"][place]] <= self.nodes["threshold"][place]
                place = np.where(low, self.nodes["left"][place], self.nodes["right"][place])
            total[begin:begin + step] += self.nodes["value"][place].reshape(len(part), *self.roots.shape).sum(1)
        return total

    def outputs(self, data: Dataset) -> Tensor:
        import torch
        scores = torch.from_numpy(self.scores(self.columns(in_series(data))))
        if not self.classes:
            return scores.float()
        if scores.shape[1] == 1:                                             # two classes share one tree: its score is the second's
            scores = torch.cat([torch.zeros_like(scores), scores], 1)[:, -len(self.seen):]
        full = torch.full((len(scores), self.classes), -torch.inf, dtype=scores.dtype)
        full[:, torch.from_numpy(self.seen)] = scores.log_softmax(-1)
        return full.clamp(min=-14.0).log_softmax(-1).float()                 # about 1e-6 for what it never saw

    def macs(self) -> float:
        """A comparison per level of each tree, and an addition per tree; a series costs what its summary costs before."""
        return self.roots.size * (self.steps + 1) + (0 if self.summary is None else self.summary.macs())

    def parameters(self) -> int:
        """Column, threshold and value of every node."""
        return 3 * len(self.nodes.get("value", ())) + len(self.start)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        read = {} if self.summary is None else {f"summary.{name}": array for name, array in self.summary.state()[0].items()}
        return {**self.nodes, **read, "roots": self.roots, "start": self.start, "seen": self.seen}, {"depth": self.depth, "steps": self.steps}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self, spec = cls(), as_series(spec)
        if summarised(spec):
            self.summary = Summary.restore({name: arrays[f"summary.{name}"] for name in ("mean", "scale")}, {}, spec)
        self.nodes = {name: arrays[name] for name in NODE if name in arrays}
        self.roots, self.start, self.seen = arrays["roots"], arrays["start"], arrays["seen"]
        self.classes, self.depth, self.steps = class_count(task), record["depth"], record["steps"]
        return self


def summarised(spec: Spec) -> bool:
    return spec.rank == 1 and not spec.one_cell


def columns(data: Dataset) -> NDArray[np.float64]:
    """(N, C): thresholds are float64, and so must be what they are compared with."""
    rows = data.take(np.arange(len(data))).x.x
    return rows.reshape(len(data), data.spec.channels or 1).double().numpy()
