"""Subwords: what is written back is what was read, whatever was learnt."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff import subwords

LEARNT = subwords.learnt(["ein Hund läuft über die Straße", "ein Mann läuft", "der Hund <pad> 1999"] * 5, 300, ["<pad>", "<unk>"])


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(blacklist_categories=("Cs",)), max_size=60))
def test_every_text_comes_back(text: str) -> None:
    rows = subwords.encoded([text], LEARNT)
    assert subwords.decoded(rows, LEARNT) == [text.strip()]
    assert min(rows[0], default=2) >= 2                                      # reserved ids are never read


def test_words_that_come_often_are_one_piece_and_digits_stand_alone() -> None:
    (row,) = subwords.encoded(["ein Hund"], LEARNT)
    assert len(row) == 2
    assert len(subwords.encoded(["1999"], LEARNT)[0]) == 4
    assert subwords.encoded(["ein"], LEARNT)[0] == subwords.encoded(["  ein "], LEARNT)[0]
    assert subwords.size(LEARNT) <= 300


def test_a_reserved_word_in_a_text_is_a_text() -> None:
    assert subwords.decoded(subwords.encoded(["<pad> <unk>"], LEARNT), LEARNT) == ["<pad> <unk>"]


def test_bytes_that_make_no_character_are_shown_as_such() -> None:
    (row,) = subwords.encoded(["é"], LEARNT)
    assert "�" in subwords.decoded([row[:-1]], LEARNT)[0]


def test_pieces_fall_into_words_and_signs() -> None:
    text = "ein Hündchen läuft, 1999 … «Straße»!"
    (ids,) = subwords.encoded([text], LEARNT)
    found = subwords.words(ids, LEARNT)
    assert "".join(word for word, _ in found) == text.replace(" ", "")
    assert [word for word, _ in found[:4]] == ["ein", "Hündchen", "läuft", ","]
    assert sum(count for _, count in found) == len(ids)
    assert subwords.words([], LEARNT) == []
