"""Keys and targets in arrays read like the list they were made from."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.data.packed import Packed, at

numbers = st.lists(st.integers(-2**63, 2**63 - 1)) | st.lists(st.floats(allow_nan=False))
words = st.lists(st.text(max_size=5)) | st.lists(st.sampled_from(["rose", "tülip", ""]), min_size=80, max_size=100)
others = st.lists(st.none() | st.booleans() | st.integers() | st.lists(st.text(max_size=3), max_size=2))


@settings(max_examples=100, deadline=None)
@given(values=numbers | words | others)
def test_it_gives_back_what_was_packed_also_from_the_disk(values: list[Any]) -> None:
    packed = Packed.of(values)
    assert list(packed) == values
    assert [type(value) for value in packed] == [type(value) for value in values]
    with tempfile.TemporaryDirectory() as folder:
        again = Packed.open(Path(folder), "x", packed.save(Path(folder), "x"))
        assert again[:] == values
        rows = np.arange(len(values))[::-2]
        assert at(again, rows) == at(values, rows) == [values[row] for row in rows]


def test_positions_count_from_the_end_too_and_end() -> None:
    packed = Packed.of(["a", "b", "c"])
    assert packed[-1] == "c"
    with pytest.raises(IndexError):
        packed[3]


def test_a_million_keys_take_little_room() -> None:
    packed = Packed.of([f"train.csv:{number}" for number in range(100_000)])
    assert packed.offsets is not None
    assert packed.values.nbytes + packed.offsets.nbytes < 30 * 100_000


def test_few_words_are_kept_once() -> None:
    packed = Packed.of(["neg", "pos"] * 50_000)
    assert packed.form == "words"
    assert packed.values.nbytes == 400_000
