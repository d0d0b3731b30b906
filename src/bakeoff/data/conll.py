"""Sentences with a tag per word, in CoNLL columns: a form of text. Tjong Kim Sang & De Meulder 2003, https://aclanthology.org/W03-0419"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from bakeoff.data import tokens
from bakeoff.data.base import Claim, Problem, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.names import MEDIA, SPLITS, TABLES, ending, split_order
from bakeoff.errors import DataError

TASK = "tag"
DOCUMENT = "-DOCSTART-"               # a line that begins a document and is no word
PARTS = {**SPLITS, "testa": "val", "testb": "test"}      # as endings, 'eng.testb'
OTHERS = (MEDIA | TABLES | {".npz", ".npy", ".ts", ".mat", ".json", ".xml", ".pdf"}) - {".tsv"}
MOST_FILES = 20
MOST_TAGS = 200                       # different words in the last column with which it still holds tags


class Sentence(NamedTuple):
    """line: its first; rows: (line, columns) of each word."""

    line: int
    rows: list[tuple[int, list[str]]]


def column_files(files: Files) -> list[str]:
    """The plain files, train first; empty where there are others or many."""
    names = [name for name in files.names if ending(name) not in OTHERS]
    if not names or len(names) > MOST_FILES or len(names) < len(files) or any(files.is_binary(name) for name in names):
        return []
    return sorted(names, key=lambda name: split_order(split_of(files, name)))


def split_of(files: Files, name: str) -> str | None:
    return files.split(name) or PARTS.get(ending(name)[1:])


def claim(files: Files) -> Claim | None:
    """Blocks of lines with as many columns each, parted by empty lines, the last column of few different words."""
    names = column_files(files)
    if not names:
        return None
    lines = files.head(names[0]).decode("utf-8", "replace").split("\n")[:-1]
    blocks = [sentence for sentence in sentences(iter(lines)) if sentence.rows]
    words = [columns for sentence in blocks for _, columns in sentence.rows]
    if len(words) < 4 or len(blocks) < 2:
        return None
    wide, often = Counter(map(len, words)).most_common(1)[0]
    tags = {columns[-1] for columns in words}
    if wide < 2 or often < 0.9 * len(words) or len(tags) > min(MOST_TAGS, max(3, 0.3 * len(words))):
        return None
    spans = any(tag[:2] in ("B-", "I-") for tag in tags)
    if not spans and (len(blocks) > 0.7 * len(words) or len({columns[0] for columns in words}) < len(tags)):
        return None
    return Claim(0.95 if spans else 0.6, f"{names[0]} has {wide} columns, a word a line, and empty lines between sentences", TASK)


def sentences(lines: Iterator[str]) -> Iterator[Sentence]:
    """Lines without an empty one among them."""
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines, 1):
        columns = [cell.strip() for cell in line.strip("\r\n").split("\t")] if "\t" in line else line.split()
        if any(columns) and columns[0] != DOCUMENT:
            rows.append((number, columns))
        elif rows:
            yield Sentence(rows[0][0], rows)
            rows = []
    if rows:
        yield Sentence(rows[0][0], rows)


def read(files: Files, options: ReadOptions) -> Source:
    """items: the words of a sentence, one a line; targets: its tags, the last column, as a list.

    A sentence that is broken, or longer than is read (--set text.length), is set aside whole: no tag is ever dropped from one.
    Raises DataError where there is no file of columns.
    """
    names = column_files(files)
    if not names:
        raise DataError("there are no files of columns", str(files.path), "Give a line per word, word first and tag last, and empty lines between.")
    length = tokens.chosen(options.settings, given=True)["length"]
    source = Source("text", [], [], [], task=TASK if options.want_targets else None)
    splits: list[str | None] = []
    for name in names:
        found = list(sentences(files.lines(name, options.encoding)))
        wide = Counter(len(columns) for sentence in found for _, columns in sentence.rows).most_common(1)
        if wide and wide[0][0] < 2 and options.want_targets:
            raise DataError("the lines have one column only, so the words have no tags", f"{name}, line {found[0].line}",
                            "Give a line per word, word first and tag last, and empty lines between sentences.")
        for sentence in found:
            line, trouble = faults(sentence, wide[0][0], length)
            position, key = source.seen, f"{name}:{sentence.line}"
            source.seen += 1
            if trouble:
                source.problems.append(Problem(trouble, f"{name}, line {line}", "Mend or remove the sentence.", bad=True, position=position, key=key))
                continue
            source.items.append("\n".join(columns[0] for _, columns in sentence.rows))
            source.keys.append(key)
            splits.append(split_of(files, name))
            if options.want_targets:
                source.targets.append([columns[-1] for _, columns in sentence.rows])
    source.split = [split or "train" for split in splits] if any(splits) else None
    if options.want_targets:
        tags = Counter(tag for target in source.targets for tag in target)
        source.facts = {"words": tags.total(), "tags": dict(tags.most_common(MOST_TAGS))}
        if tags and not any(tag[:2] in ("B-", "I-") for tag in tags):
            source.notes.append("no tag begins with B- or I-, so tags are no spans: the value is the share of words with the right tag")
    source.reading = {"settings": {"text.length": length}}
    return source


def faults(sentence: Sentence, wide: int, length: int) -> tuple[int, str]:
    """(line, what is wrong with the sentence), '' where nothing is."""
    for line, columns in sentence.rows:
        if len(columns) != wide:
            return line, f"the line has {len(columns)} column{'s' * (len(columns) > 1)}, others have {wide}"
        if not columns[0] or not columns[-1]:
            return line, "the word is missing" if not columns[0] else "the tag is missing"
    if len(sentence.rows) > length:
        return sentence.line, f"the sentence has {len(sentence.rows):,} words, at most {length:,} are read (--set text.length)"
    return sentence.line, ""
