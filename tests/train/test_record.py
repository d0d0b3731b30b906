from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.errors import RunError
from bakeoff.train import record
from bakeoff.types import Cost, Job, Point, Spend, Trial


def trial(number: int = 0, why: str = "", value: float | None = 0.5) -> Trial:
    job = Job("gru", number, "tune", 7, {"lr": 1e-3, "fold": "raster 4", "gru.depth": 2}, 1000, {"1/4": 0.3})
    return Trial(job, "done", why, (Point(500, 0.5, 0.7, math.nan, 0.1),), value, value, 500, Spend(500, 10, 1e9, 0.2, 1000), Cost(10, 5.0),
                 {"1/4": 0.4})


@given(why=st.text(), value=st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_trial_comes_back_from_its_line(tmp_path_factory, why, value):
    path = tmp_path_factory.mktemp("trials") / "trials.jsonl"
    record.append(path, trial(why=why, value=value))
    (back,) = record.read(path)
    assert record.line_of(back) == record.line_of(trial(why=why, value=value))


def test_a_last_line_cut_anywhere_is_dropped_and_the_file_mended(tmp_path):
    path = tmp_path / "trials.jsonl"
    record.append(path, trial(0))
    whole = path.read_bytes()
    record.append(path, trial(1))
    both = path.read_bytes()
    for cut in range(len(whole) + 1, len(both), 37):
        path.write_bytes(both[:cut])
        assert [one.job.number for one in record.read(path)] == [0]
        assert path.read_bytes() == whole


def test_damage_in_the_middle_is_named_with_its_line(tmp_path):
    path = tmp_path / "trials.jsonl"
    for number in range(3):
        record.append(path, trial(number))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"value": 0.5', b'"value": 0.9') + lines[2])
    with pytest.raises(RunError, match="line 2"):
        record.read(path)


def test_no_nan_reaches_a_file(tmp_path):
    record.write_json(tmp_path / "x.json", {"a": math.nan, "b": [math.inf, 1.0]})
    assert (tmp_path / "x.json").read_text() == '{\n "a": null,\n "b": [\n  null,\n  1.0\n ]\n}\n'
