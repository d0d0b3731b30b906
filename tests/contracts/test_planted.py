"""Every family at its defaults, untuned, learns what is planted: which of two motifs stands in a noisy series, which bar lies in a picture.
Families that look up what they are asked, cell by cell, may learn that instead."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bakeoff.data.base import Arrays, Dataset
from bakeoff.nn.network import Network
from bakeoff.registry import every
from bakeoff.tasks.classify import Classify
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.types import Spec

FAMILIES = every("family")
TRAIN, FRESH = 400, 200
SEEN = 2000                                   # examples of a training: five times each
ENOUGH = 0.9                                  # of the fresh examples are to be right; a coin has half


def waves(rng: np.random.Generator, count: int) -> tuple[np.ndarray, list[str]]:
    """(count, 32, 1): noise with a wave of eight steps in it that goes up and then down, or down and then up."""
    x, labels = rng.normal(0, 0.3, (count, 32, 1)), rng.choice(["up", "down"], count)
    motif = 2 * np.sin(2 * np.pi * np.arange(8) / 8)
    for row, label in zip(x, labels, strict=True):
        at = rng.integers(0, 25)
        row[at:at + 8, 0] += motif if label == "up" else -motif
    return x.astype(np.float32), labels.tolist()


def bars(rng: np.random.Generator, count: int) -> tuple[np.ndarray, list[str]]:
    """(count, 12, 12, 1): noise with a bar of one by ten cells in it, level or upright."""
    x, labels = rng.normal(0, 0.3, (count, 12, 12, 1)), rng.choice(["level", "upright"], count)
    for cells, label in zip(x, labels, strict=True):
        high, wide = (1, 10) if label == "level" else (10, 1)
        top, left = rng.integers(0, 13 - high), rng.integers(0, 13 - wide)
        cells[top:top + high, left:left + wide] += 2
    return x.astype(np.float32), labels.tolist()


def facts(rng: np.random.Generator, count: int) -> tuple[np.ndarray, list[str]]:
    """(count, 4, 2) words: for a question with a name, then for each of three names in any order one of two places."""
    names = np.array([rng.permutation(3) for _ in range(count)]) + 2
    places, asked = rng.integers(0, 2, (count, 3)), rng.integers(0, 3, count)
    own = np.arange(count)
    x = np.concatenate([np.stack([names[own, asked], np.full(count, 8)], -1)[:, None], np.stack([names, places + 6], -1)], 1)
    return x.astype(np.int32), [("garden", "hall")[place] for place in places[own, asked]]


def signs(rng: np.random.Generator, count: int) -> tuple[np.ndarray, list[str]]:
    """(count, 4) ids: the same with a sign for each fact, and the question as the last."""
    x, labels = facts(rng, count)
    return np.concatenate([2 * x[:, 1:, 0] + x[:, 1:, 1] - 4, x[:, :1, 0]], 1), labels


def accuracy(name: str, axes: tuple[str, ...], cells: np.ndarray, labels: list[str]) -> float:
    """Of a network trained on the first examples, on the others."""
    sizes, ids = cells.shape[1:len(axes) + 1], cells.dtype == np.int32
    moments = () if ids else ((float(cells.mean()),), (float(cells.std()),))
    spec = Spec("planted", axes, sizes, None if ids else 1, 16 if ids else None, None, {"train": TRAIN}, "", *(moments or ((), ())), sizes, sizes)
    task = Classify().fit(labels, spec)
    data = Dataset(spec, Arrays(cells), labels, [str(number) for number in range(len(labels))]).aim(task.collate(labels))
    setting = space_of(FAMILIES[name], spec, task).defaults()
    torch.manual_seed(0)
    network = Network(FAMILIES[name], spec, task, setting)
    loop.train(network, data.subset(range(TRAIN)), None, task, setting, examples=SEEN, seed=0)
    fresh = data.subset(range(TRAIN, TRAIN + FRESH))
    answers = task.decode(loop.outputs(network, fresh))
    return float(np.mean([answer.value == label for answer, label in zip(answers, labels[TRAIN:], strict=True)]))


@pytest.mark.parametrize("name", FAMILIES)
def test_two_motifs_are_told_apart_wherever_they_stand(name: str) -> None:
    rng = np.random.default_rng(0)
    assert (accuracy(name, ("time",), *waves(rng, TRAIN + FRESH)) >= ENOUGH
            or accuracy(name, ("word",), *signs(rng, TRAIN + FRESH)) >= ENOUGH)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if 2 in family.ranks])
def test_level_and_upright_bars_are_told_apart_wherever_they_lie(name: str) -> None:
    rng = np.random.default_rng(1)
    assert (accuracy(name, ("height", "width"), *bars(rng, TRAIN + FRESH)) >= ENOUGH
            or accuracy(name, ("sentence", "word"), *facts(rng, TRAIN + FRESH)) >= ENOUGH)
