"""Plain text is cut into windows so that every character counts once, behind what stands before it."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bakeoff.data import tokens
from bakeoff.data.base import ReadOptions
from bakeoff.data.corpus import Pieces, cuts
from bakeoff.data.files import Files
from bakeoff.data.identical import content_hashes
from bakeoff.data.load import Loaded, guess_kind, load_new
from bakeoff.data.text import Text
from bakeoff.errors import DataError, OptionError

Check = Callable[..., Loaded]
VERSE = "".join(f"Line {number} of {number * number % 97} lines,\n  it goes on and on.\n" for number in range(150))
SOME = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=400, max_size=500)


def written(path: Path, text: str = VERSE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def halves(loaded: Loaded, part: str) -> list[tuple[list[int], list[int]]]:
    data = getattr(loaded.splits, part)
    if data is None:                          # folds inside train validate
        return []
    return [(row[:len(row) // 2].tolist(), row[len(row) // 2:].tolist()) for row in data.take(range(len(data))).x.x]


def spelled(loaded: Loaded, ids: list[int]) -> str:
    state = loaded.folds[0].kind_state
    return tokens.decoded([one for one in ids if one], state["tokenizer"], state["tokens"])


@pytest.mark.parametrize("kind", ["characters", "subwords"])
def test_every_character_counts_once_behind_what_stands_before_it(kind: str, tmp_path: Path, check: Check) -> None:
    loaded = check(written(tmp_path / "verse.txt"), set={"text.tokens": kind, "text.window": 32, "text.min_count": 1, "text.vocab": 300})
    assert (loaded.kind_name, loaded.task_name) == ("text", "generate")
    parts = [half for part in ("train", "val", "test") for half in halves(loaded, part)]
    assert "".join(spelled(loaded, own) for _, own in parts) == VERSE
    targets = [target for part in ("train", "val", "test") for target in getattr(getattr(loaded.splits, part), "targets", ())]
    assert targets == [len(spelled(loaded, own)) for _, own in parts]
    said = [one for _, own in parts for one in own if one]
    place = 0
    for before, own in parts:
        context = [0] * len(before) + said[:place]
        assert before == context[len(context) - len(before):]                # whole halves of it: at least half a window
        place += sum(one > 0 for one in own)
    assert loaded.spec.sizes == (len(parts[0][0]) * 2,)
    assert kind == "subwords" or loaded.spec.sizes == (32,)


def test_the_earliest_trains_and_the_latest_tests(tmp_path: Path, check: Check) -> None:
    loaded = check(written(tmp_path / "verse.txt", VERSE + VERSE), split="0.9,0.1", set={"text.window": 16})
    read = {part: "".join(spelled(loaded, own) for _, own in halves(loaded, part)) for part in ("train", "val", "test")}
    assert (VERSE + VERSE).startswith(read["train"][:200])
    assert len(read["test"]) == pytest.approx(0.1 * 2 * len(VERSE), abs=16)
    assert len(read["val"]) == pytest.approx(0.18 * 2 * len(VERSE), abs=16), "a passage that comes again stays where it is"
    assert "in time order" in loaded.how_split


def test_given_files_are_parts_of_their_own(tmp_path: Path, check: Check) -> None:
    for name, text in (("train", VERSE[:4000]), ("val", VERSE[4000:5000]), ("test", VERSE[5000:6000])):
        written(tmp_path / f"{name}.txt", text)
    loaded = check(tmp_path, set={"text.window": 16, "text.min_count": 1})
    assert loaded.record["counts"] == {"train": 500, "val": 125, "test": 125}
    assert "".join(spelled(loaded, own) for _, own in halves(loaded, "test")) == VERSE[5000:6000]
    assert halves(loaded, "test")[0][0] == [0] * 8, "nothing stands before a file's beginning"


def test_the_vocabulary_is_made_of_train_alone(tmp_path: Path, check: Check) -> None:
    written(tmp_path / "train.txt", VERSE)
    written(tmp_path / "test.txt", "A ßtrange ßentence, ßaid again. " * 20)
    loaded = check(tmp_path, set={"text.window": 16})
    assert all(1 in own for _, own in halves(loaded, "test")[:3]), "what train never had is unknown"
    whole = check(tmp_path, set={"text.window": 16, "text.tokens": "subwords", "text.vocab": 270})
    assert "".join(spelled(whole, own) for _, own in halves(whole, "test")) == "A ßtrange ßentence, ßaid again. " * 20


def test_words_are_counted_as_they_are_read(tmp_path: Path, check: Check) -> None:
    loaded = check(written(tmp_path / "verse.txt"), set={"text.tokens": "words", "text.window": 32})
    train = loaded.splits.train
    assert train.targets == [sum(one > 0 for one in own) for _, own in halves(loaded, "train")]
    assert loaded.metric == "perplexity"
    assert [metric.name for metric in check(tmp_path / "verse.txt").make_task().metrics] == ["nats", "bpc"]


def test_a_text_is_kept_once(tmp_path: Path) -> None:
    source = Text().read(Files.open(written(tmp_path / "verse.txt")), ReadOptions())
    assert isinstance(source.items, Pieces)
    assert source.items.texts == [VERSE]
    assert source.items[:2] == [VERSE[:64], VERSE[64:128]]
    assert len(set(content_hashes(Pieces(["abab"], np.array([[0, 0, 2], [0, 2, 4]]))).tolist())) == 2
    assert len(set(content_hashes(Pieces(["abab"], np.array([[0, 0, 2], [0, 2, 4]]), alike=True)).tolist())) == 1


@given(text=st.text(alphabet="ab \n", max_size=80), most=st.integers(1, 9))
def test_pieces_make_the_text_and_words_stay_whole(text: str, most: int) -> None:
    for whole in (False, True):
        ends = cuts(text, most, whole)
        parts = [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        assert "".join(parts) == text
        assert all(1 <= len(part) <= most for part in parts) or not text


def test_a_folder_of_texts_without_classes_is_one_corpus_and_notes_of_other_files_are_made(tmp_path: Path, check: Check) -> None:
    for number in range(3):
        written(tmp_path / f"{number}.txt", VERSE[number * 2000:(number + 1) * 2000])
    written(tmp_path / "cover.json", "{}")
    loaded = check(tmp_path)
    assert loaded.record["facts"]["texts"] == 3
    assert "1 other files are not read" in loaded.record["notes"]
    (tmp_path / "0.txt").write_text("")
    assert "the file is empty" in check(tmp_path, max_bad="10%").record["set_aside"][0]["what"]


def test_what_is_no_prose_is_not_taken_for_it(tmp_path: Path) -> None:
    written(tmp_path / "rates.txt", "0.7855,1.611,0.861\n" * 50)
    assert guess_kind(Files.open(tmp_path / "rates.txt"))[1].task != "generate"
    for name in ("good/1.txt", "bad/2.txt"):
        written(tmp_path / "films" / name, "a film of some words")
    assert guess_kind(Files.open(tmp_path / "films"))[1].task == "classify"


@pytest.mark.parametrize(("content", "options", "message"), [
    (b"too short", {}, "characters are too few to learn from"),
    (b"\0\1\2" * 999, {"task": "generate", "set": {"kind": "text"}}, "this is no text file"),
    (b"   \n " * 99, {"task": "generate"}, "the file is empty"),
    (b"caf\xe9 " * 999, {}, "(?s)encoding"),
    (VERSE.encode(), {"set": {"text.window": 33}}, "'33' is no window.*Give one even number"),
    (VERSE.encode(), {"set": {"text.window": "many"}}, "is no window"),
    (VERSE.encode(), {"set": {"text.tokens": "syllables"}}, "no sort of token"),
    (VERSE.encode(), {"folds": "5"}, "a text is split by position.*--folds 5"),
    (VERSE.encode(), {"time": ("day",)}, "a text is split by position.*--time day"),
])
def test_what_is_wrong_is_said(content: bytes, options: dict[str, Any], message: str, tmp_path: Path, check: Check) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises((DataError, OptionError), match=message):
        check(tmp_path / "x.txt", **options)


def test_prompts_are_lines_files_or_a_column(tmp_path: Path, check: Check) -> None:
    loaded = check(written(tmp_path / "verse.txt"), set={"text.min_count": 1})
    state = loaded.folds[0].kind_state
    written(tmp_path / "lines.txt", "Line 1\n\n it goes\n")
    for number in range(2):
        written(tmp_path / "several" / f"{number}.txt", f"Line {number}\nof")
    pd.DataFrame({"text": ["on and on", ""]}).to_csv(tmp_path / "table.csv", index=False)
    found = {}
    for name in ("lines.txt", "several", "table.csv"):
        new = load_new(tmp_path / name, "text", state)
        rows = [row[len(row) // 2:].tolist() for row in new.dataset.take(range(len(new.dataset))).x.x]
        found[name] = dict(zip(new.keys, (spelled(loaded, row) for row in rows), strict=True))
    assert found == {"lines.txt": {"lines.txt:1": "Line 1", "lines.txt:3": " it goes"},
                     "several": {"0.txt": "Line 0\nof", "1.txt": "Line 1\nof"}, "table.csv": {"table.csv:2": "on and on", "table.csv:3": "\n"}}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=SOME)
def test_any_text_is_read(text: str, tmp_path: Path) -> None:
    written(tmp_path / "any.txt", text)
    source = Text().read(Files.open(tmp_path / "any.txt"), ReadOptions(task="generate", settings={"text.window": 16}))
    assert "".join(source.items) == text.removeprefix("\ufeff")


def test_broken_files_are_told_not_crashed_on(tmp_path: Path) -> None:
    """200 mutations of a text: bytes changed, cut out, put in, doubled."""
    chance = random.Random(5)
    whole = VERSE.encode()[:2000]
    path = tmp_path / "x.txt"
    for _ in range(200):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(content))
            piece = bytes(chance.choices(range(256), k=chance.randint(0, 8)))
            content[place:place + chance.choice((0, 1, 400))] = piece * chance.choice((1, 1, 40))
            content = content or bytearray(b" ")
        path.write_bytes(bytes(content))
        for want in (True, False):
            with suppress(DataError, OptionError):
                source = Text().read(Files.open(path), ReadOptions(want_targets=want, settings={"text.form": "corpus"}))
                assert len(source.items) == len(source.keys) > 0
