"""Metrics of what was said: words, or characters, to be put in, left out or replaced, per one that was said."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Literal

import numpy as np

from bakeoff.metrics.accuracy import numbered
from bakeoff.metrics.base import Metric, PerUnit, Rows
from bakeoff.registry import metric
from bakeoff.types import Answer


@metric("wer")
class WordErrors(PerUnit):
    """Words put in, left out or replaced, per word said; above 1 where more is put in than was said. rows: index, errors, words."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        return counted([words(answer.value) for answer in answers], [words(target) for target in targets])


@metric("cer")
class CharacterErrors(PerUnit):
    """Characters put in, left out or replaced, per character said, spaces included. rows: index, errors, characters."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        return counted([" ".join(words(answer.value)) for answer in answers], [" ".join(words(target)) for target in targets])


def words(text: object) -> list[str]:
    """The words of a transcript; several blanks are one."""
    return str(text).split()


def counted(said: Sequence[Sequence[Hashable]], true: Sequence[Sequence[Hashable]]) -> Rows:
    """(m, 3): index, fewest changes that turn what was said into what is true, length of what is true."""
    return numbered([distance(one, other) for one, other in zip(said, true, strict=True)], [len(other) for other in true])


def distance(said: Sequence[Hashable], true: Sequence[Hashable]) -> int:
    """Levenshtein 1966: the fewest units put in, left out or replaced. A row of the table at a time, in numpy: what is put in along
    a row is a running minimum."""
    number: dict[Hashable, int] = {}
    a, b = (np.array([number.setdefault(unit, len(number)) for unit in units], np.int64) for units in (said, true))
    place = np.arange(len(b) + 1)
    row = place
    for done, unit in enumerate(a.tolist(), 1):
        best = np.empty_like(row)
        best[0] = done
        np.minimum(row[1:] + 1, row[:-1] + (b != unit), out=best[1:])
        row = np.minimum.accumulate(best - place) + place
    return int(row[-1])


TRANSCRIBE: tuple[Metric, ...] = (WordErrors(), CharacterErrors())
