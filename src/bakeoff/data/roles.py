"""What each column of a table is for: target, group, time, split, path, text, numbers and categories."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.data.base import ReadOptions
from bakeoff.data.files import Files
from bakeoff.data.names import MEDIA, SPLITS, ending
from bakeoff.data.rows import Table, as_text, peek
from bakeoff.data.sniff import is_number
from bakeoff.data.split import sort_of_split
from bakeoff.errors import DataError, near

TARGETS = ("label", "target", "class", "y")
PATHS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "audio_filepath", "clip", "video", "video_path")
TEXTS = ("text", "sentence", "review", "comment", "document", "body", "content", "message", "title", "question")
TIMES = ("date", "time", "timestamp", "datetime", "ds")
SPLIT_NAMES = ("split", "set", "subset", "partition")
SAMPLE = 2000
DATE = re.compile(r"^\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})"                    # 2024-01-31, 31.1.2024
                  r"([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?\s*$")             # 17:00:00.5+01:00


@dataclass
class Roles:
    """The columns by what they are for. A column has one role; ids and constant words have none (`unused`)."""

    target: str | None = None
    target_why: str = ""
    group: str | None = None
    split: str | None = None
    fold: str | None = None
    times: tuple[str, ...] = ()
    path: str | None = None
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    unused: dict[str, str] = field(default_factory=dict)      # column → why


def roles(table: Table, options: ReadOptions) -> Roles:
    """What the columns are for, by the options first, then by their names, then by what they hold.

    Raises DataError where an option names a column that is not there. The target stays None where it cannot be told:
    `need_target` says so to the user.
    """
    found = Roles()
    left = dict.fromkeys(table.columns)

    def take(name: str | None, option: str) -> str | None:
        if name is None:
            return None
        if name not in table.columns:
            if not options.want_targets:
                return None                   # new data owe the inputs alone
            raise DataError(f"there is no column {name!r}", f"{option} {name}", near(name, table.columns))
        left.pop(name, None)
        return name

    found.group = take(options.group, "--group")
    found.times = tuple(name for name in options.time if take(name, "--time"))
    if options.split is not None and sort_of_split(options.split) == "column":
        found.split = take(options.split, "--split")
    if options.folds is not None and not options.folds.isdigit():
        found.fold = take(options.folds, "--folds")
    if options.target is not None:
        found.target, found.target_why = take(options.target, "--target"), "asked for"
    named = {name.strip().lower(): name for name in reversed(left)}
    if found.split is None:
        name = next((named[known] for known in SPLIT_NAMES if known in named), None)
        if name is not None and says_split(table, name):
            found.split = take(name, "")
    if found.fold is None and "fold" in named:
        found.fold = take(named["fold"], "")
    if (found.target is None and options.want_targets) or (found.target is None and not options.inputs):
        name = next((named[known] for known in TARGETS if known in named), None)
        if name is not None:
            found.target, found.target_why = take(name, ""), f"column {name!r}"
    if options.inputs:
        unasked = [name for name in left if name not in options.inputs]
        for name in options.inputs:
            if name not in table.columns:
                raise DataError(f"there is no column {name!r}", f"--inputs {name}", near(name, table.columns))
            if name not in left:
                raise DataError(f"column {name!r} is an input and something else", f"--inputs {name}",
                                "Take it out of one of the two options.")
        for name in unasked:
            left.pop(name)
            found.unused[name] = "not among --inputs"
    sort_inputs(table, list(left), found, asked=bool(options.inputs))
    if found.target is None and not table.header and options.want_targets:
        guess_nameless(table, found)
    return found


def first_roles(files: Files) -> Roles | None:
    """The roles that the beginning of the first table suggests; None: there is no table."""
    if "roles" not in files.memo:
        table = peek(files)
        files.memo["roles"] = None if table is None else roles(table, ReadOptions())
    return files.memo["roles"]


def sort_inputs(table: Table, names: list[str], found: Roles, asked: bool) -> None:
    by: dict[str, list[str]] = {"number": [], "category": [], "text": [], "path": [], "time": []}
    for name in names:
        what = looks(table, name)
        if what in by:
            by[what].append(name)
        else:
            found.unused[name] = what
    found.numbers, found.categories, found.texts = tuple(by["number"]), tuple(by["category"]), tuple(by["text"])
    found.path = by["path"][0] if by["path"] else None
    for name in by["path"][1:]:
        found.unused[name] = "a second column of paths"
    if not found.times:
        found.times = tuple(by["time"])
    else:
        found.unused.update(dict.fromkeys(by["time"], "another column of times"))


def looks(table: Table, name: str) -> str:
    """'number', 'category', 'text', 'path', 'time', or in words why the column is of no use."""
    array = table.columns[name]
    if pa.types.is_temporal(array.type):
        return "time"
    if pa.types.is_nested(array.type) or pa.types.is_binary(array.type):
        return "it holds no plain values"
    if not isinstance(array, pa.ChunkedArray) and len(array) == 0:
        return "it is empty"
    known = ~table.missing(name)
    if not known.any():
        return "it is empty"
    low = name.strip().lower()
    cells = sample(table, name)
    numbers, bad = table.numbers(name) if sum(map(is_number, cells)) > 0.5 * len(cells) else (np.zeros(0), known)
    if bad.sum() <= 0.05 * known.sum():
        if (low in ("", "unnamed: 0", "index") or re.fullmatch(r"column \d+", low)) and counts_up(numbers):
            return "it counts the rows"
        return "number"
    if sum(ending(cell.strip()) in MEDIA for cell in cells) >= 0.8 * len(cells):
        return "path"
    if sum(DATE.match(cell) is not None for cell in cells) >= 0.95 * len(cells):
        return "time"
    distinct = len(set(cells)) / len(cells)
    words = sum(len(cell.split()) for cell in cells) / len(cells)
    letters = sum(map(len, cells)) / len(cells)
    if low in PATHS and words < 3 and (distinct > 0.5 or any("/" in cell or ending(cell.strip()) in MEDIA for cell in cells)):
        return "path"                         # also that of a folder, which has no ending
    if (distinct > 0.5 and (words >= 3 or letters >= 25)) or (low in TEXTS and (distinct > 0.2 or words >= 3)):
        return "text"
    if distinct > 0.95 and len(cells) > 50:
        return "nearly every row has another word: a name or number of the row"
    return "category"


def sample(table: Table, name: str) -> list[str]:
    """At most SAMPLE cells that are not empty, evenly spread."""
    where = np.flatnonzero(~table.missing(name))
    where = where[np.linspace(0, len(where) - 1, min(SAMPLE, len(where))).astype(np.int64)]
    return as_text(table.columns[name].take(pa.array(where))).fill_null("").to_pylist()


def counts_up(numbers: Any) -> bool:
    return bool(len(numbers) > 1 and not np.isnan(numbers).any() and (np.diff(numbers) == 1).all())


def says_split(table: Table, name: str) -> bool:
    return all(cell.strip().lower() in SPLITS for cell in set(sample(table, name)))


def guess_nameless(table: Table, found: Roles) -> None:
    """The target of a table without header: its last column, where that is the one that can hold labels."""
    names = list(table.columns)
    last = names[-1]
    if last in found.categories:
        others = [name for name in found.categories if name != last]
        clear = not others or distinct(table, last) <= min(distinct(table, name) for name in others)
    else:
        fits = [name for name in found.numbers if few_integers(table, name)]
        clear = last in fits and names[0] not in fits and not found.categories
    if clear:
        found.target, found.target_why = last, f"the last of {len(names)} columns without names"
        found.categories = tuple(name for name in found.categories if name != last)
        found.numbers = tuple(name for name in found.numbers if name != last)


def distinct(table: Table, name: str) -> int:
    return len(set(table.strings(name)))


def few_integers(table: Table, name: str) -> bool:
    numbers, _ = table.numbers(name)
    values = np.unique(numbers[~np.isnan(numbers)])
    return 2 <= len(values) <= 20 and bool((values == np.round(values)).all())


def moments(table: Table, names: Sequence[str]) -> list[Any] | None:
    """What rows are ordered by in time: numbers, dates, or both (year, month …). Raises DataError for what is neither."""
    if not names:
        return None
    import pandas as pd
    columns: list[list[Any]] = []
    for name in names:
        numbers, bad = table.numbers(name)
        if not bad.any() and not np.isnan(numbers).any():
            columns.append(numbers.tolist())
            continue
        parsed = pd.to_datetime(pd.Series(table.strings(name), dtype=object), errors="coerce", utc=True, format="mixed")
        wrong = np.flatnonzero(parsed.isna().to_numpy())
        if len(wrong):
            raise DataError(f"{table.strings(name)[wrong[0]]!r} is no time", table.where(int(wrong[0]), name),
                            "Write times as 2024-01-31 17:00, or as numbers.")
        columns.append(parsed.astype("int64").tolist())
    return list(zip(*columns, strict=True))


def need_target(table: Table, found: Roles) -> str:
    """The target's column. Raises DataError where it is not known."""
    if found.target is not None:
        return found.target
    names = ", ".join(list(table.columns)[:12]) + (" …" if len(table.columns) > 12 else "")
    last = list(table.columns)[-1]
    raise DataError("which column is the target is not known: none is called label, target, class or y" if table.header
                    else "which column is the target is not known: the table has no header",
                    ", ".join(table.files), f"Say --target COLUMN, for instance --target {last}. Columns: {names}.")
