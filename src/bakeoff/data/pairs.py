"""Pairs of texts, one to be written from the other: two aligned files (train.en, train.de), or two columns of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bakeoff.data import sniff
from bakeoff.data.base import Claim, Problem, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.names import NO_LINES, TABLES, ending, split_order
from bakeoff.data.roles import first_roles, roles
from bakeoff.data.rows import Table, peek, read_table
from bakeoff.errors import DataError, near

TASKS = ("translate", "summarise")
LANGUAGE = re.compile(r"\.([a-z]{2,3}([_-][a-z]{2,4})?|src|tgt|source|target|article|highlights|summary|input|output)")
COLUMN = re.compile(r"[A-Za-z][A-Za-z_ -]{0,11}")


class Sides(NamedTuple):
    """Files that stand beside one another. endings: '.de', '.en'; whole: 'train' → ending → the file's name."""

    endings: list[str]
    whole: dict[str, dict[str, str]]


def claim(files: Files) -> Claim | None:
    """How much these files look like pairs."""
    sides = beside(files)
    if sides is not None:
        first = next(iter(sides.whole.values()))
        sure = all(len(ends) == len(sides.endings) for ends in sides.whole.values()) and all(map(LANGUAGE.fullmatch, sides.endings))
        if any(files.is_binary(name) for name in first.values()):
            return None
        said = sure and (len(sides.whole) == 1 or any(map(files.split, files.names)))
        return Claim(0.92 if said else 0.6, f"{' and '.join(first.values())} stand beside each other", TASKS[0])
    table = peek(files)
    if table is None or len(table.columns) != 2 or ending(table.files[0]) != ".tsv" or named(table):
        return None
    found = first_roles(files)
    both = found is not None and found.target is None and len(found.texts) == 2
    return Claim(0.85 if both else 0.3, f"{table.files[0]} has two columns{' of text' if both else ''} and no header", TASKS[0])


def read(files: Files, options: ReadOptions) -> Source:
    """items: the texts that are read, targets: those to be written. Raises DataError."""
    sides = beside(files)
    if options.want_targets:
        source = from_table(files, options) if sides is None else from_sides(files, sides, options)
        source.task = options.task if options.task in TASKS else TASKS[0]
    elif files.having(TABLES):
        source = new_table(files, options)
    else:
        source = new_lines(files, options)
    return source


def beside(files: Files) -> Sides | None:
    """Files that differ in their endings alone; None: there are none."""
    whole: dict[str, dict[str, str]] = {}
    for name in files.names:
        end = ending(name)
        if end and end not in NO_LINES:
            whole.setdefault(name[:-len(end)], {})[end] = name
    several = {stem: ends for stem, ends in whole.items() if len(ends) > 1}
    if not several or len(several) < 0.5 * len(whole):
        return None
    endings = sorted(set.intersection(*map(set, several.values())))
    if len(endings) < 2:
        return None
    order = sorted(whole, key=lambda stem: split_order(files.split(next(iter(whole[stem].values())))))
    return Sides(endings, {stem: whole[stem] for stem in order})


def from_sides(files: Files, sides: Sides, options: ReadOptions) -> Source:
    """A pair a line."""
    asked = [None if name is None else "." + name.strip().lstrip(".") for name in (one_input(options), options.target)]
    left, right = chosen(sides.endings, asked, "file", ", ".join(files.names[:6]))
    source = Source("text", [], [], [])
    told(source, options, left[1:], right[1:])
    splits: list[str | None] = []
    for stem, ends in sides.whole.items():
        if left not in ends or right not in ends:
            if left in ends or right in ends:
                have, lack = (left, right) if left in ends else (right, left)
                raise DataError(f"{stem}{lack} is missing", ends[have], f"Give the file whose lines belong to those of {ends[have]}, or remove it.")
            continue
        one, other = (file_lines(files, ends[side], options.encoding) for side in (left, right))
        if len(one) != len(other):
            raise DataError(f"{ends[left]} has {len(one):,} lines and {ends[right]} has {len(other):,}", f"{ends[left]}, {ends[right]}",
                            "Lines that belong together must have the same number: mend the files.")
        for number, (text, target) in enumerate(zip(one, other, strict=True), 1):
            if paired(source, text, target, f"{ends[left]}:{number}", files.where(ends[right] if text else ends[left], number)):
                splits.append(files.split(ends[left]))
    source.split = [split or "train" for split in splits] if any(splits) else None
    source.reading = {"inputs": (left[1:],), "target": right[1:]}
    return source


