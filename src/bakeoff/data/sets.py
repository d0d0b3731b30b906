"""Targets that are sets of labels: 'a;b' in one column, or a column of 0 and 1 for each label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.data.base import Source
from bakeoff.data.rows import Table
from bakeoff.errors import DataError, OptionError, near
from bakeoff.types import SEPARATOR, label_order, labels_of

SETTING = "labels"            # --set labels=one | several
YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


def are_sets(targets: Sequence[Any], asked: Any = None, column: str | None = None) -> str | None:
    """Why these targets are sets of labels, in words; None: each is one label. asked: what --set says; column: where they were read.
    Raises OptionError.

    They are where labels stand with others in some cells and without them in other cells: a name that happens to hold the
    separator does not take part in another name. A cell that ends in it is a set in any case.
    """
    if asked is not None:
        if str(asked).strip().lower() not in ("one", "several"):
            raise OptionError(f"{asked!r} says neither one nor several", f"--set {SETTING}={asked}", near(str(asked), ("one", "several")))
        return "asked for" if str(asked).strip().lower() == "several" else None
    cells = {str(target) for target in set(targets) if isinstance(target, str)}
    together = sorted(cell for cell in cells if SEPARATOR in cell)
    if not together:
        return None
    if all(cell.rstrip().endswith(SEPARATOR) for cell in cells):
        return f"a column of 0 and 1 each: {column}" if column and "," in column else "they are given as lists"
    where = Counter(label for known in {frozenset(labels_of(cell)) for cell in cells} for label in known)
    mixed = {label for cell in together for label in labels_of(cell)}
    if 2 * sum(where[label] > 1 for label in mixed) < len(mixed):
        return None
    return f"labels stand side by side, as in {together[0]!r}, and come again in other sets"


def canonical(target: Any) -> str:
    """The labels in their order, each once: 'b; a;b' → 'a;b'; no label: ''."""
    return SEPARATOR.join(sorted(set(labels_of(target)), key=label_order))


def names(targets: Iterable[str], several: bool) -> Counter[str]:
    """How often each label is among the targets."""
    return Counter(label for target in targets for label in (labels_of(target) if several else [target]))


def strata(source: Source) -> list[Any]:
    """By what splits are balanced: the label; of a set the rarest label, since whole sets may be as many as examples."""
    if not source.several:
        return source.targets
    often = names(source.targets, several=True)
    return [min(labels_of(target), key=lambda label: (often[label], label), default="") for target in source.targets]


def together(table: Table, target: str | None) -> Table:
    """The table with the columns that --target names, where it names several, as one column of that name: 'a;c;' per row.

    Rows with anything but 0 and 1 in one of them are set aside. Raises DataError where a column is not there.
    """
    columns = [] if target is None else [part.strip() for part in target.split(",") if part.strip()]
    if target is None or target in table.columns or len(columns) < 2:
        return table
    for name in columns:
        if name not in table.columns:
            raise DataError(f"there is no column {name!r}", f"--target {target}", near(name, table.columns))
        if SEPARATOR in name:
            raise DataError(f"the label {name!r} holds a {SEPARATOR!r}", f"--target {target}", "Call the column otherwise.")
        cells = np.asarray([cell.strip().lower() for cell in table.strings(name)])
        table = table.drop_bad(~np.isin(cells, (*YES, *NO)), "{cell!r} is neither 0 nor 1, as each of several targets is", name,
                               "Write 0 or 1, or name one column.")
    there = np.stack([np.isin([cell.strip().lower() for cell in table.strings(name)], YES) for name in columns], 1)
    joined = ["".join(f"{name}{SEPARATOR}" for name, is_there in zip(columns, row, strict=True) if is_there) or SEPARATOR
              for row in there.tolist()]
    left = {name: column for name, column in table.columns.items() if name not in columns}
    return replace(table, columns={**left, target: pa.array(joined, pa.large_string())})
