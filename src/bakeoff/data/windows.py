"""Examples that are windows of long series: each a place in one array, none a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.base import Arrays, Indices
from bakeoff.data.packed import mapped

if TYPE_CHECKING:
    from torch import Tensor

STEPS = "steps.npy"                   # the file by which a folder of windows is known


class Windows(Arrays):
    """All series one behind the other; example k has the `lookback` steps from step k on as input, the `horizon` steps behind
    them as target. Which k are examples (inside one series, inside one split) is the Dataset's index.

    steps: (T, C) float32, what the network reads. truth: (T, A) float64, what is forecast, NaN where missing. owner: (T,) the
    series each step is of. naive: (series, A) mean error of the seasonal naive over the training steps, NaN where it has none.
    spread: (series, A) deviation of the training steps, never zero. naive2: (T, 2, A), the last value known without its season,
    and the season's factor; None: there is no season. known: (T, K) float32, what is known of every step beside, of the first
    `later` of its columns also of steps to come. cells is a view (T − lookback + 1, lookback, C) of `steps`.
    """

    def __init__(self, steps: NDArray[np.float32], truth: NDArray[np.float64], owner: NDArray[np.int32], naive: NDArray[np.float64],
                 spread: NDArray[np.float64], lookback: int, horizon: int, naive2: NDArray[np.float64] | None = None,
                 known: NDArray[np.float32] | None = None, later: int = 0) -> None:
        super().__init__(unfolded(steps, lookback))
        self.steps, self.truth, self.owner, self.naive, self.spread = steps, truth, owner, naive, spread
        self.naive2 = np.stack([truth, np.ones_like(truth)], 1) if naive2 is None else naive2
        self.known = np.zeros((len(steps), 0), np.float32) if known is None else known
        self.lookback, self.horizon, self.later = lookback, horizon, later

    def given_of(self, rows: Indices) -> dict[str, NDArray[Any]]:
        if not self.known.shape[1]:
            return {}
        return {"known": only_later(unfolded(self.known, self.lookback + self.horizon)[rows], self.horizon, self.later)}

    @property
    def targets(self) -> Futures:
        return Futures(self)

    def collated(self, collate: Callable[[Sequence[Any]], Tensor]) -> Tensor:
        """(T − lookback − horizon + 1, horizon, …), a view: one target as long as all series is collated, and windows of it are
        taken. A task that forecasts collates step by step, so that nothing else would come of collating each target."""
        whole = collate([{"values": self.truth.T, "naive": self.naive[self.owner].T, "spread": self.spread[self.owner].T}])[0]
        behind = whole[self.lookback:]
        count = max(0, len(behind) - self.horizon + 1)
        return behind.as_strided((count, self.horizon, *behind.shape[1:]), (behind.stride(0), *behind.stride()))

    def save(self, folder: Path, rows: Indices | None = None) -> tuple[Indices, Indices]:
        """Writes the steps that these windows cover, and no others: what is not yet to be seen is not there."""
        rows = np.arange(len(self) - self.horizon) if rows is None else rows
        ends = np.zeros(len(self.steps) + 1, np.int64)
        np.add.at(ends, rows, 1)
        np.add.at(ends, rows + self.lookback + self.horizon, -1)
        covered = ends.cumsum()[:-1] > 0
        place = covered.cumsum() - 1                      # a window's steps stay neighbours
        kept = np.flatnonzero(covered)
        for name, array in (("steps", self.steps[kept]), ("truth", self.truth[kept]), ("owner", self.owner[kept]),
                            ("naive2", self.naive2[kept]), ("known", self.known[kept]), ("naive", self.naive), ("spread", self.spread),
                            ("reach", np.array([self.lookback, self.horizon, self.later]))):
            np.save(folder / f"{name}.npy", array)
        return kept[:max(0, len(kept) - self.lookback + 1)], place[rows]

    @classmethod
    def open(cls, folder: Path) -> Windows:
        lookback, horizon, later = np.load(folder / "reach.npy").tolist()
        steps, truth, owner, naive, spread, naive2, known = (mapped(folder / f"{name}.npy")
                                                      for name in ("steps", "truth", "owner", "naive", "spread", "naive2", "known"))
        return cls(steps, truth, owner, naive, spread, lookback, horizon, naive2, known, later)

    def context(self, row: int) -> dict[str, NDArray[np.float64]]:
        """history: (A, lookback) and future: (A, horizon) of one window, NaN where missing."""
        middle = row + self.lookback
        return {"history": self.truth[row:middle].T, "future": self.truth[middle:middle + self.horizon].T}


class Ends(Arrays):
    """The last steps of new series, with what is known beside: (N, look-back + horizon, K)."""

    def __init__(self, cells: NDArray[Any], shapes: NDArray[np.int64] | None, known: NDArray[np.float32], later: int) -> None:
        super().__init__(cells, shapes)
        self.known, self.later = known, later

    def given_of(self, rows: Indices) -> dict[str, NDArray[Any]]:
        horizon = self.known.shape[1] - self.cells.shape[1]
        return {"known": only_later(self.known[rows], horizon, self.later)} if self.known.shape[2] else {}


def only_later(known: NDArray[np.float32], horizon: int, later: int) -> NDArray[np.float32]:
    """A copy in which what is not known ahead is 0 in the last `horizon` steps."""
    known = known.copy()
    known[:, -horizon:, later:] = 0.0
    return known


class Future(Mapping[str, NDArray[np.float64]]):
    """What a window is to be followed by, each part made when it is asked for: values (A, horizon), naive (A,), spread (A,), views of the
    arrays; naive2 (2, A), what Naive2 misses by, summed over the known steps: in percent as sMAPE counts, and in size."""

    PARTS = ("values", "naive", "spread", "naive2")

    def __init__(self, windows: Windows, row: int) -> None:
        self.windows, self.row = windows, row

    def __len__(self) -> int:
        return len(self.PARTS)

    def __iter__(self) -> Iterator[str]:
        return iter(self.PARTS)

    def __getitem__(self, part: str) -> NDArray[np.float64]:
        windows, start = self.windows, self.row + self.windows.lookback
        steps = slice(start, start + windows.horizon)
        if part == "values":
            return windows.truth[steps].T
        if part in ("naive", "spread"):
            found: NDArray[np.float64] = getattr(windows, part)[windows.owner[self.row]]
            return found
        if part != "naive2":
            raise KeyError(part)
        true, said = windows.truth[steps], windows.naive2[start - 1, 0] * windows.naive2[steps, 1]
        missed, size = np.abs(said - true), np.abs(said) + np.abs(true)
        percent = np.divide(200 * missed, size, out=np.zeros_like(size), where=size > 0)
        return np.where(np.isnan(missed), 0.0, np.stack([percent, missed])).sum(1)


class Futures(Sequence[Any]):
    """A Future for each window."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows

    def __len__(self) -> int:
        return len(self.windows)

    @overload
    def __getitem__(self, where: int) -> Future: ...
    @overload
    def __getitem__(self, where: slice) -> Sequence[Future]: ...

    def __getitem__(self, where: int | slice) -> Any:
        if isinstance(where, slice):
            return [self[row] for row in range(len(self))[where]]
        return Future(self.windows, where)


def unfolded(steps: NDArray[Any], length: int) -> NDArray[Any]:
    """(T, C) → (T − length + 1, length, C), a view."""
    count = max(0, len(steps) - length + 1)
    return np.lib.stride_tricks.as_strided(steps, (count, length, *steps.shape[1:]), (steps.strides[0], *steps.strides))
