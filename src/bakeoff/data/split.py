"""Who trains, who validates, who tests: given splits honoured; else by class, by group, by time.

Examples that belong to one group, and identical ones, form a *unit*: units never part over our own splits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.base import Indices, ReadOptions
from bakeoff.data.files import Files
from bakeoff.data.names import SPLITS
from bakeoff.data.rows import read_table
from bakeoff.errors import DataError, OptionError, near

SHARES = (0.6, 0.2, 0.2)              # train, val, test
VAL_SHARE = 0.2                       # of train, where a test split is given and no validation
FEWEST_VAL = 100                      # below so many validation examples tuning uses folds inside train
INNER_FOLDS = 3
BINS = 10                             # strata of a continuous target
NAMES = ("train", "val", "test")

Codes = NDArray[np.int64]


@dataclass
class Parts:
    """Positions of the examples of each split, ascending. val is empty where `inner` folds (positions in train) stand for it."""

    train: Indices
    val: Indices
    test: Indices
    how: str
    inner: tuple[tuple[Indices, Indices], ...] = ()


@dataclass
class Cast:
    """All that decides who may go where, one entry per example. strata: class or bin; units: what never parts;
    times: rank in time, or None."""

    strata: Codes
    units: Codes
    times: Codes | None
    grouped: bool
    seed: int

    def of(self, rows: Indices) -> Cast:
        return Cast(self.strata[rows], self.units[rows], None if self.times is None else self.times[rows], self.grouped, self.seed)

    @property
    def how(self) -> str:
        by_time = "in time order" if self.times is not None else "stratified"
        return f"{by_time}, groups kept together" if self.grouped else by_time


def sort_of_split(text: str) -> Literal["shares", "counts", "file", "column"]:
    """What --split says: '0.7,0.1,0.2', '8640,2880,2880', a file 'key,split', or else a column's name."""
    entries = [entry.strip() for entry in text.split(",")]
    if len(entries) > 1 and all(re.fullmatch(r"\d+", entry) for entry in entries):
        return "counts"
    if len(entries) > 1 and all(re.fullmatch(r"\d*\.?\d+%?", entry) for entry in entries):
        return "shares"
    return "file" if Path(text).expanduser().is_file() else "column"


def shares_of(text: str) -> tuple[float, float, float]:
    """'0.7,0.1,0.2' or '70%,10%,20%' → shares of train, val, test; two of them are train and test. Raises OptionError."""
    numbers = [float(entry.strip().rstrip("%")) / (100 if "%" in entry else 1) for entry in text.split(",")]
    if len(numbers) == 2:
        numbers.insert(1, 0.0)
    if len(numbers) != 3 or not 0.999 <= sum(numbers) <= 1.001 or numbers[0] <= 0 or numbers[2] <= 0:
        raise OptionError(f"{text!r} are no shares of train, validation and test", "--split",
                          "Give three that make 1, for instance 0.7,0.1,0.2.")
    return numbers[0], numbers[1], numbers[2]


def cast(targets: Sequence[Any], sort: str, hashes: NDArray[np.uint64], groups: Sequence[str] | None, times: Sequence[Any] | None,
         seed: int) -> Cast:
    """The Cast of a source. targets: labels, floats, or of another sort, which balances nothing."""
    strata = codes(targets) if sort == "label" else bins(np.asarray(targets, np.float64)) if sort == "number" else np.zeros(len(targets), np.int64)
    return Cast(strata, units(hashes, groups), None if times is None else codes(times), groups is not None, seed)


def codes(values: Iterable[Any]) -> Codes:
    """Values → 0 … k−1 in sorted order."""
    values = list(values)
    order = {value: number for number, value in enumerate(sorted(set(values)))}
    return np.fromiter((order[value] for value in values), np.int64, len(values))


def bins(numbers: NDArray[np.float64]) -> Codes:
    """Quantile bins of a continuous target, of at least five examples each."""
    count = max(1, min(BINS, len(numbers) // 5))
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, count + 1)[1:-1])) if len(numbers) else np.zeros(0)
    return np.searchsorted(edges, numbers, side="right").astype(np.int64)


