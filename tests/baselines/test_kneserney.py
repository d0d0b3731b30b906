"""Kneser–Ney against the formula written out over dictionaries, and against what it must be."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from bakeoff.baselines.kneserney import NGram
from bakeoff.data.base import Arrays, Dataset
from bakeoff.tasks.generate import Generate
from bakeoff.types import Spec

VOCAB, HALF = 9, 6


def windows(ids: np.ndarray) -> Dataset:
    """Windows as text is read: half a window of padding, then pieces behind what stands before them."""
    count = -(-len(ids) // HALF)
    stream = np.zeros(HALF + count * HALF, np.int16)
    stream[HALF:HALF + len(ids)] = ids
    cells = np.stack([stream[start:start + 2 * HALF] for start in range(0, count * HALF, HALF)])
    spec = Spec("text", ("character",), (2 * HALF,), None, VOCAB, None, {"train": count}, "", (), (), (2 * HALF,), (2 * HALF,))
    return Dataset(spec, Arrays(cells), [HALF] * count, [str(row) for row in range(count)])


def text(length: int, seed: int) -> np.ndarray:
    """A chain with a memory of two tokens."""
    rng = np.random.default_rng(seed)
    table = np.random.default_rng(7).dirichlet([0.25] * (VOCAB - 2), (VOCAB, VOCAB))
    found = [2, 3]
    while len(found) < length:
        found.append(2 + int(rng.choice(VOCAB - 2, p=table[found[-2], found[-1]])))
    return np.array(found)


def by_hand(train: list[int], order: int, past: list[int], token: int) -> float:
    """Chen & Goodman's modified Kneser–Ney, interpolated, read off the paper."""
    padded = [0] * order + train
    counts: list[Counter] = []
    for n in range(1, order + 1):
        grams = Counter(tuple(padded[k - n + 1:k + 1]) for k in range(order, len(padded)))
        counts.append(grams)
    for n in range(order - 1):
        after: dict[tuple, set] = defaultdict(set)
        for gram in counts[n + 1]:
            after[gram[1:]].add(gram[0])
        counts[n] = Counter({gram: len(seen) for gram, seen in after.items()})
    chance = 1 / (VOCAB - 1)
    for n, grams in enumerate(counts):
        context = tuple(([0] * order + past)[len(past) + order - n:])
        inside = {gram: count for gram, count in grams.items() if gram[:-1] == context}
        if not inside:
            break
        ones, twos, threes, fours = (sum(count == k for count in grams.values()) for k in (1, 2, 3, 4))
        base = ones / (ones + 2 * twos) if ones and twos else 0.5            # of single tokens in so long a text none is rare
        take = {1: 1 - 2 * base * twos / ones if ones else base, 2: 2 - 3 * base * threes / twos if twos else 2 * base,
                3: 3 - 4 * base * fours / threes if threes else 3 * base}
        taken = {gram: min(max(take[min(count, 3)], 0.05), min(count, 3) - 0.05) for gram, count in inside.items()}
        total = sum(inside.values())
        own = (*context, token)
        chance = (inside.get(own, 0) - taken.get(own, 0)) / total + sum(taken.values()) / total * chance
    return chance


def fitted(order: int, length: int = 400) -> tuple[NGram, list[int]]:
    ids = text(length, 0)
    return NGram().fit(windows(ids), Generate("character", VOCAB), {"ngram.order": order}, 0), ids.tolist()


def test_chances_are_those_of_the_formula() -> None:
    model, train = fitted(3)
    for past, token in (([2, 3], 4), ([5, 2], 2), ([8, 8], 8), ([4], 5), ([], 2), (train[-2:], 6)):
        assert model.next(past)[token] == pytest.approx(by_hand(train, 3, past, token), rel=1e-9), (past, token)


def test_chances_make_one_and_answers_are_their_logs() -> None:
    model, train = fitted(4)
    for past in ([], [2], [2, 3], [8, 8, 8, 8], train[:50]):
        assert model.next(past).sum() == pytest.approx(1.0)
        assert (model.next(past)[1:] > 0).all()
    new = text(40, 3)
    nats = model.outputs(windows(new)).sum()
    assert float(nats) == pytest.approx(-sum(math.log(model.next(new[:k].tolist())[new[k]]) for k in range(len(new))), rel=1e-5)


def test_a_longer_memory_is_worth_what_there_is_to_remember() -> None:
    test = windows(text(2000, 9))
    nats = [float(fitted(order, 6000)[0].outputs(test).sum()) / 2000 for order in (2, 3, 5)]
    assert nats[1] < nats[0] - 0.1
    assert nats[2] < nats[1] + 0.05


def test_what_is_kept_answers_alike() -> None:
    model, _ = fitted(3)
    arrays, record = model.state()
    again = NGram.restore(arrays, record, windows(text(9, 1)).spec, Generate("character", VOCAB))
    test = windows(text(100, 2))
    np.testing.assert_array_equal(again.outputs(test), model.outputs(test))
    assert model.parameters() == sum(len(arrays[f"{name}-{n}"]) for name in ("share", "rest") for n in range(3))
    assert model.macs() == 3 * HALF


def test_a_single_token_again_and_again_costs_next_to_nothing() -> None:
    model = NGram().fit(windows(np.full(600, 4)), Generate("character", VOCAB), {"ngram.order": 5}, 0)
    assert model.next([4] * 9)[4] > 0.99
    assert np.isfinite(model.outputs(windows(text(60, 0))).numpy()).all()
