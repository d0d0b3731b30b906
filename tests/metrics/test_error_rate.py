"""Error rates of transcripts against a table, a library, and by hand."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.metrics.base import Summed
from bakeoff.metrics.error_rate import CharacterErrors, WordErrors, distance
from bakeoff.types import Answer

WORDS = st.lists(st.sampled_from(["one", "two", "three", "on", "öl"]), min_size=1, max_size=9).map(" ".join)
PAIRS = st.lists(st.tuples(WORDS | st.just(""), WORDS), min_size=1, max_size=8)


def answers(*texts: str) -> list[Answer]:
    return [Answer(text, {}) for text in texts]


@settings(max_examples=60, deadline=None)
@given(pairs=PAIRS)
def test_they_are_those_of_the_library(pairs: list[tuple[str, str]]) -> None:
    said, true = zip(*pairs, strict=True)
    for metric, reference in ((WordErrors(), jiwer.wer), (CharacterErrors(), jiwer.cer)):
        rows = metric.rows(answers(*said), true)
        assert metric.value(rows) == pytest.approx(reference(list(true), list(said)), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(a=st.text("abc", max_size=8), b=st.text("abc", max_size=8))
def test_the_distance_is_that_of_the_table(a: str, b: str) -> None:
    table = np.zeros((len(a) + 1, len(b) + 1))
    table[:, 0], table[0] = range(len(a) + 1), range(len(b) + 1)
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            table[i + 1, j + 1] = min(table[i, j + 1] + 1, table[i + 1, j] + 1, table[i, j] + (one != other))
    assert distance(a, b) == table[-1, -1]


def test_by_hand() -> None:
    said, true = answers("three one  one", "", "a b c"), ["three seven one", "two", "a"]
    rows = WordErrors().rows(said, true)
    assert rows.tolist() == [[0, 1, 3], [1, 1, 1], [2, 2, 1]]
    assert WordErrors().value(rows) == pytest.approx(4 / 5)
    assert WordErrors().value(rows[2:]) == 2.0, "more may be put in than was said"
    assert CharacterErrors().rows(answers("ab"), ["a b"])[0].tolist() == [0, 1, 3]
    assert WordErrors().best == CharacterErrors().best == "low"


def test_totals_of_any_rows_give_the_value() -> None:
    metric = WordErrors()
    rows = metric.rows(answers("a b", "b", "c c c"), ["a a", "b", "c"])
    assert isinstance(metric, Summed)
    totals = metric.totals(rows, np.array([0, 1, 1]), 2)
    assert metric.of(totals).tolist() == [0.5, 1.0]
    assert metric.of(totals.sum(0)) == metric.value(rows)
    assert np.isnan(metric.value(rows[:0]))
