"""Repeating the step before, and rates: their chances are those that are counted."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from bakeoff.baselines.last import Last
from bakeoff.baselines.rate import Rate
from bakeoff.data.base import Arrays, Dataset
from bakeoff.registry import every
from bakeoff.tasks.predict import Predict
from bakeoff.types import Spec


def dataset(pieces: list[np.ndarray]) -> tuple[Dataset, Predict]:
    flat = np.concatenate(pieces)
    frame = flat.shape[1:]
    values = flat.reshape(-1, frame[-1]).astype(np.float64)
    spec = Spec("made", ("time", "height", "width")[:len(frame)], (None, *frame[:-1]), frame[-1], None, None, {"train": len(pieces)}, "",
                tuple(values.mean(0).tolist()), tuple(values.std(0).tolist()), (9, *frame[:-1]), (9, *frame[:-1]))
    data = Dataset(spec, Arrays(flat, np.array([[len(piece)] for piece in pieces])), [None] * len(pieces), list(map(str, range(len(pieces)))))
    data.collate(None)
    return data, Predict().fit([], spec)


@pytest.fixture
def keys() -> tuple[Dataset, Predict]:
    rng = np.random.default_rng(0)
    return dataset([(rng.random((length, 5)) < 0.3).astype(np.uint8) for length in (7, 3, 1, 12)])


def test_rates_are_those_counted(keys) -> None:
    data, task = keys
    fitted = Rate().fit(data, task, {}, 0)
    cells = data.arrays.cells.astype(float)
    chance = (cells.sum(0) + 1) / (len(cells) + 2)
    piece = cells[:7]
    wanted = -(np.log(chance) * piece[1:] + np.log(1 - chance) * (1 - piece[1:])).sum()
    assert fitted.outputs(data)[0].tolist() == pytest.approx([wanted, 6], rel=1e-5)
    assert fitted.parameters() == 5


def test_what_sounds_goes_on_as_often_as_it_did(keys) -> None:
    data, task = keys
    fitted = Last().fit(data, task, {}, 0)
    counts = np.ones((2, 2, 5))
    offsets = data.arrays.offsets()
    pieces = [data.arrays.cells[a:b] for a, b in itertools.pairwise(offsets)]
    for piece in pieces:
        for before, after in itertools.pairwise(piece):
            for key in range(5):
                counts[before[key], after[key], key] += 1
    chance = counts[:, 1] / counts.sum(1)
    wanted = 0.0
    for before, after in zip(pieces[3][:-1], pieces[3][1:], strict=True):
        for key in range(5):
            p = chance[before[key], key]
            wanted -= math.log(p if after[key] else 1 - p)
    assert fitted.outputs(data)[3].tolist() == pytest.approx([wanted, 11], rel=1e-5)
    assert fitted.outputs(data)[2].tolist() == [0, 0]


def test_a_key_that_training_never_heard_costs_a_finite_sum() -> None:
    silent, loud = np.zeros((4, 3), np.uint8), np.ones((4, 3), np.uint8)
    silent[0, 0] = 1
    train, task = dataset([silent])
    test, _ = dataset([loud])
    for cls in (Last, Rate):
        assert cls().fit(train, task, {}, 0).outputs(test).isfinite().all()


def test_real_steps_and_films_are_repeated_as_they_are() -> None:
    rng = np.random.default_rng(0)
    for frame in ((2,), (3, 4, 1)):
        pieces = [rng.normal(size=(length, *frame)).astype(np.float32) for length in (5, 2)]
        data, task = dataset(pieces)
        out = Last().fit(data, task, {}, 0).outputs(data)
        np.testing.assert_allclose(out[:, 0], [np.square(np.diff(piece, axis=0)).sum() for piece in pieces], rtol=1e-5)
        assert "real numbers" in str(Rate.why_not(data.spec, task))


@pytest.mark.parametrize("name", ["last", "rate"])
def test_what_is_saved_answers_and_goes_on_alike(name: str, keys) -> None:
    data, task = keys
    cls = every("baseline")[name]
    assert cls.why_not(data.spec, task) is None
    fitted = cls().fit(data, task, {}, 0)
    arrays, record = fitted.state()
    kept = load(save({key: np.ascontiguousarray(array) for key, array in arrays.items()}))
    again = cls.restore(kept, json.loads(json.dumps(record)), data.spec, task)
    assert torch.equal(again.outputs(data), fitted.outputs(data))
    x = data.take([3]).x.x
    out, state = again.begin(x)
    torch.testing.assert_close(out, again.said(x)[:, -1])
    torch.testing.assert_close(again.step(x[:, 4].float(), state)[0], again.said(x)[:, 4])
