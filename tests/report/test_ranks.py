"""How scores rank: curves, areas and false alarms against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from bakeoff.report.findings import on_ranks
from bakeoff.report.plots.ranks import pair
from bakeoff.report.ranks import GRID, MOST, ranked
from bakeoff.report.records import Answers


def answers(scores: np.ndarray, truth: list[str], labels: list[str], several: bool = False) -> Answers:
    """scores: (seeds, N, K)."""
    said = np.array([[labels[k] for k in seed.argmax(-1)] for seed in scores])
    return Answers([str(k) for k in range(len(truth))], np.array(truth), said, labels, scores, several)


@given(seed=st.integers(0, 10_000), count=st.integers(8, 80))
@settings(max_examples=40, deadline=None)
def test_areas_equal_scikit_learn_whatever_the_ties(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    mine = rng.random(count) < 0.4
    mine[:2] = True, False
    scores = rng.integers(0, 8, count) / 10 + 0.2 * mine
    (found,) = ranked(answers(np.stack([1 - scores, scores], -1)[None], ["b" if one else "a" for one in mine], ["a", "b"]))
    own = scores if found.name == "b" else 1 - scores
    true = mine if found.name == "b" else ~mine
    assert found.number == true.sum() <= count / 2 + 1
    assert found.auc == pytest.approx(known.roc_auc_score(true, own))
    assert found.precision == pytest.approx(known.average_precision_score(true, own))
    assert 0 <= found.low <= found.auc <= found.high <= 1
    alarms, hits, _ = known.roc_curve(true, own, drop_intermediate=False)
    assert found.alarms == pytest.approx(alarms[hits >= 0.95 - 1e-9][0])
    assert (np.diff(found.found) >= 0).all()
    assert found.found[-1] == 1
    for share, height in zip(GRID, found.found, strict=True):
        assert height == pytest.approx(hits[alarms <= share + 1e-9][-1])


def test_the_class_told_apart_worst_comes_first_and_few_of_many_are_looked_at() -> None:
    rng = np.random.default_rng(0)
    truth = [f"c{k % 40}" for k in range(400)]
    labels = sorted(set(truth))
    scores = rng.random((2, 400, 40))
    for row, name in enumerate(truth):
        scores[:, row, labels.index(name)] += 0 if name == "c7" else 1
    found = ranked(answers(scores, truth, labels))
    assert len(found) == MOST
    assert found[0].name == "c7"
    assert found[0].auc == pytest.approx(0.5, abs=0.15)


def test_of_0_and_1_the_1_is_looked_at_however_frequent() -> None:
    scores = np.array([[[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]])
    assert [one.name for one in ranked(answers(scores, ["0", "1", "1"], ["0", "1"]))] == ["1"]
    assert [one.name for one in ranked(answers(scores, ["well", "sick", "sick"], ["well", "sick"]))] == ["well"]


def test_labels_of_sets_are_looked_at_one_by_one() -> None:
    scores = np.array([[[0.9, 0.2], [0.8, 0.9], [0.1, 0.4], [0.2, 0.3]]])
    found = ranked(answers(scores, ["a", "a;b", "", "b"], ["a", "b"], several=True))
    assert [(one.name, one.number, one.auc) for one in found] == [("b", 2, 0.75), ("a", 2, 1.0)]


def test_a_class_without_examples_and_answers_without_scores_are_passed_over() -> None:
    scores = np.array([[[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]])
    assert [one.name for one in ranked(answers(scores, ["a", "b"], ["a", "b", "c"]))] == ["b", "a"]
    assert ranked(Answers(["0"], np.array(["a"]), np.array([["a"]]), [], None)) == []


def test_the_interval_is_that_of_hanley_and_mcneil() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        mine = np.arange(120) < 50
        scores = rng.normal(mine * 1.0, 1.0)
        (found,) = ranked(answers(np.stack([-scores, scores], -1)[None], ["b" if one else "a" for one in mine], ["a", "b"]))
        inside += found.low <= 0.7602 <= found.high                         # Φ(1 / √2)
    assert 180 <= inside <= 198


def test_the_sentence_says_what_finding_nearly_all_costs() -> None:
    scores = np.linspace(0, 1, 100)
    truth = ["sick" if k >= 70 or k in (40, 20) else "well" for k in range(100)]
    found = ranked(answers(np.stack([scores, 1 - scores], -1)[None], truth, ["sick", "well"]))
    told = on_ranks("resnet", found, several=False)
    assert told.startswith("In 96 % of all pairs resnet scores an example of sick above one of the other class (AUC .965")
    assert "to find 95 % of them, 43 % of the others are taken for it too" in told
    drawn = str(pair(found, "conv", told))
    assert drawn.count("<svg") == 2
    assert "sick: AUC" in drawn
