"""The usual boxes, everywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bakeoff.baselines.mean_box import MeanBox
from bakeoff.data.base import Arrays, Dataset
from bakeoff.tasks.classify import Classify
from bakeoff.tasks.detect import Detect
from bakeoff.types import Spec

SPEC = Spec("image", ("height", "width"), (8, 8), 3, None, None, {"train": 3}, "planted")


def data(sizes: list[tuple[float, float]] | None = ((100, 50), (200, 50), (100, 100))) -> tuple[Dataset, Detect]:
    targets = [[{"label": "a", "box": [10, 10, 50, 30]}], [{"label": "a", "box": [40, 10, 100, 40]}, {"label": "b", "box": [0, 0, 200, 50]}], []]
    task = Detect().fit(targets, SPEC)
    given = {} if sizes is None else {"size": np.array(sizes, np.float32)}
    return Dataset(SPEC, Arrays(np.zeros((3, 8, 8, 3), np.uint8), given=given), targets, list("123")).collate(task.collate), task


def test_the_mean_box_of_each_class_in_pixels_of_each_image() -> None:
    dataset, task = data()
    fitted = MeanBox().fit(dataset, task, {}, 0)
    answers = task.decode(fitted.outputs(dataset))
    a, b = answers[2].value
    assert (a["label"], a["score"]) == ("a", pytest.approx(2 / 3, abs=1e-4))
    assert a["box"] == pytest.approx([15, 20, 50, 70])              # means of .1 .2 .5 .6 and .2 .2 .5 .8
    assert (b["label"], b["box"]) == ("b", [0, 0, 100, 100])
    assert answers[1].value[0]["box"] == pytest.approx([30, 10, 100, 35])


def test_groups_are_like_boxes_and_what_is_kept_gives_the_same() -> None:
    dataset, task = data()
    fitted = MeanBox().fit(dataset, task, {"mean_box.groups": 4}, 0)
    assert fitted.parameters() == 3 * 6                             # as many groups as there are different boxes
    arrays, record = fitted.state()
    again = MeanBox.restore(arrays, record, SPEC, task)
    assert torch.equal(again.outputs(dataset), fitted.outputs(dataset))


def test_without_sizes_the_image_is_what_is_read() -> None:
    dataset, task = data(None)
    assert MeanBox().fit(dataset, task, {}, 0).outputs(dataset).shape == (3, 2, 6)


def test_it_enters_for_boxes_only() -> None:
    assert MeanBox.why_not(SPEC, Detect()) is None
    assert "usual boxes" in str(MeanBox.why_not(SPEC, Classify()))
