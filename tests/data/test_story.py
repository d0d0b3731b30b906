"""Stories with questions: what an example is, what is told of lines that cannot be read, and how much of a story is read."""

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
from bakeoff.data.story import Story
from bakeoff.errors import DataError, OptionError

Check = Callable[..., Loaded]
PLACES, WHO = ("hall", "garden", "office"), ("Mary", "John", "Sandra")
often = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def stories(count: int, seed: int = 0, answers: bool = True) -> str:
    """Stories of four sentences with a question behind every second one; the answer is where the person went last. No two alike."""
    rng, lines = random.Random(seed), []
    for story in range(count):
        where: dict[str, str] = {}
        for number in (1, 2, 4, 5):
            person = rng.choice(WHO)
            where[person] = rng.choice(PLACES)
            lines.append(f"{number} {person} went to the {where[person]} on day {story} of {seed}.")
            if number in (2, 5):
                asked = rng.choice(sorted(where))
                lines.append(f"{number + 1} Where is {asked}? " + (f"\t{where[asked]}\t1 2" if answers else ""))
    return "\n".join(lines) + "\n"


def written(folder: Path, train: str, test: str | None = None, stem: str = "qa1_where") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{stem}_train.txt").write_text(train, encoding="utf-8")
    if test is not None:
        (folder / f"{stem}_test.txt").write_text(test, encoding="utf-8")
    return folder


def read(text: str, path: Path, **options: Any) -> Source:
    (path / "x.txt").write_bytes(text.encode())
    return Story().read(Files.open(path / "x.txt"), ReadOptions(**options))


def test_an_example_is_a_question_with_what_stands_before_it(tmp_path: Path) -> None:
    source = read("1 Mary went.\n2 John  stayed.\n3 Where is Mary? \there\t1\n4 She slept.\n5 And now?\tbed,here\t1 4\n"
                  "1 Ann came.\n2 Who?\there\t1\n3 Who came?\tbed,here\n", tmp_path)
    assert source.items == ["Mary went.\nJohn stayed.\nWhere is Mary?", "Mary went.\nJohn stayed.\nShe slept.\nAnd now?", "Ann came.\nWho?",
                            "Ann came.\nWho came?"]
    assert source.targets == ["here", "bed,here", "here", "bed,here"]
    assert source.keys == ["x.txt:3", "x.txt:5", "x.txt:7", "x.txt:8"]
    assert source.groups == ["x.txt:1", "x.txt:1", "x.txt:2", "x.txt:2"]
    assert source.task == "answer"


def test_rows_are_the_question_then_the_newest_sentence_first(tmp_path: Path) -> None:
    source = read("1 one two three.\n2 four.\n3 who?\ta\n1 four five.\n2 who?\ta\n3 one?\tb\n1 two.\n2 who two?\tb\n", tmp_path)
    state = Story().fit(source, np.arange(4), ReadOptions())
    arrays = Story().encode(source, state)
    assert arrays.shapes is not None
    assert arrays.shapes.tolist() == [[3, 3], [2, 2], [2, 2], [2, 2]]
    first = arrays.example(0).cells.reshape(3, 3)
    second = arrays.example(1).cells.reshape(2, 2)
    assert (first[0] == [second[0, 0], 0, 0]).all()                          # who
    assert (first[1] == [second[1, 0], 0, 0]).all()                          # four
    assert (first[2] > 0).all()                                              # one two three
    assert (arrays.cells < state["vocab"]).all()


def test_long_stories_keep_their_newest_sentences_and_it_is_said(tmp_path: Path, check: Check) -> None:
    loaded = check(written(tmp_path / "x", stories(60), stories(20, 1)), set={"story.sentences": 3, "story.words": 4})
    assert loaded.record["lengths"]["sentence"]["max"] == 4
    assert loaded.record["lengths"]["word"]["max"] == 4
    notes = " ".join(loaded.record["notes"])
    assert "80 of 160 questions have more than 3 sentences before them: the newest 3 are read (--set story.sentences)" in notes
    assert "are longer than 4 words and cut there (--set story.words)" in notes
    with pytest.raises(OptionError, match="no whole number from 1"):
        check(tmp_path / "x", set={"story.sentences": "0"})


def test_a_folder_is_recognised_with_its_splits_parts_and_stories_together(tmp_path: Path, check: Check) -> None:
    written(tmp_path / "x", stories(80), stories(20, 1))
    written(tmp_path / "x", stories(40, 2), stories(20, 3), "qa2_again")
    loaded = check(tmp_path / "x")
    assert (loaded.kind_name, loaded.task_name, loaded.spec.axes) == ("story", "answer", ("sentence", "word"))
    assert loaded.record["facts"] == {"parts": {"qa1_where": 200, "qa2_again": 120}}
    assert loaded.record["counts"]["train"] + loaded.record["counts"]["val"] == 240
    train, val = loaded.splits.train, loaded.splits.val
    if val is not None:
        assert not set(train.groups or []) & set(val.groups or [])


