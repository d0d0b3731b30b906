"""Texts in tables, folders and lines: read as they were written, in any encoding that is named."""

from __future__ import annotations

import csv
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.load import Loaded, guess_kind, load_new
from bakeoff.data.text import Text
from bakeoff.errors import DataError

Check = Callable[..., Loaded]
often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# what a file can hold and a reader must not touch; no surrogates, no NUL, and none of what a cell or line loses at its ends
PROSE = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), min_size=1, max_size=40).filter(
    lambda text: text == text.strip() and text not in ("?",) and not text.startswith("__label__"))
FILMS = [f"a film of {number} words that is {'good' if number % 2 else 'bad'}" for number in range(40)]


def read(path: Path, **options: Any) -> Source:
    return Text().read(Files.open(path), ReadOptions(**options))


def table(path: Path, rows: list[tuple[str, ...]], head: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def folders(path: Path, texts: list[str], *parents: str) -> Path:
    for number, text in enumerate(texts):
        folder = path.joinpath(*parents, "ab"[number % 2])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:03}.txt").write_text(text, encoding="utf-8")
    return path


@often
@given(texts=st.lists(PROSE, min_size=1, max_size=8))
def test_tables_of_any_format_come_back_as_they_were_written(texts: list[str], tmp_path: Path) -> None:
    labels = ["ab"[number % 2] for number in range(len(texts))]
    rows = list(zip(texts, labels, strict=True))
    (tmp_path / "x.jsonl").write_text("\n".join(json.dumps({"text": text, "label": label}) for text, label in rows), encoding="utf-8")
    pd.DataFrame(rows, columns=["text", "label"]).to_parquet(tmp_path / "x.parquet")
    table(tmp_path / "x.csv", rows)
    for name in ("x.csv", "x.jsonl", "x.parquet"):
        source = read(tmp_path / name, inputs=("text",), target="label")
        assert (source.items, source.targets, source.seen) == (texts, labels, len(texts)), name


@often
@given(texts=st.lists(PROSE, min_size=1, max_size=8))
def test_folders_and_lines_come_back_as_they_were_written(texts: list[str], tmp_path: Path) -> None:
    root = tmp_path / f"{len(list(tmp_path.iterdir()))}"
    folders(root / "folders", texts)
    if len(texts) > 1:
        found = dict(zip(*(lambda source: (source.keys, source.items))(read(root / "folders")), strict=True))
        assert found == {f"{'ab'[number % 2]}/{number:03}.txt": text for number, text in enumerate(texts)}
    (root / "x.txt").write_text("\n".join(f"{'ab'[number % 2]} {text}" for number, text in enumerate(texts)), encoding="utf-8")
    source = read(root / "x.txt", task="classify")
    assert (source.items, source.targets) == (texts, ["ab"[number % 2] for number in range(len(texts))])
    (root / "y.txt").write_text("\r\n".join(f"__label__{number % 2} {text}" for number, text in enumerate(texts)), encoding="utf-8")
    source = read(root / "y.txt")
    assert (source.items, source.targets) == (texts, [str(number % 2) for number in range(len(texts))])


def test_lines_are_parted_at_newlines_only(tmp_path: Path) -> None:
    (tmp_path / "x.train.all").write_bytes("0 one\x85two three\x0bfour\n\n1 five\x1csix\n".encode("latin-1"))
    (tmp_path / "x.test.all").write_bytes(b"1 seven\n")
    source = read(tmp_path, task="classify", encoding="latin-1")
    assert source.items == ["one\x85two three\x0bfour", "five\x1csix", "seven"]
    assert source.keys == ["x.train.all:1", "x.train.all:3", "x.test.all:1"]
    assert source.split == ["train", "train", "test"]


@pytest.mark.parametrize("layout", ["lines", "table", "folders"])
def test_latin_1_bytes_name_the_option(layout: str, tmp_path: Path) -> None:
    text = "a fianc\xe9 who says nothing of it".encode("latin-1")
    if layout == "folders":
        folders(tmp_path / "x", FILMS)
        (tmp_path / "x/a/000.txt").write_bytes(text)
        path, where = tmp_path / "x", "a/000.txt, line 1"
    else:
        path = tmp_path / ("x.csv" if layout == "table" else "x.txt")
        path.write_bytes(b"text,label\n" + text + b",a\nother words are here,b\n" if layout == "table" else b"0 words\n1 " + text + b"\n")
        where = f"{path.name}, line 2"
    with pytest.raises(DataError, match=rf"0xe9 is not utf-8 – {where} – Say --encoding latin-1"):
        read(path, task="classify")
    assert "a fiancé who says nothing of it" in read(path, task="classify", encoding="latin-1").items


