"""How often a token came after the few before it, interpolated with shorter contexts. Chen & Goodman 1999, https://doi.org/10.1006/csla.1999.0128
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.base import blocks
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec

Numbers = NDArray[np.float64]
Ids = NDArray[Any]
Keys = NDArray[np.int64]

PADDING = 0                   # never said; before a text's beginning it is a context like any other
ORDERS = {"character": (6, 7, 5, 8, 4, 3, 2), "subword": (4, 5, 3, 6, 2), "word": (3, 4, 2, 5)}     # the likeliest first: few are tried
LEAST_DISCOUNT = 0.05         # so that no token is impossible


@dataclass
class Length:
    """What is known of contexts of one length.

    contexts: sorted, token · (number of shorter contexts) + shorter context; a context's number is its place. rest: per context,
    the share left to shorter ones. grams: sorted, context · V + token. share: of each gram, discounted.
    """

    contexts: Keys
    rest: Numbers
    grams: Keys
    share: Numbers


@baseline("ngram")
class NGram:
    """Modified Kneser–Ney: a shorter context counts after how many different tokens a gram was seen, not how often. The last resort
    is that all tokens are equally likely."""

    deterministic = True
    growth = 1.2

    def __init__(self, vocab: int = 2, half: int = 1, lengths: Sequence[Length] = ()) -> None:
        """lengths: of contexts of 0, 1, 2 … tokens. half: of a window."""
        self.vocab, self.half, self.lengths = vocab, half, list(lengths)

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return task.why_not(spec) if task.name == "generate" else f"it says which token comes next, and {task.name} asks for something else"

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        orders = ORDERS.get(spec.axes[0], ORDERS["character"])
        return Space({"ngram.order": Param("ngram.order", orders[0], "tokens of the longest gram, the one that is said included", values=orders)})

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.vocab = int(data.spec.vocab or 2)
        cells = data.arrays.cells[data.index]
        self.half = cells.shape[1] // 2
        order = min(int(params["ngram.order"]), self.half + 1)
        said = cells[:, self.half:] != PADDING
        tokens = earlier(cells, 0)[said].astype(np.int64)
        context, contexts, grams = np.zeros(len(tokens), np.int64), [np.zeros(1, np.int64)], []
        counts: Keys = np.zeros(0, np.int64)
        for n in range(order):
            if n:
                key = earlier(cells, n)[said] * np.int64(len(contexts[-1])) + context
                known, context = np.unique(key, return_inverse=True)
                contexts.append(known)
            known, counts = np.unique(context * self.vocab + tokens, return_counts=True)
            grams.append(known)
        self.lengths = []
        for n in reversed(range(order)):                                     # counts: of the longest as they are
            share, rest = discounted(counts, grams[n] // self.vocab, len(contexts[n]))
            self.lengths.insert(0, Length(contexts[n], rest, grams[n], share))
            if n:                                                            # of a shorter one, after how many tokens it was seen
                shorter = contexts[n][grams[n] // self.vocab] % len(contexts[n - 1])
                same = np.searchsorted(grams[n - 1], shorter * self.vocab + grams[n] % self.vocab)
                counts = np.bincount(same, minlength=len(grams[n - 1]))
        return self

    def outputs(self, data: Dataset) -> Tensor:
        """(N,) summed nats of each window's second half."""
        import torch
        parts = []
        for rows in blocks(data):
            cells = data.arrays.cells[data.index[rows]]
            said = cells[:, self.half:] != PADDING
            nats = np.zeros(said.shape)
            nats[said] = -np.log(self.chances(cells, said))
            parts.append(nats.sum(1))
        return torch.from_numpy(np.concatenate(parts)).float()

    def chances(self, cells: Ids, said: NDArray[np.bool_]) -> Numbers:
        """Of every token of the second halves that is said, one after the other."""
        tokens = earlier(cells, 0)[said].astype(np.int64)
        chance = np.full(len(tokens), 1 / (self.vocab - 1))
        context = np.zeros(len(tokens), np.int64)
        for n, length in enumerate(self.lengths):
            if n:
                key = earlier(cells, n)[said] * np.int64(len(self.lengths[n - 1].contexts)) + context
                context = np.where(context < 0, -1, place(length.contexts, key))
            gram = place(length.grams, context * self.vocab + tokens)
            seen = np.where(gram < 0, 0.0, length.share[gram]) + length.rest[context] * chance
            chance = np.where(context < 0, chance, seen)
        return chance

    def next(self, past: Sequence[int]) -> Numbers:
        """(V,) chances of what follows these ids."""
        chance = np.full(self.vocab, 1 / (self.vocab - 1))
        chance[PADDING] = 0.0
        before = [PADDING] * len(self.lengths) + list(past)
        context = 0
        for n, length in enumerate(self.lengths):
            if n:
                context = int(place(length.contexts, np.array([before[-n] * len(self.lengths[n - 1].contexts) + context]))[0])
            if context < 0:
                break
            first, last = np.searchsorted(length.grams, [context * self.vocab, (context + 1) * self.vocab])
            chance *= length.rest[context]
            chance[length.grams[first:last] - context * self.vocab] += length.share[first:last]
        return chance

    def macs(self) -> float:
        """One per token and length of context."""
        return float(self.half * len(self.lengths))

    def parameters(self) -> int:
        return sum(len(length.share) + len(length.rest) for length in self.lengths)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        arrays = {f"{one.name}-{n}": getattr(length, one.name) for n, length in enumerate(self.lengths) for one in fields(Length)}
        return arrays, {"vocab": self.vocab, "half": self.half, "order": len(self.lengths)}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        lengths = [Length(**{one.name: arrays[f"{one.name}-{n}"] for one in fields(Length)}) for n in range(record["order"])]
        return cls(record["vocab"], record["half"], lengths)


def earlier(cells: Ids, steps: int) -> Ids:
    """(N, half): what stands so many cells before each cell of the second halves."""
    half = cells.shape[1] // 2
    return cells[:, half - steps:cells.shape[1] - steps]


def place(known: Keys, keys: Keys) -> Keys:
    """Where each key stands among the sorted known ones, −1: nowhere."""
    where = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[where] == keys, where, -1)


def discounted(counts: Keys, contexts: Keys, size: int) -> tuple[Numbers, Numbers]:
    """(share of each gram in its context after the discount, share that each context gives to shorter ones).

    What is taken from counts of 1, 2, and 3 and more follows from how many grams have them (equations 17 of the paper).
    """
    ones, twos, threes, fours = (float((counts == k).sum()) for k in (1, 2, 3, 4))
    base = ones / (ones + 2 * twos) if ones and twos else 0.5
    found = [1 - 2 * base * twos / ones if ones else base, 2 - 3 * base * threes / twos if twos else 2 * base,
             3 - 4 * base * fours / threes if threes else 3 * base]
    taken = np.clip(found, LEAST_DISCOUNT, (0.95, 1.95, 2.95))[np.minimum(counts, 3) - 1]
    total = np.bincount(contexts, counts, size)
    return (counts - taken) / total[contexts], np.bincount(contexts, taken, size) / total
