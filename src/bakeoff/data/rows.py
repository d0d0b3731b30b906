"""Tables of any sort – CSV, TSV, JSONL, Parquet, ARFF – as columns with the line each row came from."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bakeoff.data import sniff
from bakeoff.data.base import Problem, ReadOptions
from bakeoff.data.files import Files
from bakeoff.data.names import TABLES, common_stem, ending, file_split, split_order
from bakeoff.errors import DataError

CHUNK = 65536
PEEK = 1 << 18                        # bytes that show what a table's columns are
LONGEST_CELL = 64 << 20               # characters; beyond it a quote was opened and never closed
MISSING = ("", "?", "nan", "na", "n/a", "<na>", "null", "none")      # what a column of numbers may hold instead of one


@dataclass
class Table:
    """Rows of one file, or of several with the same columns, column by column.

    columns: name → pyarrow array; text as read, or the file's own type (Parquet). file and lines say where each row
    stands; splits holds, per file, what its name or folder says ('train' | 'val' | 'test' | None).
    """

    columns: dict[str, Any]
    files: list[str]
    file: NDArray[np.int32]
    lines: NDArray[np.int64]
    splits: list[str | None]
    header: bool = True                       # False: the files name no columns, they are called '1' … 'n'
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seen: int = 0                             # rows found, those set aside included
    order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))    # each row's position among those seen

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, row: int, column: str = "") -> str:
        """'labels.csv, line 214', with ', column x' where asked."""
        place = f"{self.files[self.file[row]]}, line {self.lines[row]}"
        return f"{place}, column {column!r}" if column else place

    def keys(self) -> list[str]:
        """A key for each row: 'train.csv:17'."""
        files = self.files
        return [f"{files[part]}:{line}" for part, line in zip(self.file.tolist(), self.lines.tolist(), strict=True)]

    def split(self) -> list[str] | None:
        """'train' | 'val' | 'test' per row where the files' names say it; None where they do not."""
        if not any(self.splits):
            return None
        known = [split or "train" for split in self.splits]
        return [known[part] for part in self.file.tolist()]

    def strings(self, column: str) -> list[str]:
        """The cells as text, as read: not trimmed, '' where there is nothing."""
        return as_text(self.columns[column]).fill_null("").to_pylist()

    def missing(self, column: str) -> NDArray[np.bool_]:
        """Where a cell is empty, or '?'."""
        text = pc.utf8_trim_whitespace(as_text(self.columns[column]).fill_null(""))
        return pc.is_in(text, value_set=pa.array(["", "?"], pa.large_string())).to_numpy(zero_copy_only=False)

    def numbers(self, column: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The cells as float64, NaN where missing; and where a cell holds something that is no finite number."""
        return as_numbers(self.columns[column])

    def keep(self, rows: NDArray[Any]) -> Table:
        """These rows (mask or positions) only; problems, notes and seen stay."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        columns = {name: column.take(pa.array(rows)) for name, column in self.columns.items()}
        return Table(columns, self.files, self.file[rows], self.lines[rows], self.splits, self.header, self.problems, self.notes, self.seen,
                     self.order[rows])

    def placed(self, width: int, target: str | None) -> Table:
        """New data without names, read by place: with the columns' numbers as they were in a training table of `width`
        columns, whose target new data may leave out. Raises DataError for another width."""
        count = len(self.columns)
        if self.header or count == width:
            return self
        if count != width - 1 or target is None or not target.isdigit():
            raise DataError(f"the table has {count} columns, that of the training had {width}", self.files[0],
                            "Give the same columns in the same order.")
        gap = int(target)
        columns = {str(place if place < gap else place + 1): column for place, column in enumerate(self.columns.values(), 1)}
        return replace(self, columns=columns)

    def drop_bad(self, bad: NDArray[np.bool_], what: str, column: str, fix: str = "") -> Table:
        """Without the rows where `bad`; each is told as a Problem. what may hold {cell!r}."""
        if not bad.any():
            return self
        cells = self.columns[column].take(pa.array(np.flatnonzero(bad))).to_pylist()
        for row, cell in zip(np.flatnonzero(bad).tolist(), cells, strict=True):
            key = f"{self.files[self.file[row]]}:{self.lines[row]}"
            self.problems.append(Problem(what.format(cell=cell), self.where(row, column), fix, True, int(self.order[row]), key))
        return self.keep(~bad)


def tables(files: Files) -> list[str]:
    """The tables that belong together and are to be read as one, or all of them where several problems lie side by side.

    Together: one file; files that differ in the split their names or folders say (adult-train.csv, adult-test.csv); or
    numbered parts (part-0.parquet, part-1.parquet).
    """
    return files.having(TABLES)


def one_problem(files: Files, names: Sequence[str]) -> list[str]:
    """`names` if they are parts of one table. Raises DataError where there are several tables: the user names one."""
    stems: dict[str, list[str]] = {}
    for name in [name for name in names if files.members[name].split is None] or names:       # what --test gives may be called as it likes
        folder = files.folder(name)
        stem = "".join(sign for sign in common_stem(name) if not sign.isdigit()).strip("_-. ")
        stems.setdefault(f"{folder}/{stem}", []).append(name)
    if len(stems) == 1:
        return sorted(names, key=lambda name: split_order(files.split(name)))
    pairs = [common_stem(name) for name in names if file_split(name) and common_stem(name)]
    offer = f"{files.path}/{pairs[0]} takes its train and test file" if pairs else f"for instance {files.path}/{names[0]}"
    raise DataError(f"there are {len(stems)} tables here, not one: {', '.join(names[:6])}{' …' if len(names) > 6 else ''}", str(files.path),
                    f"Name one: {offer}.")


def read_table(files: Files, options: ReadOptions, names: Iterable[str] | None = None) -> Table:
    """The table that `files` hold (names: these files instead). Rows that are broken are set aside as problems.

    Raises DataError: no table; several tables; binary; not of this encoding; a header alone; no rows.
    """
    names = one_problem(files, tables(files)) if names is None else list(names)
    if not names:
        raise DataError("there is no table here", str(files.path), "Give a CSV, TSV, JSONL, Parquet or ARFF file.")
    return joined([read_one(files, name, options) for name in names])


def peek(files: Files) -> Table | None:
    """The beginning of the first table, whatever its encoding: enough to see what its columns are. None: no table."""
    if "peek" not in files.memo:
        names = tables(files)
        files.memo["peek"] = None
        if names:
            try:
                sample = files if ending(names[0]) == ".parquet" else files.sample(names[0], PEEK)
                files.memo["peek"] = read_one(sample, names[0], ReadOptions(encoding="latin-1"))
            except DataError:
                pass                          # whoever reads it tells what is wrong with it
    return files.memo["peek"]


def read_one(files: Files, name: str, options: ReadOptions) -> Table:
    """One file as a Table."""
    match ending(name):
        case ".parquet":
            read = parquet(files, name)
        case ".jsonl" | ".ndjson":
            read = jsonl(files, name, options.encoding)
        case ".arff":
            read = arff(files, name, options.encoding)
        case _:
            read = separated(files, name, options)
    rows = len(read.lines)
    if not rows and not read.problems:
        what = "the table has a header and no rows" if read.header and read.columns else "the table has no rows"
        raise DataError(what, name, "Give a table with at least a few rows.")
    order = np.setdiff1d(np.arange(rows + len(read.problems)), [problem.position for problem in read.problems])
    return Table(read.columns, [name], np.zeros(rows, np.int32), read.lines, [files.split(name)], read.header, read.problems, read.notes,
                 len(order) + len(read.problems), order)


def joined(parts: Sequence[Table]) -> Table:
    """Tables with the same columns as one. Raises DataError where a column lacks in one of them."""
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts[1:]:
        if part.header == first.header and set(part.columns) == set(first.columns):
            continue
        lacking = sorted(set(first.columns) ^ set(part.columns))
        raise DataError(f"{part.files[0]} and {first.files[0]} have different columns: {', '.join(lacking[:6])}", part.files[0],
                        "Give all parts of a table the same columns.")
    columns = {}
    for name in first.columns:
        arrays = [part.columns[name] for part in parts]
        if len({array.type for array in arrays}) > 1:
            arrays = [as_text(array) for array in arrays]
        columns[name] = pa.chunked_array([chunk for array in arrays for chunk in chunks(array)], type=arrays[0].type)
    before = np.cumsum([0, *(part.seen for part in parts)]).tolist()
    problems = [replace(problem, position=start + (problem.position or 0)) for start, part in zip(before, parts, strict=False)
                for problem in part.problems]
    return Table(columns, [part.files[0] for part in parts],
                 np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts]),
                 np.concatenate([part.lines for part in parts]), [part.splits[0] for part in parts], first.header,
                 problems, list(dict.fromkeys(note for part in parts for note in part.notes)), before[-1],
                 np.concatenate([start + part.order for start, part in zip(before, parts, strict=False)]))


