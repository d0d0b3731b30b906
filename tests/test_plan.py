from __future__ import annotations

import pytest

from bakeoff.errors import BudgetError
from bakeoff.plan import FULL, LONGER, MOST_TRIALS, SPARE, Plan, Share, cut, final_examples, neural_share, plain_share
from bakeoff.types import Job, Spend, Trial

TIMING = {"seconds_per_example": 1e-4, "forward_seconds": 3e-5, "units": 1e-5}


def share(seconds: float, **more) -> Share:
    given = {"group": "conv", "start": {"batch": 32}, "train": 1000, "test": 300, "seeds": 3, "inner": 1, "trials": None, "examples": None}
    return neural_share(TIMING, seconds, **{**given, **more})


def predicted(one: Share, seeds: int = 3) -> float:
    return (FULL + 0.45 * max(0, one.trials - SPARE - FULL)) * one.trial_seconds + seeds * one.final_seconds


@pytest.mark.parametrize("seconds", [10, 40, 200, 2000])
@pytest.mark.parametrize("inner", [1, 3])
def test_what_is_planned_fits_into_the_share(seconds, inner):
    one = share(seconds, inner=inner)
    assert predicted(one) <= seconds * 1.01
    assert FULL <= one.trials <= MOST_TRIALS


def test_more_time_gives_longer_trainings_first_and_then_more_trials():
    small, middle, large = share(20), share(60), share(400)
    assert small.examples < middle.examples <= large.examples
    assert large.trials > middle.trials


def test_given_counts_are_taken_as_they_are():
    one = share(5, trials=3, examples=777)
    assert (one.trials, one.examples) == (3, 777)


@pytest.mark.parametrize("inner", [1, 3])
def test_finals_are_longer_where_the_best_trial_was_still_learning(inner):
    def after(best_examples: int, most: int = 10**9) -> int:
        trial = Trial(Job("gru", 0, "tune", 1, {}, 99), "done", "", (), 0.9, 0.9, best_examples, Spend(asked=1000 * inner))
        return final_examples(trial, most, inner, LONGER)

    assert after(1000) == LONGER * 1000
    assert after(800) == LONGER * 800
    assert after(500) == 500
    assert after(10) == 250                                   # a best point at the very beginning is mostly luck
    assert after(1000, most=1500) == 1500


def test_a_share_too_small_for_one_step_is_said():
    with pytest.raises(BudgetError, match="less than one step"):
        share(1.0)


def test_a_baseline_that_cannot_end_in_its_share_takes_a_stated_subsample():
    timing = {"sample": 256, "fit_seconds": 0.2, "answer_seconds": 1e-3, "growth": 2.0}
    given = {"start": {}, "settings": 4, "train": 48_000, "val": 2000, "test": 10_000, "seeds": 3, "inner": 1, "deterministic": True}
    one = plain_share(timing, 30.0, **given)
    assert one.trials == 1
    assert one.subsample is not None
    assert one.subsample < 48_000
    assert "of 48,000 training examples" in one.note
    assert plain_share({**timing, "growth": 1.0, "fit_seconds": 1e-3, "answer_seconds": 1e-6}, 30.0, **given).subsample is None


def test_a_cut_ends_tuning_where_it_stands_and_is_written_down():
    shares = {name: share(60) for name in ("gru", "fcn")}
    plan = Plan("series", "", "classify", "", "accuracy", "", "high", {}, 300.0, "seconds", 2, 1, 3, 0, "tpe", shares, {}, {}, False, True, 1,
                {}, {}, "")
    before = shares["gru"].trials
    cut(plan, {"gru": 3, "fcn": 2})
    assert {name: one.trials for name, one in plan.contenders.items()} == {"gru": 3, "fcn": 2}
    assert plan.cuts[0]["what"]["trials"] == {"gru": f"{before} → 3", "fcn": f"{before} → 2"}
    assert Plan.restore(plan.record()).record() == plan.record()


def test_a_cut_of_one_leaves_the_others_as_they_are():
    shares = {name: share(60) for name in ("gru", "fcn")}
    plan = Plan("series", "", "classify", "", "accuracy", "", "high", {}, 300.0, "seconds", 2, 1, 3, 0, "tpe", shares, {}, {}, False, True, 1,
                {}, {}, "")
    before = shares["gru"].trials
    assert cut(plan, {"fcn": 1}, "it is dear")
    assert not cut(plan, {"fcn": 1}, "it is dear")
    assert (shares["gru"].trials, shares["fcn"].trials) == (before, 1)
    assert [one["why"] for one in plan.cuts] == ["it is dear"]
