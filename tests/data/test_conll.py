"""CoNLL columns: sentences with a tag per word, none of which is ever lost on the way."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
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
WORD = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Z")), min_size=1, max_size=8).filter(
    lambda word: len(word.split()) == 1 and word != "-DOCSTART-" and "\ufeff" not in word)


def columns(count: int, seed: int = 0, tags: bool = True) -> str:
    """Sentences of 6 … 8 words, no two alike, with four columns; a name behind 'in' is a place."""
    rng, blocks = random.Random(seed), ["-DOCSTART- -X- -X- O"]
    for number in range(count):
        rows = [("we", "O"), ("ran", "O"), ("in", "O"), (rng.choice(("Rome", "Oslo", "Lima")), "B-LOC"), (f"fast{number % 9}", "O")]
        rows += [(f"day{seed}-{number}", "O"), *((rng.choice(("Rome", "Ann")), "O") for _ in range(rng.randint(0, 2)))]
        blocks.append("\n".join(f"{word} NN I-NP {tag}" if tags else word for word, tag in rows))
    return "\n\n".join(blocks) + "\n"


def read(path: Path, text: str, **options: Any) -> Source:
    path.write_bytes(text.encode())
    return Text().read(Files.open(path), ReadOptions(**{"task": "tag", **options}))


@often
@given(sentences=st.lists(st.lists(st.tuples(WORD, st.sampled_from(["O", "B-a", "I-a"])), min_size=1, max_size=5), min_size=1, max_size=5))
def test_words_and_tags_come_back_as_they_were_written(sentences: list[list[tuple[str, str]]], tmp_path: Path) -> None:
    for gap in (" ", "\t", "\tx\t"):
        source = read(tmp_path / "x.txt", "\n\n".join("\n".join(f"{word}{gap}{tag}" for word, tag in one) for one in sentences))
        assert [item.split("\n") for item in source.items] == [[word for word, _ in one] for one in sentences]
        assert source.targets == [[tag for _, tag in one] for one in sentences]
        arrays = Text().encode(source, Text().fit(source, np.arange(len(source)), ReadOptions()))
        assert arrays.shapes is not None
        assert arrays.shapes[:, 0].tolist() == list(map(len, sentences))
        assert (arrays.cells > 0).all()


def test_files_of_columns_are_recognised_with_splits_by_name_or_ending(tmp_path: Path, check: Check) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    for name, count in (("eng.train", 200), ("eng.testa", 120), ("eng.testb", 30)):
        (folder / name).write_text(columns(count, count))
    loaded = check(folder)
    assert (loaded.kind_name, loaded.task_name, loaded.spec.axes) == ("text", "tag", ("word",))
    assert loaded.record["counts"] == {"train": 200, "val": 120, "test": 30}
    assert set(loaded.record["facts"]["tags"]) == {"O", "B-LOC"}
    assert loaded.record["first"][0]["key"] == "eng.train:3"
    assert "\n" not in loaded.record["first"][0]["shown"]["text"]


def test_prose_labels_and_stories_are_no_columns(tmp_path: Path) -> None:
    for text in ("One line of prose.\nAnother one of it.\n\nA third.\n", "a word\n" * 40, "0 some words\n1 other words\n\n0 more words\n"):
        (tmp_path / "x.txt").write_text(text)
        assert guess_kind(Files.open(tmp_path / "x.txt"))[1].task != "tag"


def test_broken_sentences_are_set_aside_whole(tmp_path: Path) -> None:
    text = "a O\nb O\n\n" * 3 + "a O\nb\n\nb\tO\n\tO\n\nb\tO\nc\t\n\n" + "c O\n" * 6
    source = read(tmp_path / "x.txt", text, settings={"text.length": 5})
    assert [(problem.what, problem.where, problem.position, problem.key) for problem in source.problems] == [
        ("the line has 1 column, others have 2", "x.txt, line 11", 3, "x.txt:10"), ("the word is missing", "x.txt, line 14", 4, "x.txt:13"),
        ("the tag is missing", "x.txt, line 17", 5, "x.txt:16"),
        ("the sentence has 6 words, at most 5 are read (--set text.length)", "x.txt, line 19", 6, "x.txt:19")]
    assert (len(source), source.seen) == (3, 7)


def test_words_without_tags_are_refused_for_training_alone(tmp_path: Path, check: Check) -> None:
    with pytest.raises(DataError, match=r"the words have no tags – x\.txt, line 3"):
        read(tmp_path / "x.txt", columns(3, tags=False).replace(" -X- -X- O", ""))
    (tmp_path / "train.txt").write_text(columns(300))
    state = check(tmp_path / "train.txt").folds[0].kind_state
    (tmp_path / "bare.txt").write_text(columns(4, 5, tags=False))
    (tmp_path / "full.txt").write_text(columns(4, 5))
    bare, full = (load_new(tmp_path / name, "text", state) for name in ("bare.txt", "full.txt"))
    assert bare.rows.tolist() == full.rows.tolist() == [0, 1, 2, 3]
    assert (bare.dataset.arrays.cells == full.dataset.arrays.cells).all()


def test_words_stay_whole_and_in_their_case_and_rare_ones_show_their_shape(tmp_path: Path) -> None:
    source = read(tmp_path / "x.txt", "New-York B-a\nnew-york O\nNew-York B-a\nnew-york O\n\n" + "".join(
        f"{word} O\n" for word in ("<pad>", "42nd", "UNO", "Lima", "lima", "...", "Oslo")))
    state = Text().fit(source, np.arange(2), ReadOptions(settings={"text.tokens": "words"}))
    arrays = Text().encode(source, state)
    assert arrays.cells.tolist() == [6, 7, 6, 7, 5, 1, 3, 4, 5, 2, 4]
    assert state["vocab"] == 8
    with pytest.raises(OptionError, match="cannot be read as characters"):
        Text().fit(source, np.arange(2), ReadOptions(settings={"text.tokens": "characters"}))


def test_it_is_said_that_tags_are_no_spans(tmp_path: Path) -> None:
    assert not any("no spans" in note for note in read(tmp_path / "x.txt", columns(9)).notes)
    assert any("no spans" in note for note in read(tmp_path / "x.txt", "a DET\nb NOUN\n\nb NOUN\n").notes)


def test_mutated_files_never_crash_the_reader(tmp_path: Path) -> None:
    rng, whole = random.Random(3), columns(8).encode()
    for _ in range(200):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            place = rng.randrange(len(broken))
            match rng.randrange(3):
                case 0:
                    broken[place] = rng.randrange(256)
                case 1:
                    del broken[place:place + rng.randint(1, 30)]
                case _:
                    broken[place:place] = bytes([rng.choice(b"\t\n \r\0-")])
        (tmp_path / "m.txt").write_bytes(bytes(broken))
        try:
            source = Text().read(Files.open(tmp_path / "m.txt"), ReadOptions(task="tag"))
        except DataError:
            continue
        arrays = Text().encode(source, Text().fit(source, np.arange(len(source)), ReadOptions()))
        assert arrays.shapes is not None
        assert arrays.shapes[:, 0].tolist() == [len(target) for target in source.targets]
