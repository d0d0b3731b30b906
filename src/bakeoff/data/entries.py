"""Examples that are files of their own: a folder per class, or a table with their paths. What is read of each is the kind's."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bakeoff.data.base import Problem, ReadOptions, Source
from bakeoff.data.files import BROKEN, Files
from bakeoff.data.roles import Roles, first_roles, moments, need_target, roles
from bakeoff.data.rows import Table, peek, read_table
from bakeoff.errors import DataError

SPARE = "Replace or remove it."


@dataclass
class Entry:
    """One example to be read. file: its name in the listing, '' where a table names none that is there."""

    key: str
    file: str
    target: Any
    where: str
    position: int                             # among all inputs seen
    split: str | None = None
    group: str | None = None
    time: Any = None
    fold: str | None = None


@dataclass(frozen=True)
class Listed:
    """The files, or folders, that are examples of one kind. word: what one is called, 'image'."""

    kind: str
    word: str
    names: Sequence[str]
    classes: Sequence[str]                    # '' where one lies in no folder
    splits: Sequence[str | None]


def path_cells(files: Files) -> tuple[str, str, list[str]] | None:
    """The first table, its column of paths, and the first fifty of them; None: there is no such table."""
    table, found = peek(files), first_roles(files)
    if table is None or found is None or found.path is None:
        return None
    return table.files[0], found.path, [cell.strip() for cell in table.strings(found.path)[:50]]


def in_folders(listed: Listed, files: Files, options: ReadOptions) -> tuple[list[Entry], Source]:
    """Examples in a folder per class. Raises DataError where there are no classes."""
    if options.want_targets and not any(listed.classes):
        what = f"1 {listed.word} lies in no folder, so it has no class" if len(listed.names) == 1 else (
            f"{len(listed.names):,} {listed.word}s lie in no folders, so they have no classes")
        raise DataError(what, str(files.path),
                        "Put them into one folder per class, or add a table with the columns path and label.")
    source = Source(listed.kind, None, [], [], task="classify", seen=len(listed.names))
    entries = []
    for number, (name, label, split) in enumerate(zip(listed.names, listed.classes, listed.splits, strict=True)):
        if options.want_targets and not label:
            source.problems.append(Problem(f"the {listed.word} lies in no class's folder", name, "Move or remove it.", True, number, name))
        else:
            entries.append(Entry(name, name, label, name, number, split))
    return entries, source


def in_table(kind: str, word: str, files: Files, known: Container[str], names: Iterable[str],
             options: ReadOptions) -> tuple[list[Entry], Source, Table]:
    """Examples named by a table, by paths relative to it, with a label or a number; the table's rows are the entries'.

    known: what a path may mean; names: what may be meant by its last part alone.
    """
    table = read_table(files, options)
    found = roles(table, options)
    target = need_target(table, found) if options.want_targets else None
    if found.path is None:
        raise DataError(f"the table has no column of {word} files", table.files[0], "Give a column path with files that are there.")
    if target is not None:
        table = table.drop_bad(table.missing(target), "the target is missing", target, "Fill it in, or remove the row.")
    source = Source(kind, None, [], [], problems=list(table.problems), notes=list(table.notes), seen=table.seen,
                    reading={"inputs": [found.path], "target": target})
    return rows_of(known, names, table, found, target, options), source, table


def rows_of(known: Container[str], names: Iterable[str], table: Table, found: Roles, target: str | None, options: ReadOptions) -> list[Entry]:
    assert found.path is not None
    paths = [cell.strip() for cell in table.strings(found.path)]
    repeated = {path for path, count in Counter(paths).items() if count > 1}
    unique = last_parts(names)

    def cells(column: str | None) -> list[Any]:
        return [None] * len(table) if column is None else table.strings(column)

    splits = cells(found.split) if found.split else table.split() or cells(None)
    times = moments(table, options.time) or cells(None)
    return [Entry(f"{path}:{table.lines[row]}" if path in repeated else path, resolved(known, unique, table.files[table.file[row]], path),
                  label, table.where(row), int(table.order[row]), split, group, time, fold)
            for row, (path, label, split, group, fold, time) in enumerate(
                zip(paths, cells(target), splits, cells(found.group), cells(found.fold), times, strict=True))]


def last_parts(names: Iterable[str]) -> dict[str, str]:
    """File name without folders → listed name, where only one file is called so."""
    names = list(names)
    counts = Counter(name.rpartition("/")[2] for name in names)
    return {last: name for name in names if counts[last := name.rpartition("/")[2]] == 1}


def resolved(known: Container[str], unique: Mapping[str, str], table: str, path: str) -> str:
    """The listed file that a table's cell means: beside the table, from the top, or the only one of that name."""
    plain = os.path.normpath(path).replace("\\", "/") if path else ""
    beside = os.path.normpath(f"{table.rpartition('/')[0]}/{plain}").replace("\\", "/").lstrip("/")
    return next((name for name in (beside, plain) if name in known), unique.get(plain.rpartition("/")[2], ""))


def content(files: Files, name: str) -> bytes:
    """All bytes of an entry's file. Raises OSError."""
    if not name:
        raise FileNotFoundError("there is no such file")
    try:
        with files.open_bytes(name) as stream:
            return stream.read()
    except BROKEN as error:
        raise OSError(str(error) or type(error).__name__) from None


def keep(source: Source, entries: Sequence[Entry], failed: Mapping[int, str], options: ReadOptions, word: str) -> list[int]:
    """Fills all of `source` but the items, and returns which entries it has; the others are set aside as problems.

    failed: number of an entry → what is wrong with it. Raises DataError where none is left.
    """
    kept = [number for number in range(len(entries)) if number not in failed]
    if not kept:
        raise none_left(failed, entries, source, word)
    source.problems += [Problem(what, entries[number].where, SPARE, bad=True, position=entries[number].position, key=entries[number].key)
                        for number, what in sorted(failed.items())]
    chosen = [entries[number] for number in kept]
    source.keys = [entry.key for entry in chosen]
    source.targets = [entry.target for entry in chosen] if options.want_targets else []
    source.split = [entry.split or "train" for entry in chosen] if any(entry.split for entry in chosen) else None
    source.groups = column(chosen, "group")
    source.times = column(chosen, "time")
    source.folds = column(chosen, "fold")
    return kept


def column(entries: Sequence[Entry], name: str) -> list[Any] | None:
    values = [getattr(entry, name) for entry in entries]
    return None if all(value is None for value in values) else values


def none_left(failed: Mapping[int, str], entries: Sequence[Entry], source: Source, word: str) -> DataError:
    first = min(failed, default=None)
    if first is None:
        problem = source.problems[0] if source.problems else Problem(f"there is no {word}", "")
        return DataError(f"no {word} can be used; the first: {problem.what}", problem.where, problem.fix or SPARE)
    return DataError(f"none of {len(entries):,} {word}s can be read; the first: {failed[first]}", entries[first].where, SPARE)


def summary(numbers: Sequence[int]) -> dict[str, float]:
    return {"min": int(min(numbers)), "median": float(np.median(numbers)), "max": int(max(numbers))}
