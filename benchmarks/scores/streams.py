"""Running text as windows of ids, for the rows about what comes next: the windows of the papers, not those of `bakeoff run`.

`bakeoff run` cuts a text into pieces and judges each behind half a window of what stands before it. The papers draw windows at
random places and learn from all their tokens. Here these are arrays like any others, made by a seeded generator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from row import made

from bakeoff.data.base import Dataset

UNKNOWN = 1                   # 0 is padding


def text_in(folder: Path, *names: str) -> str:
    """The text of the first of these files, or of the path itself where that is a file. Ends the script where there is none."""
    path = folder if folder.is_file() else next((folder / name for name in names if (folder / name).exists()), None)
    if path is None:
        raise SystemExit(f"{folder} holds none of {', '.join(names)}")
    return path.read_text(encoding="utf-8")


def ids_of(tokens: Sequence[str], known: dict[str, int]) -> NDArray[np.int32]:
    return np.fromiter((known.get(token, UNKNOWN) for token in tokens), np.int32, len(tokens))


def vocabulary(tokens: Sequence[str], most: int | None = None) -> dict[str, int]:
    """Token → id from 2 up, the frequent first."""
    return {token: number for number, (token, _) in enumerate(sorted(Counter(tokens).items(), key=lambda one: (-one[1], one[0]))[:most], 2)}


def drawn(ids: NDArray[np.int32], length: int, count: int, seed: int) -> NDArray[np.int32]:
    """(count, length + 1) ids at random places: `length` tokens are said, each from those before it in the window."""
    places = np.random.default_rng(seed).integers(0, len(ids) - length, count)
    return ids[places[:, None] + np.arange(length + 1)]


def in_turn(ids: NDArray[np.int32], length: int, step: int) -> NDArray[np.int32]:
    """(N, length + 1) ids, every window `step` behind the one before it. With step = length every token but the first is said once."""
    places = np.arange(0, len(ids) - length, step)
    return ids[places[:, None] + np.arange(length + 1)]


def windows(cells: NDArray[np.int32], task: Any, vocab: int, unit: str, like: Dataset | None = None) -> Dataset:
    """Of windows of an even number of ids the task's metric judges the second half, its loss all that are said."""
    return made(cells, [str(cells.shape[1] // 2)] * len(cells), task, vocab=vocab, axes=(unit,), kind="text", like=like)
