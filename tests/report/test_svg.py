from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from bakeoff.report.plots.looks import looks
from bakeoff.report.plots.svg import Box, Scale, chart, el, fitting, log_ticks, measured, number, path, steps, text, tick_text, ticks


def test_whatever_is_not_markup_is_escaped_in_texts_and_attributes():
    drawn = el("g", "<script>alert(1)</script>", Markup("<b/>"), data_tip='"><img>', class_="one")
    assert drawn == '<g data-tip="&#34;&gt;&lt;img&gt;" class="one">&lt;script&gt;alert(1)&lt;/script&gt;<b/></g>'


def test_numbers_are_written_to_a_tenth_of_a_pixel():
    assert [number(value) for value in (1.0, 1.26, -0.01, -3.5, 7, "x")] == ["1", "1.3", "0", "-3.5", 7, "x"]


def test_a_chart_says_what_is_to_be_seen():
    drawn = chart(100.0, 50.0, text(1, 2, "a"), label="gru wins")
    assert 'role="img"' in drawn
    assert 'aria-label="gru wins"' in drawn
    assert 'viewBox="0 0 100 50"' in drawn


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_and_lie_within(low, span):
    high = low + span
    found = ticks(low, high, 5)
    slack = 1e-6 * max(abs(low), abs(high), 1)
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert len(found) <= 12


@pytest.mark.parametrize(("low", "high", "found"), [(0.4, 0.93, [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]), (5.0, 5.0, [5.0]),
                                                   (0, 24_000, [0, 5000, 10_000, 15_000, 20_000])])
def test_ticks_are_ones_twos_or_fives(low, high, found):
    assert ticks(low, high, 5) == pytest.approx(found)


def test_logarithmic_ticks_are_powers_of_ten():
    assert log_ticks(600, 3e7) == pytest.approx([1e3, 1e4, 1e5, 1e6, 1e7])
    assert log_ticks(2.0, 9.0) == pytest.approx([2, 5])


def test_a_scale_maps_its_ends_and_keeps_what_is_outside_at_them():
    across = Scale(1, 100, 0, 200, log=True)
    assert (across(1), across(10), across(100), across(1000)) == pytest.approx((0, 100, 200, 200))
    assert not across.holds(1000)
    assert Scale(2, 2, 0, 10)(2) == 5


def test_ticks_of_an_axis_have_the_same_decimals():
    write = tick_text([0.0, 0.25, 0.5], bare=True)
    assert [write(tick) for tick in (0.0, 0.25, 0.5, -0.25)] == ["0", ".25", ".50", "−.25"]


@given(st.text(max_size=60), st.floats(20, 200))
def test_what_is_fitted_is_about_as_wide_as_there_is_room(words, width):
    fitted = fitting(words, width)
    assert measured(fitted) <= width or len(fitted) <= 2


def test_boxes_know_whether_they_meet():
    assert Box(0, 0, 10, 10).meets(Box(9, 9, 20, 20))
    assert not Box(0, 0, 10, 10).meets(Box(10, 0, 20, 10))
    assert Box(1, 1, 2, 2).inside(Box(0, 0, 3, 3))


def test_paths_and_stairs():
    assert 'd="M0,1L2,3.5"' in path([(0, 1), (2, 3.5)], "wave")
    assert 'd="M0,1H2V3"' in steps([(0, 1), (2, 3)], "front")
    assert steps([], "front") == ""


@pytest.mark.parametrize("width", [400.0, 340.0])
def test_squares_of_looks_stay_in_the_picture_and_words_are_escaped(width):
    read, written = ["<b>", *["a long word"] * 23], ["<script>alert(1)</script>", *["w"] * 17]
    shares = [[1 / len(read)] * len(read) for _ in written[1:]]
    drawn = looks(read, written, [[0.9, 0.1, *[0.0] * 22], *shares], "recurrent", width, "<i>")
    assert drawn.count('class="one fill') == 2 + 17 * 24
    assert "90 %" in drawn
    assert not {"<b>", "<script", "<i>"} & {drawn[k:k + size] for k in range(len(drawn)) for size in (3, 7)}
    squares = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn)
    assert max(float(x) + float(wide) for x, wide in squares) <= width
