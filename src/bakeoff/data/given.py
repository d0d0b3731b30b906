"""Words as a file gives them → ids: never parted again and never put in lower case. Id 0 is padding.

A text is its words, one a line. A word that the training split has too seldom is known by its shape alone – with a digit, in
capitals, with a capital first, other letters, signs – since names are often new, and their capital letter says much.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

SHAPES = 5                            # ids 1 … 5; then the words, the most frequent first


def shape(word: str) -> int:
    """1 … SHAPES."""
    if any(sign.isdigit() for sign in word):
        return 1
    if not any(sign.isalpha() for sign in word):
        return 2
    if word.isupper() and len(word) > 1:
        return 3
    return 4 if word[:1].isupper() else 5


def learnt(texts: Iterable[str], vocab: int, min_count: int) -> tuple[str, int]:
    """The known words as JSON, and how many ids there are, at most `vocab`."""
    counts = Counter(word for text in texts for word in text.split("\n"))
    known = [word for word, count in counts.most_common(max(0, vocab - SHAPES - 1)) if count >= min_count]
    return json.dumps(known, ensure_ascii=False), len(known) + SHAPES + 1


def encoded(texts: Sequence[str], known: str, length: int) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
    """Ids of all texts one after another, how many each has, and how many texts were cut at `length`."""
    number = {word: place for place, word in enumerate(json.loads(known), SHAPES + 1)}
    rows = [[number.get(word) or shape(word) for word in text.split("\n")] for text in texts]
    lengths = np.array([len(row) for row in rows], np.int64)
    ids = np.fromiter((one for row in rows for one in row[:length]), np.int32)
    return ids, np.minimum(lengths, length), int((lengths > length).sum())
