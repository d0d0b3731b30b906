"""Metrics of several labels per example, label by label. Targets and answers are sets of labels as text: 'a;b'.

Whether a whole set is right is `accuracy`, which compares the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.metrics.accuracy import Accuracy, mean_of_known, numbered, one_against_rest
from bakeoff.metrics.base import Metric, Rows, Units, ratio, whole
from bakeoff.registry import metric
from bakeoff.types import Answer, labels_of


class SetsMacroF1:
    """Mean F1 over the labels that occur or are answered. rows: index, 1 for each label that is true, 1 for each answered.

    It bears the name of its sister for one label per example: both say the same of their answers.
    """

    name: ClassVar[str] = "macro_f1"
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        labels = labels_among(answers, targets)
        return numbered(*members(targets, labels).T, *members([answer.value for answer in answers], labels).T)

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        true, said = np.split(rows[:, 1:], 2, axis=1)
        return np.stack([np.bincount(unit, weights=column, minlength=units) for column in np.hstack([true * said, true + said]).T], axis=-1)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        hit, seen = np.split(totals, 2, axis=-1)
        return mean_of_known(ratio(2 * hit, seen))           # 2 TP / (2 TP + FP + FN)

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


class Scored:
    """What is taken label by label of the scores. rows: index, 1 for each label that is true, score of each."""

    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        labels = labels_among(answers, targets)
        scores = np.array([[answer.scores.get(label, 0.0) for label in labels] for answer in answers], dtype=np.float64)
        return numbered(*members(targets, labels).T, *scores.reshape(len(answers), len(labels)).T)

    def value(self, rows: Rows) -> float:
        """Mean over the labels that some examples have and some have not; NaN where there is none."""
        true, scores = np.split(rows[:, 1:], 2, axis=1)
        known = [k for k in range(true.shape[1]) if 0 < true[:, k].sum() < len(true)]
        return float(np.mean([self.of_label(scores[:, k], true[:, k] > 0) for k in known])) if known else float("nan")

    def of_label(self, scores: NDArray[np.float64], mine: NDArray[np.bool_]) -> float:
        raise NotImplementedError


@metric("mean_average_precision")
class MeanAveragePrecision(Scored):
    """Mean over labels of the precision at each example that has the label, examples in the order of their scores."""

    name: ClassVar[str]

    def of_label(self, scores: NDArray[np.float64], mine: NDArray[np.bool_]) -> float:
        return average_precision(scores, mine)


class SetsAUC(Scored):
    """How often an example with a label scores higher for it than one without, ties half; mean over labels."""

    name: ClassVar[str] = "auc"

    def of_label(self, scores: NDArray[np.float64], mine: NDArray[np.bool_]) -> float:
        return one_against_rest(scores, mine)


def average_precision(scores: NDArray[np.float64], mine: NDArray[np.bool_]) -> float:
    """Σ (recall gained · precision) over the thresholds, equal scores together: the area under the precision–recall steps."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)                 # the last of each run of equal scores
    hits = np.cumsum(mine[order])[last].astype(np.float64)
    return float((np.diff(hits, prepend=0.0) * hits / (last + 1)).sum() / mine.sum())


def labels_among(answers: Sequence[Answer], targets: Sequence[object]) -> list[str]:
    """Every label that has a score, is true or is answered, in one order."""
    found: set[str] = set().union(*(answer.scores for answer in answers[:1]))
    found.update(*map(labels_of, {str(target) for target in targets}), *map(labels_of, {str(answer.value) for answer in answers}))
    return sorted(found)


def members(sets: Sequence[object], labels: Sequence[str]) -> NDArray[np.float64]:
    """(N, K): 1 where the set has the label."""
    number = {label: k for k, label in enumerate(labels)}
    table = np.zeros((len(sets), len(labels)))
    for row, one in enumerate(sets):
        table[row, [number[label] for label in labels_of(one)]] = 1
    return table


SETS: tuple[Metric, ...] = (SetsMacroF1(), MeanAveragePrecision(), SetsAUC(), Accuracy())
