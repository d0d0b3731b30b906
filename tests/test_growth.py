"""Counted growth of a family's work against what its equations say."""

from __future__ import annotations

import pytest

from bakeoff.growth import LENGTHS, WIDTHS, fitted, growth, waiting
from bakeoff.registry import get


@pytest.mark.parametrize(("name", "macs", "serial", "state"), [
    ("lstm", "6·T·D²", "T", "constant"),                     # two directions of 4 gates at width D/2, from D and D/2
    ("transformer", "8·T·D² + 2·T²·D", "nothing", "grows"),  # one layer: maps of 4 and 2 · 2 widths, scores and mixture
    ("textcnn", "12·T·D²", "nothing", "")])
def test_what_is_counted_is_what_the_equations_say(name, macs, serial, state):
    found = growth(get("family", name))
    assert (found.macs, found.serial, found.state) == (macs, serial, state)


def test_a_sum_of_terms_is_found_again():
    macs = {(length, width): 3.0 * length * width**2 + 40 * length * width + 7 * width**2 for length in LENGTHS for width in WIDTHS}
    assert fitted(macs) == "3·T·D² + 40·T·D + 7·D²"
    assert fitted(dict.fromkeys(macs, 0.0)) == "0"


def test_calls_that_double_wait_for_each_cell_and_calls_that_grow_evenly_for_its_logarithm():
    assert [waiting([20, 40, 80]), waiting([20, 22, 24]), waiting([20, 20, 20]), waiting([20, 20, 25])] == ["T", "log T", "nothing", "nothing"]
