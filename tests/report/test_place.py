from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.report.plots.place import crosses, place, stacked
from bakeoff.report.plots.svg import Box

FRAME = Box(0, 0, 800, 420)
near = st.tuples(st.floats(300, 380), st.floats(150, 220))
anywhere = st.tuples(st.floats(10, 790), st.floats(10, 410))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(near, anywhere), min_size=1, max_size=22), st.data())
def test_names_never_overlap_nor_leave_the_frame(points, data):
    sizes = [(data.draw(st.floats(20, 110)), 15.0) for _ in points]
    spots = place(points, sizes, FRAME)
    boxes = [spot.box for spot in spots if spot is not None]
    assert len(boxes) == len(points)
    assert all(box.inside(FRAME) for box in boxes)
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))
    dots = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    assert not any(box.meets(dot) for box in boxes for dot in dots)


def test_a_lonely_name_stands_right_beside_its_point_without_a_line():
    spot, = place([(100, 100)], [(50, 15)], FRAME)
    assert spot.leader is None
    assert spot.box.left > 100
    assert spot.box.top < 100 < spot.box.bottom


def test_a_name_far_from_its_point_gets_a_line_to_it():
    points = [(400.0 + 3 * k, 200.0) for k in range(12)]
    spots = place(points, [(70.0, 15.0)] * 12, FRAME)
    assert any(spot.leader for spot in spots)
    for spot, (x, y) in zip(spots, points, strict=True):
        if spot.leader:
            assert abs(spot.leader[0] - x) < 8
            assert abs(spot.leader[1] - y) < 8


def test_names_keep_off_bars_where_they_can():
    bar = Box(108, 90, 112, 110)
    spot, = place([(100, 100)], [(50, 15)], FRAME, [bar])
    assert not spot.box.meets(bar)


def test_without_any_room_a_name_is_left_out():
    assert place([(10, 10)], [(900, 15)], FRAME) == [None]


def test_a_line_knows_what_it_crosses():
    assert crosses((0, 0, 100, 100), Box(40, 40, 60, 60))
    assert not crosses((0, 0, 100, 0), Box(40, 40, 60, 60))


@given(st.lists(st.floats(0, 300), min_size=1, max_size=18))
def test_stacked_names_keep_their_order_their_distance_and_the_frame(wanted):
    placed = stacked(wanted, 15.0, 0.0, 300.0)
    assert all(-0.01 <= y <= 300.01 for y in placed)
    order = sorted(range(len(wanted)), key=lambda k: (wanted[k], k))
    for before, after in pairwise(order):
        assert placed[after] - placed[before] >= min(15.0, 300 / max(len(wanted) - 1, 1)) - 0.01


def test_stacked_names_with_room_stay_where_they_are_wanted():
    assert stacked([10.0, 100.0, 50.0], 15.0, 0.0, 300.0) == pytest.approx([10.0, 100.0, 50.0])
