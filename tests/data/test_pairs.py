"""Pairs of texts: aligned files and tables of two columns, read as they were written; what does not fit together is named."""

from __future__ import annotations

import gzip
import json
import random
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
from bakeoff.errors import DataError, OptionError

Check = Callable[..., Loaded]
often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LINE = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters="\ufeff\x85"), min_size=1, max_size=30).filter(
    lambda text: text == text.strip() and text != "?")
ENGLISH = [f"a dog number {number} runs through the park" for number in range(40)]
GERMAN = [f"ein Hund Nummer {number} läuft durch den Park" for number in range(40)]


def read(path: Path, **options: Any) -> Source:
    return Text().read(Files.open(path), ReadOptions(**options))


def aligned(folder: Path, stem: str = "train", rows: slice = slice(0, 40), packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for side, lines in (("en", ENGLISH), ("de", GERMAN)):
        content = ("\n".join(lines[rows]) + "\n").encode()
        (folder / f"{stem}.{side}{'.gz' if packed else ''}").write_bytes(gzip.compress(content) if packed else content)
    return folder


@often
@given(pairs=st.lists(st.tuples(LINE, LINE), min_size=1, max_size=6))
def test_pairs_come_back_as_they_were_written(pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    left, right = [one for one, _ in pairs], [other for _, other in pairs]
    (tmp_path / "x.aa").write_text("\n".join(left) + "\n", encoding="utf-8")
    (tmp_path / "x.bb").write_text("\n".join(right), encoding="utf-8")
    source = read(tmp_path, inputs=("aa",), target="bb", task="translate")
    assert (source.items, source.targets, source.seen, source.problems) == (left, right, len(pairs), [])
    (tmp_path / "table").mkdir(exist_ok=True)
    (tmp_path / "table/x.jsonl").write_text("".join(json.dumps({"aa": one, "bb": other}) + "\n" for one, other in pairs), encoding="utf-8")
    source = read(tmp_path / "table", inputs=("bb",), target="aa", task="summarise")
    assert (source.items, source.targets) == (right, left)


def test_aligned_files_are_known_with_their_splits(tmp_path: Path, check: Check) -> None:
    aligned(tmp_path / "x", "train", slice(0, 28), packed=True)
    aligned(tmp_path / "x", "val", slice(28, 33))
    aligned(tmp_path / "x", "test_news", slice(33, 40))
    assert guess_kind(Files.open(tmp_path / "x"))[0] == "text"
    loaded = check(tmp_path / "x", inputs=("en",), target="de")
    assert (loaded.task_name, loaded.record["counts"]["test"]) == ("translate", 7)
    assert not any("in this order" in note for note in loaded.record["notes"])
    assert loaded.splits.test is not None
    assert loaded.splits.test.keys[0] == "test_news.en:1"
    assert loaded.splits.test.targets == GERMAN[33:]
    assert loaded.spec.writing


def test_the_order_that_nobody_asked_for_is_said(tmp_path: Path) -> None:
    source = read(aligned(tmp_path / "x"))
    assert (source.items, source.targets, source.task) == (GERMAN, ENGLISH, "translate")
    assert "'en' is to be written from 'de'" in source.notes[0]
    assert "--inputs en --target de" in source.notes[0]
    assert read(tmp_path / "x", target="de").items == ENGLISH
    assert read(tmp_path / "x", inputs=(".en",)).targets == GERMAN
    assert read(tmp_path / "x", task="summarise").task == "summarise"


def test_a_test_of_two_files_is_named_by_what_they_share(tmp_path: Path, check: Check) -> None:
    aligned(tmp_path / "x", "train", slice(0, 30))
    aligned(tmp_path / "x", "test_2016", slice(30, 33), packed=True)
    aligned(tmp_path / "x", "test_2017", slice(33, 40))
    loaded = check(tmp_path / "x", inputs=("en",), target="de", test=str(tmp_path / "x/test_2016"))
    assert loaded.splits.test is not None
    assert loaded.splits.test.targets == GERMAN[30:33]
    with pytest.raises(DataError, match="no file or folder"):
        check(tmp_path / "x", test=str(tmp_path / "x/test_2018"))


def test_unequal_numbers_of_lines_are_named_with_both_files(tmp_path: Path) -> None:
    aligned(tmp_path / "x")
    (tmp_path / "x/train.de").write_text("\n".join(GERMAN[:39]) + "\n\n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"train.de has 39 lines and train.en has 40 – train.de, train.en"):
        read(tmp_path / "x")


def test_a_file_without_its_partner_is_named(tmp_path: Path) -> None:
    aligned(tmp_path / "x")
    (tmp_path / "x/test.en").write_text("one more\n")
    with pytest.raises(DataError, match=r"test.de is missing – test.en"):
        read(tmp_path / "x")


def test_empty_lines_are_set_aside(tmp_path: Path) -> None:
    aligned(tmp_path / "x")
    (tmp_path / "x/train.en").write_text("\n".join([*ENGLISH[:3], "", *ENGLISH[4:]]) + "\n", encoding="utf-8")
    (tmp_path / "x/train.de").write_text("\n".join([*GERMAN[:5], " ", *GERMAN[6:]]) + "\n", encoding="utf-8")
    source = read(tmp_path / "x", inputs=("en",), target="de")
    assert len(source) == 38
    assert [(problem.what, problem.where, problem.position) for problem in source.problems] == [
        ("the source is empty", "train.en, line 4", 3), ("the target is empty", "train.de, line 6", 5)]
    assert source.keys[3] == "train.en:5"


def test_of_three_languages_two_are_asked_for(tmp_path: Path) -> None:
    aligned(tmp_path / "x")
    (tmp_path / "x/train.fr").write_text("\n".join(f"un chien {number}" for number in range(40)) + "\n")
    with pytest.raises(DataError, match="--inputs de --target en"):
        read(tmp_path / "x")
    assert read(tmp_path / "x", inputs=("en",), target="fr").targets[0] == "un chien 0"
    with pytest.raises(DataError, match=r"there is no file '.es'"):
        read(tmp_path / "x", inputs=("en",), target="es")
    with pytest.raises(DataError, match="from itself"):
        read(tmp_path / "x", inputs=("en",), target="en")


def test_two_columns_without_header_are_pairs(tmp_path: Path, check: Check) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{one}\t{other}\n" for one, other in zip(ENGLISH, GERMAN, strict=True)), encoding="utf-8")
    loaded = check(path)
    assert (loaded.kind_name, loaded.task_name) == ("text", "translate")
    assert loaded.record["kept"] == 40
    assert sorted(loaded.splits.train.targets)[0] in GERMAN


def test_a_repeated_column_is_no_header(tmp_path: Path) -> None:
    rows = [(f"Go {number // 3}!", f"Va {number} maintenant, mon ami !") for number in range(30)]
    (tmp_path / "x.tsv").write_text("".join(f"{one}\t{other}\n" for one, other in rows), encoding="utf-8")
    source = read(tmp_path / "x.tsv", task="translate")
    assert list(zip(source.items, source.targets, strict=True)) == rows


def test_a_table_with_names_is_asked_by_them(tmp_path: Path, check: Check) -> None:
    pd.DataFrame({"article": ENGLISH, "author": ["me"] * 40, "headline": GERMAN}).to_csv(tmp_path / "x.csv", index=False)
    source = read(tmp_path / "x.csv", task="summarise", inputs=("article",), target="headline")
    assert (source.items, source.targets, source.reading["inputs"]) == (ENGLISH, GERMAN, ("article",))
    assert check(tmp_path / "x.csv", task="summarise", inputs=("article",), target="headline").task_name == "summarise"
    with pytest.raises(DataError, match="no column 'headlines'"):
        read(tmp_path / "x.csv", task="summarise", inputs=("article",), target="headlines")


def test_new_data_are_the_sources_alone(tmp_path: Path, check: Check) -> None:
    loaded = check(aligned(tmp_path / "x"), inputs=("en",), target="de", split="0.6,0.2,0.2")
    state = loaded.folds[0].kind_state
    (tmp_path / "new.txt").write_text("a dog\n\nthe park\n")
    new = load_new(tmp_path / "new.txt", "text", state)
    assert (new.keys, new.rows.tolist(), len(new.problems)) == (["new.txt:1", "new.txt:2", "new.txt:3"], [0, 2], 1)
    assert len(load_new(tmp_path / "x", "text", state).dataset) == 40
    (tmp_path / "new.jsonl").write_text(json.dumps({"en": "a dog"}) + "\n")
    assert len(load_new(tmp_path / "new.jsonl", "text", state).dataset) == 1
    assert not guess_kind(Files.open(tmp_path / "new.jsonl"))[1].task


def test_new_rows_of_a_table(tmp_path: Path, check: Check) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{one}\t{other}\n" for one, other in zip(ENGLISH, GERMAN, strict=True)), encoding="utf-8")
    state = check(path).folds[0].kind_state
    (tmp_path / "new.tsv").write_text("a dog, a cat\nthe park\n")
    assert load_new(tmp_path / "new.tsv", "text", state).keys == ["new.tsv:1", "new.tsv:2"]
    assert load_new(path, "text", state).keys[:2] == ["pairs.tsv:1", "pairs.tsv:2"]


def test_files_that_only_look_alike_are_no_pairs(tmp_path: Path) -> None:
    for name in ("train.csv", "train.json", "notes.txt", "more.txt"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    from bakeoff.data.pairs import claim
    assert claim(Files.open(tmp_path)) is None


def test_broken_files_are_told_never_a_traceback(tmp_path: Path) -> None:
    """200 mutations of three layouts: read, or one message."""
    chance = random.Random(0)
    aligned(tmp_path / "a", packed=True)
    aligned(tmp_path / "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c/x.tsv").write_text("".join(f"{one}\t{other}\n" for one, other in zip(ENGLISH, GERMAN, strict=True)), encoding="utf-8")
    originals = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    for _ in range(200):
        path = chance.choice(sorted(originals))
        content = bytearray(originals[path])
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(content) or 1)
            match chance.randrange(4):
                case 0:
                    content[place:place + 1] = bytes([chance.randrange(256)])
                case 1:
                    del content[place:place + chance.randint(1, 200)]
                case 2:
                    content[place:place] = bytes(content[place:place + chance.randint(1, 200)])
                case _:
                    content[place:place] = chance.choice([b"\n", b"\t", b"\0", b"\xff\xfe", b'"', b"\r\n", b"\xe2\x80\xa8"])
            content = content or bytearray(b" ")
        path.write_bytes(content)
        try:
            source = read(path.parent, task="translate")
            assert len(source.items) == len(source.targets) == len(source.keys) == len(set(source.keys))
        except (DataError, OptionError):
            pass
        path.write_bytes(originals[path])
