"""Tables: rows of numbers and categories. One cell of many channels: what has no order gets no neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bakeoff.data import sets, stacks
from bakeoff.data.base import Arrays, Claim, Indices, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.roles import Roles, first_roles, moments, need_target, roles
from bakeoff.data.rows import Table, peek, read_table, tables
from bakeoff.errors import DataError, near
from bakeoff.registry import kind

MOST_WORDS = 50                       # of a category; the rarer ones are 'other'


@kind("table")
class Rows:
    """CSV, TSV, JSONL, Parquet or ARFF of numbers and categories with a target; .npz with a 2-D x.

    A number that is missing becomes the training mean, and a channel tells where one was; a category becomes one
    channel per word, the 50 most frequent of the training split and 'other'. Columns that never vary are left out.
    """

    name: ClassVar[str] = "table"
    axes: ClassVar[tuple[str, ...]] = ("row",)
    settings: ClassVar[tuple[str, ...]] = ()

    def claims(self, files: Files) -> Claim | None:
        for name in stacks.npz_names(files):
            for array, (shape, dtype) in stacks.input_heads(files, name).items():
                if len(shape) == 2 and dtype.kind in "iufb":
                    return Claim(0.95, f"{name} holds {array} of shape {shape[0]:,} × {shape[1]}: rows and columns")
        table, found = peek(files), first_roles(files)
        if table is None or found is None:    # a table that cannot be read: `read` tells what is wrong with it
            return Claim(0.2, f"{tables(files)[0]} is a table") if tables(files) else None
        what = f"{table.files[0]} has {len(found.numbers)} columns of numbers and {len(found.categories)} of categories"
        if found.texts or found.path:
            return Claim(0.1, what)
        if found.times:
            return Claim(0.3, f"{what}, and times in {found.times[0]!r}")
        return Claim(0.8 if found.target is not None else 0.6, what)

    def read(self, files: Files, options: ReadOptions) -> Source:
        """items: DataFrame, numbers as float64 (NaN: missing), categories as str ('': missing). Raises DataError."""
        npz = stacks.npz_names(files)
        if npz:
            return from_stacks([stack for name in npz for stack in stacks.read_npz(files, name, options.want_targets)], options)
        table = read_table(files, options)
        new = "table.numbers" in options.settings     # new data: each column is what it was in training
        if new:
            table = table.placed(options.settings["table.width"], options.target)
        table = sets.together(table, options.target) if options.want_targets else table
        found = roles(table, options)
        if new:
            found.numbers = tuple(options.settings["table.numbers"])
            found.categories = tuple(name for name in options.inputs if name not in found.numbers)
        target = need_target(table, found) if options.want_targets else None
        notes = list(table.notes)
        if target is not None and found.target_why != "asked for":
            notes.append(f"the target is {found.target_why} (--target COLUMN for another)")
        if found.times and not options.time and options.want_targets:
            notes.append(f"column {found.times[0]!r} holds times and is not read (--time {found.times[0]} splits by it)")
        table, numbers = without_bad(table, found, target)
        frame: dict[str, Any] = {name: numbers[name] for name in found.numbers}
        frame |= {name: [cell.strip() for cell in table.strings(name)] for name in found.categories}
        frame = {name: frame[name] for name in table.columns if name in frame}
        if not frame:
            raise DataError("the table has no columns of numbers or categories to learn from", ", ".join(table.files),
                            f"Give some; not read are: {unread(found)}." if found.unused else "Give some.")
        if found.texts:
            notes.append(f"columns of text are not read: {', '.join(found.texts)}")
        if found.unused and not options.inputs:
            notes.append(f"not read: {unread(found)}")
        if not len(table):
            first = table.problems[0]
            raise DataError(f"none of {table.seen:,} rows can be used; the first: {first.what}", first.where, first.fix)
        return Source(self.name, pd.DataFrame(frame), table.keys(), [] if target is None else table.strings(target),
                      split=table.strings(found.split) if found.split else table.split(),
                      groups=table.strings(found.group) if found.group else None, times=moments(table, options.time),
                      folds=table.strings(found.fold) if found.fold else None, problems=table.problems, notes=notes, seen=table.seen,
                      facts={"columns": len(frame), "numbers": len(found.numbers), "categories": len(found.categories)},
                      reading={"inputs": list(frame), "target": target,
                               "settings": {"table.numbers": list(found.numbers), "table.width": len(table.columns)}})

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        """state: columns, each with how it becomes channels; names of the channels; notes."""
        columns: list[dict[str, Any]] = []
        dropped: list[str] = []
        rare: list[str] = []
        for name in source.items.columns:
            values = source.items[name].iloc[train]
            column = fit_numbers(str(name), values.to_numpy()) if is_number(source.items[name]) else fit_words(str(name), values.tolist())
            if column is None:
                dropped.append(str(name))
                continue
            columns.append(column)
            if column.get("other"):
                rare.append(str(name))
        if not columns:
            raise DataError("every column has one value only", "the training rows", "Give columns that vary.")
        names = [channel for column in columns for channel in channels_of(column)]
        notes = []
        if dropped:
            notes.append(f"columns that never vary are left out: {listed(dropped)}")
        if rare:
            notes.append(f"of {listed(rare)} the {MOST_WORDS} most frequent words are kept, the others are 'other'")
        return {"channels": len(names), "columns": columns, "names": names, "notes": notes}

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """float32 (N, 1, C). Raises DataError where a column of the training lacks."""
        cells = np.zeros((len(source), 1, state["channels"]), np.float32)
        place = 0
        for column in state["columns"]:
            name = column["name"]
            if name not in source.items.columns:
                raise DataError(f"there is no column {name!r}", "the table", near(name, map(str, source.items.columns)))
            values = source.items[name]
            width = len(channels_of(column))
            fill = encode_numbers if column["form"] == "number" else encode_words
            fill(column, values, cells[:, 0, place:place + width])
            place += width
        return Arrays(cells)

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        row = source.items.iloc[index]
        return {"form": "row", "cells": {str(name): plain(value) for name, value in row.items()}}


def without_bad(table: Table, found: Roles, target: str | None) -> tuple[Table, dict[str, np.ndarray]]:
    """The table without rows whose target is missing, or that have a word where numbers stand; and its numbers."""
    if target is not None:
        table = table.drop_bad(table.missing(target), "the target is missing", target, "Fill it in, or remove the row.")
    for name in found.numbers:
        table = table.drop_bad(table.numbers(name)[1], "{cell!r} is no number", name, "Mend the cell, or leave it empty.")
    return table, {name: table.numbers(name)[0] for name in found.numbers}


def from_stacks(found: Sequence[stacks.Stack], options: ReadOptions) -> Source:
    """Arrays (N, D) as a table with columns 1 … D."""
    rows: list[np.ndarray] = []
    splits: list[str] = []
    keys: list[str] = []
    targets: list[Any] = []
    for stack in found:
        if stack.x.ndim != 2 or (rows and stack.x.shape[1] != rows[0].shape[1]):
            raise DataError(f"the array has shape {stack.x.shape}", stack.name, "Give rows and columns, the same columns in all splits.")
        rows.append(stack.x.astype(np.float64))
        keys += [f"{stack.name}:{number}" for number in range(len(stack.x))]
        splits += [stack.split or "train"] * len(stack.x)
        if options.want_targets and stack.y is not None:
            targets += stacks.target_list(stack.y)
    values = np.concatenate(rows)
    if np.isinf(values).any():
        raise DataError("the array holds infinite numbers", found[0].name, "Replace them, or make them NaN (missing).")
    frame = pd.DataFrame(values, columns=[str(number) for number in range(1, values.shape[1] + 1)])
    return Source(Rows.name, frame, keys, targets, split=splits if any(stack.split for stack in found) else None, seen=len(keys),
                  facts={"columns": frame.shape[1], "numbers": frame.shape[1], "categories": 0})


def fit_numbers(name: str, values: np.ndarray) -> dict[str, Any] | None:
    """None where they never vary, nor are ever missing."""
    missing = np.isnan(values)
    known = values[~missing]
    varies = len(known) > 0 and known.min() < known.max()
    gaps = bool(missing.any() and not missing.all())
    if not varies and not gaps:
        return None
    return {"name": name, "form": "number", "fill": float(known.mean()), "gaps": gaps}


def fit_words(name: str, values: Sequence[str]) -> dict[str, Any] | None:
    counts = Counter(values)
    if len(counts) < 2:
        return None
    words = sorted(counts, key=lambda word: (-counts[word], word))
    return {"name": name, "form": "words", "words": words[:MOST_WORDS], "other": len(words) > MOST_WORDS}


def channels_of(column: Mapping[str, Any]) -> list[str]:
    """What each channel of a column is called."""
    name = column["name"]
    if column["form"] == "number":
        return [name, f"{name} is missing"] if column["gaps"] else [name]
    return [f"{name} = {word or 'missing'}" for word in column["words"]] + ([f"{name} = other"] if column["other"] else [])


def encode_numbers(column: Mapping[str, Any], values: pd.Series, cells: np.ndarray) -> None:
    if not is_number(values):
        values = pd.to_numeric(values, errors="coerce")
    numbers = values.to_numpy(np.float64)
    missing = np.isnan(numbers)
    cells[:, 0] = np.where(missing, column["fill"], numbers)
    if column["gaps"]:
        cells[:, 1] = missing


def encode_words(column: Mapping[str, Any], values: pd.Series, cells: np.ndarray) -> None:
    """One channel per word; a word that training did not have is 'other' where there is one, else no channel at all."""
    order = {word: number for number, word in enumerate(column["words"])}
    other = len(order) if column["other"] else -1
    each, word_of = np.unique(values.to_numpy(object).astype(str) if not is_number(values) else values.to_numpy(), return_inverse=True)
    where = np.asarray([order.get(as_word(word), other) for word in each.tolist()], np.int64)[word_of]
    rows = np.flatnonzero(where >= 0)
    cells[rows, where[rows]] = 1


def as_word(value: Any) -> str:
    """A cell that training had as a word: new data may have none but numbers there."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:g}"
    return str(value)


def is_number(values: pd.Series) -> bool:
    return values.dtype.kind in "fiu"


def plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(f"{value:.6g}")
    return value if isinstance(value, str) else str(value)


def unread(found: Roles) -> str:
    some = "; ".join(f"{name} ({why})" for name, why in list(found.unused.items())[:8])
    return some + (" …" if len(found.unused) > 8 else "")


def listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
