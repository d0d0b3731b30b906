"""Training examples kept for comparison, one way for each sort of data: which of them are nearest to a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines import dtw
from bakeoff.baselines.base import BLOCK
from bakeoff.baselines.flat import Flat
from bakeoff.baselines.ngrams import Ngrams
from bakeoff.data.base import Dataset
from bakeoff.types import Params, Spec

Whole = NDArray[np.int64]

LONGEST = 512                 # steps of a series that is warped; longer ones are averaged down to it


class Store(Protocol):
    """Examples with a distance."""

    @classmethod
    def holding(cls, data: Dataset, params: Params) -> Self: ...

    def nearest(self, data: Dataset, count: int) -> Whole:
        """(N, count) positions of stored examples, the nearest first; count is at most their number."""
        ...

    def among(self, rows: Whole, count: int) -> Whole:
        """The same for stored examples, each looked up among the others; count is less than their number."""
        ...

    def macs(self) -> float: ...

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]: ...

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self: ...


def store_for(spec: Spec) -> type[Vectors] | type[Texts] | type[Series]:
    if spec.channels is None:
        return Texts
    return Series if spec.rank == 1 and not spec.one_cell else Vectors


class Vectors:
    """Rows of numbers by Euclidean distance."""

    def __init__(self, reader: Flat, rows: NDArray[np.float32]) -> None:
        self.reader, self.rows = reader, torch.from_numpy(rows)
        self.square = self.rows.square().sum(1)

    @classmethod
    def holding(cls, data: Dataset, params: Params) -> Self:
        reader = Flat(data.spec)
        return cls(reader, reader.fit(data))

    def nearest(self, data: Dataset, count: int) -> Whole:
        return self.search(torch.from_numpy(self.reader.read(data)), count)

    def among(self, rows: Whole, count: int) -> Whole:
        return self.search(self.rows[torch.from_numpy(rows)], count, rows)

    def search(self, queries: Tensor, count: int, without: Whole | None = None) -> Whole:
        found = np.empty((len(queries), count), dtype=np.int64)
        for where in apart(len(queries), len(self.rows)):
            closeness = (queries[where] @ self.rows.T).mul_(2).sub_(self.square)            # −|a − b|² but for |a|²: the same for all b
            found[where] = top(closeness, count, None if without is None else without[where])
        return found

    def macs(self) -> float:
        return float(self.rows.numel())

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays, record = self.reader.state()
        return {**arrays, "rows": self.rows.numpy()}, record

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        return cls(Flat.restore(arrays, record, spec), arrays["rows"])


class Texts:
    """Weighted counts of words and of neighbouring words, by the cosine of the angle between them."""

    def __init__(self, reader: Ngrams, rows: Any) -> None:
        self.reader, self.rows = reader, rows                                # CSR
        self.turned = rows.T.tocsr()

    @classmethod
    def holding(cls, data: Dataset, params: Params) -> Self:
        reader = Ngrams(data.spec, characters=False)
        return cls(reader, reader.fit(data))

    def nearest(self, data: Dataset, count: int) -> Whole:
        return self.search(self.reader.read(data), count)

    def among(self, rows: Whole, count: int) -> Whole:
        return self.search(self.rows[rows], count, rows)

    def search(self, queries: Any, count: int, without: Whole | None = None) -> Whole:
        found = np.empty((queries.shape[0], count), dtype=np.int64)
        for where in apart(queries.shape[0], self.rows.shape[0]):
            closeness = torch.from_numpy((queries[where] @ self.turned).toarray())
            found[where] = top(closeness, count, None if without is None else without[where])
        return found

    def macs(self) -> float:
        """A text like the stored ones meets an n-gram as often as they hold it: Σ texts with it² / texts."""
        return float(np.square(np.diff(self.turned.indptr).astype(np.float64)).sum() / max(1, self.rows.shape[0]))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays, record = self.reader.state()
        kept = {"rows.data": self.rows.data, "rows.indices": self.rows.indices, "rows.indptr": self.rows.indptr}
        return {**arrays, **kept}, {**record, "texts": self.rows.shape[0]}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        from scipy.sparse import csr_matrix
        reader = Ngrams.restore(arrays, record, spec)
        parts = (arrays["rows.data"], arrays["rows.indices"], arrays["rows.indptr"])
        return cls(reader, csr_matrix(parts, shape=(record["texts"], reader.numbers)))


class Series:
    """Series by dynamic time warping. Channels are centred and, where wanted, scaled by the training split; an empty series counts
    as a single mean step."""

    def __init__(self, spec: Spec, share: float, scaled: bool, stack: dtw.Stack) -> None:
        self.spec, self.share, self.scaled, self.stack = spec, share, scaled, stack
        self.band = int(np.ceil(share * min(LONGEST, max(1, *spec.longest))))

    @classmethod
    def holding(cls, data: Dataset, params: Params) -> Self:
        share, scaled = float(params["nearest.band"]), bool(params.get("nearest.scaled", True))
        return cls(data.spec, share, scaled, stacked(data, scaled))

    def nearest(self, data: Dataset, count: int) -> Whole:
        return dtw.nearest(stacked(data, self.scaled), self.stack, self.band, count)

    def among(self, rows: Whole, count: int) -> Whole:
        return dtw.nearest(self.stack.some(rows), self.stack, self.band, count, rows)

    def macs(self) -> float:
        time, count = min(LONGEST, max(1, self.spec.typical[0])), len(self.stack.x)
        return float(count * time * min(time, 2 * self.band + 1) * (self.spec.channels or 1))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return {"series": self.stack.x, "lengths": self.stack.lengths}, {"share": self.share, "scaled": self.scaled}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        return cls(spec, record["share"], record["scaled"], dtw.Stack(arrays["series"], arrays["lengths"]))


def stacked(data: Dataset, scaled: bool) -> dtw.Stack:
    """The series of a view, at most LONGEST steps each."""
    spec, lengths = data.spec, np.maximum(data.lengths(), 1)
    channels, longest = spec.channels or 1, int(lengths.max(initial=1))
    mean = np.asarray(spec.mean or (0.0,) * channels, dtype=np.float32)
    std = np.asarray(spec.std or (1.0,) * channels, dtype=np.float32)
    scale = np.where(std > 1e-8, std, np.float32(1)) if scaled else np.ones(channels, dtype=np.float32)
    rows = np.zeros((len(data), min(LONGEST, longest), channels), dtype=np.float32)
    step = max(1, BLOCK // (longest * channels))
    for start in range(0, len(data), step):
        where = np.arange(start, min(start + step, len(data)))
        x, valid = data.take(where).x
        plain: NDArray[Any] = (x.float().numpy() - mean) / scale
        if valid is not None:
            plain[~valid.numpy()] = 0
        rows[where, :min(LONGEST, plain.shape[1])] = averaged(plain, lengths[where])
    return dtw.Stack(rows, np.minimum(lengths, LONGEST))


def averaged(x: NDArray[np.float32], lengths: Whole) -> NDArray[np.float32]:
    """(B, T, C) → (B, min(T, LONGEST), C): the longer ones among them as means of LONGEST equal parts."""
    kept = x[:, :LONGEST].copy()
    for number in np.flatnonzero(lengths > LONGEST):
        edges = np.arange(LONGEST + 1) * lengths[number] // LONGEST
        kept[number] = np.add.reduceat(x[number, :lengths[number]], edges[:-1], axis=0) / np.diff(edges)[:, None]
    return kept


def apart(queries: int, stored: int) -> list[slice]:
    """Queries in blocks whose table of distances has some millions of entries."""
    step = max(1, 8 * BLOCK // max(1, stored))
    return [slice(start, start + step) for start in range(0, queries, step)]


def top(closeness: Tensor, count: int, without: Whole | None) -> Whole:
    """(Q, count) columns of the largest entries, the largest first."""
    if without is not None:
        closeness[torch.arange(len(closeness)), torch.from_numpy(without)] = -torch.inf
    return closeness.max(1, keepdim=True).indices.numpy() if count == 1 else closeness.topk(count, dim=1).indices.numpy()
