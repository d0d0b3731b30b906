"""Metrics of a tag per word. Spans are read as the CoNLL-2000 evaluation does, Tjong Kim Sang & Buchholz 2000, https://aclanthology.org/W00-0726"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.metrics.accuracy import Accuracy, numbered
from bakeoff.metrics.base import Metric, Rows, Units, ratio, sums, whole
from bakeoff.registry import metric
from bakeoff.types import Answer

OUTSIDE = "O"
Span = tuple[str, int, int]                   # what it is, its first and its last word


@metric("f1")
class SpanF1:
    """2 · found / (said + true) over the spans of all sentences; one counts as found where both ends and the name are right.

    rows: index, found, said, true; spans of a sentence. Words without an answer count as outside.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        counted = np.zeros((len(targets), 3))
        for row, (answer, target) in enumerate(zip(answers, targets, strict=True)):
            said, true = set(spans(listed(answer.value))), set(spans(listed(target)))
            counted[row] = len(said & true), len(said), len(true)
        return numbered(*counted.T)

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([rows[:, 1], rows[:, 2] + rows[:, 3]], unit, units)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return ratio(2 * totals[..., 0], totals[..., 1])

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


def listed(tags: Any) -> list[str]:
    return [str(tag) for tag in tags]


def parted(tag: str) -> tuple[str, str]:
    """(place in the span, what the span is): 'B-LOC' → ('B', 'LOC'), 'B' → ('B', '')."""
    place, _, name = tag.partition("-")
    return place, name


def has_spans(tags: Sequence[str]) -> bool:
    """Whether tags say where spans begin or go on: BIO, IOB1, BIOES or BILOU."""
    return any(tag[:2] in ("B-", "I-") for tag in tags)


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans of a sentence. A span begins with B or S (U), or where I or E (L) stands after something else, or with another name;
    it ends before the next begins, with E or S, and before O."""
    found: list[Span] = []
    before, named, first = OUTSIDE, "", 0
    for word, tag in enumerate([*tags, OUTSIDE]):
        place, name = parted(tag)
        inside = before != OUTSIDE
        goes_on = inside and before in ("B", "I") and place in ("I", "E", "L") and name == named
        if inside and not goes_on:
            found.append((named, first, word - 1))
        if not goes_on:
            first = word
        before, named = place, name
    return found


SPANS: tuple[Metric, ...] = (SpanF1(), Accuracy())
WORDS: tuple[Metric, ...] = (Accuracy(),)
