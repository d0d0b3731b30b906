"""Generated problems whose right answers are known: the cells (T, C) of each example, and its label. The same seed gives the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.float32]

SYMBOLS = 4                                   # of `marked`
SHOWN = 8                                     # of `recalled`
TOOTH = 8                                     # steps


def marked(count: int, steps: int, chance: np.random.Generator) -> tuple[Cells, list[str]]:
    """(count, steps, 5): one of 4 symbols at each step, one step of all marked; the answer is the symbol that was marked."""
    cells = np.zeros((count, steps, SYMBOLS + 1), np.float32)
    symbols, where, rows = chance.integers(0, SYMBOLS, (count, steps)), chance.integers(0, steps, count), np.arange(count)
    cells[rows[:, None], np.arange(steps), symbols] = 1
    cells[rows, where, SYMBOLS] = 1
    return cells, [str(symbol) for symbol in symbols[rows, where]]


def recalled(lags: Sequence[int], chance: np.random.Generator) -> tuple[list[Cells], list[str]]:
    """Per lag (lag + 1, 9): one of 8 symbols at each step, the first step marked; asked after the last is the first step's symbol."""
    cells, answers = [], []
    for lag in lags:
        symbols, one = chance.integers(0, SHOWN, lag + 1), np.zeros((lag + 1, SHOWN + 1), np.float32)
        one[np.arange(lag + 1), symbols] = 1
        one[0, SHOWN] = 1
        cells.append(one)
        answers.append(str(symbols[0]))
    return cells, answers


def toothed(count: int, steps: int, chance: np.random.Generator) -> tuple[Cells, list[str]]:
    """(count, steps, 1): noise with one tooth of 8 steps anywhere in it, which rises slowly and falls at once, or the other way round.

    Both teeth have the same values, so that no mean or spread tells them apart.
    """
    ramp = 4.0 * np.linspace(-1, 1, TOOTH)
    cells, rising, starts = chance.standard_normal((count, steps)), chance.integers(0, 2, count), chance.integers(0, steps - TOOTH + 1, count)
    at = starts[:, None] + np.arange(TOOTH)
    cells[np.arange(count)[:, None], at] += np.where(rising[:, None] == 1, ramp, ramp[::-1])
    return cells[..., None].astype(np.float32), ["rising" if one else "falling" for one in rising]
