"""Metrics of boxes on images: mean average precision as COCO defines it. Lin et al. 2014, https://arxiv.org/abs/1405.0312

Answers and targets are lists of {'label', 'box': [x0, y0, x1, y1]}, answers with a 'score' beside. The rows of an image are all that
any set of images needs, so a value over a resampled set costs one sort; tests hold it equal to pycocotools, which is none of the
package's needs, since it reads whole data sets from JSON and gives one number for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.metrics.base import Metric, Rows
from bakeoff.registry import metric
from bakeoff.types import Answer

LIMITS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))      # overlaps from which a box counts as found
RECALLS = np.linspace(0, 1, 101)                                 # at which precision is read
SEED = 20_240_613                                                # of random sets of images
MOST = 100                                                       # answers per image and class that count, the surest first


class Found(NamedTuple):
    """A class: boxes that are there, average precision over all images, and its 95 % interval; None: not taken."""

    label: str
    boxes: int
    value: float
    low: float | None = None
    high: float | None = None


class MeanPrecision:
    """Mean over classes (and limits) of the area under the curve of precision over recall.

    rows: image, class, score, right per limit, boxes that are there. A row per answered box, and one per image and class with the number
    of true boxes, whose score is −1; an image without either has a row of class −1.
    """

    best: ClassVar[Literal["high", "low"]] = "high"
    limits: ClassVar[tuple[float, ...]]

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        said: list[Any] = [answer.value for answer in answers]
        truth: list[Any] = list(targets)
        labels = sorted({str(box["label"]) for boxes in (*said, *truth) for box in boxes})
        number = {label: float(place) for place, label in enumerate(labels)}
        width = 4 + len(self.limits)
        found: list[NDArray[np.float64]] = []
        for image, (own, true) in enumerate(zip(said, truth, strict=True)):
            if not len(own) and not len(true):
                found.append(np.array([[image, -1.0, -1.0, *[0.0] * (width - 3)]]))
            for label in sorted({str(box["label"]) for box in (*own, *true)}):
                scores, corners = sides(own, label)
                order = np.argsort(-scores, kind="stable")[:MOST]
                there = sides(true, label)[1]
                right = matched(overlaps(corners[order], there), self.limits)
                rows = np.zeros((len(order) + 1, width))
                rows[:, 0], rows[:, 1] = image, number[label]
                rows[:-1, 2], rows[:-1, 3:-1] = scores[order], right
                rows[-1, 2], rows[-1, -1] = -1.0, len(there)
                found.append(rows)
        return np.concatenate(found) if found else np.zeros((0, width))

    def value(self, rows: Rows) -> float:
        """NaN where no box is there to be found. Equal scores stand in the order of their images, as COCO has them."""
        each = self.per_class(rows)
        return float(np.mean(list(each.values()))) if each else float("nan")

    def per_class(self, rows: Rows) -> dict[int, float]:
        """Class number → average precision, of the classes that have boxes."""
        rows = rows[np.lexsort((rows[:, 0], -rows[:, 2], rows[:, 1]))]
        starts = np.flatnonzero(np.diff(rows[:, 1], prepend=np.nan) != 0)
        found = {}
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
            own = rows[start:end]
            there = own[:, -1].sum()
            if own[0, 1] >= 0 and there:
                said = own[own[:, 2] >= 0]
                found[int(own[0, 1])] = float(precision(said[:, 3:-1], there).mean())
        return found

    def by_class(self, runs: Sequence[Sequence[Answer]], targets: Sequence[object], resamples: int = 0) -> list[Found]:
        """Each class that has boxes, its average precision as the mean over several runs' answers to the same images. The interval is
        that of the mean over so many random sets of images."""
        def of(label: str, images: Sequence[Any]) -> list[list[Any]]:
            return [[box for box in boxes if str(box["label"]) == label] for boxes in images]

        said, found = [[answer.value for answer in answers] for answers in runs], []
        for label in sorted({str(box["label"]) for boxes in list[Any](targets) for box in boxes}):
            truth = of(label, targets)
            parts = [self.rows([Answer(boxes, {}) for boxes in of(label, values)], truth) for values in said]
            value = float(np.mean([self.value(rows) for rows in parts]))
            found.append(Found(label, sum(map(len, truth)), value, *(self.spread(parts, len(truth), resamples) if resamples else ())))
        return found

    def spread(self, parts: Sequence[Rows], images: int, resamples: int) -> tuple[float | None, float | None]:
        """95 % interval of the mean value over random sets of images, the same sets for all of `parts`."""
        chance, means = np.random.default_rng(SEED), []
        sorted_by_image = [(rows[order], np.searchsorted(rows[order, 0], np.arange(images + 1)))
                           for rows in parts for order in [np.argsort(rows[:, 0], kind="stable")]]
        for _ in range(resamples):
            drawn = chance.integers(0, images, images)
            values = []
            for rows, starts in sorted_by_image:
                count = starts[drawn + 1] - starts[drawn]
                place = np.repeat(starts[drawn] - (count.cumsum() - count), count) + np.arange(count.sum())
                again = rows[place]
                again[:, 0] = np.repeat(np.arange(images), count)
                values.append(self.value(again))
            means.append(float(np.mean(values)))
        known = np.array(means)[np.isfinite(means)]
        return (float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975))) if len(known) else (None, None)


def sides(boxes: Sequence[Mapping[str, Any]], label: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores (n,), 1 where there are none, and corners (n, 4) of the boxes of a class."""
    own = [box for box in boxes if str(box["label"]) == label]
    return (np.array([box.get("score", 1.0) for box in own], np.float64),
            np.array([list(box["box"]) for box in own], np.float64).reshape(len(own), 4))


def overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 4) and (m, 4) corners → (n, m) area of what both cover over that of what either does."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(-1)
    either = (a[:, 2:] - a[:, :2]).prod(-1)[:, None] + (b[:, 2:] - b[:, :2]).prod(-1)[None] - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def matched(overlap: NDArray[np.float64], limits: Sequence[float]) -> NDArray[np.float64]:
    """(answers in falling order of score, true boxes) → (answers, limits), 1 where an answer finds a box that no surer one has:
    the one it overlaps most, of equals the last."""
    answers, boxes = overlap.shape
    right = np.zeros((answers, len(limits)))
    if not boxes:
        return right
    free = np.ones((len(limits), boxes), dtype=bool)
    limit = np.minimum(np.asarray(limits), 1 - 1e-10)
    every = np.arange(len(limits))
    for place in range(answers):
        own = np.where(free, overlap[place], -1.0)
        best = boxes - 1 - own[:, ::-1].argmax(1)
        hit = own[every, best] >= limit
        right[place] = hit
        free[every[hit], best[hit]] = False
    return right


def precision(right: NDArray[np.float64], there: float) -> NDArray[np.float64]:
    """(answers in falling order of score, limits) → (limits,) mean over 101 recalls of the best precision at that recall or more."""
    if not len(right):
        return np.zeros(right.shape[1])
    hits = right.cumsum(0)
    recall = hits / there
    best = np.maximum.accumulate((hits / np.arange(1, len(right) + 1)[:, None])[::-1])[::-1]
    means = []
    for column in range(right.shape[1]):
        at = np.searchsorted(recall[:, column], RECALLS, side="left")
        means.append(np.where(at < len(right), best[np.minimum(at, len(right) - 1), column], 0.0).mean())
    return np.array(means)


@metric("map50")
class MeanPrecision50(MeanPrecision):
    """A box is found where half of what either covers is covered by both."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    limits: ClassVar[tuple[float, ...]] = LIMITS[:1]


@metric("map")
class MeanPrecisionAll(MeanPrecision):
    """Mean over ten limits, .5 to .95."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    limits: ClassVar[tuple[float, ...]] = LIMITS


DETECT: tuple[Metric, ...] = (MeanPrecision50(), MeanPrecisionAll())
