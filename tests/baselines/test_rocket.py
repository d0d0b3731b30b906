"""Random convolutions and ridge: what they must solve, and what they cannot read."""

import numpy as np
import pytest

from bakeoff.baselines.rocket import Rocket
from bakeoff.types import Spec

SMALL = {"rocket.kernels": 1000, "rocket.differences": False}


def accuracy(out, task, data):
    return float((out.argmax(1) == task.collate(data.targets)).float().mean())


def test_a_pattern_anywhere_in_noise_is_found(made):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 60, 1)).astype(np.float32)
    for number in range(160):
        begin = rng.integers(0, 50)
        x[number, begin:begin + 9, 0] += 2 * np.array([1, -1, 1, 1, -1, -1, 1, -1, 1]) * (1 if number % 2 else -1)
    data, task = made(x, ["up", "down"] * 80)
    fitted = Rocket().fit(data.subset(range(120)), task, SMALL, 0)
    assert accuracy(fitted.outputs(data.subset(range(120, 160))), task, data.subset(range(120, 160))) > 0.9


def test_the_chances_are_honest_about_noise(made):
    x = np.random.default_rng(0).normal(size=(200, 30, 1)).astype(np.float32)
    data, task = made(x, ["a", "b"] * 100)
    out = Rocket().fit(data.subset(range(100)), task, SMALL, 0).outputs(data.subset(range(100, 200)))
    loss = -out.gather(1, task.collate(["a", "b"] * 50)[:, None]).mean()
    assert loss < 0.8                                      # ln 2 is what knowing nothing costs


def test_two_shapes_in_images_are_told_apart(made):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 60, (120, 12, 12, 1)).astype(np.uint8)
    for number in range(120):
        row, column = rng.integers(1, 6, 2)
        x[number, row:row + 5, column + 2 * (number % 2):column + 2 * (number % 2) + 1] = 255
        x[number, row + 2 * (number % 2), column:column + 5] = 255
    data, task = made(x, ["corner", "tee"] * 60)
    fitted = Rocket().fit(data.subset(range(90)), task, {"rocket.kernels": 40}, 0)
    assert accuracy(fitted.outputs(data.subset(range(90, 120))), task, data.subset(range(90, 120))) > 0.9


def test_a_number_is_predicted(made):
    rng = np.random.default_rng(0)
    rate = rng.uniform(0.02, 0.2, 150)
    x = np.sin(2 * np.pi * (rate[:, None] * np.arange(60) + rng.random((150, 1))))[..., None].astype(np.float32)
    data, task = made(x, [float(value) for value in rate])
    test = data.subset(range(100, 150))
    out = Rocket().fit(data.subset(range(100)), task, SMALL, 0).outputs(test)
    assert float((out - task.collate(test.targets)[:, None]).square().mean()) < 0.05       # of a variance of one


@pytest.mark.parametrize(("differences", "seed"), [(False, 1), (True, 0)])
def test_seed_and_setting_change_the_kernels(made, differences, seed):
    data, task = made(np.random.default_rng(0).normal(size=(30, 20, 1)).astype(np.float32), ["a", "b"] * 15)
    first = Rocket().fit(data, task, SMALL, 0).outputs(data)
    other = Rocket().fit(data, task, {**SMALL, "rocket.differences": differences}, seed).outputs(data)
    assert not np.allclose(first, other)


def test_many_examples_get_fewer_kernels(made, monkeypatch):
    from bakeoff.baselines import convolved
    data, task = made(np.random.default_rng(0).normal(size=(50, 20, 1)).astype(np.float32), ["a", "b"] * 25)
    monkeypatch.setattr(convolved, "NUMBERS", 50 * 700)
    assert 600 < Rocket().fit(data, task, SMALL, 0).kernels.numbers < 750
    monkeypatch.setattr(convolved, "NUMBERS", 1)
    assert 300 < Rocket().fit(data, task, SMALL, 0).kernels.numbers < 420


def test_it_says_what_it_cannot_read(made):
    _, task = made(np.zeros((4, 3, 1), np.float32), ["a", "b"] * 2)

    def spec(sizes, channels=1, vocab=None):
        return Spec("made", ("a", "b", "c")[:len(sizes)], sizes, channels, vocab, None, {}, "")
    assert "names, not amounts" in Rocket.why_not(spec((None,), None, 50), task)
    assert "no cells beside each other" in Rocket.why_not(spec((1,), 5), task)
    assert "differ in size" in Rocket.why_not(spec((None, 28)), task)
    assert "3" in Rocket.why_not(spec((4, 4, 4)), task)
    assert Rocket.why_not(spec((None,), 3), task) is None
    assert Rocket.why_not(spec((28, 28)), task) is None
