"""Series in every layout of the archives: read as they were written, and what is broken is told with file and line."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bakeoff.data import series_files
from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.load import Loaded, guess_kind, load_new
from bakeoff.data.series import Series
from bakeoff.errors import DataError

Check = Callable[..., Loaded]
NUMBERS = st.floats(-2.0**100, 2.0**100, width=32, allow_nan=False)
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, **options: Any) -> Source:
    return Series().read(Files.open(path), ReadOptions(**options))


def word(value: float) -> str:
    return "?" if np.isnan(value) else repr(float(value))


def ts(items: Sequence[np.ndarray], labels: Sequence[str], head: str = "@classLabel true a b") -> str:
    """items: (T, C) each."""
    lines = [":".join([*(",".join(map(word, channel)) for channel in item.T), label]) for item, label in zip(items, labels, strict=True)]
    return "\n".join(["# a comment", "@problemName x", "@timeStamps false", head, "@data", *lines, ""])


def alike(found: np.ndarray, meant: np.ndarray) -> None:
    np.testing.assert_array_equal(found, meant.astype(np.float32))


@st.composite
def several(draw: st.DrawFn, longest: int = 6) -> list[np.ndarray]:
    """Series of 1 … 3 channels and different lengths, each with a value, some values missing."""
    channels = draw(st.integers(1, 3))
    found = []
    for length in draw(st.lists(st.integers(1, longest), min_size=1, max_size=6)):
        item = draw(arrays(np.float32, (length, channels), elements=NUMBERS | st.just(np.nan)))
        item[draw(st.integers(0, length - 1)), 0] = draw(NUMBERS)
        found.append(item)
    return found


@often
@given(items=several())
def test_ts_files_come_back_as_they_were_written(items: list[np.ndarray], tmp_path: Path) -> None:
    labels = ["ab"[number % 2] for number in range(len(items))]
    (tmp_path / "x.ts").write_text(ts(items, labels))
    source = read(tmp_path / "x.ts")
    assert (source.targets, source.task, source.seen, source.split) == (labels, "classify", len(items), None)
    assert source.keys == [f"x.ts:{line}" for line in range(6, 6 + len(items))]
    for found, meant in zip(source.items, items, strict=True):
        alike(found, meant)


@often
@given(items=several(), separator=st.sampled_from("\t, "))
def test_rows_of_a_class_and_numbers_come_back_shorter_where_they_end_in_nan(items: list[np.ndarray], separator: str, tmp_path: Path) -> None:
    series = [item[:, 0] for item in items]
    width = max(map(len, series))
    lines = [separator.join([f"{number % 2}.0000000e+00", *(map(repr, map(float, one))), *["NaN"] * (width - len(one))])
             for number, one in enumerate(series)]
    (tmp_path / "x_TRAIN.txt").write_text("\n".join(lines))
    source = read(tmp_path / "x_TRAIN.txt")
    assert source.targets == [str(number % 2) for number in range(len(series))]
    for found, one in zip(source.items, series, strict=True):
        end = int(np.flatnonzero(~np.isnan(one))[-1]) + 1
        alike(found[:, 0], one[:end])


@often
@given(x=arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 5)), elements=NUMBERS))
def test_arrays_come_back_as_they_were_written(x: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x_train=x, y_train=np.arange(len(x)), x_test=x[::-1], y_test=np.arange(len(x))[::-1])
    source = read(tmp_path / "x.npz")
    assert source.split == ["train"] * len(x) + ["test"] * len(x)
    assert source.targets == [str(number) for number in [*range(len(x)), *reversed(range(len(x)))]]
    for found, meant in zip(source.items, [*x, *x[::-1]], strict=True):
        alike(found, meant.T)


@often
@given(items=several(), broken=st.data())
def test_a_broken_line_is_set_aside_with_its_number(items: list[np.ndarray], broken: st.DataObject, tmp_path: Path) -> None:
    where = broken.draw(st.integers(0, len(items)))
    channels = items[0].shape[1]
    bad, said = broken.draw(st.sampled_from([
        (":".join(["1,two,3"] * channels) + ":a", "'two' is no number"), (":".join(["?,?"] * channels) + ":a", "the series has no value"),
        (":".join(["1,inf"] * channels) + ":a", "a value is infinite or too large"), (":".join(["1,2"] * channels) + ":", "the target is missing"),
        (":".join(["1,2"] * channels) + ":?", "the target is missing"),
        (":".join(["1", "1,2", *["1,2"] * (channels - 1)]) + ":a", "different lengths")]))
    lines = ts(items, ["a"] * len(items)).split("\n")
    lines.insert(5 + where, bad)
    (tmp_path / "x.ts").write_text("\r\n".join(lines))
    source = read(tmp_path / "x.ts")
    problem, = source.problems
    assert said in problem.what
    assert (problem.where, problem.key, problem.position, problem.bad) == (f"x.ts, line {6 + where}", f"x.ts:{6 + where}", where, True)
    assert len(source) == len(items)
    assert source.seen == len(items) + 1


def test_a_case_with_other_channels_than_most_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text(ts([np.ones((3, 2)), np.ones((3, 1)), np.ones((3, 2))], "aab"))
    source = read(tmp_path / "x.ts")
    assert [(problem.what, problem.where, problem.position) for problem in source.problems] == [
        ("there are 1 channels where 2 are usual", "x.ts, line 7", 1)]
    assert source.keys == ["x.ts:6", "x.ts:8"]


def test_blocks_of_any_size_give_the_same_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [np.full((length, 1), length / 3) for length in (3, 40, 1, 7)]
    (tmp_path / "x.ts").write_text("\ufeff" + ts(items, "abab"), encoding="utf-8")
    whole = read(tmp_path / "x.ts")
    monkeypatch.setattr(series_files, "BLOCK", 97)
    parts = read(tmp_path / "x.ts")
    assert parts.keys == whole.keys
    for one, other in zip(parts.items, whole.items, strict=True):
        alike(one, other)


@pytest.mark.parametrize(("text", "said"), [
    ("@data\n1,2:a\n", "no class and no target"), ("@classLabel true a\n1,2:a\n", "no line @data"), ("", "no line @data|there is no case"),
    ("@timeStamps true\n@classLabel true a\n@data\n(0,1),(1,2):a\n", "time stamps are not read"),
    ("@classLabel true a\n@data\n(2020-01-01,1),(2020-01-02,2):a\n", "time stamps are not read"),
    ("@classLabel true a\n@data\nhello there:a\nmore words:a\n", "none of 2 series can be read; the first: 'hello there' is no number"),
    ("@classLabel true a\n@data\n?,?:a\n", "the series has no value"),
    ("@dimensions 3\n@classLabel true a\n@data\n1,2:3,4:a\n", "2 channels where 3 are expected"),
])
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.ts").write_text(text)
    with pytest.raises(DataError, match=said):
        read(tmp_path / "x.ts")


def test_new_cases_need_no_class(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text("@classLabel false\n@data\n1,2\n3,x\n4,5\n")
    source = read(tmp_path / "x.ts", want_targets=False)
    assert ([len(item) for item in source.items], source.targets, source.problems[0].position) == ([2, 2], [], 1)


def test_a_real_target_is_to_be_regressed(tmp_path: Path, check: Check) -> None:
    chance = np.random.default_rng(0)
    items = [chance.standard_normal((8, 1)) for _ in range(40)]
    (tmp_path / "x.ts").write_text(ts(items, [str(item.mean()) for item in items], "@targetLabel true"))
    assert check(tmp_path / "x.ts").task_name == "regress"
    lines = [f"{item.mean()}\t" + "\t".join(map(str, item[:, 0])) for item in items]
    (tmp_path / "y_TRAIN.tsv").write_text("\n".join(lines))
    assert check(tmp_path / "y_TRAIN.tsv").task_name == "regress"


def test_labels_of_other_bytes_name_the_encoding(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_bytes(ts([np.ones((2, 1))], ["caf\xe9"]).encode("latin-1"))
    with pytest.raises(DataError, match=r"0xe9.*line 6.*--encoding latin-1"):
        read(tmp_path / "x.ts")
    assert read(tmp_path / "x.ts", encoding="latin-1").targets == ["café"]


def test_arff_files_of_one_or_many_channels_are_read(tmp_path: Path) -> None:
    head = "@relation x\n" + "".join(f"@attribute att{step} numeric\n" for step in range(3))
    (tmp_path / "x.arff").write_text(head + "@attribute target {1,2}\n\n@data\n1,2.5,?,1\n4,5,6,2\n")
    source = read(tmp_path / "x.arff")
    assert (source.targets, source.task) == (["1", "2"], "classify")
    np.testing.assert_array_equal(source.items[0][:, 0], [1, 2.5, np.nan])
    (tmp_path / "y.arff").write_text("@relation y\n@attribute r relational\n@attribute a numeric\n@attribute b numeric\n@end r\n"
                                     "@attribute 'the class' {up,down}\n@data\n'1,2\\n3,4\\n5,6',up\n\"1,2\\n3,4\\n5,6\",'down'\n")
    source = read(tmp_path / "y.arff")
    assert (source.targets, source.items[0].tolist()) == (["up", "down"], [[1, 3, 5], [2, 4, 6]])


def test_a_table_is_not_taken_for_series(tmp_path: Path) -> None:
    rows = "".join(f"{number},{number / 2},{'ab'[number % 2]}\n" for number in range(20))
    (tmp_path / "iris.arff").write_text("@relation x\n@attribute width numeric\n@attribute height real\n@attribute class {a,b}\n@data\n" + rows)
    assert guess_kind(Files.open(tmp_path / "iris.arff"))[0] == "table"
    (tmp_path / "x_TRAIN.txt").write_text("Some prose, which is no series.\n" * 3)
    assert Series().claims(Files.open(tmp_path / "x_TRAIN.txt")) is None
    np.savez(tmp_path / "x.npz", x=np.ones((20, 4)), y=np.arange(20))
    assert Series().claims(Files.open(tmp_path / "x.npz")) is None
    np.savez(tmp_path / "y.npz", x=np.ones((20, 4, 4), np.uint8), y=np.arange(20))
    assert guess_kind(Files.open(tmp_path / "y.npz"))[0] == "image"


def test_of_the_same_problem_in_several_formats_one_is_read(tmp_path: Path) -> None:
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"x_{part}.ts").write_text(ts([np.ones((2, 1)), np.zeros((2, 1))], "ab"))
        (tmp_path / f"x_{part}.txt").write_text("1 2 3\n2 4 5\n")
    source = read(tmp_path)
    assert source.keys == ["x_TRAIN.ts:6", "x_TRAIN.ts:7", "x_TEST.ts:6", "x_TEST.ts:7"]
    assert source.split == ["train", "train", "test", "test"]
    assert source.notes == ["the .ts files are read; those in .txt are left out"]


def test_several_problems_are_listed_and_one_can_be_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, rows in (("A", 3), ("B", 4)):
            for part in ("TRAIN", "TEST"):
                archive.writestr(f"{name}/{name}_{part}.ts", ts([np.ones((2, 1))] * rows, ["a"] * rows))
    with pytest.raises(DataError, match=r"2 problems here: A, B.*all.zip/A"):
        read(tmp_path / "all.zip")
    assert len(read(tmp_path / "all.zip" / "B")) == 8
    (tmp_path / "flat").mkdir()
    for name in ("A", "B"):
        (tmp_path / "flat" / f"{name}_TRAIN.ts").write_text(ts([np.ones((2, 1))], "a"))
    with pytest.raises(DataError, match="2 problems here: a, b"):
        read(tmp_path / "flat")


def test_a_test_file_of_any_name_may_be_given(tmp_path: Path, check: Check) -> None:
    chance = np.random.default_rng(1)
    (tmp_path / "x.ts").write_text(ts(chance.standard_normal((40, 5, 1)), "ab" * 20))
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "out.ts").write_text(ts(chance.standard_normal((10, 5, 1)), "ab" * 5))
    assert check(tmp_path / "x.ts", test=str(tmp_path / "held" / "out.ts")).record["counts"]["test"] == 10


def test_gaps_are_filled_with_the_training_mean_and_marked(tmp_path: Path) -> None:
    x = np.array([[[1, np.nan, 3], [1, 1, 1]], [[5, 3, np.nan], [2, 2, 2]], [[np.nan, 9, 9], [np.nan, 3, 3]]])
    (tmp_path / "x.ts").write_text(ts([one.T for one in x], "aba"))
    source = read(tmp_path / "x.ts")
    state = json.loads(json.dumps(Series().fit(source, np.array([0, 1]), ReadOptions())))
    assert (state["channels"], state["own"], state["gaps"], state["length"]) == (3, 2, [0], 3)
    cells = Series().encode(source, state).cells
    np.testing.assert_allclose(cells[0], [[1, 1, 0], [3, 1, 1], [3, 1, 0]])
    np.testing.assert_allclose(cells[2], [[3, 1.5, 1], [9, 3, 0], [9, 3, 0]])       # the second channel had no gaps in train
    assert "4 values (22.2%) are missing" in source.notes[0]


def test_equal_lengths_are_one_array_and_others_ragged(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text(ts([np.ones((3, 2)), np.zeros((3, 2))], "ab"))
    source = read(tmp_path / "x.ts")
    state = Series().fit(source, np.array([0]), ReadOptions())
    assert Series().encode(source, state).cells.shape == (2, 3, 2)
    (tmp_path / "y.ts").write_text(ts([np.ones((5, 2)), np.zeros((5, 2))], "ab"))
    longer = Series().encode(read(tmp_path / "y.ts"), state)
    assert longer.shapes is not None
    assert longer.shapes.tolist() == [[5], [5]]
    (tmp_path / "z.ts").write_text(ts([np.ones((5, 1))], "a"))
    with pytest.raises(DataError, match="has 1 channels, those of the training had 2"):
        Series().encode(read(tmp_path / "z.ts"), state)


def test_arrays_that_are_no_series_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.ones((4, 3)), y=np.arange(4))
    with pytest.raises(DataError, match=r"float64 of shape \(4, 3\).*cases, channels, time"):
        read(tmp_path / "x.npz")
    x = np.ones((3, 1, 4))
    x[1, 0, 2:] = np.nan
    x[2, 0, 1] = 1e300
    np.savez(tmp_path / "y.npz", x=x, y=["a", "b", "a"])
    source = read(tmp_path / "y.npz")
    assert [len(item) for item in source.items] == [4, 2]
    assert [(problem.what, problem.where) for problem in source.problems] == [("a value is infinite or too large", "y.npz, x, case 2")]


def test_a_curve_is_shown_with_its_gaps_and_not_too_long(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text(ts([np.linspace(0, 1, 3000)[:, None], np.array([[1.0, np.nan], [2.0, 3.0]])[:, :1]], "ab"))
    source = read(tmp_path / "x.ts")
    long = Series().shown(source, 0)
    assert long["form"] == "curve"
    assert len(long["channels"][0]) <= 800
    assert long["channels"][0][0] == 0
    (tmp_path / "y.ts").write_text(ts([np.array([[1.0, np.nan], [2.0, 3.0]])], "a"))
    assert Series().shown(read(tmp_path / "y.ts"), 0) == {"form": "curve", "channels": [[1.0, 2.0], [None, 3.0]], "names": ["1", "2"]}


def test_new_series_are_read_as_those_of_the_training(tmp_path: Path, check: Check) -> None:
    chance = np.random.default_rng(2)
    (tmp_path / "x.ts").write_text(ts(chance.standard_normal((60, 5, 2)), "ab" * 30))
    loaded = check(tmp_path / "x.ts")
    (tmp_path / "new.ts").write_text("@classLabel false\n@data\n1,2,3,4,5:1,2,3,4,5\n1,2:x,2\n?,2,3,4,5:1,2,3,4,5\n")
    new = load_new(tmp_path / "new.ts", "series", loaded.folds[0].kind_state)
    assert (new.keys, new.rows.tolist()) == (["new.ts:3", "new.ts:4", "new.ts:5"], [0, 2])
    assert np.isfinite(new.dataset.arrays.cells).all()


@pytest.mark.parametrize(("archive", "name", "counts", "channels", "length"), [
    ("ucr-univariate/ucr_univariate.zip", "SwedishLeaf", (500, 625), 1, 128), ("ucr-univariate/ucr_univariate.zip", "OSULeaf", (200, 242), 1, 427),
    ("uea-multivariate/uea_multivariate.zip", "NATOPS", (180, 180), 24, 51),
    ("uea-multivariate/uea_multivariate.zip", "PickupGestureWiimoteZ", (50, 50), 1, None), ("tser-covid3month/Covid3Month.zip", "", (140, 61), 1, 84),
])
def test_real_problems_have_the_sizes_they_are_known_by(archive: str, name: str, counts: tuple[int, int], channels: int, length: int | None,
                                                        shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / archive / name)
    found = loaded.record["counts"]
    assert (loaded.kind_name, found["train"] + found["val"], found["test"]) == ("series", *counts)
    assert (loaded.spec.channels, loaded.spec.sizes) == (channels, (length,))
    assert not loaded.record["set_aside"]


def test_a_word_in_one_line_of_a_pair_without_header_is_set_aside_with_its_line(tmp_path: Path) -> None:
    for part in ("TRAIN", "TEST"):
        lines = ["\t".join([str(n % 2), *(f"{n + k / 7:.3f}" for k in range(9))]) for n in range(40)]
        lines[3] = lines[3].replace("3.143", "oops") if part == "TRAIN" else lines[3]
        (tmp_path / f"A_{part}.tsv").write_text("\n".join(lines) + "\n")
    claim = Series().claims(Files.open(tmp_path))
    assert claim is not None
    assert claim.score > 0.9
    source = read(tmp_path)
    assert len(source.targets) == 79
    assert [(problem.what, problem.where) for problem in source.problems if problem.bad] == [("'oops' is no number", "A_TRAIN.tsv, line 4")]


def test_an_array_of_groups_says_which_cases_belong_together(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(6, 2, 9))
    np.savez(tmp_path / "x.npz", x=x, y=[0, 1] * 3, group=["a", "a", "b", "b", "c", "c"])
    assert read(tmp_path / "x.npz").groups == ["a", "a", "b", "b", "c", "c"]
    np.savez(tmp_path / "x.npz", x=x, y=[0, 1] * 3, group=["a", "b"])
    with pytest.raises(DataError, match="one group per example"):
        read(tmp_path / "x.npz")