def file_lines(files: Files, name: str, encoding: str) -> list[str]:
    """The lines without spaces at their ends, and without empty ones at the end of the file."""
    lines = [line.strip() for line in files.lines(name, encoding)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def paired(source: Source, text: str, target: str, key: str, where: str) -> bool:
    """Takes in a pair; one with an empty side is set aside."""
    position, source.seen = source.seen, source.seen + 1
    if not text or not target:
        what = "both sides are empty" if not text and not target else f"the {'target' if text else 'source'} is empty"
        source.problems.append(Problem(what, where, "Fill it in, or remove the pair.", bad=True, position=position, key=key))
        return False
    source.items.append(text)
    source.keys.append(key)
    source.targets.append(target)
    return True


def told(source: Source, options: ReadOptions, left: str, right: str) -> None:
    if not options.inputs or options.target is None:
        source.notes.append(f"{right!r} is to be written from {left!r}, in this order as nothing else is said "
                            f"(--inputs {right} --target {left} for the other way)")


def one_input(options: ReadOptions) -> str | None:
    """What is to be read. Raises DataError where several columns are named."""
    if len(options.inputs) > 1:
        raise DataError("one text is written from one other", f"--inputs {','.join(options.inputs)}", "Name one.")
    return options.inputs[0] if options.inputs else None


def chosen(names: Sequence[str], asked: Sequence[str | None], what: str, where: str) -> tuple[str, str]:
    """(source, target) among these endings or columns: what is asked for, else in order. Raises DataError."""
    for name, option in zip(asked, ("--inputs", "--target"), strict=True):
        if name is not None and name not in names:
            raise DataError(f"there is no {what} {name!r}", f"{option} {name.lstrip('.')}", near(name, names))
    left = [name for name in names if name not in asked]
    if None in asked and len(left) > sum(name is None for name in asked):
        raise DataError(f"which {what}s belong together is not known: there are {', '.join(name.lstrip('.') for name in names)}", where,
                        f"Say which is read and which written: --inputs {names[0].lstrip('.')} --target {names[1].lstrip('.')}.")
    found = [name if name is not None else left.pop(0) if left else None for name in asked]
    if None in found or found[0] == found[1]:
        raise DataError("a text is to be written from itself", where, "Name two different ones with --inputs and --target.")
    return str(found[0]), str(found[1])


def named(table: Table) -> bool:
    """Whether what looks like a header is one: names are known or short."""
    names = [name.strip() for name in table.columns]
    return table.header and (any(name.lower() in sniff.KNOWN for name in names) or all(map(COLUMN.fullmatch, names)))


def from_table(files: Files, options: ReadOptions) -> Source:
    """A pair a row."""
    table = read_table(files, options)
    if table.header and not options.inputs and options.target is None and len(table.columns) == 2 and not named(table):
        table = read_table(files, ReadOptions(inputs=("1",), target="2", encoding=options.encoding))     # the first row is a pair too
    found = roles(table, options)
    asked = (one_input(options), options.target)
    names = list(table.columns)
    if len(names) > 2:
        names = list(dict.fromkeys([*(name for name in asked if name is not None), *found.texts]))
    left, right = chosen(names, asked, "column", ", ".join(table.files)) if len(names) > 1 else too_few(table)
    source = Source("text", [], [], [], problems=table.problems, notes=list(table.notes), seen=table.seen)
    told(source, options, left, right)
    for column, what in ((left, "the source is empty"), (right, "the target is empty")):
        table = table.drop_bad(table.missing(column), what, column, "Fill it in, or remove the row.")
    source.items, source.targets = ([cell.strip() for cell in table.strings(column)] for column in (left, right))
    source.keys = table.keys()
    source.split = table.strings(found.split) if found.split else table.split()
    source.groups = table.strings(found.group) if found.group else None
    source.folds = table.strings(found.fold) if found.fold else None
    source.reading = {"inputs": (left,), "target": right}
    return source


def too_few(table: Table) -> tuple[str, str]:
    raise DataError("the table has no two columns of text", ", ".join(table.files),
                    f"Name them with --inputs and --target, of {', '.join(table.columns)}.")


def new_table(files: Files, options: ReadOptions) -> Source:
    """The source column of new data; the first where the training had none of that name."""
    table = read_table(files, options)
    (wanted,) = options.inputs
    column = wanted if wanted in table.columns else next(iter(table.columns))
    source = Source("text", [], [], [], problems=table.problems, seen=table.seen, reading={"inputs": options.inputs, "target": options.target})
    table = table.drop_bad(table.missing(column), "the source is empty", column, "Fill it in, or remove the row.")
    source.items, source.keys = [cell.strip() for cell in table.strings(column)], table.keys()
    return source


def new_lines(files: Files, options: ReadOptions) -> Source:
    """A text a line, of the files with the source's ending, or of the only file."""
    (wanted,) = options.inputs
    names = files.having((f".{wanted}".lower(),)) or [name for name in files.names if ending(name) not in NO_LINES]
    if not names or (len(names) > 1 and ending(names[0]) != f".{wanted}".lower()):
        raise DataError("which file is to be read is not known", str(files.path), f"Give one file of lines, or one that ends in .{wanted}.")
    source = Source("text", [], [], [], reading={"inputs": options.inputs, "target": options.target})
    for name in names:
        for number, line in enumerate(files.lines(name, options.encoding), 1):
            position, source.seen = source.seen, source.seen + 1
            if text := line.strip():
                source.items.append(text)
                source.keys.append(f"{name}:{number}")
            else:
                source.problems.append(Problem("the line is empty", files.where(name, number), "Fill it in, or remove it.", bad=True,
                                               position=position, key=f"{name}:{number}"))
    return source
