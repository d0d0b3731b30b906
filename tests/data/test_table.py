"""Rows of numbers and categories become one cell of channels, by what the training split has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.load import Loaded, load_new
from bakeoff.data.roles import first_roles, roles
from bakeoff.data.rows import read_table
from bakeoff.data.table import Rows
from bakeoff.errors import DataError

Check = Callable[..., Loaded]


def written(path: Path, text: str, name: str = "x.csv") -> Path:
    (path / name).write_text(text)
    return path / name


def read(path: Path, **options: Any) -> Source:
    return Rows().read(Files.open(path), ReadOptions(**options))


def many(rows: int = 120) -> str:
    chance = np.random.default_rng(0)
    lines = [f"{chance.normal():.4f},{chance.integers(0, 9)},{chance.choice(['red', 'blue'])},{'yes' if row % 2 else 'no'}"
             for row in range(rows)]
    return "size,count,colour,label\n" + "\n".join(lines) + "\n"


def test_columns_are_told_apart(tmp_path: Path) -> None:
    text = "id,when,photo,review,colour,size,empty,nested,label\n" + "".join(
        f"u{row},2024-01-{row % 28 + 1:02},p/{row}.jpg,a film of {row} words,{'red' if row % 2 else 'blue'},{row / 7},,[1],{row % 2}\n"
        for row in range(80))
    found = roles(read_table(Files.open(written(tmp_path, text)), ReadOptions()), ReadOptions())
    assert (found.times, found.path, found.texts, found.categories, found.numbers, found.target) == (
        ("when",), "photo", ("review",), ("colour", "nested"), ("size",), "label")
    assert set(found.unused) == {"id", "empty"}


def test_options_decide_over_names(tmp_path: Path) -> None:
    table = read_table(Files.open(written(tmp_path, many())), ReadOptions())
    found = roles(table, ReadOptions(target="colour", inputs=("size", "label"), group="count"))
    assert (found.target, found.group, found.numbers, found.categories) == ("colour", "count", ("size",), ("label",))
    for options, said in ((ReadOptions(target="color"), "Did you mean 'colour'"), (ReadOptions(inputs=("siz",)), "Did you mean 'size'"),
                          (ReadOptions(group="x"), "--group x"), (ReadOptions(inputs=("label",)), "an input and something else")):
        with pytest.raises(DataError, match=said):
            roles(table, options)


@pytest.mark.parametrize(("text", "target"), [
    ("5.1,3.5,setosa\n4.9,3.1,setosa\n6.2,2.9,virginica\n", "3"), ("7.4,0.7,5\n7.8,0.8,6\n7.1,0.2,5\n", "3"),
    ("1,3,3\n2,4,2\n1,5,3\n", None), ("x,1.5,a\ny,2.5,a\nz,1.5,b\nw,3.2,b\n", "3"),
])
def test_the_last_column_without_a_name_is_the_target_where_only_it_can_be(text: str, target: str | None, tmp_path: Path) -> None:
    found = roles(read_table(Files.open(written(tmp_path, text)), ReadOptions()), ReadOptions())
    assert found.target == target


def test_a_target_that_is_not_known_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none is called label, target, class or y – x.csv – Say --target COLUMN.*Columns: a, b"):
        read(written(tmp_path, "a,b\n1,2\n3,4\n"))
    with pytest.raises(DataError, match=r"has no header – x\.csv – Say --target COLUMN, for instance --target 3"):
        read(written(tmp_path, "1,3,3\n2,4,2\n1,5,3\n"))


def test_numbers_and_words_become_channels(tmp_path: Path) -> None:
    source = read(written(tmp_path, "size,colour,same,label\n1,red,k,a\n?,blue,k,b\n3,,k,a\n5,red,k,b\n"))
    state = Rows().fit(source, np.array([0, 1, 2]), ReadOptions())
    assert state["names"] == ["size", "size is missing", "colour = missing", "colour = blue", "colour = red"]
    assert state["notes"] == ["columns that never vary are left out: same"]
    cells = Rows().encode(source, state).cells
    assert cells.shape == (4, 1, 5)
    np.testing.assert_array_equal(cells[:, 0], [[1, 0, 0, 0, 1], [2, 1, 0, 1, 0], [3, 0, 1, 0, 0], [5, 0, 0, 0, 1]])


def test_rare_words_are_other_and_only_the_training_rows_decide(tmp_path: Path) -> None:
    rows = [f"w{row % 60:02},{row % 2}" for row in range(240)] + ["w00,0"] * 20 + ["new,1"] * 20
    source = read(written(tmp_path, "word,label\n" + "\n".join(rows) + "\n"))
    state = Rows().fit(source, np.arange(240), ReadOptions())
    assert len(state["names"]) == 51
    assert state["names"][-1] == "word = other"
    cells = Rows().encode(source, state).cells[:, 0]
    assert (cells.sum(1) == 1).all()
    assert cells[-1, -1] == 1
    few = Rows().fit(source, np.arange(2), ReadOptions())
    assert Rows().encode(source, few).cells[-1].sum() == 0     # a word that training never saw has no channel


def test_a_word_among_numbers_is_set_aside_with_its_place(tmp_path: Path, check: Check) -> None:
    path = written(tmp_path, many(200).replace("\n", "\n", 1))
    lines = path.read_text().splitlines()
    lines[17] = "oops," + lines[17].partition(",")[2]
    lines[30] = lines[30].rpartition(",")[0] + ","
    path.write_text("\n".join(lines))
    loaded = check(path)
    assert [(entry["what"], entry["where"]) for entry in loaded.record["set_aside"]] == [
        ("the target is missing", "x.csv, line 31, column 'label'"), ("'oops' is no number", "x.csv, line 18, column 'size'")]
    assert loaded.record["kept"] == 198


def test_a_table_is_one_cell_of_known_mean(tmp_path: Path, check: Check) -> None:
    loaded = check(written(tmp_path, many(600)))
    spec = loaded.spec
    assert (spec.kind, spec.axes, spec.sizes, spec.channels, spec.one_cell, spec.rank) == ("table", ("row",), (1,), 4, True, 1)
    cells = loaded.splits.train.take(range(len(loaded.splits.train))).x.x.numpy()[:, 0]
    np.testing.assert_allclose(spec.mean, cells.mean(0), rtol=1e-5)
    np.testing.assert_allclose(spec.std, cells.std(0), rtol=1e-5)
    assert loaded.record["first"][0]["shown"]["cells"].keys() == {"size", "count", "colour"}
    assert any("the target is column 'label'" in note for note in loaded.record["notes"])


def test_time_orders_the_rows_and_is_no_input(tmp_path: Path, check: Check) -> None:
    rows = [f"2024-{row % 12 + 1:02}-{row // 12 % 28 + 1:02} 10:00,{row / 7:.3f},{'ab'[row % 2]}" for row in range(600)]
    path = written(tmp_path, "date,x,label\n" + "\n".join(rows) + "\n")
    loaded = check(path, time=("date",))
    assert loaded.spec.channels == 1
    dates = {key: row[:10] for key, row in zip(loaded.source.keys, rows, strict=True)}
    train, test = ([dates[key] for key in part.keys] for part in (loaded.splits.train, loaded.splits.test) if part is not None)
    assert max(train) < min(test)
    with pytest.raises(DataError, match=r"'soon' is no time – x.csv, line 2"):
        check(written(tmp_path, path.read_text().replace("2024-01-01 10:00", "soon", 1)), time=("date",))


def test_a_split_column_is_honoured(tmp_path: Path, check: Check) -> None:
    rows = [f"{row / 3},{'ab'[row % 2]},{'test' if row % 5 == 0 else 'train'}" for row in range(800)]
    path = written(tmp_path, "x,label,split\n" + "\n".join(rows) + "\n")
    loaded = check(path)
    assert loaded.record["counts"] == {"train": 512, "val": 128, "test": 160}
    assert loaded.spec.channels == 1
    part = written(tmp_path, path.read_text().replace("split", "part"))
    assert check(part, split="part").record["counts"]["test"] == 160
    with pytest.raises(DataError, match="'part'"):
        check(part, split="prat")


def test_a_fold_column_tests_its_last_fold_or_each(tmp_path: Path, check: Check) -> None:
    rows = [f"{row / 3},{'ab'[row % 2]},{row % 5 + 1}" for row in range(800)]
    path = written(tmp_path, "x,label,fold\n" + "\n".join(rows) + "\n")
    loaded = check(path)
    assert "fold 5 is the test" in loaded.how_split
    assert loaded.record["counts"]["test"] == 160
    every = check(path, folds="fold")
    assert [len(fold.splits.test or ()) for fold in every.folds] == [160] * 5
    assert len(check(path, folds="3").folds) == 3


def test_rows_and_columns_in_arrays_are_a_table(tmp_path: Path, check: Check) -> None:
    x = np.random.default_rng(0).normal(size=(150, 3))
    x[3, 1] = np.nan
    np.savez(tmp_path / "x.npz", x=x, y=x[:, 0] * 2)
    loaded = check(tmp_path / "x.npz")
    assert (loaded.kind_name, loaded.task_name) == ("table", "regress")
    assert loaded.record["target"]["max"] == pytest.approx((x[:, 0] * 2).max())


def test_new_rows_are_read_as_those_of_the_training(tmp_path: Path, check: Check) -> None:
    state = check(written(tmp_path, many(200))).folds[0].kind_state
    new = written(tmp_path, "colour,size,extra,count\nred,1.5,x,2\ngreen,oops,x,2\nblue,,x\nblue,3,x,7\n", "new.csv")
    found = load_new(new, "table", state)
    assert found.keys == ["new.csv:2", "new.csv:3", "new.csv:4", "new.csv:5"]
    assert found.rows.tolist() == [0, 3]
    assert sorted(problem.where for problem in found.problems) == ["new.csv, line 3, column 'size'", "new.csv, line 4"]
    cells = found.dataset.take([0, 1]).x.x[:, 0].numpy()
    np.testing.assert_allclose(cells, [[1.5, 2, 0, 1], [3, 7, 1, 0]])
    with pytest.raises(DataError, match="no column 'count'"):
        load_new(written(tmp_path, "colour,size\nred,1\nblue,2\n", "bad.csv"), "table", state)


def test_a_single_new_row_is_enough_whatever_its_cells_look_like(tmp_path: Path, check: Check) -> None:
    state = check(written(tmp_path, many(200))).folds[0].kind_state
    found = load_new(written(tmp_path, "size,count,colour,label\n1,2,7,yes\n", "new.csv"), "table", state)
    np.testing.assert_allclose(found.dataset.take([0]).x.x[0, 0].numpy(), [1, 2, 0, 0])


def test_new_rows_without_names_and_target_are_read_by_place(tmp_path: Path, check: Check) -> None:
    rows = "".join(f"{row / 3:.3f},{row % 7 / 3:.3f},{'ab'[row % 2]}\n" for row in range(100))
    state = check(written(tmp_path, rows)).folds[0].kind_state
    found = load_new(written(tmp_path, "0.5,0.25\n1.5,0.75\n", "new.csv"), "table", state)
    np.testing.assert_allclose(found.dataset.take([0, 1]).x.x[:, 0].numpy(), [[0.5, 0.25], [1.5, 0.75]])


def test_a_target_that_stood_first_may_be_left_out(tmp_path: Path, check: Check) -> None:
    rows = "".join(f"{row % 2},{row / 3:.3f},{row % 7 / 3:.3f}\n" for row in range(100))
    state = check(written(tmp_path, rows), target="1", task="classify").folds[0].kind_state
    found = load_new(written(tmp_path, "0.5,0.25\n1.5,0.75\n", "new.csv"), "table", state)
    np.testing.assert_allclose(found.dataset.take([0, 1]).x.x[:, 0].numpy(), [[0.5, 0.25], [1.5, 0.75]])
    with pytest.raises(DataError, match="has 5 columns, that of the training had 3"):
        load_new(written(tmp_path, "1,2,3,4,5.5\n6,7,8,9,1.5\n", "wide.csv"), "table", state)


def test_new_words_alone_are_read_under_their_names(tmp_path: Path, check: Check) -> None:
    rows = "".join(f"{'red' if row % 2 else 'blue'},{'flat' if row % 3 else 'round'},{'ab'[row % 2]}\n" for row in range(100))
    state = check(written(tmp_path, "colour,shape,label\n" + rows)).folds[0].kind_state
    found = load_new(written(tmp_path, "colour,shape\nred,round\n", "new.csv"), "table", state)
    cells = dict(zip(state["names"], found.dataset.take([0]).x.x[0, 0].tolist(), strict=True))
    assert cells == {"colour = red": 1, "colour = blue": 0, "shape = round": 1, "shape = flat": 0}


def test_claims_leave_text_paths_and_times_to_others(tmp_path: Path) -> None:
    plain = Rows().claims(Files.open(written(tmp_path, many())))
    reviews = "text,label\n" + "".join(f"a nice film number {row},x\n" for row in range(9))
    text = Rows().claims(Files.open(written(tmp_path, reviews, "t.csv")))
    assert plain is not None
    assert text is not None
    assert plain.score > 0.5 > text.score
    (tmp_path / "notes.txt").write_text("x")
    assert Rows().claims(Files.open(tmp_path / "notes.txt")) is None
    assert first_roles(Files.open(tmp_path / "notes.txt")) is None