@dataclass
class Read:
    """What a file gave. problems: a row each, with its position among all rows."""

    columns: dict[str, Any]
    lines: NDArray[np.int64]
    problems: list[Problem] = field(default_factory=list)
    header: bool = True
    notes: list[str] = field(default_factory=list)


def separated(files: Files, name: str, options: ReadOptions) -> Read:
    """CSV and its relatives."""
    sample = list(itertools.islice(files.lines(name, options.encoding, newline=""), 400))
    if not any(line.strip() for line in sample):
        raise DataError("the file is empty", name, "Give a table with at least a few rows.")
    targets = [] if options.target is None else options.target.split(",")
    named = [column for column in (*targets, *options.inputs, options.group, *options.time) if column is not None]
    form = sniff.form(sample, ending(name), name, named)
    rows = Rows(files, name, options.encoding, form)
    columns: list[list[Any]] = [[] for _ in range(form.width)]
    lines: list[NDArray[np.int64]] = []
    for block, numbers in rows.blocks():
        for column, cells in zip(columns, zip(*block, strict=True), strict=True):
            column.append(pa.array(cells, pa.large_string()))
        lines.append(np.asarray(numbers, np.int64))
    arrays = [pa.chunked_array(column, type=pa.large_string()) for column in columns]
    notes = list(form.notes)
    if form.delimiter == ";":
        told = [decimal_comma(array) for array in arrays]
        arrays = [array for array, _ in told]
        if any(comma for _, comma in told):
            notes.append("numbers with a decimal comma are read as such")
    where = np.concatenate(lines) if lines else np.zeros(0, np.int64)
    return Read(dict(zip(form.names, arrays, strict=True)), where, rows.problems, form.header, notes)


