"""What is known beside a series: columns given for the steps to come too (--future), and columns of words, each word a column of 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bakeoff.data.panel import Values
from bakeoff.data.rows import MISSING, Table
from bakeoff.errors import DataError

CODES = "series.words"                # the setting that says of new data which words of which column the training had
MOST_WORDS = 20


class Beside(NamedTuple):
    """values: (rows, K), NaN where missing; of these the first `later` are known of steps to come; plain: (K,) which of them
    are numbers of a size of their own; words: column → the words that it may hold."""

    names: tuple[str, ...]
    values: Values
    later: int
    plain: tuple[bool, ...]
    words: dict[str, list[str]]
    notes: list[str]


def beside(table: Table, future: Sequence[str], words: Sequence[str], known: Mapping[str, Sequence[str]] | None) -> Beside:
    """future: columns of numbers or words that are known ahead; words: columns of words that are not. known: the words of the
    training, where this is new data. Raises DataError for a column of --future that has too many words, or a word among numbers."""
    names: list[str] = []
    columns: list[Values] = []
    plain: list[bool] = []
    codes: dict[str, list[str]] = {}
    notes: list[str] = []
    later = 0
    for name in (*future, *words):
        numbers, bad = table.numbers(name)
        if name in future and 0 < bad.mean() < 0.5:
            row = int(np.flatnonzero(bad)[0])
            raise DataError(f"{table.strings(name)[row]!r} is no number", table.where(row, name), "Mend the cell, or leave it empty.")
        if name in future and not bad.any() and name not in (known or {}):
            names.append(name)
            columns.append(numbers)
            plain.append(True)
        else:
            cells = [cell.strip() for cell in table.strings(name)]
            found = sorted({cell for cell in cells if cell.lower() not in MISSING}) if known is None else list(known.get(name, ()))
            if len(found) > MOST_WORDS and name in future:
                raise DataError(f"column {name!r} has {len(found):,} different words", f"--future {name}", f"Give one of {MOST_WORDS} at most.")
            if len(found) > MOST_WORDS or not found:
                notes.append(f"column {name!r} has {len(found):,} different words: it is left out")
                continue
            codes[name] = found
            names += [f"{name}={word}" for word in found]
            columns += [np.fromiter((cell == word for cell in cells), np.float64, len(cells)) for word in found]
            plain += [False] * len(found)
        later = len(names) if name in future else later
    if codes and known is None:
        notes.append(f"{', '.join(map(repr, codes))}: each word is read as a column of 0 and 1")
    values = np.stack(columns, 1) if columns else np.zeros((len(table), 0))
    return Beside(tuple(names), values, later, tuple(plain), codes, notes)


def reading(found: Beside) -> dict[str, Any]:
    return {CODES: found.words}
