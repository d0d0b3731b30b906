"""Text: ids of words or characters on one axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bakeoff.data import conll, corpus, given, pairs, sets, tokens
from bakeoff.data.base import Arrays, Claim, Indices, Problem, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.names import NO_LINES, TABLES, ending, split_order
from bakeoff.data.roles import Roles, first_roles, need_target, roles
from bakeoff.data.rows import Table, read_table
from bakeoff.errors import DataError
from bakeoff.registry import kind

PREFIX = "__label__"
MOST_LINE_FILES = 6
SHOWN = 2000                          # characters of an example in the report


class Form(NamedTuple):
    """A way in which files hold texts for tasks of their own, in a module beside this one. tokens: what they are read as, where
    --set text.tokens says nothing."""

    tasks: tuple[str, ...]
    claim: Callable[[Files], Claim | None]
    read: Callable[[Files, ReadOptions], Source]
    tokens: str
    encode: Callable[[Source, Mapping[str, Any]], Arrays] | None = None      # None: each text by itself


FORMS: dict[str, Form] = {"conll": Form((conll.TASK,), conll.claim, conll.read, tokens.GIVEN),
                          "pairs": Form(pairs.TASKS, pairs.claim, pairs.read, "subwords"),
                          corpus.FORMAT: Form((corpus.TASK,), corpus.claim, corpus.read, "characters", corpus.encode)}


@kind("text")
class Text:
    """A table with a text column, a folder per class of .txt, lines 'label text' and '__label__x text' (--task classify), or one of
    FORMS."""

    name: ClassVar[str] = "text"
    axes: tuple[str, ...] = ("word",)         # or ("character",), once `fit` knows
    settings: ClassVar[tuple[str, ...]] = (*tokens.NAMES, "text.window")

    def claims(self, files: Files) -> Claim | None:
        """The strongest of what the files may be: texts with labels, or one of FORMS."""
        claims = [claim for one in (self.labelled, *(form.claim for form in FORMS.values())) if (claim := one(files)) is not None]
        return max(claims, key=lambda claim: claim.score, default=None)

    def labelled(self, files: Files) -> Claim | None:
        found = first_roles(files)
        if found is not None and found.texts:
            what = f"{files.having(TABLES)[0]} has text in column {found.texts[0]!r}"
            return Claim(0.3 if found.path else 0.9 if found.target else 0.7, what)
        texts = files.having((".txt",))
        if texts and len(texts) >= 0.5 * len(files) and any(class_folders(files, texts)):
            return Claim(0.85, f"{len(texts):,} .txt files in {len(set(class_folders(files, texts)))} folders", "classify")
        lines = line_files(files)
        if lines and files.head(lines[0]).lstrip(b"\xef\xbb\xbf").startswith(PREFIX.encode()):
            return Claim(0.9, f"the lines of {lines[0]} begin with {PREFIX}", "classify")
        return Claim(0.3, f"{lines[0]} is plain text") if lines else None

    def read(self, files: Files, options: ReadOptions) -> Source:
        """items: list of str. Raises DataError where nothing can be read, or plain text is given without --task classify."""
        form = options.settings.get("text.form") or form_of(files, options)
        if form in FORMS:
            source = FORMS[form].read(files, options)
            source.reading["settings"] = {**source.reading.get("settings", {}), "text.form": form}
        elif files.having(TABLES):
            source = from_table(files, options)
        elif form == "folders":
            source = from_folders(files, options)
        else:
            source = from_lines(files, options)
        if not source.keys:
            first = source.problems[0] if source.problems else Problem("there is no text", str(files.path))
            raise DataError(f"none of {source.seen:,} texts can be used; the first: {first.what}", first.where, first.fix or "Give some.")
        return source

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        """state: tokenizer (JSON), tokens, vocab (ids, with padding and unknown), length (longer texts are cut there)."""
        form = form_read(source)
        if form is not None and form.tokens == tokens.GIVEN:
            asked = tokens.chosen(options.settings, given=True)
            tokenizer, vocab = given.learnt((source.items[i] for i in train), asked["vocab"], asked["min_count"])
            self.axes = ("word",)
            note = (f"words stand as they are given; of those that train has fewer than {asked['min_count']} times the shape is read "
                    "(--set text.min_count)")
            return {"tokenizer": tokenizer, "vocab": vocab, "tokens": asked["tokens"], "length": asked["length"], "notes": [note]}
        asked = tokens.chosen({"text.tokens": form.tokens, **options.settings} if form else options.settings)
        tokenizer, vocab = tokens.learnt((source.items[i] for i in train), asked["tokens"], asked["vocab"], asked["min_count"],
                                         ends=form is not None and form.encode is not None)
        self.axes = (asked["tokens"].removesuffix("s"),)
        note = (f"read as {asked['tokens']} (--set text.tokens); what train has fewer than {asked['min_count']} times is unknown "
                "(--set text.min_count)")
        whole = asked["tokens"] == "subwords"
        if whole:
            note = f"read as {vocab:,} subwords of bytes, learnt on train (--set text.tokens, text.vocab)"
        return {"tokenizer": tokenizer, "vocab": vocab, "tokens": asked["tokens"], "length": asked["length"], "notes": [note],
                "writing": tokenizer if whole else ""}

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """int32 ids, always ragged, unless the form says otherwise. How many texts were cut is noted in the source."""
        form = form_read(source)
        if form is not None and form.encode is not None:
            return form.encode(source, state)
        encoded = given.encoded if state["tokens"] == tokens.GIVEN else tokens.encoded
        cells, lengths, cut = encoded(source.items, state["tokenizer"], state["length"])
        if cut:
            note = (f"{cut:,} of {len(source):,} texts are longer than {state['length']:,} {state['tokens']} and cut there "
                    "(--set text.length)")
            source.notes[:] = [*(known for known in source.notes if "(--set text.length)" not in known), note]
        return Arrays(cells, lengths[:, None], texts=list(source.items) if form is None else None)

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        text = source.items[index]
        form = FORMS.get(str(source.reading.get("settings", {}).get("text.form")))
        if form is not None and form.tokens == tokens.GIVEN:
            text = text.replace("\n", " ")
        return {"form": "text", "text": text if len(text) <= SHOWN else text[:SHOWN] + " …"}


def form_read(source: Source) -> Form | None:
    """The form of FORMS by which a source was read."""
    return FORMS.get(str(source.reading.get("settings", {}).get("text.form")))


def form_of(files: Files, options: ReadOptions) -> str:
    """The form for the task asked for, else one whose claim is stronger than that of texts with labels. New data are of one only
    where the training was."""
    for name, form in FORMS.items():
        if options.task in form.tasks:
            return name
    if options.task is None and options.want_targets:
        labelled = Text().labelled(files)
        scores = {name: claim.score for name, form in FORMS.items() if (claim := form.claim(files)) is not None}
        claimed = max(scores, key=lambda name: scores[name], default=None)
        if claimed is not None and scores[claimed] > (0 if labelled is None else labelled.score):
            return claimed
    texts = files.having((".txt",))
    return "folders" if texts and any(class_folders(files, texts)) else "lines"


def from_table(files: Files, options: ReadOptions) -> Source:
    """One column of text, or those of --inputs joined by line breaks."""
    table = read_table(files, options)
    if not options.want_targets and "text.width" in options.settings:
        table = table.placed(int(options.settings["text.width"]), options.target)
    table = sets.together(table, options.target) if options.want_targets else table
    found = roles(table, options)
    columns = text_columns(table, found, options)
    target = need_target(table, found) if options.want_targets else None
    source = Source(Text.name, [], [], [], problems=table.problems, notes=list(table.notes), seen=table.seen, facts={"columns": columns})
    if options.want_targets and not options.inputs:
        others = [name for name in found.texts if name not in columns]
        if others:
            source.notes.append(f"the text is column {columns[0]!r}; {', '.join(others)} is not read "
                                f"(--inputs {','.join([*columns, *others])} reads all)")
    if target is not None:
        if found.target_why != "asked for":
            source.notes.append(f"the target is {found.target_why} (--target COLUMN for another)")
        table = table.drop_bad(table.missing(target), "the target is missing", target, "Fill it in, or remove the row.")
        source.targets = table.strings(target)
    empty = np.logical_and.reduce([table.missing(column) for column in columns])
    table = table.drop_bad(empty, "there is no text", columns[0], "Fill it in, or remove the row.")
    cells = [table.strings(column) for column in columns]
    source.items = cells[0] if len(cells) == 1 else ["\n".join(row) for row in zip(*cells, strict=True)]
    source.keys = table.keys()
    source.targets = table.strings(target) if target is not None else []
    source.split = table.strings(found.split) if found.split else table.split()
    source.groups = table.strings(found.group) if found.group else None
    source.folds = table.strings(found.fold) if found.fold else None
    source.times = moments(table, options.time) if options.time else None
    source.reading = {"inputs": columns, "target": target, "settings": {"text.width": len(table.columns)}}
    return source


def text_columns(table: Table, found: Roles, options: ReadOptions) -> list[str]:
    """The columns of --inputs, else the text column with the most characters. Raises DataError where there is none."""
    if options.inputs:
        return list(options.inputs)
    if not found.texts:
        raise DataError("the table has no column of text", ", ".join(table.files),
                        f"Name it: --inputs COLUMN, one of {', '.join(table.columns)}.")
    return [max(found.texts, key=lambda name: sum(map(len, table.strings(name))))]


def moments(table: Table, names: Sequence[str]) -> list[Any]:
    """What rows are ordered by: numbers where a column holds nothing else, otherwise the text, as dates like 2024-01-31 sort."""
    columns: list[list[Any]] = []
    for name in names:
        numbers, bad = table.numbers(name)
        columns.append(table.strings(name) if bad.any() or np.isnan(numbers).any() else numbers.tolist())
    return list(zip(*columns, strict=True))


def class_folders(files: Files, names: Sequence[str]) -> list[str]:
    """The class of each file: its first folder below those that all share and the split's; '' where it lies in none."""
    folders = [files.folder(name).split("/") if files.folder(name) else [] for name in names]
    depth = next((level for level, parts in enumerate(zip(*folders, strict=False)) if len(set(parts)) > 1), min(map(len, folders), default=0))
    if depth and all(len(folder) == depth for folder in folders):
        depth -= 1                            # one folder holds them all: it is the only class
    return [folder[depth] if len(folder) > depth else "" for folder in folders]


