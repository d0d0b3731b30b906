"""Several labels per example, in every kind that classifies: told from names that hold a separator, split, checked, refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bakeoff.data.load import Loaded, load, load_new
from bakeoff.data.sets import are_sets, canonical
from bakeoff.errors import BakeoffError, DataError, OptionError
from bakeoff.options import Options

Check = Callable[..., Loaded]
RNG = np.random.default_rng(0)


def sets(count: int, labels: tuple[str, ...] = ("bar", "edge", "spot"), seed: int = 0) -> list[list[str]]:
    """Each label in two of five examples; never none."""
    there = np.random.default_rng(seed).random((count, len(labels))) < 0.4
    there[~there.any(1), 0] = True
    return [[label for label, has in zip(labels, row, strict=True) if has] for row in there.tolist()]


def table(path: Path, cells: list[list[str]]) -> Path:
    rng = np.random.default_rng(0)
    rows = [f"{rng.normal():.4f},{rng.normal():.4f},{';'.join(labels)}" for labels in cells]
    (path / "t.csv").write_text("\n".join(["x,y,label", *rows]) + "\n")
    return path / "t.csv"


@pytest.mark.parametrize(("targets", "several"), [
    (["a;b", "a", "b", "c;a"], True),
    (["a", "b", "a", "b"], False),
    (["T-shirt; top", "Trouser; long", "Coat"], False),                      # names: no part stands elsewhere
    (["yes; maybe", "no"], False),
    (["a;", ";", "b;"], True),
    (["drama;comedy", "comedy;action", "drama;action"], True),
    ([1, 2, 3], False), ([], False),
], ids=str)
def test_sets_are_told_from_names(targets: list[object], several: bool) -> None:
    assert (are_sets(targets) is not None) == several
    assert are_sets(targets, "several") is not None
    assert are_sets(targets, "one") is None


def test_a_set_has_one_form() -> None:
    assert canonical("b; a;b;10; 2") == "2;10;a;b"
    assert canonical(";") == ""


def test_a_column_of_sets_is_read_split_and_counted(tmp_path: Path, check: Check) -> None:
    cells = sets(600)
    loaded = check(table(tmp_path, cells))
    assert (loaded.task_name, loaded.metric) == ("classify", "macro_f1")
    assert loaded.spec.several
    assert any("the target is a set of labels" in note and "--set labels=one" in note for note in loaded.record["notes"])
    assert list(loaded.record["classes"]) == ["bar", "edge", "spot"]
    for label in ("bar", "edge", "spot"):
        counts = loaded.record["classes"][label]
        whole = sum(label in labels for labels in cells)
        assert sum(counts.values()) == whole
        assert counts["test"] / whole == pytest.approx(0.2, abs=0.04)
    task = loaded.make_task()
    assert task.classes == ["bar", "edge", "spot"]
    assert task.collate(loaded.splits.train.targets).shape == (360, 3)


def test_the_user_may_say_that_each_cell_is_one_label(tmp_path: Path, check: Check) -> None:
    path = table(tmp_path, sets(400))
    assert not check(path, set={"labels": "one"}).spec.several
    assert check(path).spec.several, "another answer, another place in the cache"
    with pytest.raises(OptionError, match="neither one nor several"):
        check(path, set={"labels": "two"})


def columns(path: Path, cells: list[list[str]], extra: str = "") -> Path:
    rng = np.random.default_rng(0)
    rows = [f"{rng.normal():.4f},{int('bar' in labels)},{rng.normal():.4f},{'true' if 'spot' in labels else 'false'}" for labels in cells]
    (path / "c.csv").write_text("x,bar,y,spot\n" + "\n".join(rows) + "\n" + extra)
    return path / "c.csv"


def test_several_columns_of_0_and_1_are_the_labels(tmp_path: Path, check: Check) -> None:
    cells = [[label for label in labels if label != "edge"] for labels in sets(300)]
    loaded = check(columns(tmp_path, cells), target="bar,spot")
    assert loaded.make_task().classes == ["bar", "spot"]
    assert loaded.spec.channels == 2, "targets are not read as inputs"
    found = loaded.splits.train.targets
    assert "" in found, "an example may have no label"
    assert set(found) == {"", "bar", "bar;spot", "spot"}
    new = load_new(tmp_path / "c.csv", loaded.kind_name, loaded.folds[0].kind_state)
    assert len(new.dataset) == 300
    without = tmp_path / "new.csv"
    without.write_text("x,y\n1,2\n3,4\n")
    assert len(load_new(without, loaded.kind_name, loaded.folds[0].kind_state).dataset) == 2


def test_what_is_neither_0_nor_1_is_told_with_its_line(tmp_path: Path, check: Check) -> None:
    path = columns(tmp_path, sets(100), "1,2,1,true\n")
    loaded = check(path, target="bar,spot")
    assert loaded.record["set_aside"] == [{"what": "'2' is neither 0 nor 1, as each of several targets is",
                                           "where": "c.csv, line 102, column 'bar'", "fix": "Write 0 or 1, or name one column."}]
    with pytest.raises(DataError, match=r"no column 'spit'.*--target bar,spit.*Did you mean 'spot'"):
        check(path, target="bar,spit")


def test_a_label_of_one_example_and_one_that_training_has_not_are_refused(tmp_path: Path, check: Check) -> None:
    cells = [*sets(100), ["bar", "lonely"]]
    with pytest.raises(DataError, match=r"a class has a single example: 'lonely'.*t\.csv:102"):
        check(table(tmp_path, cells))
    rows = [f"{RNG.normal():.4f},{';'.join(labels)},{'test' if k > 80 else 'train'}" for k, labels in enumerate([*sets(100), ["late"], ["late"]])]
    (tmp_path / "given.csv").write_text("x,label,split\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match="label 'late' of the test split is not among the 3 training classes"):
        check(tmp_path / "given.csv")


def test_every_label_is_in_every_split_however_many_sets_there_are(tmp_path: Path, check: Check) -> None:
    labels = tuple(f"l{k}" for k in range(12))
    loaded = check(table(tmp_path, sets(600, labels)))
    assert all(min(counts.values()) >= 30 for counts in loaded.record["classes"].values())


def test_texts_and_pictures_have_sets_too(tmp_path: Path, check: Check) -> None:
    cells = sets(60)
    words = [" ".join(RNG.choice(["one", "two", "three"], 8)) for _ in cells]
    (tmp_path / "texts.csv").write_text("text,label\n" + "".join(f"{word} {k},{';'.join(labels)}\n"
                                                               for k, (word, labels) in enumerate(zip(words, cells, strict=True))))
    assert check(tmp_path / "texts.csv").make_task().several
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k in range(60):
        Image.fromarray(RNG.integers(0, 255, (6, 6), dtype=np.uint8)).save(folder / f"{k}.png")
    (folder / "labels.csv").write_text("path,label\n" + "".join(f"{k}.png,{';'.join(labels)}\n" for k, labels in enumerate(cells)))
    loaded = check(folder)
    assert (loaded.kind_name, loaded.make_task().several) == ("image", True)


def test_targets_without_any_label_are_refused(tmp_path: Path, check: Check) -> None:
    np.savez(tmp_path / "a.npz", x=RNG.integers(0, 255, (90, 6, 6), dtype=np.uint8), y=np.zeros((90, 3)))
    with pytest.raises(DataError, match="no example has a label"):
        check(tmp_path / "a.npz")


def test_an_array_of_0_and_1_per_example_is_a_set(tmp_path: Path, check: Check) -> None:
    y = (RNG.random((90, 4)) < 0.4).astype(np.uint8)
    np.savez(tmp_path / "a.npz", x=RNG.integers(0, 255, (90, 6, 6), dtype=np.uint8), y=y)
    loaded = check(tmp_path / "a.npz")
    assert loaded.make_task().classes == ["0", "1", "2", "3"]
    whole = np.zeros((90, 4))
    parts = [part for part in (loaded.splits.together(), loaded.splits.test) if part is not None]
    for part in parts:
        for key, target in zip(part.keys, part.targets, strict=True):
            whole[int(key.split(":")[1]), [int(label) for label in target.split(";") if label]] = 1
    assert (whole == y).all()


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_table_is_read_or_refused_in_words(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = (columns if data.draw(st.booleans()) else table)(folder, sets(40)).read_bytes()
    place = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, 30))
    damaged = whole[:place] + data.draw(st.binary(max_size=12) | st.sampled_from([b";", b";;a", b",", b"\n", b'"', b"1;0"])) + whole[place + cut:]
    path = folder / "damaged.csv"
    path.write_bytes(damaged)
    with suppress(BakeoffError):
        load(path, Options(target="bar,spot" if b"bar," in damaged else None, max_bad="50%"))
