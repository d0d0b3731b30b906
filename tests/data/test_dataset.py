"""Batches are what a loop over examples would give, before and after the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.data.base import Arrays, Dataset, Splits
from bakeoff.types import Spec

AXES = ("time", "height", "width")


def dataset(arrays: Arrays, rank: int, ids: bool = False) -> Dataset:
    count = len(arrays)
    spec = Spec("x", AXES[:rank], (None,) * rank, None if ids else arrays.cells.shape[-1], 9 if ids else None, None, {"train": count}, "")
    labels, keys, groups = ([form.format(row % 3, row, row // 2) for row in range(count)] for form in ("label {0}", "k{1}", "g{2}"))
    return Dataset(spec, arrays, labels, keys, groups)


def ragged(shapes: list[tuple[int, ...]], channels: int | None, seed: int) -> tuple[Arrays, list[np.ndarray]]:
    """channels: None for ids."""
    chance = np.random.default_rng(seed)
    examples: list[np.ndarray] = [chance.integers(1, 9, shape).astype(np.int32) if channels is None else
                                  chance.standard_normal((*shape, channels)).astype(np.float32) for shape in shapes]
    tail = () if channels is None else (channels,)
    cells = np.concatenate([example.reshape(-1, *tail) for example in examples])
    return Arrays(cells, np.asarray(shapes, np.int64)), examples


def naive(examples: list[np.ndarray], rank: int) -> tuple[np.ndarray, np.ndarray]:
    box = tuple(max([1, *(example.shape[axis] for example in examples)]) for axis in range(rank))
    x = np.zeros((len(examples), *box, *examples[0].shape[rank:]), examples[0].dtype)
    valid = np.zeros((len(examples), *box), bool)
    for row, example in enumerate(examples):
        inside = (row, *(slice(0, size) for size in example.shape[:rank]))
        x[inside], valid[inside] = example, True
    return x, valid


@settings(max_examples=80, deadline=None)
@given(data=st.data(), rank=st.integers(1, 3), channels=st.none() | st.integers(1, 3), seed=st.integers(0, 99))
def test_a_batch_of_unequal_examples_is_what_a_loop_pads(data: st.DataObject, rank: int, channels: int | None, seed: int) -> None:
    shapes = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * rank), min_size=1, max_size=6))
    arrays, examples = ragged(shapes, channels, seed)
    rows = data.draw(st.lists(st.integers(0, len(shapes) - 1), min_size=1, max_size=8))
    grid = dataset(arrays, rank, channels is None).take(rows).x
    x, valid = naive([examples[row] for row in rows], rank)
    np.testing.assert_array_equal(grid.x.numpy(), x)
    if grid.valid is None:
        assert valid.all()
    else:
        np.testing.assert_array_equal(grid.valid.numpy(), valid)
        assert not valid.all()
    assert grid.x.dtype == (torch.int64 if channels is None else torch.float32)


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(0, 4), min_size=1, max_size=6), data=st.data(), seed=st.integers(0, 99))
def test_clips_whose_frames_are_all_alike_are_padded_by_whole_frames(lengths: list[int], data: st.DataObject, seed: int) -> None:
    arrays, examples = ragged([(length, 2, 3) for length in lengths], 2, seed)
    clips = Arrays(arrays.cells.reshape(-1, 2, 3, 2), arrays.shapes[:, :1])                # type: ignore[index]
    assert clips.sizes(3) == (None, 2, 3)
    one, other = dataset(arrays, 3), dataset(clips, 3)
    rows = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=8))
    x, valid = naive([examples[row] for row in rows], 3)
    grid = other.take(rows).x
    np.testing.assert_array_equal(grid.x.numpy(), x)
    np.testing.assert_array_equal(np.ones(valid.shape, bool) if grid.valid is None else grid.valid.numpy(), valid)
    assert one.lengths().tolist() == other.lengths().tolist()
    np.testing.assert_array_equal(clips.example(rows[0]).cells, examples[rows[0]])


def test_equal_examples_need_no_mask_and_keep_their_type() -> None:
    cells = np.arange(24, dtype=np.uint8).reshape(4, 3, 2, 1)
    batch = dataset(Arrays(cells), 2).take([2, 0])
    assert batch.x.valid is None
    assert batch.x.x.dtype == torch.uint8
    np.testing.assert_array_equal(batch.x.x.numpy(), cells[[2, 0]])


def test_a_view_sees_its_own_examples_and_targets() -> None:
    data = dataset(Arrays(np.arange(6, dtype=np.float32).reshape(6, 1, 1)), 1)
    part = data.subset([4, 1, 3]).subset([2, 0])
    assert part.keys == ["k3", "k4"]
    assert part.targets == ["label 0", "label 1"]
    assert part.groups == ["g1", "g2"]
    assert part.take([1, 0]).x.x.flatten().tolist() == [4, 3]
    part.aim(torch.tensor([30, 40]))
    assert part.take([1, 0]).y.tolist() == [40, 30]
    assert part.subset([0]).take([0]).y.tolist() == [30]


@pytest.mark.parametrize("form", ["fixed", "ragged", "frames", "ids", "empty"])
def test_a_dataset_comes_back_from_the_disk_as_it_was(form: str, tmp_path: Path) -> None:
    shapes = [(0,), (3,), (1,), (5,), (2,)]
    arrays = Arrays(np.arange(30, dtype=np.uint8).reshape(5, 3, 2)) if form == "fixed" else ragged(
        [(0,)] * 5 if form == "empty" else shapes, None if form == "ids" else 2, 0)[0]
    if form == "frames":
        arrays = Arrays(np.arange(11 * 4, dtype=np.uint8).reshape(11, 2, 2, 1), arrays.shapes)
    data = dataset(arrays, 3 if form == "frames" else 1, form == "ids").subset([4, 0, 3])
    data.save(tmp_path / "x")
    again = Dataset.open(tmp_path / "x")
    assert (again.keys, again.targets, again.groups, again.spec) == (data.keys, data.targets, data.groups, data.spec)
    assert len(again.arrays) == 3
    torch.testing.assert_close(again.take([0, 1, 2]).x, data.take([0, 1, 2]).x)
    assert again.lengths().tolist() == data.lengths().tolist()


def test_splits_come_back_and_the_test_split_only_when_asked(tmp_path: Path) -> None:
    data = dataset(Arrays(np.arange(10, dtype=np.float32).reshape(10, 1, 1)), 1)
    Splits(data.subset([1, 3, 5]), data.subset([0, 2]), data.subset([9])).save(tmp_path / "x")
    again = Splits.open(tmp_path / "x")
    assert again.val is not None
    assert (again.train.keys, again.val.keys, again.test) == (["k1", "k3", "k5"], ["k0", "k2"], None)
    assert again.together().keys == ["k1", "k3", "k5", "k0", "k2"]
    whole = Splits.open(tmp_path / "x", test=True)
    assert whole.test is not None
    assert whole.test.keys == ["k9"]
    assert "k9" not in (tmp_path / "x/train/keys.npy").read_bytes().decode("latin-1")
    folds = ((np.array([0, 1]), np.array([2])),)
    Splits(data.subset([1, 3, 5]), None, data.subset([9]), folds).save(tmp_path / "y")
    inner = Splits.open(tmp_path / "y")
    assert inner.val is None
    assert [[rows.tolist() for rows in fold] for fold in inner.folds] == [[[0, 1], [2]]]


def test_one_example_alone_is_unpadded() -> None:
    arrays, examples = ragged([(3,), (1,)], 2, 1)
    example = dataset(arrays, 1).raw(1)
    np.testing.assert_array_equal(example.x.numpy(), examples[1])
    assert (example.target, example.key) == ("label 1", "k1")


def test_one_example_of_the_arrays_is_itself() -> None:
    arrays, examples = ragged([(2, 3), (0, 3), (4, 3)], 2, 0)
    for row, example in enumerate(examples):
        one = arrays.example(row)
        assert one.shapes is not None
        np.testing.assert_array_equal(one.cells.reshape(*one.shapes[0], 2), example)
    fixed = Arrays(np.arange(12.0).reshape(3, 2, 2, 1))
    np.testing.assert_array_equal(fixed.example(1).cells, fixed.cells[1:2])


@pytest.mark.parametrize("same", [True, False])
def test_later_axes_can_be_read_as_channels(same: bool) -> None:
    """Of a view, whose targets come along."""
    chance = np.random.default_rng(0)
    examples = [chance.standard_normal((4 if same else 1 + row, 3, 2)).astype(np.float32) for row in range(5)]
    shapes = np.asarray([example.shape[:2] for example in examples])
    arrays = Arrays(np.stack(examples)) if same else Arrays(np.concatenate([example.reshape(-1, 2) for example in examples]), shapes)
    view = dataset(arrays, 2).subset([4, 1, 2])
    view.aim(torch.arange(3))
    spec = Spec("x", ("time",), (None,), 6, None, None, {"train": 5}, "")
    found = view.beside(spec)
    assert (found.keys, found.targets, found.spec) == (view.keys, view.targets, spec)
    for place, row in enumerate((4, 1, 2)):
        batch = found.take([place])
        np.testing.assert_array_equal(batch.x.x[0].numpy(), examples[row].reshape(-1, 6))
        assert batch.y.tolist() == [place]