def test_plain_text_is_learnt_from_only_where_asked(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("0 some words\n1 other words\n")
    with pytest.raises(DataError, match=r"too few to learn from.*Say --task classify"):
        read(tmp_path / "x.txt")
    (tmp_path / "prose.txt").write_text("\n".join(f"word{number} and so on" for number in range(100)))
    with pytest.raises(DataError, match="no labels: there are 100 different ones in 100 lines"):
        read(tmp_path / "prose.txt", task="classify")
    assert guess_kind(Files.open(tmp_path / "x.txt"))[0] == "text"


def test_broken_lines_are_set_aside_with_their_number(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("__label__a some words\n" * 20 + "no label here\n__label__a __label__b two\n__label__a\n")
    assert [(problem.what, problem.where, problem.position, problem.key) for problem in read(tmp_path / "x.txt").problems] == [
        ("the line does not begin with __label__", "x.txt, line 21", 20, "x.txt:21"), ("the line has two labels", "x.txt, line 22", 21, "x.txt:22"),
        ("there is no text behind the label", "x.txt, line 23", 22, "x.txt:23")]


def test_rows_without_text_or_label_are_set_aside(tmp_path: Path) -> None:
    rows = [(text, "ab"[number % 2]) for number, text in enumerate(FILMS)]
    rows[3], rows[5] = ("", "a"), (rows[5][0], "")
    source = read(table(tmp_path / "x.csv", rows))
    assert {(problem.what, problem.where) for problem in source.problems} == {
        ("there is no text", "x.csv, line 5, column 'text'"), ("the target is missing", "x.csv, line 7, column 'label'")}
    assert (len(source), source.seen) == (38, 40)


def test_files_that_hold_no_text_are_set_aside(tmp_path: Path) -> None:
    folders(tmp_path / "x", FILMS)
    (tmp_path / "x/a/empty.txt").write_text(" \n")
    (tmp_path / "x/b/picture.txt").write_bytes(b"\x89PNG\0\0\0")
    (tmp_path / "x/loose.txt").write_text("words")
    problems = {problem.where: problem.what for problem in read(tmp_path / "x").problems}
    assert problems == {"a/empty.txt": "the file is empty", "b/picture.txt": "this is no text file",
                        "loose.txt": "the text lies in no class's folder"}


def test_nothing_to_read_is_said_with_the_first_reason(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("__label__a\n__label__b\n")
    with pytest.raises(DataError, match=r"none of 2 texts can be used; the first: there is no text behind the label – x\.txt, line 1"):
        read(tmp_path / "x.txt")


def test_folders_say_the_split_and_archives_are_read_in_place(tmp_path: Path, check: Check) -> None:
    folders(tmp_path / "x", FILMS, "train")
    folders(tmp_path / "x", [f"{film} indeed" for film in FILMS[:10]], "test")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "x", "reviews")
    for path in (tmp_path / "x", tmp_path / "x.tar.gz"):
        loaded = check(path)
        assert (loaded.kind_name, loaded.task_name) == ("text", "classify")
        assert (loaded.record["counts"]["train"] + loaded.record["counts"]["val"], loaded.record["counts"]["test"]) == (40, 10)


def test_one_column_of_several_is_read_unless_more_are_asked_for(tmp_path: Path) -> None:
    rows = [(f"the title of {number}", text, "ab"[number % 2]) for number, text in enumerate(FILMS)]
    path = table(tmp_path / "x.csv", rows, ("title", "review", "label"))
    source = read(path)
    assert source.items == FILMS
    assert any("--inputs review,title reads all" in note for note in source.notes)
    assert read(path, inputs=("title", "review")).items[0] == f"the title of 0\n{FILMS[0]}"
    with pytest.raises(DataError, match="no column of text"):
        read(table(tmp_path / "y.csv", [("1", "a"), ("2", "b")], ("number", "label")))


def test_columns_of_a_table_may_say_split_fold_group_and_time(tmp_path: Path) -> None:
    rows = [(text, "ab"[number % 2], "test" if number > 30 else "train", str(number % 4), f"g{number // 2}", str(number))
            for number, text in enumerate(FILMS)]
    source = read(table(tmp_path / "x.csv", rows, ("text", "label", "split", "fold", "who", "year")), group="who", time=("year",))
    assert source.split == ["train"] * 31 + ["test"] * 9
    assert source.folds is not None
    assert source.folds[:5] == ["0", "1", "2", "3", "0"]
    assert source.groups is not None
    assert source.groups[:3] == ["g0", "g0", "g1"]
    assert source.times is not None
    assert source.times[9] < source.times[10]


def test_a_number_beside_a_text_is_regressed(tmp_path: Path, check: Check) -> None:
    rows = [(text, f"{number / 7:.3f}") for number, text in enumerate(FILMS)]
    assert check(table(tmp_path / "x.csv", rows, ("text", "target"))).task_name == "regress"


def test_the_vocabulary_comes_from_the_training_split_and_what_is_cut_is_said(tmp_path: Path, check: Check) -> None:
    rows = [(text, "ab"[number % 2], "train") for number, text in enumerate(FILMS)]
    rows += [(f"unseen unseen {text}", "ab"[number % 2], "test") for number, text in enumerate(FILMS[:10])]
    loaded = check(table(tmp_path / "x.csv", rows, ("text", "label", "split")), set={"text.length": 6})
    state = loaded.folds[0].kind_state
    assert "unseen" not in json.loads(state["tokenizer"])["model"]["vocab"]
    assert loaded.spec.vocab == state["vocab"]
    assert loaded.record["lengths"] == {"word": {"min": 6, "median": 6.0, "max": 6}}
    assert any(note.startswith("50 of 50 texts are longer than 6 words") for note in loaded.record["notes"])
    characters = check(tmp_path / "x.csv", set={"text.tokens": "characters"})
    assert characters.spec.axes == ("character",)
    assert set(characters.record["lengths"]) == {"character"}


def test_a_long_text_is_shown_by_its_beginning(tmp_path: Path) -> None:
    source = read(table(tmp_path / "x.csv", [(text * (500 if number == 1 else 1), "ab"[number % 2]) for number, text in enumerate(FILMS)]))
    assert Text().shown(source, 0) == {"form": "text", "text": FILMS[0]}
    assert len(Text().shown(source, 1)["text"]) < 2010


def test_new_texts_need_no_labels_whatever_the_training_had(tmp_path: Path, check: Check) -> None:
    (tmp_path / "x.txt").write_text("".join(f"{number % 2} {text}\n" for number, text in enumerate(FILMS)))
    table(tmp_path / "x.csv", [(text, "ab"[number % 2]) for number, text in enumerate(FILMS)])
    folders(tmp_path / "x", FILMS)
    (tmp_path / "labelled.txt").write_text("1 a film\n0 another film\n")
    (tmp_path / "bare.txt").write_text("a film\nanother film\n")
    table(tmp_path / "new.csv", [("7", "a film"), ("8", ""), ("9", "another film")], ("id", "text"))
    folders(tmp_path / "new", ["a film", "another film"])

    def new(trained: str, given: str) -> tuple[list[int], list[int]]:
        found = load_new(tmp_path / given, "text", check(tmp_path / trained, task="classify").folds[0].kind_state)
        return found.dataset.lengths().tolist(), found.rows.tolist()

    assert new("x.txt", "labelled.txt") == new("x.txt", "bare.txt") == new("x.csv", "bare.txt") == new("x", "new") == ([2, 2], [0, 1])
    assert new("x.csv", "new.csv") == new("x.txt", "new.csv") == ([2, 2], [0, 2])


@pytest.mark.parametrize(("name", "options", "counts"), [
    ("TREC", {}, (5452, 500)), ("rt-polarity.all", {}, (8529, 2133)), ("custrev.all", {}, (3016, 755)),
])
def test_real_sentences_are_read(name: str, options: dict[str, Any], counts: tuple[int, int], shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "sentence-classification" / name, task="classify", encoding="latin-1")
    found = loaded.record["counts"]
    assert abs(found["train"] + found["val"] - counts[0]) < 5
    assert abs(found["test"] - counts[1]) < 5


def test_a_file_without_a_line_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(DataError, match="empty lines"):
        Text().read(Files.open(tmp_path / "empty.txt"), ReadOptions())
