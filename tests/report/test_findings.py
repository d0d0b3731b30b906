"""Captions say what is to be seen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bakeoff.report import findings
from bakeoff.report.errors import Bin, Confusion
from bakeoff.report.plots.cost import AXES
from bakeoff.report.plots.learning import Learnt, Progress
from bakeoff.report.records import Row, Run, read
from bakeoff.report.view import View
from bakeoff.types import Point


@pytest.fixture
def run(run_folder) -> Run:
    return read(run_folder("golden"))


def a_row(rank: int, name: str, value: float, macs: float, group: str = "conv") -> Row:
    return Row(rank, name, group, value, value - 0.02, value + 0.02, 0.5, False, "done", "", {"macs": macs})


def with_rows(run: Run, *rows: Row, tied: tuple[str, ...] = (), best: str = "") -> Run:
    return replace(run, rows=list(rows), verdict={**run.verdict, "best": best or rows[0].contender, "tied_with": list(tied)})


def curve(name: str, values: list[float], losses: list[float] | None = None, train: list[float] | None = None) -> Learnt:
    points = [Point(1000 * k, value, loss, low, 0.0) for k, (value, loss, low) in
              enumerate(zip(values, losses or [1.0] * len(values), train or losses or [1.0] * len(values), strict=True), 1)]
    return Learnt(name, "conv", points, 1000)


def test_the_ranking_says_who_cannot_be_told_apart(run):
    view = View.of(run)
    tied = with_rows(run, a_row(1, "a", 0.9, 1), a_row(2, "b", 0.89, 1), tied=("b",))
    assert findings.on_ranking(tied, view.score, {}) == "The shaded 2 cannot be told from the best with 60 test series."
    simple = with_rows(run, a_row(1, "a", 0.9, 1), a_row(2, "rocket", 0.89, 1, "baseline"), tied=("rocket",))
    assert "rocket, a baseline, among them" in findings.on_ranking(simple, view.score, {})
    alone = with_rows(run, a_row(1, "a", 0.9, 1), a_row(2, "b", 0.8, 1))
    assert findings.on_ranking(alone, view.score, {}) == "a stands alone: all others are worse."
    assert "nothing to compare" in findings.on_ranking(with_rows(run, a_row(1, "a", 0.9, 1)), view.score, {})


def test_the_cost_picture_says_what_the_dearest_step_buys(run):
    score = View.of(run).score
    several = with_rows(run, a_row(1, "big", 0.9, 24e6), a_row(2, "small", 0.89, 4e6), a_row(3, "slow", 0.5, 96e6), tied=("small",))
    told = findings.on_cost(several, AXES[0], score, {})
    assert told == ("small is the cheapest of those that cannot be told from big: 1/6 of its operations. "
                    "big takes 6 × the operations of small for +.010 accuracy. slow costs 4 × as much as big and is worse.")
    one = with_rows(run, a_row(1, "best", 0.9, 1e6), a_row(2, "worse", 0.5, 2e6))
    assert findings.on_cost(one, AXES[0], score, {}).startswith("best is both the best and the cheapest")
    assert findings.on_cost(one, AXES[1], score, {}) == "No contender's latency was measured."


def test_the_front_turns_round_where_low_is_good(run):
    score = View.of(run).score
    low = replace(with_rows(run, a_row(1, "big", 0.1, 24e6), a_row(2, "small", 0.3, 4e6)), comparison={"best": "low"})
    assert "big takes 6 × the operations of small for −.200" in findings.on_cost(low, AXES[0], score, {})


def test_curves_say_who_needs_how_many_times_the_examples(run):
    score = View.of(run).score
    quick, slow = curve("resnet", [0.5, 0.8, 0.85, 0.86, 0.86, 0.86]), curve("gru", [0.2, 0.3, 0.5, 0.7, 0.8, 0.86])
    told = findings.on_curves(run, [quick, slow, curve("mlp", [0.3, 0.4])], score)
    assert told.startswith("gru needed 2 × the examples of resnet to reach accuracy .843 on validation (6,000 against 3,000); mlp never got there.")


def test_curves_say_who_overfits(run):
    score = View.of(run).score
    rising = curve("mlp", [0.5, 0.6, 0.6], [1.0, 0.5, 0.9], [1.0, 0.4, 0.1])
    assert "mlp overfits" in findings.on_curves(run, [rising], score)
    assert "No contender's validation loss" in findings.on_curves(run, [curve("a", [0.5, 0.6, 0.7], [1.0, 0.5, 0.5])], score)


def test_progress_says_whether_more_time_would_matter():
    late = Progress("gru", "recurrent", [(10, 0.5), (95, 0.8)], 100, 8)
    early = Progress("mlp", "dense", [(10, 0.5)], 100, 8)
    assert findings.on_progress([late, early]) == ("gru was still improving when the budget ended: more time may change their place. "
                                                   "mlp found its best setting within the first half.")
    assert findings.on_progress([early]).startswith("No contender was still improving")
    assert findings.on_progress([replace(late, trials=2)]).startswith("With so few trials")


def test_pairs_say_what_the_test_can_and_cannot_see(run):
    view = View.of(run)
    told = findings.on_pairs(run, view.score, view.differences)
    assert "10 pairs differ" in told
    assert "The smallest difference that shows is" in told
    nobody = {pair: replace(one, p=0.9) for pair, one in view.differences.items()}
    assert findings.on_pairs(run, view.score, nobody).endswith("nobody can be told from anybody.")


def test_confusion_names_the_most_frequent_mistake_with_its_interval():
    found = Confusion(["3", "9"], np.array([[0.8, 0.2], [0.0, 1.0]]), [50, 50])
    assert findings.on_confusion("gru", found, 100) == ("gru most often answers 9 where 3 is right: 20 % of 50 (95 % 11 % – 33 %). "
                                                        "Weakest class: 3, 80 % right (95 % 67 % – 89 %).")
    assert "makes no mistake" in findings.on_confusion("gru", Confusion(["3", "9"], np.eye(2), [50, 50]), 100)


@pytest.mark.parametrize(("said", "seen", "words"), [(0.95, 0.7, "promises more than it keeps: where it says 95 % it is right in 70 %"),
                                                     (0.7, 0.95, "is better than it says"), (0.7, 0.71, "can be taken at their word")])
def test_calibration_says_whether_to_believe_it(said, seen, words):
    assert words in findings.on_calibration("gru", [Bin(said, seen, seen - 0.05, seen + 0.04, 100)], abs(said - seen))


def test_the_ledger_says_who_got_less_and_what_pruning_saved(run):
    told = findings.on_ledger(run, {"resnet": 100.0, "gru": 10.0, "crnn": 82.0, "mlp": 82.0, "rocket": 0.0, "majority": 0.0})
    assert "gru spent less than 60 % of the time given." in told
    assert "resnet took more than its share." in told
    assert "saved" in told


def test_the_data_check_says_how_even_the_classes_are(run):
    assert "classes are balanced" in findings.on_data(replace(run, data={"classes": {"a": {"train": 10}, "b": {"train": 12}}}))
    assert "The largest class (b) has 6 × the training examples of the smallest (a, 10)." in findings.on_data(
        replace(run, data={"classes": {"a": {"train": 10}, "b": {"train": 60}}, "set_aside": [{}]}))


def test_a_curve_without_losses_is_no_overfit():
    nothing = Learnt("gru", "recurrent", [Point(1, 0.5, math.nan, math.nan, 0.0)] * 4, 1)
    assert not findings.overfits(nothing)
