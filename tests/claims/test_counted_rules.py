"""Rules of the claims that count and time: planted outcomes in both directions, and small experiments of which the answer is known."""

from __future__ import annotations

import json
import math

import pytest

from bakeoff.claims import operations, parallelism, parameter_count, weight_sharing
from bakeoff.claims.base import Ask
from bakeoff.claims.clock import quickest
from bakeoff.claims.powers import exponent, local

# ---------------------------------------------------------------------- powers and clock


def test_the_exponent_of_a_power_law_is_found_with_no_doubt_and_of_a_noisy_one_with_some():
    assert exponent([(x, 3 * x ** 1.7) for x in (1, 2, 4, 8)]) == pytest.approx((1.7, 1.7, 1.7))
    noisy = exponent([(1, 1), (2, 2.3), (4, 3.8), (8, 8.4)])
    assert noisy.low < 1 < noisy.high
    assert exponent([(1, 1), (2, 4)]) == (2, -math.inf, math.inf)
    assert local([(1, 1), (2, 2), (4, 8)]) == pytest.approx([1, 2])


def test_the_quickest_of_some_rounds_is_told_per_call():
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now
    clock = Clock()

    def act(seconds: float):
        def wait() -> None:
            clock.now += seconds
        return wait
    assert quickest([act(0.01), act(1e-4)], rounds=2, clock=clock) == pytest.approx([0.01, 1e-4])


# ---------------------------------------------------------------------- weight-sharing


def weights(**rates: tuple[str, str, float]):
    """name → (group, reading, exponent of weights against cells)."""
    return {"networks": [{"name": name, "group": group, "reading": reading,
                          "points": [{"cells": cells, "parameters": 100 * cells ** rate, "macs": 1000 * cells} for cells in (16, 64, 256)]}
                         for name, (group, reading, rate) in rates.items()]}


def test_all_share():
    found = weight_sharing.judge(weights(a=("conv", "series", 0), b=("recurrent", "series", 0.01), c=("dense", "series", 1)))
    assert found.verdict == "holds"
    assert "shares nothing" in found.sentence


def test_one_reading_that_grows_makes_it_a_condition():
    found = weight_sharing.judge(weights(a=("conv", "series", 0), b=("recurrent", "series", 0), c=("recurrent", "rows", 0.4)))
    assert found.verdict == "holds if"
    assert "recurrent on rows (c 0.40)" in found.sentence
    assert "series" in found.condition


def test_a_group_that_shares_nowhere_refutes():
    assert weight_sharing.judge(weights(a=("conv", "series", 0), b=("recurrent", "series", 1))).verdict == "does not hold"
    assert weight_sharing.judge(weights(a=("conv", "series", 0.06), b=("recurrent", "series", 0))).verdict == "does not hold"


# ---------------------------------------------------------------------- parameter-count


def sizes(conv: float, recurrent: float, growth: float, doubt: float = 0.0, tasks=("digits", "vowels")):
    """Parameters at which each group reaches the bar; accuracy rises by .1 per doubling."""
    def points(bar: float, seeds: int = 3):
        return [{"parameters": size, "accuracy": [parameter_count.TARGET + 0.1 * math.log2(size / (bar * 2 ** (doubt * (seed - 1))))
                                                  for seed in range(seeds)]} for size in (125, 500, 2000, 8000)]
    by_length = [[length, 1000 * length ** growth] for length in parameter_count.LENGTHS]
    return {"steps": 1, "lengths": [{"name": "gru", "group": "recurrent", "points": by_length}],
            "reached": [{"task": task, "name": group, "group": group, "points": points(bar)}
                        for task in tasks for group, bar in (("conv", conv), ("recurrent", recurrent))]}


@pytest.mark.parametrize(("conv", "recurrent", "growth", "doubt", "verdict"), [
    (300, 900, 0.5, 0.1, "holds"), (300, 900, 0.0, 0.1, "holds if"), (900, 300, 0.5, 0.1, "holds if"), (900, 300, 0.0, 0.1, "does not hold"),
    (600, 600, 0.0, 0.1, "cannot tell"), (600, 600, 0.5, 0.1, "holds if")])
