"""Examples that are files of their own – pictures, recordings, clips – in a folder per class, or named by a table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bakeoff.data import sets
from bakeoff.data.base import Claim, Problem, ReadOptions, Source
from bakeoff.data.files import BROKEN, Files
from bakeoff.data.names import ending
from bakeoff.data.roles import Roles, first_roles, looks, moments, need_target, roles
from bakeoff.data.rows import Table, peek, read_table
from bakeoff.errors import DataError

SPARE = "Replace or remove it."
SAID = "transcribe"                   # the task of a table with what is said in each file
MOST_BYTES = 1 << 30                  # a larger file is not read: it is no example, and several threads would hold one each


@dataclass(frozen=True)
class Media:
    """A sort of files. one, many: its words in messages, 'image' and 'images'; usual: the endings that are recommended; said: names
    of the column of a table with what is said in each, by falling rank."""

    kind: str
    endings: frozenset[str]
    one: str
    many: str
    usual: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed:
    """The files, or folders, that are examples."""

    names: Sequence[str]
    classes: Sequence[str]                    # '' where one lies in no folder
    splits: Sequence[str | None]


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


def claim(files: Files, media: Media) -> Claim | None:
    """A table with a column of such files, or at least half of all files being such."""
    path = path_column(files, media)
    if path is not None:
        table, columns = peek(files), first_roles(files)
        said = None if table is None or columns is None or columns.target is not None else said_in(table, media)
        what = f"{path[0]} has a column {path[1]!r} of {media.one} files"
        return Claim(0.95, f"{what} and a column {said!r}" if said else what, SAID if said else None)
    found = files.having(media.endings)
    if len(found) < 0.5 * len(files) or not found:
        return None
    classes = files.classes(found)
    among = f"{len(found):,} {media.many}" + (f" in {len(set(classes))} folders" if len(set(classes)) > 1 else "")
    return Claim(0.9 if any(classes) else 0.6, among, "classify" if any(classes) else None)


def path_cells(files: Files) -> tuple[str, str, list[str]] | None:
    """The first table, its column of paths, and the first fifty of them; None: there is no such table."""
    table, found = peek(files), first_roles(files)
    if table is None or found is None or found.path is None:
        return None
    return table.files[0], found.path, [cell.strip() for cell in table.strings(found.path)[:50]]


def path_column(files: Files, media: Media) -> tuple[str, str] | None:
    """The table and its column that names files of this sort, if there is one."""
    found = path_cells(files)
    return found[:2] if found is not None and any(ending(cell) in media.endings for cell in found[2]) else None


def listed(files: Files, options: ReadOptions, media: Media) -> tuple[list[Entry], Source]:
    """The files to be read, and a Source without them. Raises DataError where there is none, or no class."""
    names = files.having(media.endings)
    if path_column(files, media) is not None:
        return in_table(files, options, media, files, names)[:2]
    entries, source = in_folders(Listed(names, files.classes(names), [files.folder_split(name) for name in names]), files, options, media)
    depths = {name.count("/") - files.folder(name).count("/") for name in names}
    below = {files.folder(name) for name in names} if len(depths) == 1 else set()
    if len(below) > 2 * len(set(files.classes(names))):
        source.notes.append(f"the {media.many} of a class lie in folders of their own ({len(below):,} in all): they are split one by one; if "
                            "those of a folder belong together, give a table with --group")
    if len(files) > len(names):
        source.notes.append(f"{len(files) - len(names):,} other files are not read")
    return entries, source


def in_folders(found: Listed, files: Files, options: ReadOptions, media: Media) -> tuple[list[Entry], Source]:
    """Examples in a folder per class. Raises DataError where there is none, or no class."""
    if not found.names:
        raise DataError(f"there is no {media.one} here", str(files.path), f"Give files that end in {media.usual}.")
    if options.want_targets and not any(found.classes):
        what = f"1 {media.one} lies in no folder, so it has no class" if len(found.names) == 1 else (
            f"{len(found.names):,} {media.many} lie in no folders, so they have no classes")
        raise DataError(what, str(files.path), "Put them into one folder per class, or add a table with the columns path and label.")
    source = Source(media.kind, None, [], [], task="classify", seen=len(found.names))
    entries = []
    for number, (name, label, split) in enumerate(zip(found.names, found.classes, found.splits, strict=True)):
        if options.want_targets and not label:
            source.problems.append(Problem(f"the {media.one} lies in no class's folder", name, "Move or remove it.", True, number, name))
        else:
            entries.append(Entry(name, name, label, name, number, split))
    return entries, source


def in_table(files: Files, options: ReadOptions, media: Media, known: Container[str],
             names: Iterable[str]) -> tuple[list[Entry], Source, Table]:
    """Examples named by a table, by paths relative to it, with a label or a number; the table's rows are the entries'.

    known: what a path may mean; names: what may be meant by its last part alone.
    """
    table = read_table(files, options)
    table = sets.together(table, options.target) if options.want_targets else table
    found = roles(table, options)
    said = said_in(table, media)
    if said is not None and options.target is None and (found.target is None or options.task == SAID):
        found.target, found.target_why = said, f"column {said!r}"
    target = need_target(table, found) if options.want_targets else None
    if found.path is None:
        raise DataError(f"the table has no column of {media.one} files", table.files[0], "Give a column path with files that are there.")
    if target is not None:
        table = table.drop_bad(table.missing(target), "the target is missing", target, "Fill it in, or remove the row.")
    source = Source(media.kind, None, [], [], problems=list(table.problems), notes=list(table.notes), seen=table.seen,
                    reading={"inputs": [found.path], "target": target})
    if media.said and target is not None and (target == said or looks(table, target) == "text"):
        source.task = SAID
    return rows_of(known, names, table, found, target, options), source, table


def said_in(table: Table, media: Media) -> str | None:
    """The column with what is said in each file, if there is one."""
    named = {name.strip().lower(): name for name in reversed(table.columns)}
    return next((named[name] for name in media.said if name in named), None)


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


def reads(files: Files, entries: Sequence[Entry]) -> list[partial[bytes]]:
    """For each entry what gives its bytes, from any thread, or raises OSError."""
    return [partial(content, files, entry.file) for entry in entries]


def content(files: Files, name: str) -> bytes:
    """All bytes of a file. Raises OSError."""
    if not name:
        raise FileNotFoundError("there is no such file")
    if files.members[name].size > MOST_BYTES:
        raise OSError(f"the file has {files.members[name].size / 1e9:.1f} GB, more than {MOST_BYTES / 1e9:.1f}")
    try:
        with files.open_bytes(name) as stream:
            return stream.read()
    except BROKEN as error:
        raise OSError(str(error) or type(error).__name__) from None


def fill(source: Source, entries: Sequence[Entry], items: Any, failed: Mapping[int, str], options: ReadOptions) -> Source:
    """`source` with the items of all entries but the `failed` ones (place → what is wrong), which are set aside."""
    source.problems += [Problem(what, entries[number].where, SPARE, bad=True, position=entries[number].position, key=entries[number].key)
                        for number, what in sorted(failed.items())]
    chosen = [entry for number, entry in enumerate(entries) if number not in failed]
    source.items, source.keys = items, [entry.key for entry in chosen]
    source.targets = [entry.target for entry in chosen] if options.want_targets else []
    source.where = [entry.where for entry in chosen]
    source.split = [entry.split or "train" for entry in chosen] if any(entry.split for entry in chosen) else None
    source.groups = column(chosen, "group")
    source.times = column(chosen, "time")
    source.folds = column(chosen, "fold")
    return source


def column(entries: Sequence[Entry], name: str) -> list[Any] | None:
    values = [getattr(entry, name) for entry in entries]
    return None if all(value is None for value in values) else values


def none_left(failed: Mapping[int, str], entries: Sequence[Entry], source: Source, media: Media) -> DataError:
    first = min(failed, default=None)
    if first is None:
        problem = source.problems[0] if source.problems else Problem(f"there is no {media.one}", "")
        return DataError(f"no {media.one} can be used; the first: {problem.what}", problem.where, problem.fix or SPARE)
    return DataError(f"none of {len(entries):,} {media.many} can be read; the first: {failed[first]}", entries[first].where, SPARE)


def summary(numbers: Sequence[float]) -> dict[str, float]:
    """Least, median and most, whole numbers kept whole."""
    return {"min": min(numbers), "median": float(np.median(numbers)), "max": max(numbers)}