class Rows:
    """The rows of a separated file in blocks; those of another width are set aside."""

    def __init__(self, files: Files, name: str, encoding: str, form: sniff.Form) -> None:
        self.files, self.name, self.encoding, self.form = files, name, encoding, form
        self.problems: list[Problem] = []
        self.seen = 0

    def blocks(self) -> Iterator[tuple[list[list[str]], list[int]]]:
        block: list[list[str]] = []
        numbers: list[int] = []
        width = self.form.width
        skip = self.form.header
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(self.files.lines(self.name, self.encoding, newline=""), **self.form.dialect())
        line = 1
        try:
            for row in reader:
                start, line = line, reader.line_num + 1
                if not row or (len(row) == 1 and not row[0].strip() and width > 1):
                    continue
                if skip:
                    skip = False
                    continue
                self.seen += 1
                if len(row) != width:
                    self.problems.append(Problem(f"the row has {len(row)} cells, the table {width} columns", f"{self.name}, line {start}",
                                                 "Complete the row, or put quotes around a cell that holds the separator.", True,
                                                 self.seen - 1, f"{self.name}:{start}"))
                    continue
                block.append(row)
                numbers.append(start)
                if len(block) == CHUNK:
                    yield block, numbers
                    block, numbers = [], []
        except csv.Error as error:
            raise DataError(f"the table cannot be read: {error}", f"{self.name}, line {line}",
                            "Close the quote that is opened there.") from None
        if block:
            yield block, numbers


def jsonl(files: Files, name: str, encoding: str) -> Read:
    """One JSON object a line; a key that lacks is an empty cell, what is nested becomes JSON text."""
    problems: list[Problem] = []
    columns: dict[str, list[Any]] = {}
    blocks: list[pa.Table] = []
    lines: list[int] = []
    seen = filled = 0
    for number, line in enumerate(files.lines(name, encoding), 1):
        if not line.strip():
            continue
        seen += 1
        try:
            record = json.loads(line)
        except ValueError as error:
            problems.append(Problem(f"the line is no JSON: {error}", f"{name}, line {number}", "Mend or remove the line.", True, seen - 1,
                                    f"{name}:{number}"))
            continue
        if not isinstance(record, dict):
            problems.append(Problem("the line is no JSON object", f"{name}, line {number}", 'Write it as {"column": value, …}.', True,
                                    seen - 1, f"{name}:{number}"))
            continue
        for key in record.keys() - columns.keys():
            columns[key] = [None] * filled
        for key, cells in columns.items():
            cells.append(cell_text(record.get(key)))
        lines.append(number)
        filled += 1
        if filled == CHUNK:
            blocks.append(pa.table({key: pa.array(cells, pa.large_string()) for key, cells in columns.items()}))
            columns, filled = {key: [] for key in columns}, 0
    if filled:
        blocks.append(pa.table({key: pa.array(cells, pa.large_string()) for key, cells in columns.items()}))
    whole = pa.concat_tables(blocks, promote_options="default") if blocks else pa.table({})
    return Read({key: whole[key] for key in whole.column_names}, np.asarray(lines, np.int64), problems)


