"""How well the scores of a class put its examples before the others, whatever the threshold: ROC and precision–recall."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.report.errors import Z, wilson
from bakeoff.report.records import Answers

MOST = 24                                     # classes looked at; of more, those whose own examples are given the lowest scores
FOUND = 0.95                                  # share of a class found, for which the false alarms are said
GRID = np.linspace(0, 1, 51)

Curve = NDArray[np.float64]


class Ranked(NamedTuple):
    """One class against the rest, mean over seeds. auc with its 95 % interval; precision: average precision; alarms: share of the
    others taken for it where FOUND of it are found; found: along GRID as share of false alarms, the share of the class found, with
    its interval; right: along GRID as share found, the share of what is taken for it that is right."""

    name: str
    number: int
    others: int
    auc: float
    low: float
    high: float
    precision: float
    alarms: float
    found: Curve
    found_low: Curve
    found_high: Curve
    right: Curve


def ranked(answers: Answers) -> list[Ranked]:
    """Per class that some test examples have and some have not, the worst told apart first; of two classes the rarer alone,
    but of 0 and 1 the 1."""
    if answers.scores is None or not len(answers.keys):
        return []
    scores, there = np.nan_to_num(answers.scores), answers.members()
    numbers = there.sum(0)
    classes = [k for k in range(len(answers.labels)) if 0 < numbers[k] < len(there)]
    if len(answers.labels) == 2 and not answers.several:
        numeric = all(label.isdigit() for label in answers.labels)
        classes = sorted(classes, key=lambda k: -int(answers.labels[k]) if numeric else int(numbers[k]))[:1]
    own = (scores.mean(0) * there).sum(0) / np.maximum(numbers, 1)
    classes = sorted(classes, key=lambda k: own[k])[:MOST]
    return sorted((one(answers.labels[k], scores[:, :, k], there[:, k]) for k in classes), key=lambda found: found.auc)


def one(name: str, scores: NDArray[np.float64], mine: NDArray[np.bool_]) -> Ranked:
    """scores: (seeds, N)."""
    number, others = int(mine.sum()), int((~mine).sum())
    numbers, curves = zip(*(along(row, mine) for row in scores), strict=True)
    auc, precision, alarms = np.mean(numbers, 0).tolist()
    found, right = np.mean(curves, 0)
    ends = np.array([wilson(float(share), number) for share in found])
    half = Z * deviation(auc, number, others)
    return Ranked(name, number, others, auc, max(0.0, auc - half), min(1.0, auc + half), precision, alarms, found, ends[:, 0], ends[:, 1], right)


def along(scores: NDArray[np.float64], mine: NDArray[np.bool_]) -> tuple[tuple[float, float, float], tuple[Curve, Curve]]:
    """(AUC, average precision, false alarms at FOUND), (found, right along GRID) of one seed, equal scores together."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(mine[order])[last].astype(np.float64)
    taken = last + 1.0
    found, alarm = np.append(0.0, hits / mine.sum()), np.append(0.0, (taken - hits) / (~mine).sum())
    right = hits / taken
    gained = np.diff(found)
    auc = float((np.diff(alarm) * (found[:-1] + gained / 2)).sum())
    at = np.searchsorted(alarm, GRID + 1e-12, side="right") - 1                              # the last threshold with so few alarms
    first = np.searchsorted(found[1:], GRID - 1e-12, side="left")                            # the first that finds so many
    return (auc, float((gained * right).sum()), float(alarm[1:][found[1:] >= FOUND - 1e-12][0])), (found[at], right[first])


def deviation(auc: float, number: int, others: int) -> float:
    """Of an AUC on so many examples: Hanley & McNeil 1982, "The meaning and use of the area under a ROC curve"."""
    both, apart = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    square = auc * (1 - auc) + (number - 1) * (both - auc * auc) + (others - 1) * (apart - auc * auc)
    return math.sqrt(max(square, 0.0) / (number * others))
