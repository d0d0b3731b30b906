"""Problems made from a seed, whose right answers are known: the rows that ask how far back a network remembers share them."""

from __future__ import annotations

from typing import Any

import numpy as np
from row import made

from bakeoff.data.base import Dataset
from bakeoff.tasks.regress import Regress
from bakeoff.tasks.tag import Tag

TRAIN, TEST = 0, 1            # seeds of the two splits: every contender and every start has the same examples
WORDS, KEPT = 8, 10           # of the copy memory problem: symbols to choose from, and how many are to be kept
ASK = WORDS + 1               # the symbol that asks for them


def adding(length: int, examples: int, tests: int = 1000) -> tuple[Dataset, Dataset, Regress]:
    """Two of `length` numbers in [0, 1) are marked, one in each half; their sum is to be said. → training, test, task.

    Cells (T, 2): number and mark. Always saying 1 has a squared error of 1/6.
    """
    task = Regress()
    train = made(*marked(length, examples, TRAIN), task)
    return train, made(*marked(length, tests, TEST), task, like=train), task


def marked(length: int, count: int, seed: int) -> tuple[Any, list[float]]:
    """→ cells (N, T, 2) float32, sums."""
    chance = np.random.default_rng([seed, length])
    cells = np.zeros((count, length, 2), np.float32)
    cells[:, :, 0] = chance.random((count, length), np.float32)
    half, rows = length // 2, np.arange(count)[:, None]
    marks = np.stack([chance.integers(0, half, count), chance.integers(half, length, count)], 1)
    cells[rows, marks, 1] = 1
    return cells, cells[rows, marks, 0].sum(1, dtype=np.float64).tolist()


def copying(length: int, examples: int, tests: int = 1000) -> tuple[Dataset, Dataset, Tag]:
    """Ten symbols, `length` − 1 blanks, eleven times the sign that asks for them; from the second of these signs on the ten are to be
    said, before that nothing. → training, test, task.

    One class per step, length + 20 steps. Saying nothing until asked and then guessing costs 10 · ln 8 / (length + 20) per step.
    """
    task = Tag()
    train = made(*kept(length, examples, TRAIN), task, vocab=ASK + 1)
    return train, made(*kept(length, tests, TEST), task, vocab=ASK + 1, like=train), task


def kept(length: int, count: int, seed: int) -> tuple[Any, list[list[str]]]:
    """→ ids (N, length + 20) int16, a tag per step."""
    words = np.random.default_rng([seed, length]).integers(1, WORDS + 1, (count, KEPT))
    cells = np.zeros((count, length + 2 * KEPT), np.int16)
    said = cells.copy()
    cells[:, :KEPT], cells[:, -KEPT - 1:], said[:, -KEPT:] = words, ASK, words
    return cells, [list(map(str, row)) for row in said.tolist()]
