"""Metrics of several labels per example equal scikit-learn's, and are the same for any multiset of their rows."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from bakeoff.metrics.base import Summed
from bakeoff.metrics.sets import SETS, average_precision, members
from bakeoff.types import Answer, labels_of

LABELS = ["2", "10", "ant", "bee"]
BY_NAME = {metric.name: metric for metric in SETS}


@st.composite
def answered(draw: st.DrawFn) -> tuple[list[Answer], list[str]]:
    """Sets of 0 … 4 labels, and scores in tenths, so that ties occur."""
    count = draw(st.integers(1, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    targets = [";".join(label for label in LABELS if generator.random() < 0.4) for _ in range(count)]
    answers = []
    for scores in generator.integers(0, 11, (count, len(LABELS))) / 10:
        given = dict(zip(LABELS, scores.tolist(), strict=True))
        answers.append(Answer(";".join(label for label in LABELS if given[label] >= 0.5), given))
    return answers, targets


def tables(answers: list[Answer], targets: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    true, said = members(targets, LABELS), members([answer.value for answer in answers], LABELS)
    return true, said, np.array([[answer.scores[label] for label in LABELS] for answer in answers])


def of(name: str, answers: list[Answer], targets: list[str]) -> float:
    return BY_NAME[name].value(BY_NAME[name].rows(answers, targets))


def test_macro_f1_is_tuned_for() -> None:
    assert [metric.name for metric in SETS] == ["macro_f1", "mean_average_precision", "auc", "accuracy"]


@given(answered())
@settings(max_examples=60, deadline=None)
def test_macro_f1_and_exact_matches_equal_scikit_learn(case: tuple[list[Answer], list[str]]) -> None:
    true, said, _ = tables(*case)
    there = [k for k in range(len(LABELS)) if true[:, k].any() or said[:, k].any()]
    if there:
        expected = known.f1_score(true, said, average=None, zero_division=0)[there].mean()
        assert of("macro_f1", *case) == pytest.approx(expected)
    assert of("accuracy", *case) == pytest.approx((true == said).all(1).mean())


@given(answered())
@settings(max_examples=60, deadline=None)
def test_average_precision_and_auc_equal_scikit_learn(case: tuple[list[Answer], list[str]]) -> None:
    true, _, scores = tables(*case)
    there = [k for k in range(len(LABELS)) if 0 < true[:, k].sum() < len(true)]
    if not there:
        assert math.isnan(of("auc", *case))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        each = [known.average_precision_score(true[:, k], scores[:, k]) for k in there]
        areas = [known.roc_auc_score(true[:, k], scores[:, k]) for k in there]
    assert of("mean_average_precision", *case) == pytest.approx(np.mean(each))
    assert of("auc", *case) == pytest.approx(np.mean(areas))


@given(answered(), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_value_is_that_of_the_sums_over_any_rows(case: tuple[list[Answer], list[str]], seed: int) -> None:
    metric = BY_NAME["macro_f1"]
    assert isinstance(metric, Summed)
    rows = metric.rows(*case)
    some = rows[np.random.default_rng(seed).integers(0, len(rows), len(rows))]
    totals = metric.totals(some, some[:, 0].astype(np.int64), len(rows))
    assert metric.of(totals.sum(0)) == pytest.approx(metric.value(some), nan_ok=True)


def test_rows_of_two_contenders_have_the_same_columns() -> None:
    targets = ["a;b", "", "b"]
    first = [Answer("", {"a": 0.1, "b": 0.2, "c": 0.0})] * 3
    second = [Answer("c", {"a": 0.1, "b": 0.2, "c": 0.9})] * 3
    for metric in SETS:
        assert metric.rows(first, targets).shape == metric.rows(second, targets).shape


def test_average_precision_by_hand() -> None:
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])) == pytest.approx((1 + 2 / 3) / 2)


def test_labels_of_a_text() -> None:
    assert labels_of("b; a ;;") == ["b", "a"]
    assert labels_of("") == []
