"""Where a contender fails, computed from the answers of its finals: confusion, calibration, errors along the target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.report.records import Answers

Z = 1.959964                                  # normal quantile of a 95 % interval
BINS = 10


class Bin(NamedTuple):
    """Answers of about the same probability. said: mean probability; seen: share that is right, with its interval."""

    said: float
    seen: float
    low: float
    high: float
    number: int


class Mistake(NamedTuple):
    """share: of the examples of class `true` that are answered `said`, with its interval; number: of such examples."""

    true: str
    said: str
    share: float
    low: float
    high: float
    number: int


class Recall(NamedTuple):
    name: str
    share: float
    low: float
    high: float
    number: int


@dataclass(frozen=True)
class Confusion:
    """shares: (K, K) of the true class's examples, mean over seeds; numbers: test examples per class."""

    classes: list[str]
    shares: NDArray[np.float64]
    numbers: list[int]

    def mistakes(self) -> list[Mistake]:
        """By how many examples they concern, the most first."""
        counts = self.shares * np.array(self.numbers, dtype=float)[:, None]
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")
        found = []
        for place in order[:200].tolist():
            true, said = divmod(place, len(self.classes))
            if counts[true, said] <= 0:
                break
            share = float(self.shares[true, said])
            found.append(Mistake(self.classes[true], self.classes[said], share, *wilson(share, self.numbers[true]), self.numbers[true]))
        return found

    def recalls(self) -> list[Recall]:
        """Per class, in the order of the classes; those without a test example are left out."""
        return [Recall(name, float(self.shares[k, k]), *wilson(float(self.shares[k, k]), self.numbers[k]), self.numbers[k])
                for k, name in enumerate(self.classes) if self.numbers[k]]

    def part(self, most: int) -> Confusion:
        """The classes that take part in most mistakes, in their own order."""
        if len(self.classes) <= most:
            return self
        counts = self.shares * np.array(self.numbers, dtype=float)[:, None]
        np.fill_diagonal(counts, 0)
        both = counts + counts.T
        kept: list[int] = []
        for place in np.argsort(-both, axis=None, kind="stable").tolist():        # pair by pair, so that partners stay together
            new = [k for k in divmod(place, len(self.classes)) if k not in kept]
            if len(kept) + len(new) > most or both.flat[place] <= 0:
                break
            kept += new
        kept = sorted(kept) or list(range(most))
        return Confusion([self.classes[k] for k in kept], self.shares[np.ix_(kept, kept)], [self.numbers[k] for k in kept])


def confusion(answers: Answers, classes: Sequence[str]) -> Confusion:
    """classes: in the order shown; what is answered or true beside them comes last."""
    truth, said = answers.targets.astype(str), answers.answers.astype(str)
    names = list(dict.fromkeys([*classes, *sorted({*truth.tolist(), *said.ravel().tolist()} - set(classes))]))
    number = {name: k for k, name in enumerate(names)}
    rows = np.array([number[name] for name in truth.tolist()])
    counts = np.zeros((len(names), len(names)))
    for one in said:
        np.add.at(counts, (rows, np.array([number[name] for name in one.tolist()])), 1.0)
    counts /= len(said)
    numbers = np.bincount(rows, minlength=len(names))
    return Confusion(names, counts / np.maximum(numbers, 1)[:, None], numbers.tolist())


def calibration(answers: Answers) -> tuple[list[Bin], float] | None:
    """Bins of equal size by the probability given to the answer, all seeds together, and the expected calibration error.

    Intervals count examples, not answers: seeds share their examples.
    """
    if answers.scores is None:
        return None
    number = {label: k for k, label in enumerate(answers.labels)}
    if not all(name in number for name in np.unique(answers.answers.astype(str)).tolist()):
        return None
    seeds = len(answers.answers)
    which = np.array([[number[str(name)] for name in one] for one in answers.answers])
    said = np.take_along_axis(answers.scores, which[..., None], 2)[..., 0].ravel()
    right = (answers.answers.astype(str) == answers.targets.astype(str)[None]).ravel().astype(float)
    known = np.isfinite(said)
    said, right = said[known], right[known]
    if not len(said):
        return None
    bins, error = [], 0.0
    for part in np.array_split(np.argsort(said, kind="stable"), min(BINS, max(1, len(said) // (20 * seeds)))):
        seen, told = float(right[part].mean()), float(said[part].mean())
        error += abs(seen - told) * len(part) / len(said)
        bins.append(Bin(told, seen, *wilson(seen, len(part) / seeds), len(part)))
    return bins, error


class Along(NamedTuple):
    """Errors (answer − target) of the examples whose target lies in [start, end]: quantiles 10, 50, 90 %, and their number."""

    start: float
    end: float
    low: float
    middle: float
    high: float
    number: int


def along_target(answers: Answers) -> list[Along]:
    """Errors by target, tenths of the test examples, answers averaged over seeds."""
    said, truth = answers.answers.astype(float).mean(0), answers.targets.astype(float)
    found = []
    for part in np.array_split(np.argsort(truth, kind="stable"), min(BINS, max(1, len(truth) // 8))):
        low, middle, high = (float(q) for q in np.quantile(said[part] - truth[part], (0.1, 0.5, 0.9)))
        found.append(Along(float(truth[part].min()), float(truth[part].max()), low, middle, high, len(part)))
    return found


def wilson(share: float, number: float) -> tuple[float, float]:
    """95 % interval of a share seen on so many independent examples."""
    if number <= 0:
        return 0.0, 1.0
    square = Z * Z
    centre = (share + square / (2 * number)) / (1 + square / number)
    half = Z / (1 + square / number) * math.sqrt(share * (1 - share) / number + square / (4 * number * number))
    return max(0.0, centre - half), min(1.0, centre + half)
