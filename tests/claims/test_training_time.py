"""The rule on planted outcomes, and a tiny run."""

from __future__ import annotations

import json

import pytest

from bakeoff.claims import training_time as claim
from bakeoff.claims.base import Ask


def planted(epochs: list[float], ways: float) -> dict[str, object]:
    """Recurrent networks take so many times as long as convolutional ones: for an epoch at each length, and for the way to the accuracy."""
    def seconds(times: float, turns: int) -> list[float]:
        return [times * (1 + 0.01 * (turn % 3)) for turn in range(turns)]
    networks = []
    for name in (*claim.RECURRENT, *claim.CONVOLUTIONS):
        slower = name in claim.RECURRENT
        networks.append({"name": name, "group": "recurrent" if slower else "conv",
                         "epoch": {str(length): seconds(times, 5) if slower else [1.0] * 5
                                   for length, times in zip(claim.LENGTHS, epochs, strict=True)},
                         "reached": {problem: [[one, True] for one in (seconds(ways, 3) if slower else [1.0] * 3)] for problem in claim.PROBLEMS}})
    return {"lengths": list(claim.LENGTHS), "networks": networks}


def level() -> dict[str, object]:
    """Now one is quicker, now the other."""
    turns = [0.5, 2.0, 0.6, 1.7, 1.0]
    return {"lengths": list(claim.LENGTHS), "networks": [
        {"name": name, "group": "conv", "epoch": {str(length): turns if name in claim.RECURRENT else [1.0] * 5 for length in claim.LENGTHS},
         "reached": {problem: [[one if name in claim.RECURRENT else 1.0, True] for one in turns] for problem in claim.PROBLEMS}}
        for name in (*claim.RECURRENT, *claim.CONVOLUTIONS)]}


@pytest.mark.parametrize(("numbers", "verdict", "said"), [
    (planted([2.0, 3.0, 4.0], 2.0), "holds", ""),
    (planted([0.5, 2.0, 4.0], 0.9), "holds if", "an epoch at length 128 and an epoch at length 512 (not shown for an epoch at length 32, "),
    (planted([0.5, 0.4, 0.3], 0.5), "does not hold", ""),
    (level(), "cannot tell", "quieter machine"),
])
def test_the_rule(numbers, verdict, said):
    found = claim.judge(numbers)
    assert (found.verdict, said in found.condition) == (verdict, True)
    if verdict == "holds":
        assert found.low < found.value < found.high
        assert found.value == pytest.approx(4.0, rel=0.02)


def test_a_recurrent_network_that_is_quicker_than_a_convolutional_one_is_named():
    numbers = planted([2.0] * 3, 2.0)
    assert "One by one" not in claim.judge(numbers).sentence
    numbers["networks"][0]["epoch"]["512"] = [0.5] * 5
    assert "rnn is quicker than tcn, resnet and textcnn" in claim.judge(numbers).sentence


def test_what_did_not_get_there_counts_with_its_whole_training_and_is_said():
    numbers = planted([2.0] * 3, 2.0)
    numbers["networks"][0]["reached"]["tooth"][1] = [9.0, False]
    assert "2 of 3 got there" in str(claim.draw(numbers)[1].svg)
    assert claim.ratios(numbers)["0.9 right on a tooth in noise"].value > 2


def test_it_is_measured_and_drawn():
    numbers = json.loads(json.dumps(claim.measured(Ask(), lengths=(8,), repeats=2, seeds=2, updates=2, parameters=1500)))
    assert claim.judge(numbers).verdict in ("holds", "holds if", "does not hold", "cannot tell")
    assert len(claim.draw(numbers)) == 3
