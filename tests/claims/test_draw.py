"""Charts of claims: everything that was handed in can be read from them, and nothing that the axis cannot show breaks them."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest

from bakeoff.claims.draw import Bar, Line, bars, lines, raised, value_text


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_lines_are_named_at_their_ends_and_no_two_names_touch():
    crowd = [Line(f"net {k}", "recurrent" if k % 2 else "conv", [(1, k / 100), (2, 1 + k / 100)]) for k in range(8)]
    svg = lines(crowd, across="length, steps", upward="time, ms")
    for half in re.split("class=\"narrow\"", svg):
        ys = sorted(float(y) for y, words in re.findall(r'<text x="[^"]*" y="([^"]*)" class="name">(net \d)</text>', half))
        assert len(ys) == 8
        assert min(b - a for a, b in pairwise(ys)) > 13


def test_lines_of_one_group_are_told_apart_by_their_marks_and_counted_ones_are_dashed():
    svg = lines([Line("gru", "recurrent", [(1, 1), (2, 2)]), Line("lstm", "recurrent", [(1, 2), (2, 3)]),
                 Line("counted", "conv", [(1, 1), (2, 1)], dashed=True)], across="x", upward="y")
    gru, lstm, counted = re.findall(r'<g class="one.*?</g>', svg)[:3]
    assert "<circle" in gru
    assert "<circle" not in lstm
    assert "stroke-dasharray" in counted
    assert "stroke-dasharray" not in gru + lstm


def test_what_an_axis_cannot_show_is_left_out():
    svg = lines([Line("rnn", "recurrent", [(0, 1), (10, 1e-8), (20, 0.0), (30, math.nan), (40, math.inf)])], across="lag", upward="norm",
                log_upward=True)
    assert "nan" not in svg
    assert "inf" not in svg
    assert "10⁻⁸" in svg
    assert lines([Line("none", "conv", [(1, 0)])], across="x", upward="y", log_upward=True) == ""


def test_one_point_and_one_value_are_drawn():
    assert "alone" in lines([Line("alone", "dense", [(5, 5)])], across="x", upward="y", log_across=True, log_upward=True)
    assert "alone" in lines([Line("alone", "dense", [(5, 0)], [(0, 0)])], across="x", upward="y", level=(0, "nothing"))


@pytest.mark.parametrize("log", [False, True])
def test_bars_say_their_value_and_names_are_escaped(log):
    svg = bars([Bar("<b>gru</b>", "recurrent", 700, 600, 800), Bar("tcn", "conv", 12_345)], across="parameters", log=log)
    assert "700" in texts(svg)
    assert "12.3 k" in texts(svg)
    assert "<b>" not in svg


def test_values_on_both_sides_of_nothing_have_a_line_there():
    assert 'class="zero"' in bars([Bar("a", "conv", 0.5, 0.1, 0.9), Bar("b", "dense", -0.7)], across="difference")


def test_everything_is_at_least_twelve_px_and_at_most_as_wide_as_said():
    svg = lines([Line("a" * 60, "conv", [(1, 1), (2, 2)])], across="x" * 200, upward="y" * 200)
    assert [int(width) for width in re.findall(r'<svg[^>]* width="(\d+)', svg)] == [640, 340]
    assert "font-size" not in svg


@pytest.mark.parametrize(("value", "words"), [(1024, "1,024"), (0.868, "0.868"), (1.24e6, "1.24 M"), (3.2e-6, "3.2·10⁻⁶"), (0, "0"), (-7, "−7")])
def test_numbers_are_short(value, words):
    assert value_text(value) == words


def test_powers_of_ten():
    assert [raised(value) for value in (1e-6, 1.0, 100.0, 0.0, -2e-4)] == ["10⁻⁶", "1", "10²", "0", "−2·10⁻⁴"]
