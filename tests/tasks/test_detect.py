"""Boxes: what cells answer for, what is told of an image, planted rectangles found by families of every sort."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bakeoff import registry
from bakeoff.data.base import Arrays, Dataset
from bakeoff.errors import DataError
from bakeoff.nn.boxes import generalised, shared, surest
from bakeoff.nn.network import Network
from bakeoff.tasks.detect import SIDES, BoxHead, Detect, Out, assigned, box_loss
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.types import Batch, Grid, Spec

SPEC = Spec("image", ("height", "width"), (32, 32), 3, None, None, {"train": 160}, "planted", (80.0,) * 3, (60.0,) * 3, (32, 32), (32, 32))


def planted(count: int, seed: int = 0, stretch: float = 1.0) -> tuple[np.ndarray, list[list[dict]], np.ndarray]:
    """Noise with one or two rectangles, red or green. stretch: how many times as wide the files were as what is read."""
    rng = np.random.default_rng(seed)
    x = rng.integers(40, 120, (count, 32, 32, 3)).astype(np.uint8)
    targets = []
    for image in x:
        boxes = []
        for half in range(int(rng.integers(1, 3))):
            wide, high = rng.integers(8, 15, 2)
            left, top = 16 * half + rng.integers(0, 17 - wide), rng.integers(0, 33 - high)
            colour = int(rng.integers(2))
            image[top:top + high, left:left + wide] = ((230, 30, 30), (30, 230, 30))[colour]
            boxes.append({"label": ("red", "green")[colour], "box": [left * stretch, float(top), (left + wide) * stretch, float(top + high)]})
        targets.append(boxes)
    return x, targets, np.tile(np.array([[32 * stretch, 32]], np.float32), (count, 1))


def dataset(count: int, seed: int = 0, stretch: float = 1.0) -> tuple[Dataset, Detect]:
    x, targets, size = planted(count, seed, stretch)
    task = Detect().fit(targets, SPEC)
    data = Dataset(SPEC, Arrays(x, given={"size": size}), targets, [str(key) for key in range(count)])
    return data.collate(task.collate), task


def corners(*rows: tuple[float, float, float, float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def test_overlap_and_its_generalisation() -> None:
    a, b = corners((0, 0, 10, 10), (0, 0, 10, 10), (0, 0, 10, 10)), corners((0, 0, 10, 10), (5, 0, 15, 10), (20, 0, 30, 10))
    torch.testing.assert_close(shared(a, b)[0], torch.tensor([1.0, 1 / 3, 0.0]))
    torch.testing.assert_close(generalised(a, b), torch.tensor([1.0, 1 / 3, -1 / 3]))


def test_what_says_the_same_is_told_once_per_class() -> None:
    boxes = corners((0, 0, 10, 10), (0, 0, 10, 9), (0, 0, 10, 10), (20, 20, 30, 30), (0, 0, 5, 9))[None]
    labels = torch.tensor([[0, 0, 1, 0, 0]])
    keep, voted = surest(boxes, labels, torch.tensor([[0.8, 0.2, 0.5, 0.5, 0.5]]), 0.6)
    assert keep[0].tolist() == [True, False, True, True, True]
    torch.testing.assert_close(voted[0], corners((0, 0, 10, 9.8), (0, 0, 10, 9.8), (0, 0, 10, 10), (20, 20, 30, 30), (0, 0, 5, 9)))


def test_what_was_left_out_silences_nobody() -> None:
    boxes = corners((0, 0, 10, 10), (3, 0, 13, 10), (6, 0, 16, 10))[None]
    assert surest(boxes, torch.zeros(1, 3), torch.ones(1, 3), 0.5)[0][0].tolist() == [True, False, True]


def test_classes_and_boxes_are_collated_and_come_back() -> None:
    task = Detect().fit([[{"label": "b", "box": [0, 0, 4, 4]}], [{"label": "a", "box": [1, 1, 2, 2]}], []], SPEC)
    y = task.collate([[{"label": "b", "box": [1, 2, 3, 4]}, {"label": "unheard of", "box": [0, 0, 1, 1]}], []])
    assert y.tolist() == [[[1, 1, 2, 3, 4]], [[-1, 0, 0, 0, 0]]]
    assert Detect.restore(task.state()).labels == ["a", "b"]
    answers = task.decode(torch.tensor([[[1, 0.75, 1, 2, 3, 4], [0, 0.5, 0, 0, 9, 9]], [[math.nan] * 6] * 2]))
    assert answers[0].value == [{"label": "b", "score": 0.75, "box": [1, 2, 3, 4]}, {"label": "a", "score": 0.5, "box": [0, 0, 9, 9]}]
    assert answers[1].value == []


@pytest.mark.parametrize("targets", [[[], []], []])
def test_no_box_at_all_is_told(targets: list) -> None:
    with pytest.raises(DataError, match="no training image has a box"):
        Detect().fit(targets, SPEC)


@pytest.mark.parametrize("target", ["rose", [1, 2], [{"label": "a"}]])
def test_targets_that_are_no_boxes_are_told(target: object) -> None:
    with pytest.raises(DataError, match="no list of boxes"):
        Detect().fit([target], SPEC)


def test_series_and_tables_are_not_asked_for_boxes() -> None:
    assert Detect().why_not(SPEC) is None
    assert "no height and width" in str(Detect().why_not(Spec("series", ("time",), (9,), 1, None, None, {}, "")))


def cells(high: int, wide: int, size: tuple[float, float], batch: int = 1, classes: int = 2) -> Out:
    head = BoxHead(4, classes, {"tower": 0})
    return head(Grid(torch.randn(batch, high, wide, 4)), Batch(Grid(torch.zeros(batch, high, wide, 3)), None, [],
                                                              {"size": torch.tensor([size] * batch)}))


def test_points_and_distances_are_in_pixels_of_the_file() -> None:
    out = cells(2, 4, (80.0, 10.0))
    assert out.points[0].tolist() == [[10, 2.5], [30, 2.5], [50, 2.5], [70, 2.5], [10, 7.5], [30, 7.5], [50, 7.5], [70, 7.5]]
    assert (out.boxes[..., 0] < out.points[..., 0]).all()
    assert (out.boxes[..., 3] > out.points[..., 1]).all()


def test_cells_near_the_middle_answer_and_the_smaller_box_goes_first() -> None:
    out = cells(8, 8, (64.0, 64.0))
    y = torch.tensor([[[0, 0, 0, 64, 64], [1, 16, 16, 32, 32], [-1, 0, 0, 0, 0]]])
    which, own = assigned(out, y.float())
    place = {(row, column): int(which[0, row * 8 + column]) for row in range(8) for column in range(8) if own[0, row * 8 + column]}
    assert {key for key, box in place.items() if box == 1} == {(row, column) for row in (2, 3) for column in (2, 3)}
    assert {key for key, box in place.items() if box == 0} == {(3, 4), (4, 3), (4, 4)}        # the smaller has (3, 3)


def test_a_box_between_the_cells_has_one_all_the_same() -> None:
    which, own = assigned(cells(4, 4, (64.0, 64.0)), torch.tensor([[[0, 30.0, 30, 34, 34]]]))
    assert own.sum() == 1
    assert int(which[own]) == 0


def test_a_perfect_answer_costs_next_to_nothing_and_is_told_back() -> None:
    torch.manual_seed(0)
    out = cells(8, 8, (64.0, 64.0))
    y = torch.tensor([[[1, 8.0, 8, 30, 24], [0, 40.0, 40, 60, 64]]])
    which, own = assigned(out, y)
    chosen = y[0, which[0]]
    boxes = torch.where(own[..., None], chosen[None, :, 1:], out.boxes)
    logits = torch.full_like(out.logits, -12)
    logits[0, own[0].nonzero()[:, 0], chosen[own[0]][:, 0].long()] = 12
    sides = torch.cat([out.points - chosen[None, :, 1:3], chosen[None, :, 3:] - out.points], -1).clamp(min=1e-3)
    low, high = torch.minimum(sides[..., :2], sides[..., 2:]), torch.maximum(sides[..., :2], sides[..., 2:])
    right = out._replace(boxes=boxes, logits=logits, middle=torch.logit((low / high).prod(-1).sqrt(), eps=1e-4))
    worse = right._replace(boxes=boxes + 6)
    assert box_loss(right, y) < 1.0 < box_loss(worse, y)
    head = BoxHead(4, 2, {})
    told = head.answer(Grid(torch.zeros(1, 8, 8, 4)), Batch(Grid(torch.zeros(1, 64, 64, 3)), None, [], {}), right)[0]
    assert {(int(row[0]), *row[2:].round().tolist()) for row in told if row[1] > 0.3} == {(1, 8, 8, 30, 24), (0, 40, 40, 60, 64)}


def test_images_without_boxes_and_many_boxes_train_without_a_nan() -> None:
    out = cells(4, 4, (32.0, 32.0), batch=2)
    loss = box_loss(out, torch.tensor([[[-1.0, 0, 0, 0, 0]] * 3, [[0, 1.0, 1, 9, 9]] * 3]))
    loss.sum().backward() if loss.requires_grad else None
    assert torch.isfinite(loss).all()
    assert loss[0] < loss[1]


def test_cells_of_padding_say_nothing() -> None:
    torch.manual_seed(0)
    head = BoxHead(4, 1, {"tower": 2}).eval()
    x, valid = torch.randn(1, 6, 6, 4), torch.zeros(1, 6, 6, dtype=torch.bool)
    valid[:, :3, :4] = True
    batch = Batch(Grid(x), None, [], {"size": torch.tensor([[60.0, 60.0]])})
    out = head(Grid(x * valid[..., None], valid), batch)
    _, own = assigned(out, torch.tensor([[[0, 40.0, 40, 60, 60]]]))
    assert not own[0][~valid.flatten()].any()
    assert torch.isfinite(box_loss(out, torch.tensor([[[0, 40.0, 40, 60, 60]]]))).all()


@pytest.mark.parametrize(("family", "examples", "least"), [("resnet", 2000, 0.7), ("gru", 1200, 0.3)])
def test_planted_rectangles_are_found(family: str, examples: int, least: float) -> None:
    """In files twice as wide as what is read: answers are in their pixels. The network does not see the images judged here."""
    data, task = dataset(160, stretch=2.0)
    held, _ = dataset(60, seed=1, stretch=2.0)
    cls = registry.get("family", family)
    params = space_of(cls, SPEC, task).defaults() | {"width": 32, "fold": "keep 4" if 2 in cls.ranks else "raster 4"}
    torch.manual_seed(0)
    network = Network(cls, SPEC, task, params)
    loop.train(network, data, None, task, params, examples=examples, seed=0)
    assert loop.evaluate(network, held, task)[0] > least


def test_every_family_that_keeps_both_axes_takes_a_step() -> None:
    data, task = dataset(4)
    for name, cls in registry.every("family").items():
        if cls.pools or not cls.ranks & {1, 2}:
            continue
        params = space_of(cls, SPEC, task).defaults() | {"width": 16}
        if params["fold"] is None:
            continue
        network = Network(cls, SPEC, task, params)
        batch = data.take([0, 1, 2])
        loss = task.loss(network(batch), batch.y, params)
        loss.mean().backward()
        assert loss.shape == (3,), name
        assert torch.isfinite(loss).all(), name
        kept, each = network.eval().judge(batch)
        assert kept.shape[0] == 3, name
        assert kept.shape[-1] == 2 + SIDES, name
        torch.testing.assert_close(network.answer(batch), kept, equal_nan=True)
        assert each.shape == (3,), name


def test_without_a_known_size_what_is_read_is_the_image() -> None:
    data, task = dataset(3)
    plain = Dataset(SPEC, Arrays(data.arrays.cells), [], data.keys)
    batch = task.prepare(plain.take([0, 1]), {})
    assert batch.given["size"].tolist() == [[32, 32]] * 2


def test_images_are_changed_in_training_alone_and_their_boxes_with_them() -> None:
    data, task = dataset(8, stretch=2.0)
    batch = data.take(range(8))
    same = task.changed(batch, {"views": "plain"}, torch.Generator())
    assert same is batch
    other = task.changed(batch, {"views": "flip"}, torch.Generator().manual_seed(0))
    turned = (other.x.x != batch.x.x).flatten(1).any(1)
    assert turned.any()
    assert not turned.all()
    there = batch.y[..., 0] >= 0
    assert torch.equal(other.y[..., 0], batch.y[..., 0])
    flipped = batch.y[..., [1, 2, 3, 4]].clone()
    flipped[turned] = torch.stack([64 - batch.y[turned][..., 3], batch.y[turned][..., 2], 64 - batch.y[turned][..., 1], batch.y[turned][..., 4]], -1)
    torch.testing.assert_close(other.y[..., 1:][there], flipped[there])