def units(hashes: NDArray[np.uint64], groups: Sequence[str] | None) -> Codes:
    """A number per example, the same for those linked by a common group or a common content (also over several steps)."""
    same = np.unique(hashes, return_inverse=True)[1].astype(np.int64)
    if groups is None:
        return same
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    group = codes(groups)
    first = int(same.max(initial=-1)) + 1
    links = coo_matrix((np.ones(len(same), np.int8), (same, first + group)), shape=(first + int(group.max(initial=-1)) + 1,) * 2)
    return connected_components(links, directed=False)[1][same].astype(np.int64)


def quota(sizes: Codes, shares: NDArray[np.float64], first_has_one: bool) -> NDArray[np.int64]:
    """(K,) class sizes → (K, P) whole numbers with those row sums, each the exact share rounded down or up.

    What a class cannot give a part is carried to the next class, so that the parts' totals are right too. first_has_one:
    every class has an example in the first part (train).
    """
    exact = sizes[:, None] * shares
    seats = np.floor(exact + 1e-9).astype(np.int64)
    debt = np.zeros(len(shares))
    for row in range(len(sizes)):
        rest = exact[row] - seats[row]
        wish = np.where(rest > 1e-9, rest + debt + 1e-9 * np.arange(len(shares)), -np.inf)      # of equals the last: test before val
        if first_has_one and seats[row, 0] == 0:
            wish[0] = np.inf
        chosen = np.argsort(-wish, kind="stable")[:int(sizes[row] - seats[row].sum())]
        seats[row, chosen] += 1
        debt += rest
        debt[chosen] -= 1
    return seats


def deal(who: Cast, shares: Sequence[float], first_has_one: bool = True) -> NDArray[np.int8]:
    """A part's number per example: classes in the same shares everywhere, units whole.

    Where every unit is a single example, each class's count in each part is its exact share rounded down or up.
    """
    generator = np.random.default_rng(who.seed)
    part = np.zeros(len(who.units), np.int8)
    sizes = np.bincount(who.strata)
    need = quota(sizes, np.asarray(shares, np.float64), first_has_one)
    members = np.bincount(who.units, minlength=int(who.units.max(initial=-1)) + 1)
    single = members[who.units] == 1
    deal_whole(who, np.flatnonzero(~single), need, part, generator)
    settle(need)
    order = np.flatnonzero(single)
    order = order[generator.permutation(len(order))]
    order = order[np.argsort(who.strata[order], kind="stable")]
    part[order] = np.repeat(np.tile(np.arange(len(shares), dtype=np.int8), len(sizes)), need.ravel())
    if first_has_one:
        represented(who, part)
    return filled(who, part, [0, len(shares) - 1] if first_has_one else range(len(shares)))


def represented(who: Cast, part: NDArray[np.int8]) -> None:
    """Every class has an example in the first part (train), whatever its units: the smallest one moves there."""
    for strange in np.setdiff1d(who.strata, who.strata[part == 0]).tolist():
        inside = np.unique(who.units[who.strata == strange])
        sizes = [int((who.units == unit).sum()) for unit in inside]
        part[who.units == inside[int(np.argmin(sizes))]] = 0


