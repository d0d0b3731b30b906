"""Every metric of labels equals scikit-learn's, and is the same for any multiset of its rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from bakeoff.metrics.accuracy import CLASSIFY, ECE
from bakeoff.metrics.base import Metric, Summed
from bakeoff.types import Answer

LABELS = ["ant", "bee", "cat", "10", "2"]
BY_NAME = {metric.name: metric for metric in CLASSIFY}


@st.composite
def answered(draw: st.DrawFn) -> tuple[list[Answer], list[str]]:
    """Answers with probabilities for 2 … 5 classes, and targets in which not every class need occur."""
    labels = LABELS[:draw(st.integers(2, 5))]
    targets = draw(st.lists(st.sampled_from(labels), min_size=1, max_size=40))
    seed = draw(st.integers(0, 2**32 - 1))
    return answers_for(labels, targets, np.random.default_rng(seed)), targets


def answers_for(labels: list[str], targets: list[str], generator: np.random.Generator) -> list[Answer]:
    chances = generator.multinomial(100, generator.dirichlet(np.ones(len(labels)), len(targets))) / 100      # in hundredths: ties occur
    return [Answer(labels[int(row.argmax())], dict(zip(labels, row.tolist(), strict=True))) for row in chances]


def scores_of(answers: list[Answer]) -> tuple[list[str], np.ndarray]:
    labels = sorted(answers[0].scores)
    return labels, np.array([[answer.scores[label] for label in labels] for answer in answers])


@given(answered())
@settings(max_examples=60, deadline=None)
def test_accuracy_and_macro_f1_equal_scikit_learn(case: tuple[list[Answer], list[str]]) -> None:
    answers, targets = case
    said = [str(answer.value) for answer in answers]
    assert of("accuracy", answers, targets) == pytest.approx(known.accuracy_score(targets, said))
    assert of("macro_f1", answers, targets) == pytest.approx(known.f1_score(targets, said, average="macro", zero_division=0))


@given(answered())
@settings(max_examples=60, deadline=None)
def test_balanced_accuracy_equals_scikit_learn_recall_over_the_classes_that_occur(case: tuple[list[Answer], list[str]]) -> None:
    answers, targets = case
    said = [str(answer.value) for answer in answers]
    expected = known.recall_score(targets, said, average="macro", labels=sorted(set(targets)), zero_division=0)
    assert of("balanced_accuracy", answers, targets) == pytest.approx(expected)


@given(answered())
@settings(max_examples=60, deadline=None)
def test_log_loss_equals_scikit_learn(case: tuple[list[Answer], list[str]]) -> None:
    answers, targets = case
    labels, scores = scores_of(answers)
    scores = np.clip(scores, 1e-12, 1)
    scores /= scores.sum(1, keepdims=True)
    answers = [Answer(answer.value, dict(zip(labels, row.tolist(), strict=True))) for answer, row in zip(answers, scores, strict=True)]
    assert of("log_loss", answers, targets) == pytest.approx(known.log_loss(targets, scores, labels=labels), abs=1e-12)


@given(answered())
@settings(max_examples=60, deadline=None)
def test_auc_equals_scikit_learn_with_tied_scores_and_missing_classes(case: tuple[list[Answer], list[str]]) -> None:
    answers, targets = case
    labels, scores = scores_of(answers)
    truth = np.array(targets)
    if len(set(targets)) < 2:
        assert math.isnan(of("auc", answers, targets))
        return
    if len(labels) == 2:
        expected = known.roc_auc_score(truth == labels[1], scores[:, 1] - scores[:, 0])
        answers = [Answer(answer.value, {labels[0]: -gap, labels[1]: gap})
                   for answer, gap in zip(answers, scores[:, 1] - scores[:, 0], strict=True)]
    else:
        expected = np.mean([known.roc_auc_score(truth == label, scores[:, k]) for k, label in enumerate(labels) if label in truth])
    assert of("auc", answers, targets) == pytest.approx(expected)


def test_auc_equals_scikit_learn_one_against_rest() -> None:
    generator = np.random.default_rng(0)
    targets = [LABELS[k] for k in generator.integers(0, 5, 200)]
    answers = answers_for(LABELS, targets, generator)
    _, scores = scores_of(answers)
    assert of("auc", answers, targets) == pytest.approx(known.roc_auc_score(targets, scores, multi_class="ovr", average="macro"))


def test_calibration_error_is_the_gap_between_confidence_and_accuracy_weighted_by_the_bins_counts() -> None:
    answers = [Answer("a", {"a": .9, "b": .1})] * 4 + [Answer("b", {"a": .4, "b": .6})] * 6
    targets = ["a", "a", "a", "b"] + ["b"] * 3 + ["a"] * 3
    assert of("ece", answers, targets) == pytest.approx(.4 * abs(.75 - .9) + .6 * abs(.5 - .6))


def test_calibration_error_puts_zero_and_one_into_the_outer_bins() -> None:
    metric = ECE()
    rows = np.array([[0, 0.0, 0], [1, 1.0, 1], [2, 1.0, 0]])
    assert metric.value(rows) == pytest.approx(1 / 3)


@pytest.mark.parametrize("metric", CLASSIFY, ids=lambda metric: metric.name)
def test_the_value_depends_on_the_multiset_of_rows_only(metric: Metric) -> None:
    generator = np.random.default_rng(1)
    targets = [LABELS[k] for k in generator.integers(0, 5, 50)]
    answers = answers_for(LABELS, targets, generator)
    picked = generator.integers(0, 50, 80)
    again = metric.rows([answers[i] for i in picked], [targets[i] for i in picked])
    resampled = metric.rows(answers, targets)[picked]
    assert metric.value(resampled) == pytest.approx(metric.value(again))
    assert metric.value(generator.permutation(resampled)) == pytest.approx(metric.value(again))


@pytest.mark.parametrize("metric", [metric for metric in CLASSIFY if isinstance(metric, Summed)], ids=lambda metric: metric.name)
def test_the_value_without_an_example_is_a_subtraction_of_sums(metric: Metric) -> None:
    generator = np.random.default_rng(2)
    targets = [LABELS[k] for k in generator.integers(0, 5, 30)]
    rows = metric.rows(answers_for(LABELS, targets, generator), targets)
    assert isinstance(metric, Summed)
    totals = metric.totals(rows, np.arange(30), 30)
    left = metric.of(totals.sum(0) - totals)
    assert left == pytest.approx([metric.value(np.delete(rows, i, axis=0)) for i in range(30)])


@pytest.mark.parametrize("metric", CLASSIFY, ids=lambda metric: metric.name)
def test_no_rows_have_no_value(metric: Metric) -> None:
    rows = metric.rows([Answer("a", {"a": .7, "b": .3}), Answer("b", {"a": .2, "b": .8})], ["a", "b"])
    assert math.isnan(metric.value(rows[:0]))


def test_rows_begin_with_the_example_and_targets_may_be_numbers() -> None:
    answers = [Answer("7", {"7": 1.0, "8": 0.0}), Answer("8", {"7": .1, "8": .9})]
    for metric in CLASSIFY:
        assert metric.rows(answers, [7, 8])[:, 0].tolist() == [0, 1]
    assert of("accuracy", answers, [7, 8]) == 1


def test_a_label_without_a_score_costs_a_finite_loss() -> None:
    assert of("log_loss", [Answer("a", {"a": 1.0})], ["unseen"]) == pytest.approx(-math.log(np.finfo(float).eps))


def test_accuracy_is_tuned_for() -> None:
    assert [metric.name for metric in CLASSIFY] == ["accuracy", "balanced_accuracy", "macro_f1", "log_loss", "auc", "ece"]


def of(name: str, answers: list[Answer], targets: list) -> float:
    metric = BY_NAME[name]
    return metric.value(metric.rows(answers, targets))
