"""Texts become ids by a vocabulary that only the training split has made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from bakeoff.data import tokens
from bakeoff.errors import OptionError


def ids(texts: list[str], tokenizer: str, length: int = 100) -> list[list[int]]:
    cells, lengths, _ = tokens.encoded(texts, tokenizer, length)
    ends = np.cumsum(lengths)
    return [cells[end - count:end].tolist() for end, count in zip(ends, lengths, strict=True)]


def words(tokenizer: str, sequence: list[int]) -> list[str]:
    return [Tokenizer.from_str(tokenizer).id_to_token(one) for one in sequence]


def test_words_are_lower_cased_and_signs_stand_alone() -> None:
    learnt, vocab = tokens.learnt(["The cat, the dog!", "THE CAT; the Dog!", "人人"], "words", 100, 2)
    assert vocab == 2 + len({"the", "cat", "dog", "!", "人"})
    found = ids(["The CAT saw, the dog! 人"], learnt)[0]
    assert words(learnt, found) == ["the", "cat", "<unk>", "<unk>", "the", "dog", "!", "人"]


def test_characters_are_kept_as_they_are() -> None:
    learnt, vocab = tokens.learnt(["aA\nb", "aA\nb"], "characters", 100, 1)
    assert vocab == 6
    assert words(learnt, ids(["A\nbx"], learnt)[0]) == ["A", "\n", "b", "<unk>"]


def test_no_text_is_given_the_id_of_padding() -> None:
    learnt, _ = tokens.learnt(["<pad> <unk> [CLS] a", "<pad> <unk> a"], "words", 100, 1)
    assert 0 not in ids(["<pad><unk> <pad> a", "", " \x00 "], learnt)[0]
    assert ids(["", " \n\x00"], learnt) == [[1], [1]]        # at least one cell each


def test_the_rarest_words_fall_out_first_and_ties_fall_the_same_way() -> None:
    texts = ["b a c d e", "e d c b a", "z z z"]
    learnt, vocab = tokens.learnt(texts, "words", 5, 2)
    assert vocab == 5
    assert all(tokens.learnt(texts, "words", 5, 2)[0] == learnt for _ in range(5))
    assert "z" in words(learnt, [2, 3, 4])


def test_texts_that_are_cut_are_counted() -> None:
    learnt, _ = tokens.learnt(["a b c d"], "words", 100, 1)
    cells, lengths, cut = tokens.encoded(["a b c d", "a b", "a b c"], learnt, 2)
    assert (lengths.tolist(), cut, len(cells)) == ([2, 2, 2], 2, 6)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text(max_size=30), min_size=1, max_size=20), sort=st.sampled_from(["words", "characters"]))
def test_any_text_has_ids_within_the_vocabulary(texts: list[str], sort: str) -> None:
    learnt, vocab = tokens.learnt(texts, sort, 20, 1)
    found = ids(texts, learnt)
    assert len(found) == len(texts)
    assert all(row and min(row) >= 1 and max(row) < max(vocab, 2) for row in found)
    if sort == "characters" and vocab < 20:
        assert all(len(row) == max(1, len(text)) for row, text in zip(found, texts, strict=True))


def test_batches_hold_every_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "AT_ONCE", 10)
    texts = ["x" * length for length in (0, 3, 25, 4, 9, 1)]
    assert [text for batch in tokens.batches(texts) for text in batch] == texts
    assert len(list(tokens.batches(texts))) > 1


@pytest.mark.parametrize(("settings", "said"), [
    ({"text.tokens": "word"}, "Did you mean 'words'"), ({"text.vocab": "1..5"}, "no whole number of at least 3"), ({"text.length": 0}, "at least 1"),
    ({"text.min_count": "two"}, "'two' is no whole number"),
])
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        tokens.chosen(settings)


def test_settings_have_defaults_by_the_sort_of_token() -> None:
    assert tokens.chosen({}) == {"tokens": "words", "vocab": 20000, "min_count": 2, "length": 512}
    assert tokens.chosen({"text.tokens": "characters", "text.vocab": "500"}) == {"tokens": "characters", "vocab": 500, "min_count": 2, "length": 1024}


@pytest.mark.parametrize("sort", ["words", "characters", "subwords"])
def test_ids_fall_into_words(sort: str) -> None:
    text = "the cat saw the dog"
    learnt, _ = tokens.learnt([text] * 3, sort, 400, 1)
    (found,) = ids([text], learnt)
    grouped = tokens.in_words(found, learnt, sort)
    assert [word for word, _ in grouped] == text.split()
    assert sum(count for _, count in grouped) == len(found)
