"""Tables of every sort come out as columns with lines."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.data.base import ReadOptions
from bakeoff.data.files import Files
from bakeoff.data.rows import Table, peek, read_table
from bakeoff.errors import DataError


def table(path: Path, content: str | bytes, name: str = "x.csv", **options: object) -> Table:
    (path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(Files.open(path / name), ReadOptions(**options))             # type: ignore[arg-type]


cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cells, cells, st.integers() | st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=12),
       form=st.sampled_from([".csv", ".tsv", ".jsonl", ".parquet"]))
def test_what_is_written_is_read(rows: list[tuple[str, str, float]], form: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{form}"
        frame = pd.DataFrame(rows, columns=["label", "text", "value"])
        if form == ".parquet":
            frame.astype({"value": float}).to_parquet(path)
        elif form == ".jsonl":
            path.write_text("".join(json.dumps(dict(zip(frame.columns, row, strict=True))) + "\n" for row in rows), encoding="utf-8")
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, delimiter="," if form == ".csv" else "\t", quoting=csv.QUOTE_ALL).writerows([list(frame.columns), *rows])
        found = read_table(Files.open(path), ReadOptions())
        assert found.strings("label") == [row[0] for row in rows]
        assert found.strings("text") == [row[1] for row in rows]
        np.testing.assert_array_equal(found.numbers("value")[0], np.asarray([row[2] for row in rows], np.float64))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_found(delimiter: str, tmp_path: Path) -> None:
    text = "\n".join(delimiter.join(row) for row in (("a", "b", "c"), ("1", "2", "x y"), ("3", "4", "z")))
    assert list(table(tmp_path, text, "x.data").columns) == ["a", "b", "c"]


def test_decimal_commas_are_numbers(tmp_path: Path) -> None:
    found = table(tmp_path, "a;b\n1,5;x\n-2;y\n")
    np.testing.assert_array_equal(found.numbers("a")[0], [1.5, -2])
    assert "decimal comma" in " ".join(found.notes)


def test_a_row_of_another_width_is_set_aside_with_its_line(tmp_path: Path) -> None:
    found = table(tmp_path, 'a,b\n1,"two\nlines"\n3\n\n4,5,6\n7,8\n')
    assert found.lines.tolist() == [2, 7]
    assert [(problem.where, problem.position) for problem in found.problems] == [("x.csv, line 4", 1), ("x.csv, line 6", 2)]
    assert all(problem.bad for problem in found.problems)
    assert found.order.tolist() == [0, 3]
    assert found.seen == 4
    assert found.keys() == ["x.csv:2", "x.csv:7"]


@pytest.mark.parametrize(("text", "header"), [
    ("a,b\n1,2\n3,4\n", True), ("1,2\n3,4\n", False), ("5.1,3.5,setosa\n4.9,3.0,setosa\n", False),
    ("label,text\ngood,nice film\nbad,dull\n", True),
    ("p,x,s\ne,x,s\np,b,y\n", False), ("kind,shape,colour\np,x,s\ne,x,s\np,x,y\ne,x,s\n", True), ("0,1,2\n.5,.1,.2\n.3,.4,.6\n", True),
    ("label,0,1\ncat,3,4\ndog,5,6\n", True), ("?,3,setosa\n1,2,setosa\n", False),
])
def test_a_header_is_known_from_a_row(text: str, header: bool, tmp_path: Path) -> None:
    found = table(tmp_path, text)
    assert found.header == header
    if not header:
        assert list(found.columns) == [str(number) for number in range(1, 1 + text.splitlines()[0].count(",") + 1)]
        assert any("no header" in note for note in found.notes)


def test_row_names_without_a_head_are_a_column(tmp_path: Path) -> None:
    assert list(table(tmp_path, "mpg,cyl\nMazda,21,6\nFiat,30,4\n").columns) == ["column 1", "mpg", "cyl"]


def test_repeated_and_empty_names_become_different(tmp_path: Path) -> None:
    assert list(table(tmp_path, "x,x,,label\n1,2,3,a\n4,5,6,b\n").columns) == ["x", "x 2", "column 3", "label"]


def test_spaces_after_every_separator_belong_to_it(tmp_path: Path) -> None:
    assert table(tmp_path, "39, State-gov, <=50K\n50, Private, >50K\n").strings("2") == ["State-gov", "Private"]


def test_quotes_in_a_tsv_are_signs_where_they_close_nothing(tmp_path: Path) -> None:
    found = table(tmp_path, 'label\ttext\ngood\t"Great" film\nbad\t" he said\nbad\tno 5" nails\n', "x.tsv")
    assert found.strings("text") == ['"Great" film', '" he said', 'no 5" nails']


def test_what_is_no_number_is_marked(tmp_path: Path) -> None:
    numbers, bad = table(tmp_path, "a,b\n1,x\n?,x\nabc,x\ninf,x\n 2e3 ,x\n+4,x\nNA,x\n").numbers("a")
    np.testing.assert_array_equal(numbers, [1, np.nan, np.nan, np.nan, 2000, 4, np.nan])
    assert bad.tolist() == [False, False, True, True, False, False, False]


def test_lines_that_are_no_json_are_set_aside(tmp_path: Path) -> None:
    found = table(tmp_path, '{"a": 1, "b": [1, 2]}\nnonsense\n[1]\n{"b": null, "c": "x"}\n', "x.jsonl")
    assert found.lines.tolist() == [1, 4]
    assert [problem.where for problem in found.problems] == ["x.jsonl, line 2", "x.jsonl, line 3"]
    assert {name: found.strings(name) for name in found.columns} == {"a": ["1", ""], "b": ["[1, 2]", ""], "c": ["", "x"]}


def test_arff_names_its_columns(tmp_path: Path) -> None:
    head = "% note\n@relation r\n@attribute 'sepal length' numeric\n@attribute class {a, b}\n@data\n"
    found = table(tmp_path, head + "5.1,a\n% x\n?, 'b'\n1\n", "x.arff")
    assert found.strings("class") == ["a", "b"]
    assert found.lines.tolist() == [6, 8]
    assert [problem.where for problem in found.problems] == ["x.arff, line 9"]


def test_parts_with_the_same_columns_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "adult-train.csv").write_text("a,label\n1,x\n2\n3,y\n")
    (tmp_path / "adult-test.csv").write_text("label,a\nx,9\n")
    found = read_table(Files.open(tmp_path), ReadOptions())
    assert found.strings("a") == ["1", "3", "9"]
    assert found.split() == ["train", "train", "test"]
    assert found.keys() == ["adult-train.csv:2", "adult-train.csv:4", "adult-test.csv:2"]
    assert found.order.tolist() == [0, 2, 3]


def test_dropping_rows_tells_each(tmp_path: Path) -> None:
    found = table(tmp_path, "a,label\n1,x\nbad,y\n3,x\n")
    left = found.drop_bad(found.numbers("a")[1], "{cell!r} is no number", "a", "Mend it.")
    assert left.strings("a") == ["1", "3"]
    assert left.problems[0].what == "'bad' is no number"
    assert (left.problems[0].where, left.problems[0].key, left.problems[0].position) == ("x.csv, line 3, column 'a'", "x.csv:3", 1)


def test_the_beginning_of_a_table_shows_its_columns_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"label,text\ngood,caf\xe9\n" * 20000)
    found = peek(Files.open(tmp_path))
    assert found is not None
    assert list(found.columns) == ["label", "text"]
    assert len(found) < 40000


@pytest.mark.parametrize(("content", "name", "said"), [
    ("a,b\n", "x.csv", "a header and no rows – x.csv"), ("", "x.csv", "the file is empty – x.csv"),
    (b"\x00\x01\x02", "x.csv", "no text file – x.csv"), (b"a,label\ncaf\xe9,x\n", "x.csv", "line 2 – Say --encoding latin-1"),
    (b"PAR1 no table", "x.parquet", "no Parquet table: .* – x.parquet"),
    ("@relation r\n@attribute a relational\n@data\n", "x.arff", "relational"), ("@attribute a numeric\n@data\n{0 1}\n", "x.arff", "sparse"),
    ("a\n1,2\n3,4\n5,6\n" + "7,8\n" * 9, "x.csv", None), ("a,b\n1,2,3,4\n5,6,7,8\n", "x.csv", "the first row has 2 cells, most others 4"),
])
def test_a_table_that_cannot_be_read_says_why(content: str | bytes, name: str, said: str | None, tmp_path: Path) -> None:
    if said is None:                          # one name fewer than columns: row names
        assert list(table(tmp_path, content, name).columns) == ["column 1", "a"]
        return
    with pytest.raises(DataError, match=said.replace("(", r"\(")):
        table(tmp_path, content, name)


def test_several_tables_are_not_mixed(tmp_path: Path) -> None:
    for name in ("iris.csv", "wine-train.csv", "wine-test.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"2 tables here.*wine takes its train and test file"):
        read_table(Files.open(tmp_path), ReadOptions())


def test_parts_with_other_columns_are_told(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,label\n1,x\n")
    (tmp_path / "test.csv").write_text("b,label\n1,x\n")
    with pytest.raises(DataError, match="different columns: a, b"):
        read_table(Files.open(tmp_path), ReadOptions())
