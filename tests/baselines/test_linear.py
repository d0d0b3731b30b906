"""What one weighted sum solves, and what it cannot."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bakeoff.baselines.linear import Linear


def share(out, task, data):
    return float((out.argmax(1) == task.collate(data.targets)).float().mean())


def test_columns_of_a_table_get_the_chances_of_scikit_learn(made):
    rng = np.random.default_rng(0)
    x = rng.normal(3, 5, size=(150, 1, 4)).astype(np.float32)
    labels = ["abc"[number] for number in (x[:, 0, :3] + rng.normal(0, 4, (150, 3))).argmax(1)]
    data, task = made(x, labels)
    out = Linear().fit(data, task, {"linear.C": 1.0}, 0).outputs(data)
    flat = ((x - x.mean(0)) / x.std(0))[:, 0]
    reference = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(flat, labels)
    np.testing.assert_allclose(out.exp(), reference.predict_proba(flat), atol=2e-3)


def test_words_decide_where_their_order_does_not(made):
    rng = np.random.default_rng(0)
    words = [f"word{number}" for number in range(40)]
    rows = [rng.integers(2, 40, 12).astype(np.int32) for _ in range(200)]
    for number, row in enumerate(rows):
        row[rng.integers(0, 12)] = number % 2
    (data, task), (new, _) = made(rows[:150], ["a", "b"] * 75, words), made(rows[150:], ["a", "b"] * 25, words)
    assert share(Linear().fit(data, task, {"linear.C": 30.0}, 0).outputs(new), task, new) > 0.95


def test_the_order_of_two_words_far_apart_is_not_seen(made):
    rng = np.random.default_rng(0)
    words = [f"word{number}" for number in range(60)]
    rows = [rng.integers(2, 60, 24).astype(np.int32) for _ in range(400)]
    for number, row in enumerate(rows):
        row[3], row[15] = (0, 1) if number % 2 else (1, 0)
    (data, task), (new, _) = made(rows[:200], ["a", "b"] * 100, words), made(rows[200:], ["a", "b"] * 100, words)
    assert 0.35 < share(Linear().fit(data, task, {"linear.C": 30.0}, 0).outputs(new), task, new) < 0.65


@pytest.mark.parametrize("ragged", [False, True])
def test_series_are_told_apart_by_their_summary(made, ragged):
    rng = np.random.default_rng(0)
    x = [np.cumsum(rng.normal(size=(rng.integers(20, 40) if ragged else 30, 2)), 0) if number % 2 else rng.normal(size=(30, 2))
         for number in range(120)]
    data, task = made([one.astype(np.float32) for one in x], ["noise", "walk"] * 60)
    test = data.subset(range(80, 120))
    assert share(Linear().fit(data.subset(range(80)), task, {"linear.C": 1.0}, 0).outputs(test), task, test) > 0.95


def test_a_number_is_predicted_in_the_users_units(made):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 1, 3)).astype(np.float32)
    y = 1000 + 50 * x[:, 0, 0] - 20 * x[:, 0, 1]
    data, task = made(x, [float(value) for value in y])
    found = [answer.value for answer in task.decode(Linear().fit(data, task, {"linear.C": 100.0}, 0).outputs(data))]
    np.testing.assert_allclose(found, y, atol=0.5)


def test_its_cost_is_features_times_classes(made):
    data, task = made(np.random.default_rng(0).normal(size=(30, 5, 4, 2)).astype(np.float32), ["a", "b", "c"] * 10)
    fitted = Linear().fit(data, task, {"linear.C": 1.0}, 0)
    assert fitted.macs() == 5 * 4 * 2 * 3
    assert fitted.parameters() == 40 * 3 + 3 + 2 * 40      # weights, offsets, mean and scale
