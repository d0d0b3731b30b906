"""Series that go on, in every layout: read as they were written, time stamps in order, and what is broken told with file and line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.load import Loaded, guess_kind
from bakeoff.data.panel import rhythm, season_of
from bakeoff.data.series import Series
from bakeoff.errors import BakeoffError, DataError, OptionError

Check = Callable[..., Loaded]
NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)
often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, **options: Any) -> Source:
    return Series().read(Files.open(path), ReadOptions(**{"task": "forecast", **options}))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def hourly(count: int, start: str = "2024-01-01") -> list[str]:
    return pd.date_range(start, periods=count, freq="h").strftime("%Y-%m-%d %H:%M:%S").tolist()


def cell(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))


wide_values = st.integers(1, 3).flatmap(lambda channels: arrays(np.float64, st.tuples(st.integers(4, 12), st.just(channels)),
                                                                elements=NUMBERS | st.just(np.nan)))


@often
@given(values=wide_values, stamped=st.booleans())
def test_a_wide_table_comes_back_with_its_gaps(tmp_path: Path, values: np.ndarray, stamped: bool) -> None:
    values[0] = 1.0                                       # every column has a value
    names = [f"c{number}" for number in range(values.shape[1])]
    stamps = hourly(len(values))
    lines = [",".join([*(["date"] if stamped else []), *names])]
    lines += [",".join([*([stamps[row]] if stamped else []), *map(cell, values[row])]) for row in range(len(values))]
    if values.shape[1] == 1 and not stamped:              # a line with nothing is no row
        values = np.nan_to_num(values)
        lines = [names[0], *(cell(value) for value in values[:, 0])]
    source = read(written(tmp_path / "wide.csv", "\n".join(lines) + "\n"))
    np.testing.assert_array_equal(source.items[0], values)
    assert source.panel is not None
    assert source.panel.channels == tuple(names)
    assert source.panel.season == (24 if stamped else 1)
    assert list(source.panel.stamps[0]) == (stamps if stamped else [f"wide.csv:{row + 2}" for row in range(len(values))])


@often
@given(lengths=st.lists(st.integers(2, 9), min_size=1, max_size=4), mixed=st.booleans(), dialect=st.booleans())
def test_a_long_table_comes_back_series_by_series_whatever_the_order_of_its_rows(tmp_path: Path, lengths: list[int], mixed: bool,
                                                                                 dialect: bool) -> None:
    rows = [(name, step, 10.0 * name + step) for name, length in enumerate(lengths) for step in range(length)]
    if mixed:
        rows.sort(key=lambda row: (row[1], row[0]))       # in turns: time goes on inside each series
    head = "item_id,timestamp,target" if dialect else "unique_id,ds,y"
    stamps = pd.date_range("2020-01-01", periods=10, freq="D").strftime("%Y-%m-%d")
    text = "\n".join([head, *(f"T{name},{stamps[step] if dialect else step + 1},{value}" for name, step, value in rows)])
    source = read(written(tmp_path / "long.csv", text + "\n"))
    assert source.keys == [f"T{name}" for name in dict.fromkeys(row[0] for row in rows)]
    for item, name in zip(source.items, dict.fromkeys(row[0] for row in rows), strict=True):
        np.testing.assert_array_equal(item[:, 0], 10.0 * name + np.arange(lengths[name]))
    assert source.panel is not None
    assert source.panel.season == (7 if dialect and max(lengths) > 2 else 1)


def test_rows_of_m4_go_on_in_the_second_file(tmp_path: Path) -> None:
    written(tmp_path / "X-train.csv", '"V1","V2","V3","V4"\n"A","1","2","3"\n"B","4","5",\n')
    written(tmp_path / "X-test.csv", '"V1","V2","V3"\n"A","7","8"\n"B","9","10"\n')
    source = Series().read(Files.open(tmp_path), ReadOptions())
    assert [item[:, 0].tolist() for item in source.items] == [[1, 2, 3, 7, 8], [4, 5, 9, 10]]
    assert source.panel is not None
    assert source.panel.bounds == [(3, 3, 5), (2, 2, 4)]
    assert source.keys == ["A", "B"]


@pytest.mark.parametrize(("frequency", "season", "name"), [("h", 24, "hourly"), ("D", 7, "daily"), ("MS", 12, "monthly"), ("QS", 4, "quarterly"),
                                                           ("YS", 1, ""), ("15min", 1, ""), ("B", 7, "daily on working days")])
def test_time_stamps_say_the_season(frequency: str, season: int, name: str) -> None:
    times = pd.date_range("2020-01-01", periods=60, freq=frequency).as_unit("s").astype("int64").to_numpy().astype(float)
    found = rhythm(times, dates=True)
    assert (found.season, found.name, found.note) == (season, name, "")


def test_a_lacking_row_counts_as_missing_values_and_many_make_rows_steps() -> None:
    times = np.arange(60.0) * 3600
    few = rhythm(np.delete(times, 30), dates=True)
    assert few.places.tolist() == [place for place in range(60) if place != 30]
    assert few.note == "1 rows lack between the time stamps: they count as missing values"
    many = rhythm(np.delete(times, np.arange(10, 40, 2)), dates=True)
    assert many.places.tolist() == list(range(45))
    assert "rows count as steps" in many.note
    assert season_of(3600.0) == (24, "hourly")


def test_calendar_columns_and_months_are_times(tmp_path: Path) -> None:
    rows = [f"{2000 + month // 12},{month % 12 + 1},{month}" for month in range(30)]
    source = read(written(tmp_path / "calendar.csv", "\n".join(["year,month,x", *rows])))
    assert source.panel is not None
    assert (source.panel.channels, source.panel.season) == (("x",), 12)
    months = [f"{2000 + month // 12}-{month % 12 + 1:02},{month}" for month in range(30)]
    source = read(written(tmp_path / "months.csv", "\n".join(["Month,x", *months])))
    assert source.panel is not None
    assert (source.panel.season, source.panel.stamps[0][0]) == (12, "2000-01")


def test_a_target_is_forecast_from_all_columns_and_inputs_leave_others_out(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "\n".join(["date,a,b,c", *(f"{stamp},1,2,3" for stamp in hourly(5))]))
    panel = read(path, target="b").panel
    assert panel is not None
    assert (panel.channels, panel.aimed) == (("a", "b", "c"), (1,))
    panel = read(path, target="b", inputs=("c",)).panel
    assert panel is not None
    assert (panel.channels, panel.aimed) == (("b", "c"), (0,))


@pytest.mark.parametrize(("rows", "what", "where"), [
    (["2024-01-01 00:00,1", "2024-01-01 02:00,2", "2024-01-01 01:00,3"], "comes before", "x.csv, line 4"),
    (["2024-01-01 00:00,1", "2024-01-01 01:00,2", "2024-01-01 01:00,3"], "stands twice", "x.csv, line 4"),
    (["2024-01-01 00:00,1", "yesterday,2", "2024-01-01 02:00,3", *(f"2024-01-02 {hour:02}:00,1" for hour in range(24))],
     "is no time", "x.csv, line 3"),
    (["2024-01-01 00:00,1", "2024-01-01 01:00,much", "2024-01-01 02:00,3"], "'much' is no number", "x.csv, line 3"),
    (["2024-01-01 00:00,1", "2024-01-01 01:00", "2024-01-01 02:00,3"], "has 1 cells", "x.csv, line 3"),
])
def test_what_is_broken_is_told_with_its_line(tmp_path: Path, rows: list[str], what: str, where: str) -> None:
    with pytest.raises(DataError) as error:
        read(written(tmp_path / "x.csv", "\n".join(["date,x", *rows]) + "\n"), time=("date",))
    assert what in error.value.what
    assert where in error.value.where


def test_a_long_table_tells_the_line_of_a_time_stamp_out_of_order(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "unique_id,ds,y\nA,1,1\nB,1,1\nA,2,1\nB,1,5\n")
    with pytest.raises(DataError) as error:
        read(path)
    assert error.value.where == "x.csv, line 5"
    assert "stands twice" in error.value.what


def test_what_it_is_taken_for(tmp_path: Path) -> None:
    stamped = written(tmp_path / "a.csv", "\n".join(["date,x,y2", *(f"{stamp},1,2" for stamp in hourly(40))]))
    assert guess_kind(Files.open(stamped))[0] == "series"
    labelled = written(tmp_path / "b.csv", "\n".join(["date,x,label", *(f"{stamp},1,{row % 2}" for row, stamp in enumerate(hourly(40)))]))
    assert guess_kind(Files.open(labelled))[0] == "table"
    born = written(tmp_path / "c.csv", "\n".join(["born,x,y", *(f"19{row * 37 % 90 + 10}-01-01,{row},{row % 2}" for row in range(40))]))
    assert guess_kind(Files.open(born))[0] == "table"
    bare = written(tmp_path / "d.csv", "\n".join(["x,y", *(f"{row},{row % 3}" for row in range(40))]))
    assert guess_kind(Files.open(bare))[0] == "table"
    assert guess_kind(Files.open(bare), None, "forecast")[0] == "series"


def test_without_a_horizon_it_is_asked_for(tmp_path: Path, check: Check) -> None:
    path = written(tmp_path / "a.csv", "\n".join(["date,x", *(f"{stamp},{row}" for row, stamp in enumerate(hourly(300)))]))
    with pytest.raises(OptionError, match="--horizon 24"):
        check(path)
    assert check(path, horizon=3).task_name == "forecast"
    table = written(tmp_path / "b.csv", "\n".join(["x,label", *(f"{row},{row % 2}" for row in range(300))]))
    with pytest.raises(OptionError, match="classify looks at nothing ahead"):
        check(table, season=3)


def test_a_column_says_which_steps_are_for_what(tmp_path: Path, check: Check) -> None:
    words = ["train"] * 150 + ["valid"] * 60 + ["test"] * 90
    rows = [f"{stamp},{row},{word}" for row, (stamp, word) in enumerate(zip(hourly(300), words, strict=True))]
    path = written(tmp_path / "x.csv", "\n".join(["date,x,part", *rows]))
    panel = read(path, split="part").panel
    assert panel is not None
    assert (panel.channels, panel.bounds) == (("x",), [(150, 210, 300)])
    loaded = check(path, horizon=3, split="part", lookback=24)
    assert loaded.record["counts"]["test"] == 88
    written(path, "\n".join(["date,x,part", *rows[:200], rows[100], *rows[201:]]))
    with pytest.raises(DataError, match=r"stands twice|comes before"):
        check(path, horizon=3, split="part")
    written(path, "\n".join(["date,x,part", *rows[:160], rows[160].replace("valid", "train"), *rows[161:]]))
    with pytest.raises(DataError, match="train part comes after the val part") as error:
        check(path, horizon=3, split="part")
    assert error.value.where == "x.csv, line 162, column 'part'"
    with pytest.raises(DataError, match="'part 1' is no part"):
        read(written(path, "\n".join(["date,x,part", rows[0].replace("train", "part 1"), *rows[1:]])), split="part")
    with pytest.raises(DataError, match="no column 'parts'"):
        read(path, split="parts")
    keys = written(tmp_path / "keys.csv", "key,split\nx.csv:2,train\n")
    with pytest.raises(OptionError, match="parts whole series, and there is one"):
        check(written(path, "\n".join(["date,x,part", *rows])), horizon=3, split=str(keys))


def test_a_column_parts_each_series_of_a_long_table(tmp_path: Path) -> None:
    rows = [f"{name},{step},1,{'train' if step < 6 + bonus else 'test'}" for name, bonus in (("A", 0), ("B", 2)) for step in range(10)]
    panel = read(written(tmp_path / "x.csv", "\n".join(["unique_id,ds,y,part", *rows])), split="part").panel
    assert panel is not None
    assert panel.bounds == [(6, 6, 10), (8, 8, 10)]


BASES = {"wide.csv": "date,x,z\n" + "".join(f"{stamp},{row},{row * 2}\n" for row, stamp in enumerate(hourly(12))),
         "long.csv": "unique_id,ds,y\n" + "".join(f"T{row % 2},{row // 2 + 1},{row}\n" for row in range(12)),
         "X-train.csv": '"V1","V2","V3","V4"\n"A","1","2","3"\n"B","4","5",\n'}


@pytest.mark.parametrize("name", BASES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), cut=st.integers(0, 8), put=st.binary(max_size=6))
def test_a_mutated_file_is_read_or_refused_in_words(tmp_path: Path, name: str, place: float, cut: int, put: bytes) -> None:
    raw = BASES[name].encode()
    start = int(place * len(raw))
    (tmp_path / name).write_bytes(raw[:start] + put + raw[start + cut:])
    if name == "X-train.csv":
        written(tmp_path / "X-test.csv", '"V1","V2","V3"\n"A","7","8"\n"B","9","10"\n')
    with suppress(BakeoffError):
        source = read(tmp_path / name if name != "X-train.csv" else tmp_path)
        assert all(item.ndim == 2 for item in source.items)
