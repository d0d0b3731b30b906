"""From a path to prepared data: what is guessed, what is refused, what is kept, what is recorded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bakeoff.data import load as module
from bakeoff.data.base import Splits
from bakeoff.data.check import guess_task
from bakeoff.data.identical import content_hashes
from bakeoff.data.load import Loaded
from bakeoff.errors import BakeoffError, DataError, OptionError

Check = Callable[..., Loaded]
Flowers = Callable[..., Path]


def table(path: Path, labels: list[str], name: str = "x.csv", copies: int = 1) -> Path:
    """A table of one number, each `copies` times, and these labels."""
    rows = "".join(f"{row // copies / 7:.4f},{label}\n" for row, label in enumerate(labels))
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).write_text("size,label\n" + rows)
    return path / name


@pytest.mark.parametrize(("targets", "task", "why"), [
    (["rose", "tulip"], "classify", "words, such as 'rose'"), (["3", "7", "3"], "classify", "2 whole numbers, 3 … 7"),
    ([1.0, 2.0, 1.0], "classify", "2 whole numbers"), (["0.5", "1"], "regress", "real numbers, such as 0.5"),
    ([*range(200)], "regress", "200 different whole numbers"), ([str(n % 100) for n in range(600)], "classify", "100 whole numbers"),
    ([n % 30 for n in range(60)], "regress", "30 different whole numbers"), (["0"] + ["1"] * 40 + ["x"], "classify", "2 whole numbers"),
    (["1"] * 4 + ["x"], "classify", "'x'"),
])
def test_the_task_is_guessed_with_its_reason(targets: list[Any], task: str, why: str) -> None:
    guess = guess_task(targets)
    assert guess.task == task
    assert why in guess.why


def test_the_record_tells_all(flowers: Flowers, check: Check) -> None:
    loaded = check(flowers(("roses", "tulips", "irises"), each=30))
    record = loaded.record
    assert json.loads(json.dumps(record)) == record
    assert set(record) >= {"path", "kind", "task", "seen", "kept", "set_aside", "problems", "notes", "counts", "classes", "target",
                           "lengths", "facts", "shared", "first"}
    assert (record["kind"], record["task"], record["seen"], record["kept"], record["target"]) == ("image", "classify", 90, 90, None)
    assert record["counts"] == {"train": 72, "val": 0, "test": 18}
    assert record["classes"] == {label: {"train": 24, "val": 0, "test": 6} for label in ("irises", "roses", "tulips")}
    assert record["lengths"] == {"height": {"min": 12, "median": 12, "max": 12}, "width": {"min": 10, "median": 10, "max": 10}}
    assert record["shared"] == {"count": 0, "keys": []}
    assert [entry["key"] for entry in record["first"]] == [f"irises/{number:02}.png" for number in range(5)]
    assert {"key", "target", "split", "shown"} == set(record["first"][0])
    assert (loaded.kind_why, loaded.task_why) == ("90 images in 3 folders", "the target is words, such as 'irises'")
    assert "3 folds inside train" in loaded.how_split


def test_what_was_prepared_is_found_again_and_is_the_same(flowers: Flowers, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    path = flowers(each=20)
    first = check(path)
    monkeypatch.setattr(module, "prepare", lambda *given: pytest.fail("it is prepared already"))
    second = check(path)
    assert (second.record, second.fingerprint, second.spec, second.folder) == (first.record, first.fingerprint, first.spec, first.folder)
    assert second.splits.train.keys == first.splits.train.keys
    assert second.folds[0].task_state == first.folds[0].task_state
    assert second.folds[0].task_state["classes"] == ["roses", "tulips"]


def test_the_fingerprint_changes_with_content_and_options_that_matter(flowers: Flowers, check: Check) -> None:
    path = flowers(each=20)
    prints = [check(path, **options).fingerprint for options in ({}, {"seed": 1}, {"split": "0.5,0.2,0.3"}, {"set": {"image.size": "8"}})]
    assert check(path, trials=3, slate="quick", set={"width": "32"}).fingerprint == prints[0]
    shutil.copy(path / "roses/00.png", path / "roses/copy.png")
    assert len({*prints, check(path).fingerprint}) == 5


def test_a_moved_copy_is_the_same_data(flowers: Flowers, check: Check, tmp_path: Path) -> None:
    path = flowers(each=20)
    first = check(path)
    shutil.move(path, tmp_path / "elsewhere")
    second = check(tmp_path / "elsewhere")
    assert second.fingerprint == first.fingerprint
    assert second.record["path"] == str(tmp_path / "elsewhere")


def test_the_test_split_lies_in_a_folder_of_its_own(flowers: Flowers, check: Check) -> None:
    loaded = check(flowers(each=20))
    folder, keys = loaded.folds[0].folder, loaded.splits.train.keys
    shutil.rmtree(folder / "test")
    again = Splits.open(folder)
    assert again.test is None
    assert again.train.keys == keys


def test_the_spec_is_of_the_training_split_alone(flowers: Flowers, check: Check) -> None:
    loaded = check(flowers(each=300))
    splits = loaded.splits
    assert splits.val is not None
    pixels = splits.train.take(range(len(splits.train))).x.x.double().flatten(0, 2)
    np.testing.assert_allclose(loaded.spec.mean, pixels.mean(0), rtol=1e-6)
    np.testing.assert_allclose(loaded.spec.std, pixels.std(0, correction=0), rtol=1e-6)
    assert loaded.spec.counts == {"train": 360, "val": 120, "test": 120}
    assert (loaded.spec.sizes, loaded.spec.longest, loaded.spec.typical) == ((12, 10),) * 3


def test_copies_stay_on_one_side_and_are_told(tmp_path: Path, check: Check) -> None:
    loaded = check(table(tmp_path, ["a", "a", "b", "b"] * 100, copies=2))
    assert any("200 examples are copies of others; copies are kept on one side" in note for note in loaded.record["notes"])
    side = {}
    for part in (loaded.splits.train, loaded.splits.test):
        assert part is not None
        for key in part.keys:
            assert side.setdefault((int(key.split(":")[1]) - 2) // 2, part is loaded.splits.train) == (part is loaded.splits.train)


def test_copies_with_other_targets_are_told(tmp_path: Path, check: Check) -> None:
    loaded = check(table(tmp_path, ["a", "b"] * 50, copies=2))
    assert "but with another target" in loaded.record["problems"][0]["what"]
    assert loaded.record["problems"][0]["where"] == "x.csv:3"


def given(path: Path, shared: int) -> Path:
    train, test = (pd.DataFrame({"size": sizes, "label": ["a", "b"] * (len(sizes) // 2)}) for sizes in (
        np.arange(400) / 7, np.concatenate([np.arange(shared) / 7, 1000 + np.arange(100 - shared)])))
    train.to_csv(path / "train.csv", index=False)
    test.to_csv(path / "test.csv", index=False)
    return path


def test_examples_that_a_given_test_shares_with_train_are_listed(tmp_path: Path, check: Check) -> None:
    loaded = check(given(tmp_path, 10))
    assert loaded.record["shared"]["count"] == 10
    assert loaded.shared == tuple(f"test.csv:{line}" for line in range(2, 12))
    assert loaded.record["counts"] == {"train": 400, "val": 0, "test": 100}


def test_a_test_that_mostly_stands_in_train_is_refused(tmp_path: Path, check: Check) -> None:
    with pytest.raises(DataError, match=r"30 of 100 test examples also stand in train \(30%.* 25%\) – test.csv:2 – .*--max-shared"):
        check(given(tmp_path, 30))
    assert check(given(tmp_path, 30), max_shared="40%").record["shared"]["count"] == 30


def test_a_test_set_may_lie_elsewhere(flowers: Flowers, check: Check) -> None:
    path, other = flowers(each=60), flowers(each=10, root="other")
    loaded = check(path, test=str(other))
    assert loaded.record["counts"]["test"] == 20
    assert loaded.splits.test is not None
    assert loaded.splits.test.keys[0] == "test/roses/00.png"
    assert len(loaded.shared) == 0


def test_a_test_table_may_lie_elsewhere(tmp_path: Path, check: Check) -> None:
    path = table(tmp_path / "a", ["a", "b"] * 100)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/new.csv").write_text("size,label\n" + "".join(f"{100 + row},{'ab'[row % 2]}\n" for row in range(20)))
    loaded = check(path, test=str(tmp_path / "b/new.csv"))
    assert loaded.record["counts"]["test"] == 20


def test_splits_can_be_listed_in_a_file(tmp_path: Path, check: Check) -> None:
    path = table(tmp_path / "data", ["a", "b"] * 100)
    listed = tmp_path / "splits.csv"
    listed.write_text("key,split\n" + "".join(f"x.csv:{line},{'test' if line < 42 else 'train'}\n" for line in range(2, 202)))
    loaded = check(path, split=str(listed))
    assert loaded.record["counts"] == {"train": 160, "val": 0, "test": 40}
    listed.write_text("key,split\nx.csv:1,test\n")
    with pytest.raises(DataError, match=r"'x.csv:1'"):
        check(path, split=str(listed))


def test_counts_take_from_the_start(tmp_path: Path, check: Check) -> None:
    loaded = check(table(tmp_path, ["a", "b"] * 200), split="200,100,50")
    assert loaded.record["counts"] == {"train": 200, "val": 100, "test": 50}
    assert loaded.splits.train.keys == [f"x.csv:{line}" for line in range(2, 202)]


def test_the_metric_is_the_tasks_first_or_the_one_asked_for(tmp_path: Path, check: Check) -> None:
    path = table(tmp_path, ["a", "b"] * 100)
    assert check(path).metric == "accuracy"
    with pytest.raises(OptionError, match=r"no metric 'acuracy' – --metric acuracy – Did you mean 'accuracy'"):
        _ = check(path, metric="acuracy").metric


def test_identical_content_has_the_same_hash_whatever_holds_it() -> None:
    for items in (np.zeros((3, 2), np.uint8), ["a", "a", "a"], [np.zeros((2, 1)), np.zeros((2, 1)), np.zeros((2, 1))],
                  pd.DataFrame({"x": [1.0, 1.0, 1.0], "y": ["a", "a", "a"]}), [{"a": 1}] * 3, ({"a": 1},) * 3):
        assert len(set(content_hashes(items).tolist())) == 1
    assert len(set(content_hashes([np.zeros((2, 1)), np.zeros((1, 2))]).tolist())) == 2


def set_up(name: str, path: Path, flowers: Flowers) -> tuple[Path, dict[str, Any]]:
    """The bad input `name`, and the options with which it is read."""
    options: dict[str, Any] = {}
    match name:
        case "missing":
            return path / "nowhere", options
        case "empty":
            return path, options
        case "unknown":
            (path / "x.xyz").write_bytes(bytes(9))
        case "one class":
            return flowers(("roses",), each=20), options
        case "single example":
            flowers(("roses", "tulips"), each=20)
            return flowers(("irises",), each=1), options
        case "unreadable":
            for file in flowers(each=4).rglob("*.png"):
                file.write_bytes(b"")
            return path / "flowers", options
        case "no target":
            (path / "x.csv").write_text("a,b\n1,2\n3,4\n")
        case "ragged":
            (path / "x.csv").write_text("a,label\n" + "1,x\n2\n3,y\n" * 5)
        case "header alone":
            (path / "x.csv").write_text("a,label\n")
        case "binary":
            (path / "x.csv").write_bytes(bytes(range(256)) * 9)
        case "latin-1":
            (path / "x.csv").write_bytes("a,label\n1,café\n2,thé\n".encode("latin-1"))
        case "spaces":
            table(path, ["rose", "tulip"] * 20 + ["rose "])
        case "constant":
            table(path, ["0.5"] * 20)
            options["task"] = "regress"
        case "no numbers":
            table(path, ["a", "b"] * 20)
            options["task"] = "regress"
        case "column":
            table(path, ["a", "b"] * 20)
            options["target"] = "lable"
        case "shares":
            table(path, ["a", "b"] * 20)
            options["split"] = "0.9,0.9,0.9"
        case "strange label":
            table(path, ["a", "b"] * 20, "train.csv")
            table(path, ["a", "B", "B"], "test.csv")
        case "encoding":
            table(path, ["a", "b"] * 20)
            options["encoding"] = "utf-8"
            (path / "x.csv").write_bytes((path / "x.csv").read_bytes() + b"\xff,a\n")
        case "split of folders":
            options["split"] = "part"
            return flowers(), options
        case "group of folders":
            options["group"] = "patient"
            return flowers(), options
        case "kind":
            options["set"] = {"kind": "imagge"}
            return flowers(), options
    return path, options


@pytest.mark.parametrize(("name", "what", "where", "fix"), [
    ("missing", "no file or folder at this path", "nowhere", "Check the path"), ("empty", "nothing to read", "test_", "Give a folder"),
    ("unknown", "not recognised (1 .xyz)", "test_", "a folder per class"),
    ("one class", "one class only: 'roses'", "20 examples", "two classes"),
    ("single example", "a class has a single example: 'irises'", "irises/00.png", "Add examples"),
    ("unreadable", "none of 8 images can be read", "roses/00.png", "Replace or remove"),
    ("no target", "which column is the target is not known", "x.csv", "--target COLUMN"),
    ("ragged", "5 of 15 examples cannot be used (33%, allowed are 5%); the first: the row has 1 cells", "x.csv, line 3", "--max-bad"),
    ("header alone", "a header and no rows", "x.csv", "at least a few rows"), ("binary", "no text file", "x.csv", "Give a text file"),
    ("latin-1", "byte 0xe9 is not utf-8", "x.csv, line 2", "--encoding latin-1"),
    ("encoding", "byte 0xff is not utf-8", "x.csv, line 42", "--encoding latin-1"),
    ("spaces", "labels 'rose ' and 'rose' differ only in spaces", "x.csv:42", "Write 'rose' everywhere"),
    ("constant", "every target is 0.5", "the target", "needs no model"),
    ("no numbers", "40 of 40 examples cannot be used", "x.csv:2", "Mend it"),
    ("column", "there is no column 'lable'", "--target lable", "Did you mean 'label'"), ("shares", "no shares", "--split", "0.7,0.1,0.2"),
    ("strange label", "label 'B' of the test split is not among the 2 training classes", "test.csv:3", "There are: a, b"),
    ("split of folders", "'part' is no split", "--split part", "0.7,0.1,0.2"),
    ("group of folders", "these data have no columns, so --group has no meaning", "--group patient", "Leave it out"),
    ("kind", "no kind is called 'imagge'", "", "Did you mean 'image'"),
])
def test_bad_input_is_one_message_of_what_where_and_how_to_mend(
        name: str, what: str, where: str, fix: str, tmp_path: Path, flowers: Flowers, check: Check, own_cache: Path) -> None:
    path, options = set_up(name, tmp_path, flowers)
    with pytest.raises(BakeoffError) as caught:
        check(path, **options)
    error = caught.value
    told = str(error)
    assert what in told
    assert where in told
    assert fix in told
    assert not list(own_cache.rglob("*.npy"))                 # nothing half-made is left


def test_all_faults_are_told_together(tmp_path: Path, check: Check) -> None:
    with pytest.raises(DataError) as caught:
        check(table(tmp_path, ["rose", "tulip"] * 20 + ["rose ", "daisy"]))
    assert "3 things are wrong" not in str(caught.value)
    assert str(caught.value).startswith("2 things are wrong with the data:")
    assert "differ only in spaces" in str(caught.value)
    assert "2 classes have a single example: 'rose ', 'daisy'" in str(caught.value)


def test_labels_that_differ_in_case_are_told_and_kept(tmp_path: Path, check: Check) -> None:
    loaded = check(table(tmp_path, ["a", "A", "b"] * 40))
    assert any("'A' and 'a' differ only in case" in problem["what"] for problem in loaded.record["problems"])
    assert len(loaded.record["classes"]) == 3


def test_unequal_classes_are_told(tmp_path: Path, check: Check) -> None:
    loaded = check(table(tmp_path, ["a"] * 500 + ["b"] * 10))
    assert any("classes are unequal: 'a' has 300 training examples, 'b' 6" in note for note in loaded.record["notes"])


def test_a_cache_that_cannot_be_written_is_said(flowers: Flowers, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "file"))
    loaded = check(flowers(each=20))
    assert any("temporary folder" in note for note in loaded.record["notes"])
    assert len(loaded.splits.train) == 32
