"""Metrics of one label per example. Labels are compared as text; class numbers in rows follow the labels of the call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.metrics.base import Metric, Rows, Units, ratio, sums, whole
from bakeoff.registry import metric
from bakeoff.types import Answer

BINS = 15                                     # of the calibration error, as Guo et al. 2017, https://arxiv.org/abs/1706.04599


@metric("accuracy")
class Accuracy:
    """Share of right labels, of all words where there is a label per word. rows: index, right; behind them of how many, if not of one."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        if len(targets) and isinstance(targets[0], list | tuple | np.ndarray):
            pairs = [(list(np.asarray(answer.value)), list(np.asarray(target))) for answer, target in zip(answers, targets, strict=True)]
            return numbered([sum(said == true for said, true in zip(*pair, strict=False)) for pair in pairs], [len(true) for _, true in pairs])
        return numbered(right(answers, targets))

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([rows[:, 2] if rows.shape[1] > 2 else np.ones(len(rows)), rows[:, 1]], unit, units)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return ratio(totals[..., 1], totals[..., 0])

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("balanced_accuracy")
class BalancedAccuracy:
    """Mean over the classes that occur of the share of right labels. rows: index, class, right."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        (classes,) = class_numbers([str(target) for target in targets])
        return numbered(classes, right(answers, targets))

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        number = rows[:, 1].astype(np.int64)
        return np.concatenate([per_class(number, np.ones(len(rows)), unit, units), per_class(number, rows[:, 2], unit, units)], axis=1)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        seen, hit = np.split(totals, 2, axis=-1)
        return mean_of_known(ratio(hit, seen))

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("macro_f1")
class MacroF1:
    """Mean F1 over the classes that occur or are answered. rows: index, class, class answered."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        return numbered(*class_numbers([str(target) for target in targets], [str(answer.value) for answer in answers]))

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        true, said = rows[:, 1].astype(np.int64), rows[:, 2].astype(np.int64)
        classes = int(max(true.max(initial=-1), said.max(initial=-1))) + 1
        hit = per_class(true, (true == said).astype(np.float64), unit, units, classes)
        seen = per_class(true, np.ones(len(rows)), unit, units, classes) + per_class(said, np.ones(len(rows)), unit, units, classes)
        return np.concatenate([hit, seen], axis=1)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        hit, seen = np.split(totals, 2, axis=-1)
        return mean_of_known(ratio(2 * hit, seen))           # 2 TP / (2 TP + FP + FN)

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("log_loss")
class LogLoss:
    """Mean −log of the probability given to the true label; zero counts as 2e-16. rows: index, loss."""

    name: ClassVar[str]
    unit: ClassVar[str] = "nats"
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        given = np.array([answer.scores.get(str(target), 0.0) for answer, target in zip(answers, targets, strict=True)], dtype=np.float64)
        return numbered(-np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)))

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([np.ones(len(rows)), rows[:, 1]], unit, units)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return ratio(totals[..., 1], totals[..., 0])

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("auc")
class AUC:
    """How often an example of a class scores higher for it than one of another, ties half; mean over classes.

    rows: index, class, score per class. Classes without an example, or with nothing but, do not count.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        words = [str(target) for target in targets]
        labels = sorted(set(words).union(*(answer.scores for answer in answers[:1])))
        number = {label: index for index, label in enumerate(labels)}
        scores = np.array([[answer.scores.get(label, 0.0) for label in labels] for answer in answers], dtype=np.float64)
        return numbered([number[word] for word in words], *scores.reshape(len(words), len(labels)).T)

    def value(self, rows: Rows) -> float:
        classes = rows[:, 1].astype(np.int64)
        occur = np.flatnonzero(np.bincount(classes, minlength=1))
        if len(occur) < 2:
            return float("nan")
        if rows.shape[1] == 4:                               # two classes: their scores mirror each other
            occur = occur[:1]
        return float(np.mean([one_against_rest(rows[:, 2 + k], classes == k) for k in occur]))


@metric("ece")
class ECE:
    """Expected calibration error: how far confidence and accuracy lie apart, over 15 bins. rows: index, confidence, right."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "low"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        return numbered([answer.scores.get(str(answer.value), 0.0) for answer in answers], right(answers, targets))

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        bins = np.clip(np.ceil(rows[:, 1] * BINS).astype(np.int64) - 1, 0, BINS - 1)
        gaps = per_class(bins, rows[:, 2] - rows[:, 1], unit, units, BINS)
        return np.concatenate([sums([np.ones(len(rows))], unit, units), gaps], axis=1)

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return ratio(np.abs(totals[..., 1:]).sum(-1), totals[..., 0])

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


def right(answers: Sequence[Answer], targets: Sequence[object]) -> list[bool]:
    return [str(answer.value) == str(target) for answer, target in zip(answers, targets, strict=True)]


def numbered(*columns: Sequence[float] | NDArray[np.float64]) -> Rows:
    """Columns (m,) with the example's index before them → (m, 1 + columns)."""
    return np.column_stack([np.arange(len(columns[0]), dtype=np.float64), *(np.asarray(column, dtype=np.float64) for column in columns)])


def class_numbers(*lists: Sequence[str]) -> list[list[float]]:
    """Labels → numbers, the same for all lists."""
    number = {label: float(index) for index, label in enumerate(sorted(set().union(*lists)))}
    return [[number[label] for label in labels] for labels in lists]


def per_class(number: Units, weight: NDArray[np.float64], unit: Units, units: int, classes: int | None = None) -> Rows:
    """Weights (m,) added up per unit and class → (units, classes)."""
    classes = int(number.max(initial=-1)) + 1 if classes is None else classes
    added: Rows = np.bincount(unit * classes + number, weights=weight, minlength=units * classes).astype(np.float64)
    return added.reshape(units, classes)


def mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last axis of what is not NaN."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(-1), known.sum(-1).astype(np.float64))


def one_against_rest(scores: NDArray[np.float64], mine: NDArray[np.bool_]) -> float:
    """Mann–Whitney's share of pairs (mine, other) in which mine scores higher, ties half."""
    others, own = np.sort(scores[~mine]), scores[mine]
    below, not_above = np.searchsorted(others, own, "left"), np.searchsorted(others, own, "right")
    return float((below + not_above).mean() / (2 * len(others)))


CLASSIFY: tuple[Metric, ...] = (Accuracy(), BalancedAccuracy(), MacroF1(), LogLoss(), AUC(), ECE())
