"""The data check: what the targets are, what is wrong with them, and the record of it all (data.json)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bakeoff.data.base import Arrays, Problem, Source
from bakeoff.data.sets import canonical, names
from bakeoff.data.split import NAMES, Parts
from bakeoff.errors import DataError, near
from bakeoff.types import label_order

MOST_CLASSES = 100                    # whole numbers of more different values are quantities
LISTED = 20                           # so many of a sort are named, the rest counted
UNBALANCED = 10                       # largest class over smallest, from which it is said


class Guess(NamedTuple):
    """The task that targets look like, and why."""

    task: str
    why: str


def guess_task(targets: Sequence[Any]) -> Guess:
    """Words are classes; whole numbers are classes where there are few; real numbers are quantities."""
    numbers = {target: number_of(target) for target in set(targets)}
    counts: Counter[float] = Counter()
    for target, count in Counter(targets).items():
        if (number := numbers[target]) is not None:
            counts[number] += count
    if counts.total() < 0.95 * len(targets) or not targets:
        some = sorted(str(target) for target, number in numbers.items() if number is None)
        return Guess("classify", f"the target is words, such as {some[0]!r}" if some else "the target is words")
    real = next((number for number in counts if number != round(number)), None)
    if real is not None:
        return Guess("regress", f"the target is real numbers, such as {real:g}")
    if len(counts) > MOST_CLASSES or (len(counts) > 20 and counts.total() < 5 * len(counts)):
        return Guess("regress", f"the target has {len(counts):,} different whole numbers")
    return Guess("classify", f"the target is {len(counts)} whole numbers, {in_words(min(counts))} … {in_words(max(counts))}")


def number_of(target: Any) -> float | None:
    """The target as a finite number, or None."""
    try:
        number = float(target)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def in_words(number: float) -> str:
    return f"{number:.0f}" if number == round(number) else f"{number:g}"


def label_of(target: Any) -> str | None:
    """A label as text: 3 and 3.0 are the class '3'; None where it is missing."""
    if is_missing(target):
        return None
    if isinstance(target, float) and target == round(target):
        return f"{target:.0f}"
    return str(target)


def labels_in(target: Any) -> str | None:
    """A set of labels as text, '' where it is empty; None where it is missing."""
    return None if is_missing(target) else canonical(target)


def as_asked(source: Source, sort: str) -> tuple[list[Any], list[int]]:
    """Targets as a task of this sort (tasks/base.py) wants them – labels as text, numbers as float – and the positions kept.

    An example without a target, or with a word where numbers are asked for, is set aside as a problem.
    """
    if sort == "itself":
        return list(source.targets) or [None] * len(source), list(range(len(source)))
    targets: list[Any] = []
    kept: list[int] = []
    meaning = number_of if sort == "number" else labels_in if source.several else label_of
    meant = {} if sort == "whole" else {target: meaning(target) for target in set(source.targets)}
    for place, target in enumerate(source.targets):
        value = meant[target] if sort != "whole" else None if is_missing(target) else target
        if value is None:
            what = "the target is missing" if is_missing(target) else f"target {target!r} is no number"
            source.problems.append(Problem(what, (source.where or source.keys)[place], "Mend it, or remove the example.", bad=True,
                                           key=source.keys[place]))
        else:
            targets.append(value)
            kept.append(place)
    return targets, kept


def is_missing(target: Any) -> bool:
    return target is None or (isinstance(target, str) and not target.strip()) or (isinstance(target, float) and math.isnan(target))


def too_many_bad(source: Source, kept: int, most: float) -> None:
    """Raises DataError where more examples were set aside than --max-bad allows."""
    bad = [problem for problem in source.problems if problem.bad]
    seen = max(source.seen, kept + len(bad))
    if bad and len(bad) > most * seen:
        first = bad[0]
        share = f"{len(bad) / seen:.0%}, allowed are {most:.0%}"
        raise DataError(f"{len(bad):,} of {seen:,} examples cannot be used ({share}); the first: {first.what}", first.where,
                        f"{first.fix} Or allow more with --max-bad.".strip())


def target_faults(source: Source, sort: str) -> list[Problem]:
    """What no training can mend: one class, a class with one example, labels that differ in spaces, a constant number."""
    if sort not in ("label", "number"):
        return []
    if sort == "number":
        if len(values := set(source.targets)) > 1:
            return []
        return [Problem(f"every target is {next(iter(values)):g}", "the target", "A target that never varies needs no model.")]
    counts = names(source.targets, source.several)
    faults = twins(source, counts)
    if not counts:
        faults.append(Problem("no example has a label", f"{len(source):,} examples", "Give labels, or name the columns that hold them."))
    if len(counts) == 1:
        faults.append(Problem(f"there is one class only: {next(iter(counts))!r}", f"{len(source):,} examples",
                              "Give at least two classes, or a number as target with --task regress."))
    lonely = [label for label, count in counts.items() if count == 1 and len(counts) > 1]
    if lonely:
        where = source.keys[first_with(source, lonely[0])]
        some = ", ".join(map(repr, lonely[:LISTED])) + (" …" if len(lonely) > LISTED else "")
        what = "a class has" if len(lonely) == 1 else f"{len(lonely)} classes have"
        faults.append(Problem(f"{what} a single example: {some}", where, "Add examples of it, or remove it."))
    return faults


def first_with(source: Source, label: str) -> int:
    """The position of the first example with this label."""
    return next(row for row, target in enumerate(source.targets) if label in names([target], source.several))


def twins(source: Source, counts: Mapping[str, int]) -> list[Problem]:
    """Labels that are the same but for spaces."""
    alike: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        alike["".join(label.split())].append(label)
    faults = []
    for labels in alike.values():
        if len(labels) > 1:
            usual, *rarer = sorted(labels, key=lambda label: -counts[label])
            faults += [Problem(f"labels {label!r} and {usual!r} differ only in spaces", source.keys[first_with(source, label)],
                               f"Write {usual.strip()!r} everywhere ({counts[label]:,} examples have {label!r}).") for label in rarer]
    return faults


def same_but_for_case(counts: Mapping[str, int]) -> list[Problem]:
    """Labels that are the same but for upper and lower case: told, not refused, since 'a' and 'A' may be two letters."""
    alike: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        alike[label.casefold()].append(label)
    return [Problem(f"labels {' and '.join(map(repr, sorted(labels)))} differ only in case", "the target",
                    "If they are one class, write them alike.") for labels in alike.values() if len(labels) > 1]


def unknown_labels(source: Source, parts: Parts) -> list[Problem]:
    """Labels of validation and test that no training example has."""
    known = set(names((source.targets[row] for row in parts.train.tolist()), source.several))
    faults = []
    for name, rows in (("validation", parts.val), ("test", parts.test)):
        strange: dict[str, int] = {}
        for row in rows.tolist():
            for label in names([source.targets[row]], source.several):
                strange.setdefault(label, row)
        for label, row in strange.items():
            if label not in known:
                hint = near(label, known)
                if len(known) > LISTED and not hint.startswith("Did"):
                    hint = "Give training examples of it, or remove it."
                faults.append(Problem(f"label {label!r} of the {name} split is not among the {len(known)} training classes",
                                      source.keys[row], hint))
    return faults


def refuse(faults: Sequence[Problem]) -> None:
    """Raises one DataError that tells all of them."""
    if len(faults) == 1:
        raise DataError(faults[0].what, faults[0].where, faults[0].fix)
    if faults:
        lines = [f"  {' – '.join(part for part in (fault.what, fault.where, fault.fix) if part)}" for fault in faults[:LISTED]]
        more = [f"  … and {len(faults) - LISTED:,} more"] if len(faults) > LISTED else []
        raise DataError("\n".join([f"{len(faults)} things are wrong with the data:", *lines, *more]), "", "")


def remarks(source: Source, sort: str, parts: Parts, hashes: np.ndarray, given: bool) -> tuple[list[Problem], list[str]]:
    """What is worth knowing and no fault: identical examples, those with different targets, unequal classes, case."""
    problems: list[Problem] = []
    notes: list[str] = []
    _, first, inverse, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    copies = int((counts - 1).sum())
    if copies:
        notes.append(f"{copies:,} examples are copies of others" + ("" if given else "; copies are kept on one side of every split"))
        twin = first[inverse]
        again = np.flatnonzero(counts[inverse] > 1).tolist() if sort in ("label", "number") else []
        odd = [row for row in again if source.targets[row] != source.targets[twin[row]]]
        problems += [Problem(f"identical to {source.keys[twin[row]]}, but with another target", source.keys[row],
                             "One of the two is wrong.") for row in odd[:LISTED]]
        if len(odd) > LISTED:
            problems.append(Problem(f"{len(odd) - LISTED:,} more examples have another target than an identical one", "", ""))
    if sort == "label":
        classes = names((source.targets[row] for row in parts.train.tolist()), source.several)
        problems += same_but_for_case(names(source.targets, source.several))
        (large, most), (small, least) = classes.most_common()[0], classes.most_common()[-1]
        if most >= UNBALANCED * least:
            notes.append(f"classes are unequal: {large!r} has {most:,} training examples, {small!r} {least:,}; see balanced accuracy")
    return problems, notes


def shared_with_train(keys: Sequence[str], parts: Parts, hashes: np.ndarray, most: float) -> list[str]:
    """Keys of test examples that also stand in train or validation. Raises DataError beyond --max-shared."""
    rows = parts.test[np.isin(hashes[parts.test], hashes[np.concatenate([parts.train, parts.val])])]
    if len(rows) > most * len(parts.test):
        share = f"{len(rows) / len(parts.test):.0%}, allowed are {most:.0%}"
        raise DataError(f"{len(rows):,} of {len(parts.test):,} test examples also stand in train ({share})", keys[rows[0]],
                        "Remove them from train, or allow more with --max-shared.")
    return [keys[row] for row in rows.tolist()]


def lengths_of(arrays: Arrays, axes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Per axis, the shortest, median and longest size."""
    found: dict[str, dict[str, float]] = {}
    for number, (axis, fixed) in enumerate(zip(axes, arrays.sizes(len(axes)), strict=True)):
        if fixed is not None or arrays.shapes is None:
            found[axis] = dict.fromkeys(("min", "median", "max"), fixed or 0)
        else:
            sizes = arrays.shapes[:, number]
            found[axis] = {"min": int(sizes.min()), "median": float(np.median(sizes)), "max": int(sizes.max())}
    return found


def classes_of(source: Source, parts: Parts) -> dict[str, dict[str, int]]:
    """Examples per class and split, classes in order; an example counts for each of its labels."""
    table: dict[str, dict[str, int]] = {}
    for name, rows in zip(NAMES, (parts.train, parts.val, parts.test), strict=True):
        for label, count in names((source.targets[row] for row in rows.tolist()), source.several).items():
            table.setdefault(label, dict.fromkeys(NAMES, 0))[name] = count
    return dict(sorted(table.items(), key=lambda item: label_order(item[0])))


def split_name(parts: Parts, row: int) -> str:
    return next((name for name, rows in zip(NAMES, (parts.train, parts.val, parts.test), strict=True) if row in rows), "")


def told(problem: Problem) -> dict[str, str]:
    return {"what": problem.what, "where": problem.where, "fix": problem.fix}
