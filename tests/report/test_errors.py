from __future__ import annotations

import numpy as np
import pytest

from bakeoff.report.errors import along_target, calibration, confusion, wilson
from bakeoff.report.records import Answers


def answers(truth: list[str], *said: list[str], scores: np.ndarray | None = None, labels: tuple[str, ...] = ("a", "b")) -> Answers:
    return Answers([str(k) for k in range(len(truth))], np.array(truth), np.array(said), list(labels), scores)


def test_confusion_counts_shares_of_the_true_class_over_seeds():
    found = confusion(answers(["a", "a", "b", "b"], ["a", "b", "b", "b"], ["a", "a", "b", "b"]), ["a", "b"])
    np.testing.assert_allclose(found.shares, [[0.75, 0.25], [0, 1]])
    assert found.numbers == [2, 2]


def test_mistakes_come_by_the_examples_they_concern():
    truth = ["a"] * 10 + ["b"] * 2
    said = ["a"] * 7 + ["b"] * 3 + ["a", "a"]
    first, second = confusion(answers(truth, said), ["a", "b"]).mistakes()
    assert (first.true, first.said, first.share, first.number) == ("a", "b", 0.3, 10)
    assert (second.true, second.said, second.share) == ("b", "a", 1.0)
    assert first.low < 0.3 < first.high


def test_classes_beside_the_known_ones_come_last():
    found = confusion(answers(["a", "z"], ["a", "q"]), ["a", "b"])
    assert found.classes == ["a", "b", "q", "z"]
    assert [one.name for one in found.recalls()] == ["a", "z"]


def test_of_many_classes_those_that_are_confused_are_shown():
    classes = [f"c{k}" for k in range(50)]
    truth, said = [*classes, "c7", "c30"], [*classes, "c8", "c31"]
    part = confusion(answers(truth, said), classes).part(4)
    assert part.classes == ["c7", "c8", "c30", "c31"]
    assert part.shares.shape == (4, 4)
    assert confusion(answers(classes, classes), classes).part(4).classes == ["c0", "c1", "c2", "c3"]


def test_calibration_of_an_honest_and_of_a_boastful_model():
    rng = np.random.RandomState(0)
    sure = rng.uniform(0.5, 1, 4000)
    right = rng.uniform(size=4000) < sure
    truth = ["a" if one else "b" for one in right]
    for boast, wrong in ((0.0, 0.03), (0.15, 0.2)):
        given = np.minimum(sure + boast, 1)
        scores = np.stack([given, 1 - given], -1)[None]
        bins, error = calibration(answers(truth, ["a"] * 4000, scores=scores))
        assert error == pytest.approx(boast * 0.85 if boast else 0.01, abs=0.02)
        assert error < wrong
        assert len(bins) == 10
        assert sum(one.number for one in bins) == 4000


def test_without_scores_there_is_no_calibration():
    assert calibration(answers(["a"], ["a"])) is None
    assert calibration(answers(["a"], ["z"], scores=np.ones((1, 1, 2)))) is None


def test_errors_along_the_target_show_a_leaning_to_the_middle():
    truth = np.linspace(0, 100, 200)
    found = along_target(Answers([], truth, np.stack([truth * 0.8 + 10] * 2), [], None))
    assert len(found) == 10
    assert found[0].middle > 5
    assert found[-1].middle < -5
    assert found[0].low <= found[0].middle <= found[0].high


@pytest.mark.parametrize(("share", "number", "low", "high"), [(0.5, 100, 0.4038, 0.5962), (0.0, 10, 0.0, 0.2775), (1.0, 10, 0.7225, 1.0),
                                                            (0.3, 0, 0.0, 1.0)])
def test_wilsons_interval(share, number, low, high):
    assert wilson(share, number) == pytest.approx((low, high), abs=1e-3)
