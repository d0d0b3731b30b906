"""Every metric of numbers equals scikit-learn's, and is the same for any multiset of its rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from bakeoff.metrics.base import Metric, Summed
from bakeoff.metrics.error import MAE, R2, REGRESS, RMSE
from bakeoff.types import Answer

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=50))
@settings(max_examples=80, deadline=None)
def test_rmse_and_mae_equal_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    said, true = zip(*pairs, strict=True)
    answers = [Answer(number, {}) for number in said]
    assert of(RMSE(), answers, true) == pytest.approx(known.root_mean_squared_error(true, said), rel=1e-9, abs=1e-9)
    assert of(MAE(), answers, true) == pytest.approx(known.mean_absolute_error(true, said), rel=1e-9, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.floats(0, 1e9), st.floats(1e-2, 1e3))
@settings(max_examples=80, deadline=None)
def test_r2_equals_scikit_learn_however_far_from_zero_the_targets_lie(seed: int, count: int, where: float, spread: float) -> None:
    generator = np.random.default_rng(seed)
    true = where + spread * generator.normal(size=count)
    said = true + spread * generator.normal(size=count)
    answers = [Answer(number, {}) for number in said.tolist()]
    assert of(R2(), answers, true.tolist()) == pytest.approx(known.r2_score(true, said), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("metric", REGRESS, ids=lambda metric: metric.name)
def test_the_value_depends_on_the_multiset_of_rows_only(metric: Metric) -> None:
    generator = np.random.default_rng(1)
    true, said = generator.normal(size=(2, 50))
    rows = metric.rows([Answer(float(number), {}) for number in said], true.tolist())
    picked = generator.integers(0, 50, 80)
    again = metric.rows([Answer(float(said[i]), {}) for i in picked], [float(true[i]) for i in picked])
    assert metric.value(rows[picked]) == pytest.approx(metric.value(again))


@pytest.mark.parametrize("metric", REGRESS, ids=lambda metric: metric.name)
def test_the_value_without_an_example_is_a_subtraction_of_sums(metric: Metric) -> None:
    generator = np.random.default_rng(2)
    true, said = generator.normal(size=(2, 30))
    rows = metric.rows([Answer(float(number), {}) for number in said], true.tolist())
    assert isinstance(metric, Summed)
    totals = metric.totals(rows, np.arange(30), 30)
    left = metric.of(totals.sum(0) - totals)
    assert left == pytest.approx([metric.value(np.delete(rows, i, axis=0)) for i in range(30)])


@pytest.mark.parametrize("metric", REGRESS, ids=lambda metric: metric.name)
def test_no_rows_have_no_value(metric: Metric) -> None:
    assert math.isnan(metric.value(metric.rows([Answer(1.0, {})], [2.0])[:0]))


def test_r2_of_targets_that_do_not_vary_is_unknown() -> None:
    assert math.isnan(of(R2(), [Answer(1.0, {}), Answer(2.0, {})], [5.0, 5.0]))


def test_targets_may_be_written_as_text() -> None:
    assert of(RMSE(), [Answer(1.5, {})], ["1.0"]) == pytest.approx(.5)


def test_rmse_is_tuned_for() -> None:
    assert [metric.name for metric in REGRESS] == ["rmse", "mae", "r2"]


def of(metric: Metric, answers: list[Answer], targets: object) -> float:
    return metric.value(metric.rows(answers, list(targets)))
