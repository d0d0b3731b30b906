"""The rule on planted outcomes, and a tiny run."""

from __future__ import annotations

import json

import pytest

from bakeoff.claims import input_size as claim
from bakeoff.claims.base import Ask

GOOD, BAD, SPREAD = [0.0, 0.01, 0.0], [0.4, 0.38, 0.42], [0.0, 0.3, 0.05]


def planted(recurrent: list[float], conv: list[float], placed: list[float] = BAD, at: float = 0.99) -> dict[str, object]:
    """Two networks of each sort, which lose so much at the longest length."""
    def one(name: str, group: str, drops: list[float]) -> dict[str, object]:
        return {"name": name, "group": group, "apart": 1e-6,
                "accuracy": {"16": [at] * 3, "32": [at] * 3, "64": [at] * 3, "128": [at - drop for drop in drops]}}
    networks = [one(name, group, drops) for group, drops in (("recurrent", recurrent), ("conv", conv)) for name in (f"{group} a", f"{group} b")]
    return {"length": 32, "lengths": [16, 32, 64, 128], "networks": [*networks, one("fcn" + claim.PLACED, "conv", placed)]}


@pytest.mark.parametrize(("numbers", "verdict", "said"), [
    (planted(GOOD, BAD), "holds", ""),
    (planted(GOOD, GOOD), "holds if", "a weight for every place"),
    (planted(GOOD, GOOD, GOOD), "does not hold", ""),
    (planted(BAD, BAD), "does not hold", ""),
    (planted(GOOD, SPREAD), "cannot tell", "more seeds"),
    (planted(GOOD, GOOD, at=0.6), "cannot tell", "must have learnt"),
])
def test_the_rule(numbers, verdict, said):
    found = claim.judge(numbers)
    assert (found.verdict, said in found.condition) == (verdict, True)


def test_padding_changes_nothing_and_the_same_seed_gives_the_same():
    numbers = json.loads(json.dumps(claim.measured(Ask(), seeds=2, updates=2, most=3)))
    assert numbers == json.loads(json.dumps(claim.measured(Ask(), seeds=2, updates=2, most=3)))
    assert max(one["apart"] for one in numbers["networks"]) < 1e-3
    assert claim.judge(numbers).verdict == "cannot tell"
    assert len(claim.draw(numbers)) == 2