def test_both_halves_of_parameter_count(conv, recurrent, growth, doubt, verdict):
    assert parameter_count.judge(sizes(conv, recurrent, growth, doubt)).verdict == verdict


def test_a_task_of_two_is_named():
    one, other = sizes(300, 900, 0, 0.1, ("digits",)), sizes(900, 300, 0, 0.1, ("vowels",))
    found = parameter_count.judge({**one, "reached": one["reached"] + other["reached"]})
    assert (found.verdict, "digits" in found.condition, "vowels" in found.condition) == ("holds if", True, False)


def test_a_task_of_which_the_interval_holds_1_is_said_to_be_open():
    one, other = sizes(300, 900, 0, 0.1, ("digits",)), sizes(600, 600, 0, 0.1, ("vowels",))
    found = parameter_count.judge({**one, "reached": one["reached"] + other["reached"]})
    assert found.verdict == "holds if"
    assert "on sequences (vowels) the interval holds 1, so that 3 seeds do not tell" in found.condition
    assert found.value == pytest.approx(3, rel=0.2)


def test_what_is_needed_lies_between_two_widths_on_a_log_scale():
    points = [{"parameters": 100, "accuracy": [0.8]}, {"parameters": 400, "accuracy": [1.0]}]
    assert parameter_count.needed(points, 0) == pytest.approx(200)
    assert parameter_count.needed(points[1:], 0) == pytest.approx(400)
    assert parameter_count.needed(points[:1], 0) == pytest.approx(200)


# ---------------------------------------------------------------------- operations


def timed(family: str = "tcn", **factors: tuple[float, float, float]):
    """factor → (counted exponent, measured exponent, share of the machine's rate at the largest value)."""
    return {"batch": 1, "ceiling": 1e9, "factors": [
        {"family": family, "group": "conv", "factor": name, "points": [
            {"value": x, "macs": 1e6 * x ** counted, "seconds": 1e-3 / share * 8 ** counted * (x / 8) ** measured, "launching": 1e-5}
            for x in (1, 2, 4, 8)]} for name, (counted, measured, share) in factors.items()]}


def both_timed():
    conv = timed(**{"filter size": (1, 1, 0.9), "feature maps": (2, 2, 0.9), "cells of a picture": (1, 1.1, 0.9), "length": (1, 1, 0.1)})
    recurrent = timed("lstm", **{"hidden size": (2, 1.9, 0.9), "length": (1, 1, 0.9), "depth": (1, 1, 0.9)})
    return {**conv, "factors": conv["factors"] + recurrent["factors"]}


@pytest.mark.parametrize(("factors", "verdict"), [
    ({"a": (1, 1, 0.9), "b": (2, 1.9, 0.8)}, "holds"), ({"a": (1, 1, 0.9), "b": (1, 1.5, 0.9)}, "holds if"),
    ({"a": (1, 1.6, 0.9), "b": (0, 0, 0.9)}, "does not hold"), ({"a": (1, 1, 0.9), "b": (1, 1, 0.1)}, "cannot tell"),
    ({"a": (1, 1, 0.9), "d": (1, 1, 0.9), "c": (1, 1, 0.1)}, "holds if")])
def test_exponents_agree_or_do_not(factors, verdict):
    found = operations.judge(timed(**factors))
    assert found.verdict == verdict
    assert ("b" in found.condition) is False


def test_points_at_which_the_machine_idles_are_not_fitted():
    (one,) = timed(a=(1, 1, 0.9))["factors"]
    one["points"][0]["seconds"] *= 10
    numbers = {"batch": 1, "ceiling": 1e9}
    assert [point["value"] for point in operations.saturated(one, numbers)] == [2, 4, 8]
    assert operations.fitted(one, numbers)[1].value == pytest.approx(1)


