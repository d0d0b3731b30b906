"""In which order a run's trainings are asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from bakeoff.session import Session


def test_folds_are_tuned_side_by_side_so_that_a_cut_shortens_all_alike() -> None:
    shares = {name: SimpleNamespace(error="", trials=6, trial_seconds=1.0) for name in ("gru", "fcn")}
    session: Any = SimpleNamespace(plan=SimpleNamespace(contenders=shares, at_once=1), given_up=lambda earlier: False)
    done: dict[tuple[str, int], int] = {}
    session.earlier = lambda name, fold: dict.fromkeys(range(done.get((name, fold), 0)))
    order = []
    while (ready := Session.next_trial(session, range(3), set())) is not None:
        name, fold, number = ready
        order.append(number)
        done[name, fold] = number + 1
        assert max(done.values()) - min(done.get((name, fold), 0) for name in shares for fold in range(3)) <= 1
    assert order == sorted(order)
    assert len(order) == 2 * 3 * 6
