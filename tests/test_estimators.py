from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import bakeoff
from bakeoff import BakeoffClassifier, BakeoffRegressor

TINY: dict[str, Any] = {"slate": "mlp", "trials": 1, "examples": 200, "seeds": 1, "jobs": 1}


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """Dozens of data sets of twenty rows do not belong into anybody's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKEOFF_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@parametrize_with_checks([BakeoffClassifier(**TINY), BakeoffRegressor(**TINY)])
def test_estimators_keep_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


def test_parameters_are_the_options_of_run_with_the_same_names_and_defaults():
    parameters = inspect.signature(bakeoff.run).parameters.values()
    options = {one.name: one.default for one in parameters if one.name not in ("data", "watch", "born")}
    assert BakeoffClassifier().get_params() == options
    assert BakeoffRegressor().get_params() == options
    assert clone(BakeoffClassifier(slate="gru", set={"width": 32})).get_params() == {**options, "slate": "gru", "set": {"width": 32}}


def test_an_unknown_parameter_is_refused():
    with pytest.raises(TypeError, match="slat"):
        BakeoffClassifier(slat="mlp")


@pytest.fixture(scope="module")
def series():
    """(n, channels, time): two frequencies, told apart by words."""
    rng = np.random.default_rng(0)
    y = rng.choice(["slow", "swift"], 90)
    rate = np.where(y == "slow", 0.2, 0.9)[:, None, None]
    return (np.sin(np.arange(30) * rate + rng.uniform(0, 6, (90, 1, 1))) + rng.normal(0, 0.1, (90, 1, 30))).astype(np.float32), y


def test_series_are_learnt_and_answered_in_the_users_labels(series, tmp_path):
    X, y = series
    model = BakeoffClassifier(**{**TINY, "slate": "fcn", "out": tmp_path / "run"}).fit(X, y)
    assert model.score(X, y) > 0.8
    assert set(model.predict(X)) <= {"slow", "swift"}
    chances = model.predict_proba(X)
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(model.classes_[chances.argmax(1)], model.predict(X))
    assert model.result_.read("plan.json")["kind"] == "series"
    assert (tmp_path / "run" / "report.html").exists()


def test_a_pickled_estimator_answers_without_its_run(series):
    X, y = series
    model = BakeoffClassifier(**TINY).fit(X, y)
    before = model.predict_proba(X)
    folder = model.result_.folder
    packed = pickle.dumps(model)
    del model
    assert not folder.exists()                                     # a temporary folder goes with its estimator
    np.testing.assert_array_equal(pickle.loads(packed).predict_proba(X), before)


@pytest.mark.parametrize("shape", [(8, 6), (8, 6, 3)], ids=["grey", "colour"])
def test_arrays_of_pixels_are_images(shape):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    X = rng.integers(0, 60, (60, *shape)).astype(np.uint8)
    X[:, :4] += (y * 150).astype(np.uint8).reshape(-1, *(1,) * len(shape))
    model = BakeoffClassifier(**TINY).fit(X, y)
    assert model.result_.read("plan.json")["kind"] == "image"
    assert model.score(X, y) > 0.9
    assert model.predict(X).dtype == y.dtype


def test_numbers_are_learnt_from_series_with_holes(series):
    X, _ = series
    y = X.mean((1, 2)) * 10
    X = X.copy()
    X[3, 0, 4:9] = np.nan
    model = BakeoffRegressor(**TINY).fit(X, y)
    assert model.result_.read("plan.json")["task"] == "regress"
    assert model.predict(X).dtype == np.float64
    assert np.isfinite(model.predict(X)).all()


def test_labels_that_would_look_alike_in_a_file_stay_apart():
    rng = np.random.default_rng(0)
    y = np.array(["a", "a ", "b"])[np.arange(60) % 3]
    X = np.arange(60)[:, None] % 3 + rng.normal(0, 0.05, (60, 4))
    assert set(BakeoffClassifier(**TINY).fit(X, y).predict(X)) == {"a", "a ", "b"}


@pytest.mark.parametrize(("change", "said"), [({"task": "regress"}, "is for --task classify"), ({"slate": "mlpp"}, "Did you mean 'mlp'")])
def test_what_cannot_be_done_is_a_value_error(series, change, said):
    with pytest.raises(ValueError, match=said):
        BakeoffClassifier(**{**TINY, **change}).fit(*series)


def test_five_axes_are_no_data_set():
    with pytest.raises(ValueError, match="dim 5"):
        BakeoffClassifier(**TINY).fit(np.zeros((4, 2, 2, 2, 2)), [0, 1, 0, 1])