def test_a_cost_that_grows_only_where_the_machine_has_enough_to_do_holds_on_that_condition():
    numbers = timed(a=(1, 1, 0.9), b=(2, 2, 0.9))
    assert operations.judge(numbers).verdict == "holds"
    first, second = numbers["factors"][1]["points"][:2]
    first["seconds"] = second["seconds"] / 2                                 # b's first doubling costs twice, for four times
    found = operations.judge(numbers)
    assert (found.verdict, found.condition) == ("holds if", "the machine has enough to do")
    assert "Below saturation overhead rules: b (tcn) 1.00 for 2.0." in found.sentence


# ---------------------------------------------------------------------- parallelism


def waiting(**kinds: tuple[float, float]):
    """kind → (kernels per further step, time of one long sequence over that of many short ones)."""
    steps = parallelism.COUNTED
    return {"load": 1.0, "cores": 2, "networks": [
        {"name": name, "group": "conv", "kind": kind, "macs per step": 1000,
         "serial": [20 + kinds[kind.replace(" ", "_")][0] * many for many in steps],
         "by length": [kinds[kind.replace(" ", "_")][1] ** (place / (len(parallelism.LENGTHS) - 1)) for place in range(len(parallelism.LENGTHS))],
         "stretches": [kinds[kind.replace(" ", "_")][1] * (1 + wrong) for wrong in (-0.02, 0, 0.02)],
         "by batch": [1.0, 1.0, 1.0, 1.0], "by threads": [1.0, 0.5]}
        for kind, names in parallelism.KINDS.items() for name in names]}


@pytest.mark.parametrize(("conv", "recurrent", "linear", "verdict"), [
    ((0, 1), (2, 9), (2, 5), "holds"), ((0, 1), (2, 9), (0.1, 1), "holds if"), ((0, 1), (2, 9), (0.1, 3), "holds if"),
    ((2, 9), (2, 9), (2, 9), "does not hold"), ((0, 1), (0, 1), (0, 1), "does not hold"), ((0, 3), (2, 9), (0.1, 1), "cannot tell")])
def test_who_waits_for_what(conv, recurrent, linear, verdict):
    assert parallelism.judge(waiting(convolutions=conv, recurrences=recurrent, linear_recurrences=linear)).verdict == verdict


# ---------------------------------------------------------------------- what is drawn and measured


@pytest.mark.parametrize(("module", "numbers"), [
    (weight_sharing, weight_sharing.measure), (parameter_count, lambda ask: sizes(300, 900, 0)), (operations, lambda ask: both_timed()),
    (parallelism, lambda ask: waiting(convolutions=(0, 1), recurrences=(2, 9), linear_recurrences=(0.1, 1)))])
def test_plots_say_what_to_see_and_have_their_numbers_in_a_table(module, numbers):
    found = json.loads(json.dumps(numbers(Ask())))
    for plot in module.draw(found):
        assert plot.sentence.endswith(".")
        assert "<svg" in plot.svg
        assert plot.rows
        assert all(len(row) == len(plot.head) for row in plot.rows)
    answers = module.CLAIM.answers(found)
    assert len(answers) == len(module.CLAIM.asserted)
    assert all(answer.endswith(".") for answer in answers if answer)


def test_weights_are_counted_as_they_are():
    found = {(one["reading"], one["name"]): weight_sharing.growth(one) for one in weight_sharing.measure(Ask())["networks"]}
    assert all(rate == 0 for (reading, name), rate in found.items() if reading != weight_sharing.ROWS and not name.startswith("mlp"))
    assert found[weight_sharing.SERIES, "mlp by cell"] > weight_sharing.MOST
    assert found[weight_sharing.ROWS, "lstm"] > weight_sharing.FEW


def test_networks_are_trained_to_where_they_can_be_compared():
    found = parameter_count.measured(Ask(), seeds=2, steps=20, widths=(4, 8))
    assert {one["task"] for one in found["reached"]} == set(parameter_count.TASKS)
    assert all(len(point["accuracy"]) == 2 for one in found["reached"] for point in one["points"])
    assert parameter_count.judge(found).value is not None