def cell_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def parquet(files: Files, name: str) -> Read:
    """A row's number stands for its line."""
    import pyarrow.parquet as pq
    try:
        whole = pq.read_table(io.BytesIO(files.read(name)))
        whole.validate(full=True)                               # among others, that texts are UTF-8
    except (pa.ArrowException, OSError, UnicodeError) as error:   # OSError: what it was packed by is broken; UnicodeError: so is a text
        raise DataError(f"the file is no Parquet table: {str(error).splitlines()[0]}", name, "Write it anew.") from None
    columns = {key: whole[key].cast(pa.large_string()) if pa.types.is_dictionary(whole[key].type) else whole[key]
               for key in whole.column_names if not key.startswith("__index_level_")}
    return Read(columns, np.arange(1, whole.num_rows + 1))


def arff(files: Files, name: str, encoding: str) -> Read:
    """Attribute-relation files: dense data, no relational attributes. Raises DataError for others."""
    names: list[str] = []
    lines = files.lines(name, encoding)
    start = 0
    for start, line in enumerate(lines, 1):
        word, _, rest = line.strip().partition(" ")
        if word.lower() == "@data":
            break
        if word.lower() == "@attribute":
            names.append(sniff.arff_name(rest, f"{name}, line {start}"))
    rows: list[list[str]] = []
    numbers: list[int] = []
    problems: list[Problem] = []
    seen = 0
    for number, line in enumerate(lines, start + 1):
        if not line.strip() or line.startswith("%"):
            continue
        if line.lstrip().startswith("{"):
            raise DataError("the file is a sparse ARFF", f"{name}, line {number}", "Write it as CSV.")
        seen += 1
        row = next(csv.reader([line.strip()], quotechar="'", escapechar="\\", skipinitialspace=True))
        if len(row) != len(names):
            problems.append(Problem(f"the row has {len(row)} cells, the table {len(names)} columns", f"{name}, line {number}",
                                    "Complete the row.", True, seen - 1, f"{name}:{number}"))
            continue
        rows.append(row)
        numbers.append(number)
    cells = list(zip(*rows, strict=True)) or [()] * len(names)
    columns = {key: pa.array(column, pa.large_string()) for key, column in zip(names, cells, strict=True)}
    return Read(columns, np.asarray(numbers, np.int64), problems)


def chunks(array: Any) -> list[Any]:
    return array.chunks if isinstance(array, pa.ChunkedArray) else [array]


def as_text(array: Any) -> Any:
    """A column as large_string; numbers as they print, whole ones without '.0'."""
    if pa.types.is_large_string(array.type):
        return array
    if pa.types.is_floating(array.type):
        return pa.array([None if value is None else f"{value:.17g}" if value != round(value, 6) else f"{value:g}"
                         for value in array.to_pylist()], pa.large_string())
    if pa.types.is_nested(array.type) or pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        return pa.array([cell_text(value) if pa.types.is_nested(array.type) else None for value in array.to_pylist()], pa.large_string())
    return array.cast(pa.large_string())


def as_numbers(array: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """float64 with NaN where missing, and where there is something that is no finite number."""
    if any(is_such(array.type) for is_such in (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)):
        values = plain(array.cast(pa.float64(), safe=False)).astype(np.float64)
        return np.where(np.isinf(values), np.nan, values), np.isinf(values)
    text = pc.utf8_trim_whitespace(as_text(array))
    missing = pc.fill_null(pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING, pa.large_string())), True)
    known = pc.if_else(pc.or_kleene(missing, pc.is_null(text)), pa.scalar(None, pa.large_string()), text)
    try:
        values = plain(known.cast(pa.float64()))
        bad = np.isinf(values)
    except pa.ArrowInvalid:
        import pandas as pd
        values = np.asarray(pd.to_numeric(pd.Series(known.to_pylist(), dtype=object), errors="coerce"), np.float64)
        bad = (np.isnan(values) | np.isinf(values)) & ~plain(known.is_null()).astype(bool)
    return np.where(bad, np.nan, values), bad


def plain(array: Any) -> NDArray[Any]:
    return array.to_numpy() if isinstance(array, pa.ChunkedArray) else array.to_numpy(zero_copy_only=False)


def decimal_comma(array: Any) -> tuple[Any, bool]:
    """'1,5' → '1.5' where every cell of the column is such a number."""
    fits = pc.match_substring_regex(array, r"^\s*[+-]?\d*(,\d+)?([eE][+-]?\d+)?\s*$")
    if pc.all(fits).as_py() and pc.any(pc.match_substring(array, ",")).as_py():
        return pc.replace_substring(array, ",", "."), True
    return array, False
