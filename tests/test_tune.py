from __future__ import annotations

import pytest

from bakeoff import tune
from bakeoff.options import SEARCHES
from bakeoff.space import Param, Space
from bakeoff.types import Job, Spend, Trial

SPACE = Space({
    "lr": Param("lr", 3e-3, low=1e-4, high=3e-2, log=True),
    "width": Param("width", 64, values=(16, 32, 64, 128)),
    "dropout": Param("dropout", 0.1, low=0.0, high=0.5),
    "depth": Param("depth", 2, low=1, high=4, whole=True),
    "fixed": Param("fixed", "a", values=("a",)),
})


def ended(number: int, params: dict, score: float | None, state: str = "done", reached: dict | None = None) -> Trial:
    return Trial(Job("gru", number, "tune", 0, params, 10), state, "", (), score, score, 10, Spend(), reached=reached or {})


@pytest.mark.parametrize("search", SEARCHES)
def test_the_first_trial_is_the_starting_setting(search):
    assert tune.propose(search, SPACE, 0, [], 0, "gru", 8) == SPACE.defaults()


@pytest.mark.parametrize("search", SEARCHES)
def test_a_proposal_depends_on_seed_number_and_history_alone(search):
    history = [ended(n, tune.propose(search, SPACE, n, [], 0, "gru", 12), 0.1 * n) for n in range(8)]
    first = tune.propose(search, SPACE, 8, history, 0, "gru", 12)
    assert first == tune.propose(search, SPACE, 8, history, 0, "gru", 12)
    assert set(first) == set(SPACE)
    assert all(first[name] in param for name, param in SPACE.items())
    if search != "grid":
        assert first != tune.propose(search, SPACE, 8, history, 1, "gru", 12)


def test_tpe_finds_a_better_rate_than_the_start():
    """A planted valley: the score is best at lr = 3e-4, far from the start."""
    import math

    def score(params: dict) -> float:
        return -abs(math.log10(params["lr"]) - math.log10(3e-4)) - 0.3 * (params["width"] != 32)

    history: list[Trial] = []
    for number in range(25):
        params = tune.propose("tpe", SPACE, number, history, 0, "gru", 25)
        history.append(ended(number, params, score(params)))
    best = tune.best_of(history)
    assert best is not None
    assert score(best.job.params) > score(SPACE.defaults()) + 0.8


def test_grid_covers_the_first_choices_without_repeating():
    points = [tuple(tune.propose("grid", SPACE, n, [], 0, "gru", 9).items()) for n in range(9)]
    assert len(set(points)) == 9


def test_nobody_is_pruned_before_four_have_finished_and_then_by_the_second_best():
    history = [ended(n, {}, 0.5, reached={"1/4": 0.1 * n, "1/2": 0.2 * n}) for n in range(4)]
    assert tune.rungs_for(3, history[:3], ("1/4", "1/2")) == {}
    assert tune.rungs_for(4, [*history[:3], ended(3, {}, None, "failed")], ("1/4", "1/2")) == {}
    assert tune.rungs_for(4, history, ("1/4", "1/2")) == {"1/4": pytest.approx(0.2), "1/2": pytest.approx(0.4)}


def test_the_best_is_a_finished_trial_and_the_earlier_of_equals():
    history = [ended(0, {}, 0.5), ended(1, {}, 0.9, "pruned"), ended(2, {}, 0.7), ended(3, {}, 0.7), ended(4, {}, None, "failed")]
    best = tune.best_of(history)
    assert best is not None
    assert best.job.number == 2
    assert tune.best_of([history[4]]) is None


def test_a_space_that_has_been_tried_whole_is_asked_again_and_does_not_hang():
    space = Space({"width": Param("width", 64, values=(32, 64)), "fixed": Param("fixed", "a", values=("a",))})
    history = [ended(n, {"width": width, "fixed": "a"}, 0.5) for n, width in enumerate((64, 32))]
    assert tune.propose("tpe", space, 2, history, 0, "gru", 8)["width"] in (32, 64)