def from_folders(files: Files, options: ReadOptions) -> Source:
    """One text a file, its folder the class."""
    names = files.having((".txt",))
    source = Source(Text.name, [], [], [], task="classify" if options.want_targets else None, seen=len(names),
                    reading={"settings": {"text.form": "folders"}})
    splits = []
    for position, (name, label) in enumerate(zip(names, class_folders(files, names), strict=True)):
        content = files.read(name)
        binary = b"\0" in content[:8192] and content[:2] not in (b"\xff\xfe", b"\xfe\xff")
        text = "" if binary else decoded(files, name, content, options.encoding)
        trouble = "this is no text file" if binary else "" if text.strip() else "the file is empty"
        if options.want_targets and not label:
            trouble = "the text lies in no class's folder"
        if trouble:
            source.problems.append(Problem(trouble, name, "Replace or remove it.", bad=True, position=position, key=name))
            continue
        source.items.append(text)
        source.keys.append(name)
        splits.append(files.folder_split(name))
        if options.want_targets:
            source.targets.append(label)
    source.split = [split or "train" for split in splits] if any(splits) else None
    if len(files) > len(names):
        source.notes.append(f"{len(files) - len(names):,} other files are not read")
    return source


def decoded(files: Files, name: str, content: bytes, encoding: str) -> str:
    """The file's text. Raises DataError where the bytes are not of this encoding."""
    try:
        return content.decode(files.codec(name, encoding))
    except UnicodeDecodeError as error:
        raise files.undecodable(name, encoding, error) from None


