"""Hydra: its votes against a plain loop over steps and kernels, and what it must solve."""

import numpy as np
import pytest
import torch

from bakeoff.baselines import dictionary
from bakeoff.baselines.dictionary import RIVALS, TAPS, Dictionary
from bakeoff.baselines.hydra import Hydra

SMALL = {"hydra.groups": 16}


def series(count, channels, longest, ragged, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rng.integers(3, longest + 1) if ragged else longest, channels)).astype(np.float32) for _ in range(count)]


def counted(bank, x):
    """x (C, T) → the votes of one series, step by step."""
    votes = np.zeros((2, len(bank.weights), RIVALS))
    for group, weights in enumerate(bank.weights.double().numpy()):
        source = x.sum(0) if x.shape[0] == 1 else x[bank.mixed[group].numpy() > 0].sum(0)
        for step in range(len(source)):
            places = step + bank.dilation * (np.arange(TAPS) - TAPS // 2)
            seen = np.array([source[place] if 0 <= place < len(source) else 0.0 for place in places])
            answers = weights @ seen
            votes[0, group, answers.argmax()] += answers.max()
            votes[1, group, answers.argmin()] += answers.min() < -dictionary.STILL
    return votes.reshape(-1) / max(1, x.shape[1])


@pytest.mark.parametrize(("channels", "ragged"), [(1, False), (3, True), (12, True)])
def test_votes_are_those_of_a_loop_over_the_steps(made, channels, ragged):
    data, _ = made(series(6, channels, 40, ragged), ["a", "b"] * 3)
    kernels = Dictionary.drawn(data, 4, np.random.default_rng(0))
    rows = kernels.features(data)
    for number in range(6):
        x = kernels.scaled(data.subset([number]).take([0]).x)[0][0][0].double().numpy()
        expected = [counted(bank, np.diff(x, axis=1) if bank.change else x) for bank in kernels.banks]
        np.testing.assert_allclose(rows[number], np.concatenate(expected), atol=1e-5)


def test_kernels_sum_to_zero_and_dilations_double_until_they_span_the_series(made):
    data, _ = made(series(4, 1, 100, False), ["a", "b"] * 2)
    kernels = Dictionary.drawn(data, 4, np.random.default_rng(0))
    assert sorted({bank.dilation for bank in kernels.banks}) == [1, 2, 4, 8]
    for bank in kernels.banks:
        assert bank.weights.sum(-1).abs().max() < 1e-6
        torch.testing.assert_close(bank.weights.abs().sum(-1), torch.ones(2, RIVALS))


def test_what_else_is_in_the_batch_changes_nothing_and_what_is_kept_gives_the_same(made):
    cells = [*series(9, 2, 40, ragged=True), np.zeros((0, 2), np.float32), np.ones((1, 2), np.float32), np.full((30, 2), 3.0, np.float32)]
    data, _ = made(cells, ["a", "b"] * 6)
    kernels = Dictionary.drawn(data, 4, np.random.default_rng(0))
    together = kernels.features(data)
    assert np.isfinite(together).all()
    np.testing.assert_allclose(np.concatenate([kernels.features(data.subset([number])) for number in range(12)]), together, atol=1e-5)
    np.testing.assert_array_equal(Dictionary.restore(*kernels.state(), data.spec).features(data), together)


def test_a_pattern_anywhere_in_noise_is_found(made):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 60, 1)).astype(np.float32)
    for number in range(160):
        begin = rng.integers(0, 50)
        x[number, begin:begin + 9, 0] += 2 * np.array([1, -1, 1, 1, -1, -1, 1, -1, 1]) * (1 if number % 2 else -1)
    data, task = made(x, ["up", "down"] * 80)
    fitted, test = Hydra().fit(data.subset(range(120)), task, SMALL, 0), data.subset(range(120, 160))
    assert float((fitted.outputs(test).argmax(1) == task.collate(test.targets)).float().mean()) > 0.9


def test_two_shapes_in_images_are_told_apart_and_kept(made):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 60, (120, 12, 12, 1)).astype(np.uint8)
    for number in range(120):
        row, column = rng.integers(1, 6, 2)
        x[number, row:row + 5, column + 2 * (number % 2):column + 2 * (number % 2) + 1] = 255
        x[number, row + 2 * (number % 2), column:column + 5] = 255
    data, task = made(x, ["corner", "tee"] * 60)
    fitted, test = Hydra().fit(data.subset(range(90)), task, {"hydra.groups": 10}, 0), data.subset(range(90, 120))
    out = fitted.outputs(test)
    assert float((out.argmax(1) == task.collate(test.targets)).float().mean()) > 0.9
    assert torch.equal(Hydra.restore(*fitted.state(), data.spec, task).outputs(test), out)
