"""The penalty chosen in closed form, against scikit-learn's and against leaving out one example after the other."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeClassifierCV, RidgeCV

from bakeoff.baselines import ridge


def problem(count, width, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, width)).astype(np.float32)
    x -= x.mean(0)
    return x, (x @ rng.normal(size=(width, 3)) / np.sqrt(width) + noise * rng.normal(size=(count, 3)))


@pytest.mark.parametrize(("count", "width"), [(60, 20), (40, 200)])
@pytest.mark.parametrize("noise", [0.01, 1.0])
def test_the_penalty_and_the_weights_are_those_of_scikit_learn(count, width, noise):
    x, y = problem(count, width, noise)
    found = ridge.fit(x, y)
    reference = RidgeCV(ridge.ALPHAS).fit(x, y)
    assert found.alpha == pytest.approx(reference.alpha_)
    np.testing.assert_allclose(found.weights, reference.coef_.T, atol=1e-3)
    np.testing.assert_allclose(found.offsets, reference.intercept_, atol=1e-3)


def test_classes_are_scored_as_by_the_ridge_classifier():
    x, y = problem(80, 30)
    labels = y.argmax(1)
    found = ridge.fit(x, np.where(labels[:, None] == np.arange(3), 1.0, -1.0))
    reference = RidgeClassifierCV(ridge.ALPHAS).fit(x, labels)
    np.testing.assert_allclose(x @ found.weights + found.offsets, reference.decision_function(x), atol=1e-3)


def test_examples_left_out_are_answered_as_by_a_fit_without_them():
    x, y = problem(25, 8)
    found = ridge.fit(x, y)
    for number in (0, 7, 24):
        rest = np.arange(25) != number
        reference = Ridge(alpha=found.alpha).fit(x[rest], y[rest])
        np.testing.assert_allclose(found.left_out[number], reference.predict(x[[number]])[0], atol=1e-4)


@pytest.mark.parametrize("width", [20, 400])
def test_above_the_exact_size_one_penalty_is_solved_for_all_examples(width, monkeypatch):
    monkeypatch.setattr(ridge, "EXACT", 100)
    x, y = problem(300, width)
    found = ridge.fit(x, y)
    reference = Ridge(alpha=found.alpha).fit(x, y)
    np.testing.assert_allclose(found.weights, reference.coef_.T, atol=1e-3)
    assert found.rows.shape == (100,)
    assert found.left_out.shape == (100, 3)
    every = RidgeCV(ridge.ALPHAS).fit(x, y).alpha_
    assert found.alpha / 10 < every < found.alpha * 10


def test_strips_of_columns_add_up(monkeypatch):
    monkeypatch.setattr(ridge, "STRIP", 7)
    x, _ = problem(30, 50)
    np.testing.assert_allclose(ridge.gram(x), x.astype(np.float64) @ x.T, rtol=1e-6, atol=1e-6)


def test_sharpness_is_small_for_noise_and_large_for_scores_that_are_right():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 500)
    noise = rng.normal(size=(500, 3))
    assert ridge.sharpness(noise, labels) < 0.3
    assert ridge.sharpness(noise + 3 * np.eye(3)[labels], labels) == pytest.approx(3, rel=0.3)     # the odds of unit noise around 3


def test_one_example_and_columns_of_zeros_are_solved_too():
    found = ridge.fit(np.zeros((1, 4), dtype=np.float32), np.ones((1, 2)))
    np.testing.assert_allclose(found.offsets, 1)
    assert np.isfinite(found.left_out).all()
    assert np.abs(found.weights).max() == 0
