"""The mean target."""

import numpy as np
import pytest

from bakeoff.baselines.mean import Mean


def test_every_example_gets_the_mean_of_the_part_it_was_fitted_on(made):
    data, task = made(np.zeros((4, 1, 2), np.float32), [1.0, 2.0, 3.0, 10.0])
    out = Mean().fit(data.subset([0, 1, 2]), task, {}, 0).outputs(data)
    assert [answer.value for answer in task.decode(out)] == pytest.approx([2.0] * 4, abs=1e-6)


def test_it_enters_regression_only(made):
    data, regress = made(np.zeros((4, 1, 2), np.float32), [0.0, 1.0] * 2)
    _, classify = made(np.zeros((4, 1, 2), np.float32), ["a", "b"] * 2)
    assert Mean.why_not(data.spec, regress) is None
    assert "classify" in (Mean.why_not(data.spec, classify) or "")