def line_files(files: Files) -> list[str]:
    """A few plain files whose lines may be examples, train first; empty where there are others or many."""
    names = [name for name in files.names if ending(name) not in NO_LINES]
    if not names or len(names) > MOST_LINE_FILES or len(names) < len(files):
        return []
    return [] if any(files.is_binary(name) for name in names) else sorted(names, key=lambda name: split_order(files.split(name)))


def from_lines(files: Files, options: ReadOptions) -> Source:
    """One example a line, its first word the label; new data may have labels or not, told by those of the training."""
    names = line_files(files)
    if not names:
        raise DataError("there is no text to read", str(files.path),
                        "Give a table with a text column, a folder of .txt per class, or one file of lines.")
    source = Source(Text.name, [], [], [], task="classify" if options.want_targets else None)
    lines = [(name, number, line.strip()) for name in names
             for number, line in enumerate(files.lines(name, options.encoding), 1) if line.strip()]
    source.seen = len(lines)
    if not lines:
        raise DataError("there is nothing but empty lines", names[0], "Give a file with text in it.")
    prefixed = sum(line.startswith(PREFIX) for _, _, line in lines) > 0.9 * len(lines)
    if options.want_targets and not prefixed and options.task != "classify":
        raise DataError("this is plain text: it is not said what is to be learnt from it", names[0],
                        "Say --task classify if every line is a label, a space and a text.")
    known = set(options.settings.get("text.labels", ()))
    labelled = options.want_targets or prefixed or sum(line.split(None, 1)[0] in known for _, _, line in lines) > 0.9 * len(lines)
    splits = []
    for position, (name, number, line) in enumerate(lines):
        label, text = (*line.split(None, 1), "")[:2] if labelled else ("", line)
        trouble = "there is no text behind the label" if not text else prefix_trouble(label, text) if prefixed else ""
        label = label.removeprefix(PREFIX) if prefixed else label
        if trouble:
            source.problems.append(Problem(trouble, f"{name}, line {number}", "Mend or remove the line.", bad=True, position=position,
                                           key=f"{name}:{number}"))
            continue
        source.items.append(text)
        source.keys.append(f"{name}:{number}")
        splits.append(files.split(name))
        if options.want_targets:
            source.targets.append(label)
    labels = sorted(set(source.targets))
    if len(labels) > max(20, 0.2 * len(source)):
        raise DataError(f"the first words of the lines are no labels: there are {len(labels):,} different ones in {len(source):,} lines",
                        names[0],
                        "Write a label, a space and the text in each line, or make it a table with the columns text and label.")
    source.split = [split or "train" for split in splits] if any(splits) else None
    source.reading = {"task": "classify", "settings": {"text.form": "lines", "text.labels": labels}}
    return source


def prefix_trouble(label: str, text: str) -> str:
    if not label.startswith(PREFIX):
        return f"the line does not begin with {PREFIX}"
    return "the line has two labels" if text.startswith(PREFIX) else ""
