"""Splits: the same share of every class, groups and copies whole, the past before the future, given ones as given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.data import split
from bakeoff.data.split import Cast, Parts
from bakeoff.errors import DataError, OptionError

shares = st.sampled_from([(0.6, 0.2, 0.2), (0.7, 0.1, 0.2), (0.8, 0.2), (1 / 3, 1 / 3, 1 / 3), (0.5, 0.25, 0.25)])


def cast(labels: list[Any], hashes: list[int] | None = None, groups: list[str] | None = None, times: list[int] | None = None,
         sort: str = "label", seed: int = 0) -> Cast:
    return split.cast(labels, sort, np.asarray(range(len(labels)) if hashes is None else hashes, np.uint64), groups, times, seed)


@settings(max_examples=150, deadline=None)
@given(sizes=st.lists(st.integers(2, 40), min_size=1, max_size=12), parts=shares, seed=st.integers(0, 5))
def test_every_class_has_its_share_everywhere_within_one_example(sizes: list[int], parts: tuple[float, ...], seed: int) -> None:
    labels = [f"c{number}" for number, size in enumerate(sizes) for _ in range(size)]
    part = split.deal(cast(labels, seed=seed), parts)
    for number, size in enumerate(sizes):
        rows = part[[label == f"c{number}" for label in labels]]
        for index, share in enumerate(parts):
            assert abs((rows == index).sum() - size * share) < 1 + 1e-6
        assert (rows == 0).any()
    for index, share in enumerate(parts):
        lonely = sum(size * parts[0] < 1 for size in sizes)           # classes so small that train's share is rounded up
        assert abs((part == index).sum() - sum(sizes) * share) <= 2 + lonely


@settings(max_examples=150, deadline=None)
@given(data=st.data(), count=st.integers(6, 60), parts=shares)
def test_groups_and_identical_examples_never_part(data: st.DataObject, count: int, parts: tuple[float, ...]) -> None:
    labels = data.draw(st.lists(st.sampled_from("abc"), min_size=count, max_size=count))
    hashes = data.draw(st.lists(st.integers(0, count), min_size=count, max_size=count))
    groups = data.draw(st.none() | st.lists(st.sampled_from([f"g{number}" for number in range(12)]), min_size=count, max_size=count))
    times = data.draw(st.none() | st.lists(st.integers(0, 9), min_size=count, max_size=count))
    part = split.parts_of(cast(labels, hashes, groups, times), parts)
    for links in (hashes, groups or hashes):
        for link in set(links):
            assert len(set(part[[one == link for one in links]])) == 1


@settings(max_examples=60, deadline=None)
@given(times=st.lists(st.integers(0, 20), min_size=5, max_size=60))
def test_what_comes_later_is_tested(times: list[int]) -> None:
    part = split.parts_of(cast(["a"] * len(times), times=times), (0.6, 0.2, 0.2))
    for earlier, later in ((0, 1), (1, 2), (0, 2)):
        before, after = np.asarray(times)[part == earlier], np.asarray(times)[part == later]
        if len(before) and len(after):
            assert before.max() < after.min()


def test_the_same_seed_gives_the_same_split_and_another_another() -> None:
    labels = ["a", "b"] * 50
    first, second, third = (split.deal(cast(labels, seed=seed), (0.6, 0.2, 0.2)).tolist() for seed in (1, 1, 2))
    assert first == second != third


def test_quantities_are_spread_evenly() -> None:
    numbers = np.random.default_rng(0).normal(size=500).tolist()
    parts = split.own_splits(cast(numbers, sort="number"))
    values = np.asarray(numbers)
    assert abs(values[parts.train].mean() - values[parts.test].mean()) < 0.1
    assert abs(len(parts.test) - 100) <= 10


def check(parts: Parts, count: int) -> None:
    """Every example is in one part."""
    assert sorted([*parts.train, *parts.val, *parts.test]) == list(range(count))


def test_enough_examples_validate_in_a_split_of_their_own() -> None:
    parts = split.own_splits(cast(["a", "b"] * 300))
    check(parts, 600)
    assert [len(rows) for rows in (parts.train, parts.val, parts.test)] == [360, 120, 120]
    assert parts.inner == ()


def test_few_examples_validate_in_folds_inside_train() -> None:
    labels = ["a", "b"] * 60
    parts = split.own_splits(cast(labels))
    check(parts, 120)
    assert len(parts.val) == 0
    assert len(parts.inner) == 3
    assert sorted(np.concatenate([val for _, val in parts.inner])) == list(range(len(parts.train)))
    for train, val in parts.inner:
        assert sorted([*train, *val]) == list(range(len(parts.train)))
        counts = [sum(labels[parts.train[row]] == label for row in val) for label in "ab"]
        assert abs(counts[0] - counts[1]) <= 1
    assert "3 folds inside train validate" in parts.how


def test_folds_in_time_validate_on_what_comes_later() -> None:
    parts = split.own_splits(cast(["a", "b"] * 40, times=list(range(80))))
    for train, val in parts.inner:
        assert train.max() < val.min()


def test_given_splits_are_kept_and_validation_comes_out_of_train() -> None:
    given = ["train"] * 600 + ["test"] * 50
    parts = split.given_splits(cast(["a", "b", "c"] * 200 + ["a"] * 50), given, "as given")
    assert parts.test.tolist() == list(range(600, 650))
    assert len(parts.val) == 120
    check(parts, 650)


def test_a_given_validation_without_test_is_the_test() -> None:
    parts = split.given_splits(cast(["a", "b"] * 300), ["Training"] * 480 + ["VALID"] * 120, "as given")
    assert parts.test.tolist() == list(range(480, 600))
    assert "the given validation as test" in parts.how


def test_a_given_validation_is_kept_where_it_is_large_enough() -> None:
    given = ["train"] * 100 + ["val"] * 100 + ["test"] * 10 + [""] * 5
    parts = split.given_splits(cast(["a"] * 215), given, "as given")
    assert (parts.val.tolist(), len(parts.test)) == (list(range(100, 200)), 10)
    small = split.given_splits(cast(["a"] * 60), ["train"] * 40 + ["val"] * 10 + ["test"] * 10, "as given")
    assert len(small.train) == 50
    assert len(small.inner) == 3


def test_validation_out_of_train_keeps_groups_whole() -> None:
    groups = [f"g{number // 25}" for number in range(1000)]
    parts = split.given_splits(cast(["a", "b"] * 500, groups=groups), ["train"] * 900 + ["test"] * 100, "as given")
    assert not {groups[row] for row in parts.train} & {groups[row] for row in parts.val}
    assert len(parts.val) >= 100


@pytest.mark.parametrize(("text", "sort"), [
    ("0.7,0.1,0.2", "shares"), ("70%,10%,20%", "shares"), ("8640,2880,2880", "counts"), ("fold", "column"), (__file__, "file"),
    ("0.8,0.2", "shares"), (".8,.2", "shares")])
def test_what_a_split_option_says_is_told_from_its_look(text: str, sort: str) -> None:
    assert split.sort_of_split(text) == sort


def test_shares_must_make_one() -> None:
    assert split.shares_of("0.8,0.2") == (0.8, 0.0, 0.2)
    assert split.shares_of("70%,10%,20%") == pytest.approx((0.7, 0.1, 0.2))
    for text in ("0.7,0.7,0.2", "0.5,0.2", "0,0.5,0.5", "0.1,0.2,0.3,0.4"):
        with pytest.raises(OptionError, match="--split"):
            split.shares_of(text)


def test_counts_take_from_the_start() -> None:
    assert split.by_counts(7, "3,1,2") == ["train"] * 3 + ["val"] + ["test"] * 2 + [""]
    with pytest.raises(OptionError, match="asks for 9 examples, there are 7"):
        split.by_counts(7, "6,1,2")


def test_a_file_of_keys_says_the_split() -> None:
    assert split.by_file(["a", "b", "c"], {"c": "test", "a": "train"}, "x.csv") == ["train", "", "test"]
    with pytest.raises(DataError, match=r"of no example, the first is 'd'"):
        split.by_file(["a", "b"], {"d": "test"}, "x.csv")


def test_outer_folds_test_every_example_once() -> None:
    ways = split.outer_folds(cast(["a", "b"] * 400), "5", None)
    assert sorted(np.concatenate([parts.test for parts in ways])) == list(range(800))
    for parts in ways:
        check(parts, 800)
        assert len(parts.val) == 128


def test_outer_folds_may_be_a_column() -> None:
    column = ["1", "2", "3"] * 40
    ways = split.outer_folds(cast(["a", "b"] * 60), "fold", column)
    assert [{column[row] for row in parts.test} for parts in ways] == [{"1"}, {"2"}, {"3"}]
    with pytest.raises(OptionError, match="neither a number of folds nor a column"):
        split.outer_folds(cast(["a", "b"] * 60), "fold", None)
    with pytest.raises(OptionError, match="cannot be made"):
        split.outer_folds(cast(["a", "b"]), "5", None)


@pytest.mark.parametrize(("given", "said"), [
    (["train", "best"], "'best' is no split"), (["train", "train"], "no test"), (["test", "test"], "no train")])
def test_given_splits_that_cannot_be_are_told(given: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        split.given_splits(cast(["a", "b"]), given, "column 'split'")


def test_a_class_that_lies_in_one_group_trains() -> None:
    groups = [f"g{number // 10}" for number in range(100)]
    labels = ["rare" if group == "g3" else "ab"[number % 2] for number, group in enumerate(groups)]
    for seed in range(20):
        part = split.deal(cast(labels, groups=groups, seed=seed), (0.6, 0.2, 0.2))
        assert {labels[row] for row in np.flatnonzero(part == 0)} == {"a", "b", "rare"}
        assert set(part.tolist()) == {0, 1, 2}


def test_one_group_alone_cannot_be_split() -> None:
    with pytest.raises(DataError, match="one group"):
        split.own_splits(cast(["a", "b"] * 10, groups=["g"] * 20))


def test_three_groups_fill_three_parts() -> None:
    parts = split.parts_of(cast(["a", "b"] * 30, groups=[f"g{number % 3}" for number in range(60)]), (0.6, 0.2, 0.2))
    assert set(parts.tolist()) == {0, 1, 2}
