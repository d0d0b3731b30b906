"""Weighted counts of words and characters against scikit-learn's."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from bakeoff.baselines import ngrams
from bakeoff.baselines.ngrams import Ngrams

TEXT = "who what when where is was the king queen of france river long war did a born in city large"
WORDS = ["<unk>", *TEXT.split()]


def texts(count, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(1, len(WORDS), rng.integers(1, 9)).astype(np.int32) for _ in range(count)]


def spelt(rows):
    return [" ".join(WORDS[i] for i in row) for row in rows]


def products(matrix):
    """What every pair of rows has in common: the same whatever the columns are called."""
    return (matrix @ matrix.T).toarray()


def test_words_are_weighted_as_by_scikit_learn(made):
    rows = texts(40)
    data, _ = made(rows, ["a", "b"] * 20, WORDS)
    reference = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 3), sublinear_tf=True).fit_transform(spelt(rows))
    found = Ngrams(data.spec, characters=False).fit(data)
    assert found.shape == reference.shape
    np.testing.assert_allclose(products(found), products(reference), atol=1e-5)


def test_characters_inside_words_are_weighted_as_by_scikit_learn(made):
    rows = texts(40)
    data, _ = made(rows, ["a", "b"] * 20, WORDS)
    reader = Ngrams(data.spec)
    found = reader.fit(data)
    width = len(reader.sorts[0].keys)
    assert products(found[:, :width]) == pytest.approx(
        products(TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True).fit_transform(spelt(rows))), abs=1e-5)
    assert products(found[:, width:]) == pytest.approx(
        products(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True).fit_transform(spelt(rows))), abs=1e-5)


def test_texts_of_characters_are_joined_to_the_same_words(made):
    rows = texts(40)
    letters = ["<pad>", "<unk>", *sorted(set("".join(spelt(rows))))]
    data, _ = made(rows, ["a", "b"] * 20, WORDS)
    by_letter, _ = made([np.array([letters.index(sign) for sign in text], dtype=np.int32) for text in spelt(rows)], ["a", "b"] * 20, letters)
    np.testing.assert_allclose(products(Ngrams(by_letter.spec).fit(by_letter)), products(Ngrams(data.spec).fit(data)), atol=1e-5)


def test_without_a_vocabulary_ids_are_enough_for_words_but_not_for_characters(made):
    data, _ = made(texts(40), ["a", "b"] * 20, WORDS)
    known = products(Ngrams(data.spec, characters=False).fit(data))
    data.vocabulary = None
    data.spec = data.spec.__class__(**{**vars(data.spec), "vocab": 5000})
    reader = Ngrams(data.spec)
    np.testing.assert_allclose(products(reader.fit(data)), known, atol=1e-5)
    assert len(reader.sorts) == 1


def test_a_new_word_still_shares_its_characters(made):
    data, _ = made(texts(40), ["a", "b"] * 20, WORDS)
    reader = Ngrams(data.spec)
    reader.fit(data)
    new, _ = made([np.array([len(WORDS)], dtype=np.int32), np.array([1], dtype=np.int32)], ["a", "b"], [*WORDS, "kingdom"])
    row = reader.read(new)[0]
    width = len(reader.sorts[0].keys)
    assert row[:, :width].nnz == 0
    assert row[:, width:].nnz > 3


def test_an_empty_text_has_no_weights_and_the_others_have_length_one_per_sort(made):
    data, _ = made([*texts(10), np.zeros(0, dtype=np.int32)], ["a", "b"] * 5 + ["a"], WORDS)
    rows = Ngrams(data.spec).fit(data)
    assert rows[10].nnz == 0
    np.testing.assert_allclose(np.sqrt(rows[:10].multiply(rows[:10]).sum(1)), np.sqrt(2), rtol=1e-5)


def test_what_is_kept_gives_the_same_rows(made):
    data, _ = made(texts(30), ["a", "b"] * 15, WORDS)
    reader = Ngrams(data.spec)
    rows = reader.fit(data)
    again = Ngrams.restore(*reader.state(), data.spec).read(data)
    assert (again != rows).nnz == 0
    assert Ngrams.restore(*reader.state(), data.spec).read(data.subset(np.arange(0))).shape == (0, reader.numbers)


def test_texts_read_in_several_blocks_are_counted_together(made, monkeypatch):
    data, _ = made(texts(40), ["a", "b"] * 20, WORDS)
    whole = Ngrams(data.spec).fit(data)
    monkeypatch.setattr(ngrams, "AT_ONCE", 50)
    assert abs(Ngrams(data.spec).fit(data) - whole).max() < 1e-6


def test_above_the_most_the_commonest_are_kept(made, monkeypatch):
    data, _ = made(texts(40), ["a", "b"] * 20, WORDS)
    monkeypatch.setattr(ngrams, "MOST", 30)
    reader = Ngrams(data.spec)
    reader.fit(data)
    assert all(15 < len(sort.keys) <= 30 for sort in reader.sorts)         # those as frequent as the last are kept or left together
