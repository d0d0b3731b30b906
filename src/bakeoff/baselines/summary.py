"""A series as one row of numbers: level, spread, shape, repetition and rhythm of each channel, and its length.

After the catalogues of features in Fulcher & Jones 2014, https://arxiv.org/abs/1401.3531, reduced to what one pass gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bakeoff.baselines.base import BLOCK
from bakeoff.data.base import Dataset
from bakeoff.types import Spec

Rows = NDArray[np.float32]
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
LAGS = (1, 2, 3, 5, 8, 13, 21)
PARTS = 12                    # means of as many equal parts of the series: where along the series something happens
BANDS = 10                    # of the spectrum, each half as wide as the one above it
FAR = 8.0                     # standardised features are cut here: one odd series must not decide a linear model
PER_CHANNEL = 11 + len(QUANTILES) + len(LAGS) + 2 * PARTS + BANDS


class Summary:
    """Standardised features of series, (N, channels × features + 1). Nothing depends on what else is in the batch."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.mean: Rows = np.zeros(0, dtype=np.float32)
        self.scale: Rows = np.zeros(0, dtype=np.float32)

    @property
    def numbers(self) -> int:
        return (self.spec.channels or 1) * PER_CHANNEL + 1

    def macs(self) -> float:
        """Of one series of the typical length: its features in one pass each, and its spectrum."""
        time = max(1, self.spec.typical[0])
        return time * (self.spec.channels or 1) * (PER_CHANNEL + 4 * float(np.log2(2 * time)))

    def fit(self, data: Dataset) -> Rows:
        rows = self.plain(data)
        spread = rows.std(0, dtype=np.float64)
        self.mean = rows.mean(0, dtype=np.float64).astype(np.float32)
        self.scale = (1 / np.where(spread > 1e-6, spread, 1.0)).astype(np.float32)
        return self.standard(rows)

    def read(self, data: Dataset) -> Rows:
        return self.standard(self.plain(data))

    def standard(self, rows: Rows) -> Rows:
        rows -= self.mean
        rows *= self.scale
        return np.clip(rows, -FAR, FAR, out=rows)

    def plain(self, data: Dataset) -> Rows:
        """Series whose lengths share a power of two are taken together: the spectrum is then that of each one alone."""
        rows = np.empty((len(data), self.numbers), dtype=np.float32)
        lengths = data.lengths()
        width = np.int64(1) << np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64)
        for size in np.unique(width):
            where = np.flatnonzero(width == size)
            step = max(1, BLOCK // (int(size) * (self.spec.channels or 1)))
            for start in range(0, len(where), step):
                some = where[start:start + step]
                x = data.take(some).x.x.float().numpy()
                rows[some] = features((x - self.centre) / self.spread, lengths[some], int(size))
        return rows

    @property
    def centre(self) -> Rows:
        return np.asarray(self.spec.mean or (0.0,) * (self.spec.channels or 1), dtype=np.float32)

    @property
    def spread(self) -> Rows:
        std = np.asarray(self.spec.std or (1.0,) * (self.spec.channels or 1), dtype=np.float32)
        return np.where(std > 1e-8, std, np.float32(1))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return {"mean": self.mean, "scale": self.scale}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        self = cls(spec)
        self.mean, self.scale = arrays["mean"], arrays["scale"]
        return self


def features(x: Rows, lengths: NDArray[np.int64], size: int) -> Rows:
    """x: (B, T, C), what lies past an example's length is not looked at; size: points of its spectrum → (B, C·features + 1)."""
    batch, time, channels = x.shape
    count = np.maximum(lengths, 1)[:, None, None].astype(np.float32)
    steps = np.arange(time, dtype=np.float32)[None, :, None]
    inside = steps < lengths[:, None, None]
    x = np.where(inside, x, np.float32(0))
    mean = x.sum(1, keepdims=True) / count
    rest = np.where(inside, x - mean, np.float32(0))                         # (B, T, C), zero outside
    power = np.square(rest).sum(1, keepdims=True) / count
    std = np.sqrt(power)
    unit = rest / np.maximum(std, 1e-6)
    place = np.where(inside, steps / count - (count - 1) / (2 * count), np.float32(0))     # −½ … ½ along the series
    change = np.where(inside[:, 1:], np.diff(x, axis=1), np.float32(0))
    fewer = np.maximum(count - 1, 1)
    low, high = np.where(inside, x, np.inf), np.where(inside, x, -np.inf)
    some = lengths[:, None] > 0
    last = np.take_along_axis(x, np.maximum(lengths - 1, 0)[:, None, None], 1)[:, 0]
    parts = [
        mean[:, 0], std[:, 0], np.where(some, low.min(1), 0), np.where(some, high.max(1), 0),
        (low.argmin(1) / count[:, 0]), (high.argmax(1) / count[:, 0]), x[:, 0], last,
        (rest * place).sum(1) / np.maximum(np.square(place).sum(1), 1e-6),                 # slope over the whole length
        np.abs(change).sum(1) / fewer[:, 0],
        ((rest[:, 1:] * rest[:, :-1]) < 0).sum(1) / fewer[:, 0],                           # how often the mean is crossed
    ]
    ordered = np.sort(low, axis=1)
    for q in QUANTILES:
        at = np.floor(q * np.maximum(lengths - 1, 0) + 0.5).astype(np.int64)[:, None, None]
        parts.append(np.where(some, np.take_along_axis(ordered, at, 1)[:, 0], 0))
    parts += [(unit[:, lag:] * unit[:, :-lag]).sum(1) / count[:, 0] if lag < time else np.zeros((batch, channels)) for lag in LAGS]
    parts += segments(x, np.square(unit), lengths)
    parts += rhythm(unit, size)
    table = np.stack(parts, axis=-1).reshape(batch, -1)
    return np.concatenate([table, np.log1p(lengths)[:, None]], axis=1).astype(np.float32)


def segments(x: Rows, power: Rows, lengths: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Mean of x, and share of the series' energy, in each of PARTS equal parts: 2·PARTS arrays (B, C). A part of a series shorter
    than PARTS steps is the step it falls on."""
    zero = np.zeros((len(x), 1, x.shape[2]))
    sums = [np.concatenate([zero, np.cumsum(values, axis=1, dtype=np.float64)], axis=1) for values in (x, power)]
    found: list[NDArray[Any]] = []
    for total in sums:
        for part in range(PARTS):
            begin = part * lengths // PARTS
            end = np.maximum((part + 1) * lengths // PARTS, np.minimum(begin + 1, lengths))
            here = np.take_along_axis(total, end[:, None, None], 1) - np.take_along_axis(total, begin[:, None, None], 1)
            found.append(here[:, 0] / np.maximum(end - begin, 1)[:, None])
    return found


def rhythm(unit: Rows, size: int) -> list[NDArray[Any]]:
    """Shares of the spectrum's energy in BANDS bands, the lowest first, as square roots: BANDS arrays (B, C). unit: zero mean."""
    energy = np.square(np.abs(np.fft.rfft(unit, n=size, axis=1)))
    energy = energy / np.maximum(energy.sum(1, keepdims=True), 1e-9)
    edges = (energy.shape[1] * 0.5 ** np.arange(BANDS)).astype(np.int64)[::-1]             # upper ends, the last is all
    begin = 0
    found: list[NDArray[Any]] = []
    for end in edges:
        found.append(np.sqrt(energy[:, begin:end].sum(1)))
        begin = max(begin, int(end))
    return found
