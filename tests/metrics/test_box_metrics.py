"""Mean average precision: by hand, as pycocotools has it, over any set of images, and where nothing is defined."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest

from bakeoff.metrics.boxes import DETECT, LIMITS, matched, overlaps
from bakeoff.types import Answer

MAP50, MAP = DETECT
LABELS = ("cat", "dog", "hen")


def box(label: str, *sides: float, score: float | None = None) -> dict[str, Any]:
    return {"label": label, "box": list(sides)} | ({} if score is None else {"score": score})


def value(metric: Any, said: list[list[dict[str, Any]]], truth: list[list[dict[str, Any]]]) -> float:
    return metric.value(metric.rows([Answer(boxes, {}) for boxes in said], truth))


def random_boxes(seed: int, images: int = 24, ties: bool = False) -> tuple[list[Any], list[Any]]:
    """Answers that find some of the boxes about right, miss others, and say more than there is; some images have none."""
    rng = np.random.default_rng(seed)
    said, truth = [], []
    for _ in range(images):
        own = []
        for _ in range(rng.integers(0, 6)):
            x, y = rng.uniform(0, 60, 2)
            own.append(box(str(rng.choice(LABELS)), x, y, *(np.array([x, y]) + rng.uniform(14, 40, 2))))
        told = [box(one["label"], *(np.array(one["box"]) + rng.uniform(-3, 3, 4)), score=float(rng.uniform())) for one in own if rng.uniform() < 0.8]
        told += [box(str(rng.choice(LABELS)), *np.sort(rng.uniform(0, 100, (2, 2)), 0).ravel(), score=float(rng.uniform()))
                 for _ in range(rng.integers(0, 4))]
        told += [box(one["label"], *one["box"], score=one["score"] * 0.9) for one in told[:1]]            # said twice
        if ties:
            for one in told:
                one["score"] = round(one["score"], 1)
        truth.append(own)
        said.append(sorted(told, key=lambda one: -one["score"]))
    return said, truth


def by_the_library(said: list[Any], truth: list[Any]) -> tuple[float, float]:
    """(map50, map) of pycocotools."""
    coco, evaluate = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    number = {label: place + 1 for place, label in enumerate(LABELS)}

    def wide(one: dict[str, Any]) -> list[float]:
        x0, y0, x1, y1 = (float(side) for side in one["box"])
        return [x0, y0, x1 - x0, y1 - y0]

    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO()
        known.dataset = {"images": [{"id": place + 1} for place in range(len(truth))],
                         "categories": [{"id": place, "name": label} for label, place in number.items()],
                         "annotations": [{"id": 0, "image_id": image + 1, "category_id": number[one["label"]], "bbox": wide(one), "iscrowd": 0,
                                          "area": wide(one)[2] * wide(one)[3]} for image, boxes in enumerate(truth) for one in boxes]}
        for place, one in enumerate(known.dataset["annotations"], 1):
            one["id"] = place
        known.createIndex()
        found = known.loadRes([{"image_id": image + 1, "category_id": number[one["label"]], "bbox": wide(one), "score": one["score"]}
                               for image, boxes in enumerate(said) for one in boxes])
        judge = evaluate.COCOeval(known, found, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[1]), float(judge.stats[0])


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_pycocotools_says(seed: int) -> None:
    said, truth = random_boxes(seed, ties=seed % 2 == 1)
    half, mean = by_the_library(said, truth)
    assert value(MAP50, said, truth) == pytest.approx(half, abs=1e-6)
    assert value(MAP, said, truth) == pytest.approx(mean, abs=1e-6)
    assert 0.1 < mean < half < 1


def test_the_surest_hundred_of_an_image_count_as_in_the_library() -> None:
    rng = np.random.default_rng(0)
    truth = [[box("cat", 10, 10, 30, 30)], [box("cat", 50, 50, 80, 90)]]
    said = [[box("cat", *np.sort(rng.uniform(0, 100, (2, 2)), 0).ravel(), score=0.5 + place / 1000) for place in range(120)]
            + [box("cat", 10, 10, 30, 30, score=0.1)], [box("cat", 50, 50, 80, 90, score=0.3)]]
    assert value(MAP50, said, truth) == pytest.approx(by_the_library(said, truth)[0], abs=1e-6)


def test_by_hand() -> None:
    truth = [[box("cat", 0, 0, 10, 10)], [box("cat", 0, 0, 10, 10)]]
    right, wrong = box("cat", 0, 0, 10, 10, score=0.9), box("cat", 50, 50, 60, 60, score=0.95)
    assert value(MAP50, [[right], [right]], truth) == pytest.approx(1.0)
    assert value(MAP50, [[right], []], truth) == pytest.approx(51 / 101)           # recalls 0 … .5 are reached
    assert value(MAP50, [[wrong, right], []], truth) == pytest.approx(51 / 101 / 2)
    assert value(MAP50, [[], []], truth) == 0.0
    half = box("cat", 0, 0, 10, 5, score=0.9)
    assert value(MAP50, [[half], [half]], truth) == pytest.approx(1.0)             # exactly .5 is enough
    assert value(MAP, [[half], [half]], truth) == pytest.approx(0.1)


def test_a_box_is_found_once_and_only_by_its_class() -> None:
    truth = [[box("cat", 0, 0, 10, 10), box("dog", 0, 0, 10, 10)]]
    cat = box("cat", 0, 0, 10, 10, score=0.9)
    assert value(MAP50, [[cat, {**cat, "score": 0.8}]], truth) == pytest.approx(0.5)          # the dog is missed
    assert matched(overlaps(np.array([[0, 0, 10, 10.0]] * 2), np.array([[0, 0, 10, 10.0]])), LIMITS).sum(0).tolist() == [1.0] * 10


def test_without_boxes_it_is_not_defined() -> None:
    assert np.isnan(value(MAP50, [[], []], [[], []]))
    assert np.isnan(value(MAP50, [[box("cat", 0, 0, 9, 9, score=0.5)]], [[]]))
    assert MAP50.rows([], []).shape == (0, 5)


def test_any_set_of_images_has_a_value_in_any_order() -> None:
    said, truth = random_boxes(3)
    rows = MAP.rows([Answer(boxes, {}) for boxes in said], truth)
    assert set(rows[:, 0]) == set(range(len(truth)))                # every image, also one without boxes
    order = np.random.default_rng(0).permutation(len(rows))
    assert MAP.value(rows[order]) == MAP.value(rows)
    some = [4, 9, 4, 17, 20, 4]
    drawn = np.concatenate([rows[rows[:, 0] == image] for image in some])
    again = value(MAP, [said[image] for image in some], [truth[image] for image in some])
    assert MAP.value(drawn) == pytest.approx(again, abs=1e-12)


def test_classes_are_told_one_by_one_and_their_mean_is_the_whole() -> None:
    said, truth = random_boxes(3)
    runs = [[Answer(boxes, {}) for boxes in said], [Answer(boxes[:1], {}) for boxes in said]]
    once = MAP50.by_class(runs[:1], truth)
    assert [one.label for one in once] == list(LABELS)
    assert [one.boxes for one in once] == [sum(box["label"] == label for boxes in truth for box in boxes) for label in LABELS]
    assert np.mean([one.value for one in once]) == pytest.approx(value(MAP50, said, truth))
    assert all(one.low is None for one in once)
    both = MAP50.by_class(runs, truth, 100)
    other = MAP50.by_class(runs[1:], truth)
    for one, first, second in zip(both, once, other, strict=True):
        assert one.value == pytest.approx((first.value + second.value) / 2)
        assert one.low is not None
        assert one.high is not None
        assert 0 <= one.low <= one.value <= one.high <= 1


def test_the_interval_of_a_class_is_that_of_drawing_images() -> None:
    """Of ten images each with a box, found or not: half of the random sets lie below the share that is found, half above."""
    truth = [[box("cat", 0, 0, 10, 10)] for _ in range(10)]
    said = [[box("cat", 0, 0, 10, 10, score=0.9)] if image < 5 else [] for image in range(10)]
    (found,) = MAP50.by_class([[Answer(boxes, {}) for boxes in said]], truth, 400)
    assert found.value == pytest.approx(51 / 101)
    assert found.low == pytest.approx(0.2, abs=0.11)
    assert found.high == pytest.approx(0.8, abs=0.11)
    (sure,) = MAP50.by_class([[Answer(boxes, {}) for boxes in truth]], [*truth[:3], [], *truth[4:]], 50)
    assert sure.boxes == 9
