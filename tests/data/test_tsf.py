"""Files .tsf: each series with its own start and length, frequency and horizon as the head says, what is broken told with its line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.load import Loaded, load_new
from bakeoff.data.series import Series
from bakeoff.errors import BakeoffError, DataError

Check = Callable[..., Loaded]
HEAD = "# made\n@relation made\n@attribute series_name string\n@attribute start_timestamp date\n@frequency {frequency}\n{more}@data\n"


def read(path: Path, **options: Any) -> Source:
    return Series().read(Files.open(path), ReadOptions(**{"task": "forecast", **options}))


def made(path: Path, rows: list[str], frequency: str = "monthly", more: str = "") -> Path:
    path.write_text(HEAD.format(frequency=frequency, more=more) + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_series_keep_their_own_starts_and_lengths(tmp_path: Path) -> None:
    path = made(tmp_path / "x.tsf", ["A:1999-11-30 00-00-00:1,2,?,4", "B:2001-02-01 00-00-00:5.5,6e1"], more="@missing true\n")
    source, panel = read(path), read(path).panel
    assert panel is not None
    assert source.keys == ["A", "B"]
    np.testing.assert_array_equal(source.items[0][:, 0], [1, 2, np.nan, 4])
    np.testing.assert_array_equal(source.items[1][:, 0], [5.5, 60])
    assert (panel.season, panel.beat, panel.bounds) == (12, "monthly", None)
    assert [stamps[0] for stamps in panel.stamps] == ["1999-11-30", "2001-02-01"]
    assert "2 different times" in panel.notes[0]
    assert Series().claims(Files.open(path)).task == "forecast"              # type: ignore[union-attr]


@pytest.mark.parametrize(("frequency", "season", "seconds"), [("hourly", 24, 3600.0), ("daily", 7, 86400.0), ("weekly", 1, 7 * 86400.0),
                                                              ("quarterly", 4, 7889400.0), ("yearly", 1, 31557600.0), ("half_hourly", 1, 1800.0),
                                                              ("10_minutes", 1, 600.0), ("4_seconds", 1, 4.0), ("minutely", 1, 60.0)])
def test_the_frequency_says_the_season(tmp_path: Path, frequency: str, season: int, seconds: float) -> None:
    panel = read(made(tmp_path / "x.tsf", ["A:2000-01-01 00-00-00:1,2,3"], frequency)).panel
    assert panel is not None
    assert (panel.season, panel.step_seconds) == (season, seconds)
    assert len(panel.moments[0]) == 3


def test_the_horizon_of_the_head_is_the_test_part(tmp_path: Path, check: Check) -> None:
    rows = [f"T{number}:2000-0{number % 9 + 1}-01 00-00-00:{','.join(str(step % 12 + number) for step in range(60 + number))}"
            for number in range(12)]
    path = made(tmp_path / "x.tsf", rows, more="@horizon 6\n")
    loaded = check(path)
    assert (loaded.task_name, loaded.record["counts"]["test"], loaded.spec.ahead.horizon) == ("forecast", 12, 6)    # type: ignore[union-attr]
    test = loaded.splits.test
    assert test is not None
    np.testing.assert_array_equal(test.targets[3]["values"][0], [step % 12 + 3 for step in range(57, 63)])
    new = load_new(path, "series", loaded.folds[0].kind_state)
    assert len(new.keys) == 12


@pytest.mark.parametrize(("rows", "frequency", "more", "what", "line"), [
    (["A:2000-01-01 00-00-00:1,2", "B:2000-01-01:3,x"], "daily", "", "'x' is no number", 8),
    (["A:2000-13-01 00-00-00:1,2"], "daily", "", "is no time", 7),
    (["A:1,2"], "daily", "", "has 1 attributes, the head names 2", 7),
    (["A:2000-01-01 00-00-00:?,?"], "daily", "", "has no values", 7),
    (["A:2000-01-01 00-00-00:1,inf"], "daily", "", "is infinite", 7),
    (["A:2000-01-01 00-00-00:1", "A:2000-01-01 00-00-00:2"], "daily", "", "'A' stands twice", 8),
    (["A:2000-01-01 00-00-00:1"], "dayly", "", "'dayly' is no known frequency", 5),
    (["A:2000-01-01 00-00-00:1"], "daily", "@horizon many\n", "is no horizon", 6),
    (["A:2000-01-01 00-00-00:1"], "daily", "@horizon 3\n", "has 1 values, and 3 of each", 8),
])
def test_what_is_broken_is_told_with_its_line(tmp_path: Path, rows: list[str], frequency: str, more: str, what: str, line: int) -> None:
    with pytest.raises(DataError) as error:
        read(made(tmp_path / "x.tsf", rows, frequency, more))
    assert what in error.value.what
    assert error.value.where == f"x.tsf, line {line}"


def test_a_head_without_data_and_two_files(tmp_path: Path) -> None:
    (tmp_path / "x.tsf").write_text("@relation x\n")
    with pytest.raises(DataError, match="no line @data"):
        read(tmp_path / "x.tsf")
    (tmp_path / "y.tsf").write_text("@relation x\n")
    with pytest.raises(DataError, match=r"2 \.tsf files"):
        read(tmp_path)


BASE = (HEAD.format(frequency="daily", more="@horizon 2\n") + "A:2000-01-01 00-00-00:1,2,3,?\nB:2000-02-01 00-00-00:4,5,6\n").encode()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), cut=st.integers(0, 8), put=st.binary(max_size=6))
def test_a_mutated_file_is_read_or_refused_in_words(tmp_path: Path, place: float, cut: int, put: bytes) -> None:
    start = int(place * len(BASE))
    (tmp_path / "x.tsf").write_bytes(BASE[:start] + put + BASE[start + cut:])
    with suppress(BakeoffError):
        source = read(tmp_path / "x.tsf")
        assert all(item.shape[1] == 1 and len(item) for item in source.items)
