"""What names say about splits."""

from __future__ import annotations

import pytest

from bakeoff.data.names import common_stem, ending, file_split, folder_splits


@pytest.mark.parametrize(("name", "split", "stem"), [
    ("GunPoint/GunPoint_TRAIN.ts", "train", "gunpoint"), ("adult-test.csv", "test", "adult"), ("val.txt", "val", ""),
    ("t10k-images-idx3-ubyte", "test", "images-idx3-ubyte"), ("train.en", "train", ""), ("trains.csv", None, "trains"),
    ("contest.csv", None, "contest"), ("TREC.train.all", "train", "trec"), ("dev.jsonl", "val", ""),
])
def test_a_file_name_says_its_split_and_what_it_shares_with_the_others(name: str, split: str | None, stem: str) -> None:
    assert file_split(name) == split
    assert common_stem(name) == stem


def test_folders_named_after_splits_are_splits() -> None:
    found = folder_splits(["train/roses/1.png", "val/roses/2.png", "test/tulips/3.png"])
    assert found == {"train/roses": ("train", "roses"), "val/roses": ("val", "roses"), "test/tulips": ("test", "tulips")}


def test_a_class_called_train_is_a_class() -> None:
    assert folder_splits(["car/1.png", "train/2.png", "bus/3.png"]) == {}


def test_splits_lie_below_folders_that_stand_alone() -> None:
    assert folder_splits(["photos/training/a/1.png", "photos/testing/a/2.png"])["photos/training/a"] == ("train", "photos/a")


def test_an_ending_is_that_of_the_last_part() -> None:
    assert [ending(name) for name in ("a.b/c", "a/x.JPG", ".hidden", "x.tar.gz")] == ["", ".jpg", "", ".gz"]