def deal_whole(who: Cast, rows: Indices, need: NDArray[np.int64], part: NDArray[np.int8], generator: np.random.Generator) -> None:
    """Units of several examples, the largest first, each to where most of its classes are still needed; `need` shrinks."""
    rows = rows[np.argsort(who.units[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(who.units[rows], prepend=-1))
    blocks = np.split(rows, starts[1:]) if len(rows) else []
    chance = generator.random(len(blocks))
    for block, _ in sorted(zip(blocks, chance, strict=True), key=lambda pair: (-len(pair[0]), pair[1])):
        classes, count = np.unique(who.strata[block], return_counts=True)
        wanted = need[classes]                                                       # (k, P)
        after = wanted - count[:, None]
        best = int((after**2 - wanted**2).sum(0).argmin())
        part[block] = best
        need[classes, best] -= count


def settle(need: NDArray[np.int64]) -> None:
    """No part needs less than nothing: what one took too much, the neediest of the others give up. Row sums stay."""
    for row in need:
        while (row < 0).any():
            worst = int(row.argmin())
            row[int(row.argmax())] += row[worst]
            row[worst] = 0


def filled(who: Cast, part: NDArray[np.int8], wanted_parts: Sequence[int]) -> NDArray[np.int8]:
    """`part` with none of the wanted ones empty, where there are units enough: the smallest unit of the largest part moves
    there. A validation split may be empty: folds inside train stand for it."""
    for wanted in wanted_parts:
        if (part == wanted).any():
            continue
        counts = [len(np.unique(who.units[part == index])) for index in range(max(wanted_parts) + 1)]
        donor = int(np.argmax(counts))
        if counts[donor] > 1:
            inside, count = np.unique(who.units[part == donor], return_counts=True)
            part[who.units == inside[count.argmin()]] = wanted
    return part


def deal_in_time(who: Cast, shares: Sequence[float]) -> NDArray[np.int8]:
    """The earliest to the first part, the latest to the last. A unit counts with its latest time; equal times do not part."""
    assert who.times is not None
    latest = np.zeros(int(who.units.max(initial=-1)) + 1, np.int64)
    np.maximum.at(latest, who.units, who.times)
    when = latest[who.units]
    counts = np.bincount(when)
    middle = (np.cumsum(counts) - counts / 2) / max(1, len(when))           # where each moment stands, 0 … 1
    return np.searchsorted(np.cumsum(shares)[:-1], middle, side="right").astype(np.int8)[when]


def parts_of(who: Cast, shares: Sequence[float], first_has_one: bool = True) -> NDArray[np.int8]:
    return deal(who, shares, first_has_one) if who.times is None else deal_in_time(who, shares)


def own_splits(who: Cast, shares: tuple[float, float, float] = SHARES) -> Parts:
    """Our own splits of everything. Raises DataError where there are too few units for a train and a test part."""
    if len(np.unique(who.units)) < 2:
        raise DataError("all examples are identical or of one group: they cannot be split", "the data",
                        "Give a test split (--test PATH), or no --group.")
    part = parts_of(who, shares)
    train, val, test = (np.flatnonzero(part == number) for number in range(3))
    if not len(train) or not len(test):
        raise DataError("too few groups or moments for a train and a test split", "the data",
                        "Give more examples, or a test split (--test PATH).")
    how = f"{who.how} {'/'.join(f'{share:g}' for share in shares)}"
    return with_validation(who, Parts(train, val, test, how), want_val=True)


def given_splits(who: Cast, split: Sequence[str], how: str) -> Parts:
    """Splits as given: 'train' | 'val' | 'test' (or their other names) per example, '' for one that takes no part.

    A val without test is the test. Raises DataError for an unknown word, or no train or test part.
    """
    words = {word: SPLITS.get(word.strip().lower(), word) for word in set(split)}
    unknown = sorted(word for word, name in words.items() if name not in (*NAMES, ""))
    if unknown:
        raise DataError(f"{unknown[0]!r} is no split", how, "Write train, val or test.")
    found = np.asarray([words[word] for word in split])
    train, val, test = (np.flatnonzero(found == name) for name in NAMES)
    if len(val) and not len(test):
        val, test = test, val
        how += ", the given validation as test"
    if not len(train) or not len(test):
        lacks = "train" if not len(train) else "test"
        raise DataError(f"the given splits have no {lacks} examples", how, "Give train and test, or neither.")
    return with_validation(who, Parts(train, val, test, how), want_val=not len(val))


def with_validation(who: Cast, parts: Parts, want_val: bool) -> Parts:
    """`parts` with a validation split out of train where it lacks; where it is too small, with inner folds instead."""
    train, val = parts.train, parts.val
    how = parts.how
    if want_val and not len(val):
        part = parts_of(who.of(train), (1 - VAL_SHARE, VAL_SHARE))
        train, val = train[part == 0], train[part == 1]
        how += f", validation {VAL_SHARE:g} of train ({who.how})"
    if len(val) >= FEWEST_VAL and len(train):
        return Parts(train, val, parts.test, how)
    train = np.union1d(train, val)
    inner = inner_folds(who.of(train))
    how = f"{parts.how}; {len(inner)} folds inside train validate, since a split of it would have under {FEWEST_VAL}"
    return Parts(train, train[:0], parts.test, how, inner)


def inner_folds(who: Cast, folds: int = INNER_FOLDS) -> tuple[tuple[Indices, Indices], ...]:
    """(train rows, validation rows) inside a training split; with times each fold validates on what comes later."""
    count = len(np.unique(who.units if who.times is None else who.times))
    if count < 2:
        raise DataError("the training examples are identical or of one group: none can validate", "the training split",
                        "Give more examples or groups, or a validation split.")
    if who.times is None:
        folds = min(folds, count)
        part = deal(who, [1 / folds] * folds, first_has_one=False)
        return tuple((np.flatnonzero(part != number), np.flatnonzero(part == number)) for number in range(folds))
    folds = min(folds, count - 1)
    part = deal_in_time(who, [1 / (folds + 1)] * (folds + 1))
    later = ((np.flatnonzero(part < number), np.flatnonzero(part == number)) for number in range(1, folds + 1))
    return tuple((train, val) for train, val in later if len(train) and len(val))


def outer_folds(who: Cast, folds: str, column: Sequence[str] | None) -> list[Parts]:
    """--folds N | COLUMN: every example is tested once; each fold has its validation inside its own training part."""
    if folds.isdigit():
        count = int(folds)
        if not 2 <= count <= len(np.unique(who.units)):
            raise OptionError(f"{count} folds cannot be made of {len(np.unique(who.units))} examples or groups", "--folds", "Give 2 to 10.")
        part: NDArray[Any] = deal(who, [1 / count] * count, first_has_one=False).astype(np.int64)
        names = [str(number + 1) for number in range(count)]
    elif column is None:
        raise OptionError(f"{folds!r} is neither a number of folds nor a column", "--folds", "Give a number, or a column's name.")
    else:
        part, names = codes(column), sorted(set(column))
        if len(names) < 2:
            raise OptionError(f"column {folds!r} has one value only", "--folds", "Give a column with a fold's name for each example.")
    return [with_validation(who, Parts(np.flatnonzero(part != number), np.flatnonzero(part[:0]), np.flatnonzero(part == number),
                                       f"fold {name} of {len(names)}, {who.how if folds.isdigit() else 'as given'}"), want_val=True)
            for number, name in enumerate(names)]


def by_counts(count: int, text: str) -> list[str]:
    """--split 8640,2880,2880: the first so many examples train, the next validate, the next test; the rest take no part."""
    counts = [int(entry) for entry in text.split(",")]
    if len(counts) == 2:
        counts.insert(1, 0)
    if len(counts) != 3 or counts[0] < 1 or counts[2] < 1:
        raise OptionError(f"{text!r} are no counts of train, validation and test", "--split", "Give three, for instance 8640,2880,2880.")
    if sum(counts) > count:
        raise OptionError(f"{text} asks for {sum(counts):,} examples, there are {count:,}", "--split", "Ask for fewer.")
    return [name for name, size in zip((*NAMES, ""), (*counts, count - sum(counts)), strict=True) for _ in range(size)]


def listed(path: str, encoding: str = "utf-8") -> dict[str, str]:
    """The table key,split of --split FILE. Raises DataError."""
    table = read_table(Files.open(path), ReadOptions(encoding=encoding))
    names = list(table.columns)
    if len(names) < 2:
        raise DataError("the table has one column only", path, "Give two: key and split.")
    key, part = (name if name in names else names[place] for place, name in enumerate(("key", "split")))
    return dict(zip(table.strings(key), table.strings(part), strict=True))


def by_file(keys: Sequence[str], listed: dict[str, str], path: str) -> list[str]:
    """--split FILE: what the table `key,split` says of each key, '' of one that it does not name. Raises DataError for
    a key that no example has."""
    known = set(keys)
    strange = [key for key in listed if key not in known]
    if strange:
        raise DataError(f"{len(strange):,} keys are of no example, the first is {strange[0]!r}", path,
                        near(strange[0], keys[:1000]) if len(keys) <= 1000 else f"Keys look like {keys[0]!r}.")
    return [listed.get(key, "") for key in keys]
