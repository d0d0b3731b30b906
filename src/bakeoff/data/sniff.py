"""How a separated file is written: its separator, its quotes, whether its first row names the columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bakeoff.errors import DataError

KNOWN = frozenset(("label", "labels", "target", "class", "y", "text", "sentence", "path", "file", "filename", "image", "audio_filepath",
                   "split", "fold", "id", "key", "ds", "date", "time", "timestamp", "group", "value", "name"))   # hardly ever cells
MISSING = ("", "?", "nan", "na", "n/a", "<na>", "null", "none")


@dataclass
class Form:
    """delimiter, whether quotes have a meaning, whether a space after the delimiter belongs to it, names, header."""

    delimiter: str
    quoting: bool
    spaced: bool
    names: list[str]
    header: bool
    notes: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        return len(self.names)

    def dialect(self) -> dict[str, Any]:
        """Arguments of csv.reader."""
        quoting = csv.QUOTE_MINIMAL if self.quoting else csv.QUOTE_NONE
        return {"delimiter": self.delimiter, "skipinitialspace": self.spaced, "quoting": quoting}


def form(sample: Sequence[str], ending: str, where: str, named: Sequence[str] = ()) -> Form:
    """The form of a file from its first lines. named: columns that the options name. Raises DataError where they are no table."""
    delimiter = "\t" if ending == ".tsv" else best_delimiter(sample, ending)
    spaced = delimiter != "\t" and all_spaced(sample, delimiter)
    quoting = not (delimiter == "\t" and regular(sample, delimiter))
    found = Form(delimiter, quoting, spaced, [], True)
    rows = [row for row in csv.reader(sample, **found.dialect()) if row and any(cell.strip() for cell in row)]
    if len(rows) > 1 and len(sample) >= 400:
        rows = rows[:-1]                      # the last may be cut in a quoted cell
    widths = Counter(len(row) for row in rows[1:] or rows)
    width = widths.most_common(1)[0][0]
    first, rest = rows[0], [row for row in rows[1:] if len(row) == width]
    if len(first) == width - 1 and rest:      # as R writes it: row names have no head
        first = ["", *first]
    if named and all(name.isdigit() for name in named):
        found.header = [cell.strip() for cell in first] == [str(n) for n in range(width)] and bool(rest)
    else:
        found.header = len(first) != width or any(cell.strip() in named for cell in first) or has_header(first, rest)
    if found.header and len(first) != width:
        raise DataError(f"the first row has {len(first)} cells, most others {width}", f"{where}, line 1",
                        "Give every column a name, and put quotes around cells that hold the separator.")
    found.names = unique([name.strip() for name in first], found.notes) if found.header else [str(n) for n in range(1, width + 1)]
    if not found.header:
        found.notes.append(f"{where} has no header: its columns are called 1 … {width}")
    return found


def best_delimiter(sample: Sequence[str], ending: str) -> str:
    """The separator under which most rows have the same number of cells, more than one; the comma of a .csv where it fits all."""
    def fit(delimiter: str) -> tuple[float, int]:
        rows = [row for row in csv.reader(sample, delimiter=delimiter) if row]
        width, count = Counter(map(len, rows)).most_common(1)[0]
        return (count / len(rows) if width > 1 else 0.0), width
    fits = {delimiter: fit(delimiter) for delimiter in ",\t;|"}
    if ending == ".csv" and fits[","][0] == 1:
        return ","
    best = max(fits, key=lambda delimiter: (round(fits[delimiter][0], 1), fits[delimiter][1] if fits[delimiter][0] > 0.8 else 0))
    return best if fits[best][0] > 0 else ","


def all_spaced(sample: Sequence[str], delimiter: str) -> bool:
    """Whether every separator is followed by a space: 'a, b, c'."""
    lines = [line for line in sample if delimiter in line]
    return bool(lines) and all(line.count(delimiter) == line.count(delimiter + " ") for line in lines)


def regular(sample: Sequence[str], delimiter: str) -> bool:
    """Whether all lines have the same number of separators, quotes ignored: then a quote is a sign like any other."""
    cells = [cell for line in sample if '"' in line for cell in line.rstrip("\r\n").split(delimiter) if '"' in cell]
    return len({line.count(delimiter) for line in sample if line.strip()}) == 1 and not all(cell[0] == cell[-1] == '"' for cell in cells)


def has_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns, by a vote of the columns: a word over numbers is a name, a number over
    numbers is none, nor is a cell that comes again below. Known names decide."""
    names = [cell.strip() for cell in first]
    if any(name.lower() in KNOWN for name in names):
        return True
    count = len(names)
    numbers = [str(n) for n in range(count + 1)]
    if count > 2 and names in (numbers[:-1], numbers[1:], ["", *numbers[:-2]]):
        return bool(rest)
    votes = 0
    words = 0
    for column, name in enumerate(names):
        below = [row[column].strip() for row in rest if row[column].strip().lower() not in MISSING]
        counted = sum(map(is_number, below))
        if name.lower() in MISSING or not below:
            continue
        if is_number(name):
            votes -= 1
        elif counted > 0.9 * len(below):
            votes += 1
        elif name in below:
            votes -= 1
        elif len(set(below)) < 0.5 * len(below):
            words += 1
    if votes:
        return votes > 0
    return words > 0 or (not rest and not any(map(is_number, names)))


def is_number(text: str) -> bool:
    """Whether a cell is a number, with a decimal point or comma."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def unique(names: Sequence[str], notes: list[str]) -> list[str]:
    """Every column with a name of its own: nameless ones are called 'column 3', repeated ones 'x 2'."""
    taken: list[str] = []
    for number, name in enumerate(names, 1):
        wanted = name or f"column {number}"
        if wanted in taken:
            again = next(f"{wanted} {n}" for n in range(2, len(names) + 2) if f"{wanted} {n}" not in taken)
            notes.append(f"a second column is called {wanted!r}: it is read as {again!r}")
            wanted = again
        taken.append(wanted)
    return taken


def arff_name(rest: str, where: str) -> str:
    """The name in '@attribute NAME type'. Raises DataError for a relational attribute."""
    rest = rest.strip()
    if rest[:1] in "'\"" and rest[:1]:
        name, _, kind = rest[1:].partition(rest[0])
    else:
        name, _, kind = rest.partition(" ")
    if kind.strip().lower().startswith("relational"):
        raise DataError("the file has a relational attribute", where, "Write it as .ts, or one row per example.")
    return name
