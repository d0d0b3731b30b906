"""The formats in which series lie in files, read in blocks: numbers are parsed a block at a time, never value by value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import stacks
from bakeoff.data.base import Problem, ReadOptions
from bakeoff.data.files import BROKEN, Files
from bakeoff.data.names import ending
from bakeoff.errors import DataError

Numbers = NDArray[np.float32]
BLOCK = 1 << 23                       # bytes of text parsed at once
NO_TARGET = ("", "?", "nan")
MISSING = ["", "?", "NaN", "nan", "NAN", "NA", "null"]


@dataclass
class Cases:
    """What was found so far, one entry per case that can be used; labels are as written, '' where there is none."""

    items: list[Numbers] = field(default_factory=list)               # (T, C) each, NaN where missing
    labels: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)                    # 'GunPoint_TRAIN.ts:17'
    positions: list[int] = field(default_factory=list)               # among all that were seen
    splits: list[str | None] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: int = 0
    task: str | None = None                                          # as a file says; None: none does
    groups: dict[str, str] = field(default_factory=dict)             # key → which cases belong together; empty: nothing is said

    def add(self, item: Numbers, label: str, key: str, position: int, split: str | None) -> None:
        self.items.append(item)
        self.labels.append(label)
        self.keys.append(key)
        self.positions.append(position)
        self.splits.append(split)

    def set_aside(self, what: str, where: str, key: str, position: int) -> None:
        self.problems.append(Problem(what, where, "Mend or remove it.", bad=True, position=position, key=key))


class Row(NamedTuple):
    """One line taken apart: the text of each channel, and the label."""

    channels: list[bytes]
    label: bytes


class Header(NamedTuple):
    """What the head of a file says. split: a line → Row; ValueError tells what is wrong with the line."""

    split: Callable[[bytes], Row]
    separator: bytes
    task: str | None
    channels: int | None
    trailing: bool                    # missing values at the end mean a shorter series
    lines: int                        # of the head
    counted: bool = True              # .arff: the attributes are steps (or channels) in time by their names


def read_lines(cases: Cases, files: Files, name: str, options: ReadOptions) -> None:
    """Adds the cases of a .ts, .arff, .tsv or .txt file. Raises DataError for a head or a file that cannot be read."""
    header: Header | None = None
    try:
        with files.open_bytes(name) as stream:
            for first, lines in blocks(stream):
                if header is None:
                    header = {".ts": ts_header, ".arff": arff_header}.get(ending(name), table_header)(lines, name)
                    if options.want_targets and ending(name) == ".ts" and header.task is None:
                        raise DataError("the cases have no class and no target", f"{name}, @classLabel",
                                        "Write the class behind the last ':' of each line, and @classLabel true with the names of all.")
                    cases.task = cases.task or header.task
                    lines, first = lines[header.lines:], first + header.lines
                parse_block(cases, lines, first, header, files, name, options)
    except BROKEN as error:
        raise DataError(f"the file cannot be read: {error or type(error).__name__}", name, "Replace or remove it.") from None


def blocks(stream: BinaryIO) -> Iterator[tuple[int, list[bytes]]]:
    """(number of the first line, lines) of about BLOCK bytes each; parted at '\\n' only, ends and a byte order mark taken off."""
    rest, number = b"", 1
    while True:
        block = stream.read(BLOCK)
        text = rest + block
        if number == 1 and text.startswith(b"\xef\xbb\xbf"):
            text = text[3:]
        whole, newline, rest = (text, b"", b"") if not block else text.rpartition(b"\n")
        if whole or newline:
            lines = [line.rstrip(b"\r") for line in whole.split(b"\n")]
            yield number, lines
            number += len(lines)
        if not block:
            return


def parse_block(cases: Cases, lines: Sequence[bytes], first: int, header: Header, files: Files, name: str, options: ReadOptions) -> None:
    """Adds what these lines hold, or a Problem for a line that cannot be read."""
    rows: list[Row] = []
    places: list[tuple[int, int]] = []        # (line, position)
    for line, text in enumerate(lines, first):
        if not text or text.isspace() or text[:1] in b"#%":
            continue
        position, cases.seen = cases.seen, cases.seen + 1
        try:
            row = header.split(text)
            check(row, options.want_targets, header)
        except ValueError as wrong:
            cases.set_aside(str(wrong), f"{name}, line {line}", f"{name}:{line}", position)
            continue
        rows.append(row)
        places.append((line, position))
    split = files.split(name)
    for row, (line, position), values in zip(rows, places, values_of(rows, header.separator), strict=True):
        trouble = values if isinstance(values, str) else fault(values)
        if isinstance(values, str) or trouble:
            cases.set_aside(trouble, f"{name}, line {line}", f"{name}:{line}", position)
            continue
        item = values.reshape(len(row.channels), -1).T
        label = text_of(row.label, f"{name}, line {line}", options.encoding)
        cases.add(shortened(item) if header.trailing else item, label, f"{name}:{line}", position, split)


def check(row: Row, wanted: bool, header: Header) -> None:
    """Raises ValueError for a row whose channels or label cannot be."""
    if len(row.channels) > 1:
        lengths = [channel.count(header.separator) + 1 for channel in row.channels]
        if len(set(lengths)) > 1:
            raise ValueError(f"the channels have different lengths: {', '.join(map(str, sorted(set(lengths))))}")
    if header.channels is not None and len(row.channels) != header.channels:
        raise ValueError(f"there are {len(row.channels)} channels where {header.channels} are expected")
    if wanted and row.label.strip().lower().decode("latin-1") in NO_TARGET:
        raise ValueError("the target is missing")


def values_of(rows: Sequence[Row], separator: bytes) -> Iterator[Numbers | str]:
    """Each row's numbers, channel after channel, NaN where missing; or what is wrong with them."""
    if not rows:
        return
    flat = as_numbers(separator.join([channel for row in rows for channel in row.channels]), separator)
    if flat is not None:
        counts = [sum(channel.count(separator) for channel in row.channels) + len(row.channels) for row in rows]
        yield from (flat[end - count:end] for end, count in zip(accumulate(counts), counts, strict=True))
    elif len(rows) == 1:
        yield f"{first_text(rows[0], separator)!r} is no number"
    else:                             # something here is no number: it is searched for by halves
        yield from values_of(rows[:len(rows) // 2], separator)
        yield from values_of(rows[len(rows) // 2:], separator)


def as_numbers(text: bytes, separator: bytes) -> Numbers | None:
    """Separated numbers → float32; '?', 'NaN' and nothing → NaN. None where something else stands there."""
    from pyarrow import ArrowInvalid, BufferReader, csv, float32
    lined = text.replace(separator, b"\n") + b"\n"
    try:
        table = csv.read_csv(
            BufferReader(lined),
            read_options=csv.ReadOptions(column_names=["value"], use_threads=False, block_size=max(len(lined), 1 << 16)),
            parse_options=csv.ParseOptions(delimiter="\x01", quote_char=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(column_types={"value": float32()}, null_values=MISSING))
    except ArrowInvalid:
        return None
    values: Numbers = table.column(0).to_numpy()
    return values if len(values) == text.count(separator) + 1 else None          # a '\r' inside a line parts it too


def first_text(row: Row, separator: bytes) -> str:
    """The first value of a row that is no number."""
    for channel in row.channels:
        for value in channel.split(separator):
            if as_numbers(value, separator) is None:
                return value.decode("latin-1").strip()[:40]
    return ""


def fault(values: Numbers) -> str:
    """What is wrong with a case's numbers, '' where nothing is."""
    if np.isfinite(values).all():
        return ""
    if np.isinf(values).any():
        return "a value is infinite or too large"
    return "the series has no value" if np.isnan(values).all() else ""


def shortened(item: Numbers) -> Numbers:
    """(T, C) without the steps at the end in which nothing is known."""
    if not np.isnan(item[-1]).all():
        return item
    return item[:int(np.flatnonzero(~np.isnan(item).all(1))[-1]) + 1]


def text_of(label: bytes, where: str, encoding: str) -> str:
    try:
        return label.strip().decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{label.strip()[error.start]:02x} in the target is not {encoding}", where,
                        "Say --encoding latin-1 (or cp1252, … whichever the file was written in).") from None


def head_length(lines: Sequence[bytes], name: str) -> int:
    """How many lines stand before the cases. Raises DataError where the line @data is missing."""
    for count, line in enumerate(lines, 1):
        if line.strip().lower() == b"@data":
            return count
    raise DataError("there is no line @data", name, "The file begins with @ lines, the last of them @data; the cases follow.")


def ts_header(lines: Sequence[bytes], name: str) -> Header:
    """The @ lines of a UCR/UEA .ts file."""
    count = head_length(lines, name)
    tags: dict[str, str] = {}
    for line in lines[:count]:
        if line.startswith(b"@"):
            tag, _, value = line[1:].decode("latin-1").strip().partition(" ")
            tags[tag.lower()] = value.strip()
    ahead = next((line for line in lines[count:] if line.strip() and line[:1] not in b"#%"), b"")
    if tags.get("timestamps", "").lower() == "true" or ahead.lstrip().startswith(b"("):
        raise DataError("series with time stamps are not read", f"{name}, @timeStamps",
                        "Write the values alone, evenly spaced, with ? where one is missing, and @timeStamps false.")
    targets = tags.get("classlabel", "false").lower().split()[:1], tags.get("targetlabel", "false").lower().split()[:1]
    labelled = ["true"] in targets
    dimensions = tags.get("dimensions", tags.get("dimension", ""))
    channels = int(dimensions) if dimensions.isdigit() else None

    def split(line: bytes) -> Row:
        parts = line.split(b":")
        return Row(parts[:-1], parts[-1]) if labelled and len(parts) > 1 else Row(parts, b"")

    task = None if not labelled else "classify" if targets[0] == ["true"] else "regress"
    return Header(split, b",", task, channels, trailing=False, lines=count)


def arff_header(lines: Sequence[bytes], name: str) -> Header:
    """Numeric attributes, or one relational one with a channel per inner line; the last attribute is the target."""
    kinds: list[str] = []
    names: list[str] = []
    inside = relational = False
    count = head_length(lines, name)
    for line in lines[:count]:
        words = re.sub(r"'[^']*'|\"[^\"]*\"", "q", line.decode("latin-1")).split(None, 2)
        tag = words[0].lower() if words else ""
        if tag == "@attribute" and len(words) == 3:
            if words[2].strip().lower() == "relational":
                inside = relational = True
            elif not inside:
                kinds.append(words[2].strip().lower())
                names.append(words[1].rstrip("0123456789"))
        elif tag == "@end":
            inside = False
    if not kinds or any(kind not in ("numeric", "real", "integer") for kind in kinds[:-1]):
        raise DataError("only numbers followed by one target are read as a series", name,
                        "Make the table a .csv where its columns are no steps in time.")

    def split(line: bytes) -> Row:
        values, comma, label = line.rpartition(b",")
        if not comma:
            raise ValueError("there is no target behind the values")
        values = values.strip()
        if relational and values[:1] in (b"'", b'"'):
            return Row(values[1:-1].split(b"\\n"), label.strip(b" '\""))
        return Row([values], label.strip(b" '\""))

    counted = relational or len(set(names[:-1])) == 1
    return Header(split, b",", "classify" if kinds[-1].startswith("{") else "regress", None, trailing=False, lines=count, counted=counted)


def table_header(lines: Sequence[bytes], name: str) -> Header:
    """A .tsv or .txt of the UCR archive: no head, the class first, one case a line, all lines of the same width."""
    sample = [line for line in lines if line.strip()][:200]
    if not sample:
        raise DataError("the file is empty", name, "Give one series a line, its class first.")
    separator = b"\t" if b"\t" in sample[0] else b"," if b"," in sample[0] else b" "

    def fields(line: bytes) -> bytes:
        return b" ".join(line.split()) if separator == b" " else line

    widths = [fields(line).count(separator) for line in sample]
    width = max(set(widths), key=widths.count)

    def split(line: bytes) -> Row:
        label, _, values = fields(line).partition(separator)
        if values.count(separator) + 1 != width:
            raise ValueError(f"there are {values.count(separator) + 1} values where {width} are expected")
        return Row([values], label)

    return Header(split, separator, None, 1, trailing=True, lines=0)


def read_arrays(cases: Cases, files: Files, name: str, options: ReadOptions) -> None:
    """Adds the cases of a .npz of (cases, channels, time): x and y, or x_train, y_train, x_test …

    Steps at the end in which every channel is NaN mean a shorter series. Raises DataError.
    """
    for stack in stacks.read_npz(files, name, options.want_targets):
        if stack.x.ndim != 3 or stack.x.dtype.kind not in "fiub":
            raise DataError(f"the array holds {stack.x.dtype} of shape {stack.x.shape}", name,
                            "Series are numbers of shape (cases, channels, time).")
        with np.errstate(over="ignore"):      # what is too large for float32 becomes infinite and is set aside as such
            x = stack.x.astype(np.float32, copy=False)
        if stack.groups is not None:
            cases.groups |= {f"{stack.name}:{index}": str(group) for index, group in enumerate(stack.groups.tolist())}
        labels = [""] * len(x) if stack.y is None else list(map(label_of, stacks.target_list(stack.y)))
        complete = bool(np.isfinite(x).all())
        for index, (series, label) in enumerate(zip(x, labels, strict=True)):
            position, cases.seen = cases.seen, cases.seen + 1
            trouble = "the series has no value" if not series.size else "" if complete else fault(series)
            if options.want_targets and label.strip().lower() in NO_TARGET:
                trouble = "the target is missing"
            if trouble:
                cases.set_aside(trouble, f"{name}, {stack.name}, case {index}", f"{stack.name}:{index}", position)
            else:
                cases.add(series.T if complete else shortened(series.T), label, f"{stack.name}:{index}", position, stack.split)


def label_of(target: Any) -> str:
    """A target as text: 3.0 is the class '3'."""
    return f"{target:.0f}" if isinstance(target, float) and target.is_integer() else str(target)
