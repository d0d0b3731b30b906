"""Trees walked here against scikit-learn's own answers."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from bakeoff.baselines.boosting import Boosting, columns

START = {"boosting.rate": 0.1, "boosting.leaves": 31}


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(300, 1, 5)).astype(np.float32)


def walked(model, x, y):
    fitted = Boosting()
    fitted.keep(model.fit(x, y)._predictors, np.asarray(model._baseline_prediction).reshape(-1))
    return fitted.scores(x)


@pytest.mark.parametrize("classes", [2, 4])
def test_scores_are_those_of_scikit_learn(x, classes):
    x = x[:, 0].astype(np.float64)
    y = np.digitize(x[:, 0] * x[:, 1], np.linspace(-0.5, 0.5, classes - 1)) if classes > 2 else (x[:, 0] * x[:, 1] > 0) * 1
    model = HistGradientBoostingClassifier(max_iter=20, early_stopping=False)
    found = walked(model, x, y)
    reference = model.decision_function(x)
    np.testing.assert_allclose(found[:, 0] if classes == 2 else found, reference, atol=1e-10)


def test_numbers_are_those_of_scikit_learn(x):
    x = x[:, 0].astype(np.float64)
    model = HistGradientBoostingRegressor(max_iter=20, early_stopping=False)
    found = walked(model, x, x[:, 0] * x[:, 1])
    np.testing.assert_allclose(found[:, 0], model.predict(x), atol=1e-10)


@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_an_exclusive_or_is_learnt(made, x, labels):
    targets = [labels[min(len(labels) - 1, int(one[0] > 0) ^ int(one[1] > 0) + 2 * int(one[2] > 1))] for one in x[:, 0]]
    data, task = made(x, targets)
    test = data.subset(range(200, 300))
    out = Boosting().fit(data.subset(range(200)), task, START, 0).outputs(test)
    assert float((out.argmax(1) == task.collate(test.targets)).float().mean()) > 0.85
    np.testing.assert_allclose(out.exp().sum(1), 1, atol=1e-5)


def test_the_inner_split_stops_it_where_there_is_nothing_to_learn(made, x):
    data, task = made(x, ["a", "b"] * 150)
    assert len(Boosting().fit(data, task, START, 0).roots) < 40


@pytest.mark.parametrize("count", [2, 5, 59, 60])
def test_few_examples_are_enough(made, x, count):
    data, task = made(x, ["a", "b", "c"] * 100)
    out = Boosting().fit(data.subset(range(count)), task, START, 0).outputs(data)
    assert out.shape == (300, 3)
    assert out.isfinite().all()


def test_one_class_alone_is_answered_everywhere(made, x):
    data, task = made(x, ["a", "b"] * 150)
    out = Boosting().fit(data.subset(range(0, 300, 2)), task, START, 0).outputs(data)
    assert (out.exp()[:, 0] > 0.999).all()


def test_its_cost_counts_the_steps_down_the_trees(made, x):
    data, task = made(x, [float(one[0] * one[1]) for one in x[:, 0]])
    fitted = Boosting().fit(data, task, START, 0)
    place, steps = np.tile(fitted.roots.reshape(-1), (300, 1)), np.zeros((300, fitted.roots.size))
    rows = columns(data)
    for _ in range(fitted.depth):
        low = rows[np.arange(300)[:, None], fitted.nodes["feature"][place]] <= fitted.nodes["threshold"][place]
        after = np.where(low, fitted.nodes["left"][place], fitted.nodes["right"][place])
        steps += after != place
        place = after
    assert fitted.macs() == pytest.approx((steps.mean() + 1) * fitted.roots.size, rel=1e-6)


def test_of_series_it_reads_a_summary(made):
    rng = np.random.default_rng(0)
    rate = np.where(np.arange(120) % 2, 0.05, 0.15)
    series = [np.sin(2 * np.pi * (one * np.arange(rng.integers(40, 60)) + rng.random()))[:, None].astype(np.float32) for one in rate]
    data, task = made(series, ["quick", "slow"] * 60)
    fitted, test = Boosting().fit(data.subset(range(90)), task, START, 0), data.subset(range(90, 120))
    out = fitted.outputs(test)
    assert (out.argmax(1) == task.collate(test.targets)).float().mean() > 0.9
    assert (Boosting.restore(*fitted.state(), data.spec, task).outputs(test) == out).all()


def test_it_reads_tables_and_series_only(made, x):
    data, task = made(np.zeros((4, 6, 5, 1), np.float32), ["a", "b"] * 2)
    assert "a table's columns" in Boosting.why_not(data.spec, task)
    table, _ = made(x, ["a", "b"] * 150)
    assert Boosting.why_not(table.spec, task) is None
