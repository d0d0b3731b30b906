"""Texts as weighted counts of n-grams (TF-IDF): of words, and of the characters inside words where the words are known.

An n-gram is a 64-bit number mixed from its parts, so counting is sorting, and what is learnt are arrays: no pickle, no list
of strings. Two n-grams meet in one number about once in 2^64.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bakeoff.baselines.base import blocks
from bakeoff.data.base import Dataset
from bakeoff.types import Spec

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Keys = NDArray[np.uint64]
Whole = NDArray[np.int64]

WORDS = (1, 2)                # n of word n-grams beside character n-grams
WORDS_ALONE = (1, 2, 3)       # without them
CHARACTERS = (2, 3, 4, 5)     # n of character n-grams, inside words with a blank on either side
LETTERS = 256                 # ids without strings are taken for characters where there are no more than these
MOST = 1 << 18                # n-grams kept per sort, the ones found in most texts
AT_ONCE = 1 << 17             # ids cut up at a time: a word has some twenty n-grams
RARE = 2                      # character n-grams found in fewer texts are left out


class Grams(NamedTuple):
    """The n-grams of some texts: text number and key of each, in no particular order."""

    text: Whole
    key: Keys


class Words(NamedTuple):
    """Texts as numbers of words: flat, with how many each text has; strings[number], None where not known."""

    flat: Whole
    lengths: Whole
    strings: Sequence[str] | None


class Sort:
    """One sort of n-gram with what was learnt: the keys that count, sorted, and their weights."""

    def __init__(self, keys: Keys, weights: NDArray[np.float32]) -> None:
        self.keys, self.weights = keys, weights

    def matrix(self, grams: Grams, texts: int) -> csr_matrix:
        """(texts, n-grams) float32: (1 + log count) × weight, each row of length one."""
        from scipy.sparse import csr_matrix
        column = np.searchsorted(self.keys, grams.key)
        column[column == len(self.keys)] = 0
        known = self.keys[column] == grams.key if len(self.keys) else np.zeros(len(column), dtype=bool)
        width = max(1, len(self.keys))
        cell, count = np.unique(grams.text[known] * width + column[known], return_counts=True)
        row, column = np.divmod(cell, width)
        value = (1 + np.log(count)) * (self.weights[column] if len(self.keys) else 0)
        length = np.sqrt(np.bincount(row, np.square(value), minlength=texts))
        value = (value / length[row]).astype(np.float32)
        return csr_matrix((value, (row, column)), shape=(texts, width))


class Ngrams:
    """TF-IDF rows of texts; idf = log((1 + texts) / (1 + texts with it)) + 1."""

    def __init__(self, spec: Spec, characters: bool = True) -> None:
        self.spec = spec
        self.characters = characters          # wanted; had only where the ids' strings are known
        self.sorts: list[Sort] = []

    @property
    def numbers(self) -> int:
        return sum(max(1, len(sort.keys)) for sort in self.sorts)

    def grams(self, words: Words) -> list[Grams]:
        """Word n-grams, then character n-grams where they are wanted and can be had."""
        text = np.repeat(np.arange(len(words.lengths)), words.lengths)
        used, number = np.unique(words.flat, return_inverse=True)
        if words.strings is None:
            sizes = CHARACTERS if (self.spec.vocab or 0) <= LETTERS else WORDS_ALONE
            return [word_grams(mixed(used.astype(np.uint64))[number], text, sizes)]
        names = [words.strings[i] for i in used]
        keys = np.array([key_of(name) for name in names], dtype=np.uint64)
        found = [word_grams(keys[number], text, WORDS if self.characters else WORDS_ALONE)]
        return [*found, character_grams(names, number, text)] if self.characters else found

    def fit(self, data: Dataset) -> csr_matrix:
        found: list[list[tuple[Keys, Whole]]] = []
        for words in read(data):
            of_block = self.grams(words)
            found = found or [[] for _ in of_block]
            for known, some in zip(found, of_block, strict=True):
                width = np.unique(some.key)
                pair = np.unique(np.searchsorted(width, some.key) * len(words.lengths) + some.text)
                known.append((width, np.bincount(pair // len(words.lengths), minlength=len(width))))
        self.sorts = [learnt(parts, len(data), RARE if number else 1) for number, parts in enumerate(found)]
        return self.read(data)

    def read(self, data: Dataset) -> csr_matrix:
        """(N, numbers) float32, CSR."""
        from scipy.sparse import csr_matrix, hstack, vstack
        rows: list[Any] = []
        for words in read(data):
            of_sorts = zip(self.sorts, self.grams(words), strict=True)
            rows.append(hstack([sort.matrix(some, len(words.lengths)) for sort, some in of_sorts], format="csr"))
        return vstack(rows, format="csr") if rows else csr_matrix(np.zeros((0, self.numbers), dtype=np.float32))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays: dict[str, NDArray[Any]] = {}
        for number, sort in enumerate(self.sorts):
            arrays[f"keys.{number}"], arrays[f"weights.{number}"] = sort.keys, sort.weights
        return arrays, {"characters": self.characters, "sorts": len(self.sorts)}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        self = cls(spec, record["characters"])
        self.sorts = [Sort(arrays[f"keys.{number}"], arrays[f"weights.{number}"]) for number in range(record["sorts"])]
        return self


def learnt(parts: list[tuple[Keys, Whole]], texts: int, rare: int) -> Sort:
    """Keys and in how many texts each was found, block by block → the sort."""
    keys, place = np.unique(np.concatenate([key for key, _ in parts]), return_inverse=True)
    found = np.bincount(place, np.concatenate([count for _, count in parts]), minlength=len(keys))
    least = min(rare, texts)
    if len(keys) > MOST:
        most_common = int(np.partition(found, -MOST)[-MOST])
        crowded = (found >= most_common).sum() > MOST and most_common < found.max()        # as many again are just as frequent
        least = max(least, most_common + crowded)
    often = found >= least
    return Sort(keys[often], (np.log((1 + texts) / (1 + found[often])) + 1).astype(np.float32))


def read(data: Dataset) -> Iterator[Words]:
    """The texts of a view, some at a time. A vocabulary of single characters is joined and split into words again."""
    vocabulary: Sequence[str] | None = getattr(data, "vocabulary", None)
    spelt = vocabulary is not None and spells(vocabulary)
    for where in blocks(data, AT_ONCE):
        grid = data.take(where).x
        ids = grid.x.numpy()
        inside = np.ones(ids.shape, dtype=bool) if grid.valid is None else grid.valid.numpy()
        inside, ids = inside.reshape(len(ids), -1), ids.reshape(len(ids), -1)
        if vocabulary is not None and spelt:
            texts = ["".join([vocabulary[i] for i in row[here]]).split() for row, here in zip(ids, inside, strict=True)]
            strings, flat = np.unique(np.array([word for text in texts for word in text], dtype=object), return_inverse=True)
            yield Words(flat.astype(np.int64), np.array([len(text) for text in texts], dtype=np.int64), list(strings))
        else:
            yield Words(ids[inside].astype(np.int64), inside.sum(1), vocabulary)


def spells(vocabulary: Sequence[str]) -> bool:
    """Whether the ids are characters: hardly any string is longer than one, but for the special ones."""
    return sum(len(token) > 1 for token in vocabulary) <= 8


def word_grams(keys: Keys, text: Whole, sizes: Sequence[int]) -> Grams:
    """N-grams of neighbours within a text."""
    texts, found = [], []
    for size in sizes:
        count = max(0, len(keys) - size + 1)
        key = np.full(count, size, dtype=np.uint64)
        for offset in range(size):
            key = mixed(key ^ keys[offset:offset + count])
        same = text[:count] == text[size - 1:size - 1 + count]
        texts.append(text[:count][same])
        found.append(key[same])
    return Grams(np.concatenate(texts), np.concatenate(found))


def character_grams(names: Sequence[str], number: Whole, text: Whole) -> Grams:
    """N-grams inside ' word '. Each distinct word is cut once; its n-grams are then laid out for every place it stands."""
    points = np.frombuffer("".join(f" {name} " for name in names).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(name) + 2 for name in names], dtype=np.int64)
    cut = word_grams(mixed(points), np.repeat(np.arange(len(names)), lengths), CHARACTERS)
    order = np.argsort(cut.text, kind="stable")
    key, count = cut.key[order], np.bincount(cut.text, minlength=len(names))
    begin = np.concatenate([[0], count.cumsum()])[:-1]
    many = count[number]                                                     # n-grams of the word at each place
    within = np.arange(many.sum()) - np.repeat(many.cumsum() - many, many)
    return Grams(np.repeat(text, many), key[np.repeat(begin[number], many) + within])


def key_of(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def mixed(value: Keys) -> Keys:
    """Steele et al. 2014, SplitMix64: every bit of the input moves every bit of the output; wraps around on purpose."""
    with np.errstate(over="ignore"):
        value = value + np.uint64(0x9E3779B97F4A7C15)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))