@pytest.mark.parametrize(("line", "told"), [
    ("Mary has no number.", "the line does not begin with a number"), ("7 Mary skips ahead.", "the number 7 follows 2"),
    ("2 Mary comes again.", "the number 2 follows 2"),
])
def test_a_line_that_cannot_be_read_spoils_the_rest_of_its_story(line: str, told: str, tmp_path: Path) -> None:
    spoilt = f"1 Mary went.\n2 John went.\n{line}\n4 Who?\ta\n5 Who?\tb\n"
    source = read(f"1 A ran.\n2 Who?\ta\n3 What?\tb\n{spoilt}1 B ran.\n2 Who?\ta\n3 What?\tb\n", tmp_path)
    assert source.keys == ["x.txt:2", "x.txt:3", "x.txt:10", "x.txt:11"]
    assert [(problem.what, problem.where, problem.position, problem.key) for problem in source.problems] == [
        (told, "x.txt, line 6", 2, "x.txt:7"), (told, "x.txt, line 6", 3, "x.txt:8")]
    assert source.seen == 6


def test_questions_without_story_or_answer_are_set_aside(tmp_path: Path) -> None:
    source = read("1 Who?\ta\n2 Mary ran.\n3 Who?\n4 Who?\t \n5 \tb\n1 B ran.\n2 Who?\ta\n3 Why?\tb\n4 Who?\ta\n5 Why?\tb\n6 Who?\tonce\n", tmp_path)
    assert [(problem.what, problem.where) for problem in source.problems] == [
        ("there is a question before any sentence of its story", "x.txt, line 1"), ("the question has no answer", "x.txt, line 3"),
        ("the question has no answer", "x.txt, line 4"), ("there is no question before the answer", "x.txt, line 5"),
        ("the answer 'once' is given only once", "x.txt, line 11")]
    assert len(source) == 4


def test_files_of_another_layout_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the lines are not numbered – x\.txt, line 1"):
        read("Once upon a time.\nThere was a question?\n", tmp_path)
    with pytest.raises(DataError, match="there is no question"):
        read("1 Mary went.\n2 John went.\n", tmp_path)
    assert Story().claims(Files.open(tmp_path / "x.txt")) is None
    (tmp_path / "x.txt").write_text("1. a list\n2. of things\n")
    assert Story().claims(Files.open(tmp_path / "x.txt")) is None
    assert guess_kind(Files.open(written(tmp_path / "y", stories(5))))[0] == "story"


def test_new_stories_need_no_answers(tmp_path: Path, check: Check) -> None:
    state = check(written(tmp_path / "x", stories(60), stories(20, 1))).folds[0].kind_state
    (tmp_path / "bare.txt").write_text(stories(4, 5, answers=False) + "1 Who?\n")
    (tmp_path / "full.txt").write_text(stories(4, 5))
    bare, full = (load_new(tmp_path / name, "story", state) for name in ("bare.txt", "full.txt"))
    assert len(bare.keys) == 9
    assert bare.rows.tolist() == full.rows.tolist() == list(range(8))
    assert (bare.dataset.arrays.cells == full.dataset.arrays.cells).all()
    assert bare.problems[0].what == "there is a question before any sentence of its story"


@often
@given(rows=st.lists(st.tuples(st.text("abc \t?é1", min_size=1, max_size=12), st.sampled_from(["", "\t", "\tx", "\ty\t1 2"])), max_size=12))
def test_any_numbered_lines_are_read_or_refused_in_words(rows: list[tuple[str, str]], tmp_path: Path) -> None:
    text = "".join(f"{number} {words}{rest}\n" for number, (words, rest) in enumerate(rows, 1))
    try:
        source = read(text, tmp_path)
    except DataError as error:
        where = error.where
    else:
        where = "x.txt"
        assert len(source) + len([problem for problem in source.problems if problem.bad]) == source.seen
        Story().encode(source, Story().fit(source, np.arange(len(source)), ReadOptions()))
    assert where.startswith("x.txt")


def test_mutated_files_never_crash_the_reader(tmp_path: Path) -> None:
    rng, whole = random.Random(7), stories(6).encode()
    for _ in range(200):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            place = rng.randrange(len(broken))
            match rng.randrange(4):
                case 0:
                    broken[place] = rng.randrange(256)
                case 1:
                    del broken[place:place + rng.randint(1, 30)]
                case 2:
                    broken[place:place] = bytes([rng.choice(b"\t\n 19?\r\0")])
                case _:
                    broken[place:place] = broken[place:place + 20]
        (tmp_path / "m.txt").write_bytes(bytes(broken))
        try:
            source = Story().read(Files.open(tmp_path / "m.txt"), ReadOptions())
        except DataError:
            continue
        Story().encode(source, Story().fit(source, np.arange(len(source)), ReadOptions()))


def test_babi_is_read_as_its_readme_counts_it(shared_data: Path, check: Check) -> None:
    path = shared_data / "babi/babi_tasks.zip/tasks_1-20_v1-2/en"
    loaded = check(path / "qa2_two-supporting-facts")
    assert (loaded.kind_name, loaded.task_name, len(loaded.record["classes"])) == ("story", "answer", 6)
    assert loaded.record["counts"]["test"] == 1000
    assert loaded.record["set_aside"] == []
    assert guess_kind(Files.open(path))[0] == "story"


def test_long_lines_of_blanks_take_no_time(tmp_path: Path) -> None:
    source = read("1 Ann ran.\n2 Who?\ta\n1 Bob ran.\n2 Who?\ta\n3" + " " * 300_000 + "\n4" + " " * 300_000 + "\t\n", tmp_path)
    assert source.targets == ["a", "a"]
