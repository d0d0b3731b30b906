"""The rule on planted outcomes, and a tiny run."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from bakeoff.claims import long_memory as claim
from bakeoff.claims.base import Ask

LUCK = {10: [1.0, 1.0, 1.0], 100: [1.0, 0.2, 1.0]}


def planted(gru: int, wide: int | Mapping[int, list[float]], narrow: int, middle: int | None = None) -> dict[str, object]:
    """Networks that solve all lags up to one."""
    def right(reach: int | Mapping[int, list[float]]) -> dict[str, list[float]]:
        return {str(lag): ([1.0, 0.98, 0.99] if lag <= reach else [0.12, 0.15, 0.13]) if isinstance(reach, int) else reach[lag] for lag in (10, 100)}
    reaches = {"lstm": 0, "gru": gru, claim.WIDE: wide, "tcn of 29 steps": narrow,
               "tcn of 249 steps": wide if middle is None else middle}
    return {"lags": [10, 100], "networks": [{"name": name, "group": "conv" if "tcn" in name else "recurrent", "parameters": 8000,
                                             "accuracy": right(reach),
                                             "ways": {"10": ["mixed lags"], "100": ["mixed lags"]}} for name, reach in reaches.items()]}


@pytest.mark.parametrize(("gru", "wide", "narrow", "verdict"), [
    (100, 10, 10, "holds"),                   # though its field covers the lag, the convolution misses it
    (100, 100, 10, "holds if"),
    (100, 100, 100, "does not hold"),
    (10, 100, 10, "does not hold"),           # nothing that recurrence remembers is missed
    (0, 100, 10, "does not hold"),
    (100, LUCK, 10, "cannot tell"),
])
def test_the_rule(gru, wide, narrow, verdict):
    found = claim.judge(planted(gru, wide, narrow))
    assert found.verdict == verdict
    assert ("receptive field" in found.condition) == (verdict == "holds if")


def test_a_convolution_that_misses_what_it_covers_is_named_in_the_condition():
    found = claim.judge(planted(100, 100, 100, middle=10))
    assert found.verdict == "holds if"
    assert "near its end (lag 100 for the tcn of 249 steps)" in found.condition
    assert "near its end" not in claim.judge(planted(100, 100, 10)).condition


def test_how_each_lag_was_learnt_and_where_convolutions_fall_is_said():
    numbers = planted(100, 100, 10)
    assert "Lag 100 was learnt by gru, tcn of 505 steps and tcn of 249 steps from mixed lags." in claim.judge(numbers).sentence
    assert "tcn of 29 steps falls between lags 10 and 100." in claim.draw(numbers)[0].sentence


def test_how_far_each_remembers_is_said():
    found = claim.judge(planted(100, 10, 10))
    assert "100 for gru" in found.sentence
    assert "none for lstm" in found.sentence
    assert found.value == pytest.approx(0.857, abs=0.01)


def test_it_is_measured_the_same_again_and_drawn():
    sizes = {"lags": (3, 5), "seeds": 2, "mixed": 2, "alone": 2, "examples": 64}
    numbers = json.loads(json.dumps(claim.measured(Ask(), **sizes)))
    assert numbers == json.loads(json.dumps(claim.measured(Ask(), **sizes)))
    assert claim.judge(numbers).verdict in ("holds", "holds if", "does not hold", "cannot tell")
    assert len(claim.draw(numbers)) == 1
    assert all(6800 <= one["parameters"] <= 9600 for one in numbers["networks"])
