"""The order in which a training sees its examples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bakeoff.data.base import Dataset, Indices

WINDOW = 32                   # batches that are sorted by length together: padding stays under a tenth of the cells


def batches(data: Dataset, size: int, seed: int) -> Iterator[Indices]:
    """Endless batches of `size` positions: every example once before any comes again, shuffled anew each time round.

    Where lengths differ, examples of like length are put together within windows of 32 batches, fewer where those would hold
    the same examples several times: sorted, a batch would be copies of a few.
    """
    rng = np.random.default_rng(seed)
    size = min(size, len(data))
    lengths = None if data.arrays.shapes is None else data.lengths()
    width = 1 if lengths is None else max(1, min(WINDOW, len(data) // size))
    rest = np.empty(0, dtype=np.int64)
    while True:
        while len(rest) < size * width:
            rest = np.concatenate([rest, rng.permutation(len(data))])
        if lengths is None:
            for start in range(0, len(rest) - size + 1, size):
                yield rest[start:start + size]
            rest = rest[len(rest) // size * size:]
        else:
            window, rest = rest[:size * width], rest[size * width:]
            window = window[np.argsort(lengths[window], kind="stable")]
            for batch in rng.permutation(width):
                yield window[batch * size:(batch + 1) * size]


def in_order(data: Dataset, size: int = 256) -> Iterator[Indices]:
    """Every position once, the short ones first where lengths differ: for looking at a split."""
    order = np.arange(len(data)) if data.arrays.shapes is None else np.argsort(data.lengths(), kind="stable")
    for start in range(0, len(order), size):
        yield order[start:start + size]
