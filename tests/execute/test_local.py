from __future__ import annotations

import time

import pytest

from bakeoff.execute.base import Piece, answers
from bakeoff.execute.local import Local, died
from bakeoff.train.setup import Setup
from bakeoff.types import Job, Trial


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A Setup over planted pictures, as a worker opens it."""
    import numpy as np

    from bakeoff.options import Options
    from bakeoff.session import load_data
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    x = rng.integers(0, 120, (600, 8, 8)).astype(np.uint8)
    x[labels == 1, :4] += 60
    path = tmp_path_factory.mktemp("data") / "halves.npz"
    np.savez(path, x=x, y=labels)
    loaded = load_data(str(path), Options())
    fold = loaded.folds[0]
    return Setup((str(fold.folder),), loaded.task_name, (fold.task_state,), loaded.metric, loaded.kind_name, (fold.kind_state,)), loaded


def piece(prepared, number: int = 0, **more) -> Piece:
    from bakeoff import registry
    from bakeoff.train.choices import space_of
    setup, loaded = prepared
    params = space_of(registry.get("family", "mlp"), loaded.spec, setup.make_task()).defaults()
    return Piece("train", Job("mlp", number, "tune", 5, {**params, **more}, 320), setup)


def test_every_piece_is_answered_once_by_its_own_process(prepared):
    place = Local(2)
    found = list(answers(place, [piece(prepared, number) for number in range(5)]))
    place.close()
    assert sorted(one.piece.job.number for one in found) == list(range(5))
    assert all(isinstance(one.result, Trial) and one.result.state == "done" for one in found), [one.error for one in found]


def test_the_same_job_gives_the_same_trial_in_any_worker(prepared):
    place = Local(2)
    first, second = (one.result for one in answers(place, [piece(prepared), piece(prepared)]))
    place.close()
    assert (first.value, first.score, first.reached) == (second.value, second.score, second.reached)


def test_a_training_that_raises_is_told_in_a_sentence(prepared):
    place = Local(1)
    (one,) = answers(place, [piece(prepared, width=-3)])
    place.close()
    assert one.result is None
    assert one.error
    assert "Traceback" in one.traceback


def test_a_killed_process_is_told(prepared):
    place = Local(1)
    big = piece(prepared)
    place.put(Piece("train", Job(**{**vars(big.job), "examples": 50_000_000}), big.setup))
    time.sleep(0.5)
    place.running[0].process.kill()
    (one,) = place.wait()
    assert "signal 9" in one.error
    assert place.free()


def test_closing_ends_what_runs(prepared):
    place = Local(1)
    big = piece(prepared)
    place.put(Piece("train", Job(**{**vars(big.job), "examples": 50_000_000}), big.setup))
    process = place.running[0].process
    place.close()
    assert not process.is_alive()


def test_how_a_process_died_is_said():
    assert "memory" in died(-9)
    assert "signal 11" in died(-11)
    assert "code 3" in died(3)
