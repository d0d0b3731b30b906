"""Plain text without labels, to be gone on with: pieces one after the other, each read behind what stands before it.

An example is a window of ids. Its second half is a piece of the text, of which no other example has a character; its first half is
what stands before, from whichever split: so every character of a split counts exactly once, and with half a window of context
at least. Before a file's beginning stands padding, as behind the last piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import tokens
from bakeoff.data.base import Arrays, Claim, Problem, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.identical import Hashes, content_hashes, digests
from bakeoff.data.names import TABLES, ending, split_order
from bakeoff.data.rows import read_table
from bakeoff.data.split import sort_of_split
from bakeoff.errors import DataError, OptionError

TASK = "generate"
FORMAT = "corpus"
PLAIN = (".text", ".md", "")          # files that are read where there is no .txt
WINDOW = 128                          # tokens
LEAST, MOST = 8, 1024
FEWEST = 10                           # pieces that can be split
LETTERS = 0.3                         # of what is no space, at least: rows of numbers are no text to go on with
CHARACTERS = {"characters": 1, "subwords": 2, "words": 4}     # of a piece, per token of half a window: tokens are rarely shorter
SEEN = 5                              # files that are looked into before they are read
COPY = 32                             # characters that come again are copied, in given parts; fewer come again by chance
AT_ONCE = 4096                        # windows
COLUMN = "text"


class Pieces(Sequence[str]):
    """Pieces of whole texts, which are kept once. where: (N, 3) text, first character, end. alike: two pieces with the same
    characters are the same example; otherwise a passage that comes again is another."""

    def __init__(self, texts: Sequence[str], where: NDArray[np.int64], alike: bool = False) -> None:
        self.texts, self.where, self.alike = texts, where, alike

    def __len__(self) -> int:
        return len(self.where)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[row] for row in range(len(self))[place]]
        text, start, end = self.where[place].tolist()
        return self.texts[text][start:end]


@content_hashes.register
def _(items: Pieces) -> Hashes:
    return digests([piece.encode("utf-8", "surrogatepass") for piece in items]) if items.alike else np.arange(len(items), dtype=np.uint64)


def claim(files: Files) -> Claim | None:
    """One plain text, or a few, or .txt without folders that could be classes."""
    names = text_files(files)
    if not names or any(files.classes(names)):
        return None
    head = "".join(files.head(name).decode("utf-8", "ignore").lstrip("\ufeff") for name in names[:SEEN] if not files.is_binary(name))
    signs = "".join(head.split())
    if head.startswith("__label__") or sum(map(str.isalpha, signs)) < LETTERS * max(1, len(signs)):
        return None
    return Claim(0.4, f"{names[0]} is plain text" if len(names) == 1 else f"{len(names):,} files of plain text lie in no folders of classes", TASK)


def text_files(files: Files) -> list[str]:
    """The .txt, or else the files of PLAIN where there are no others; train first."""
    names = files.having([".txt"]) or files.having(PLAIN)
    if not names or (ending(names[0]) != ".txt" and len(names) < len(files)):
        return []
    return sorted(names, key=lambda name: split_order(files.split(name)))


def read(files: Files, options: ReadOptions) -> Source:
    """items: Pieces; targets: how many characters (words, where tokens are words) each counts. New data are prompts, each whole."""
    if not options.want_targets:
        return prompts(files, options)
    for name, said in (("folds", options.folds), ("split", options.split), ("time", ",".join(options.time))):
        if said and (name != "split" or sort_of_split(said) in ("file", "column")):      # windows read what stands before them
            raise OptionError("a text is split by position: its earliest part trains, its latest tests", f"--{name} {said}",
                              "Leave it out, write shares (--split 0.9,0.1), or give files train.txt and test.txt.")
    window, kind = window_of(options.settings), tokens.chosen({"text.tokens": "characters", **options.settings})["tokens"]
    names = text_files(files) or files.names
    texts: list[str] = []
    where: list[tuple[int, int, int]] = []
    keys: list[str] = []
    splits: list[str | None] = []
    source = Source("text", [], keys, [], seen=0, task=TASK)
    for name in names:
        text, trouble = text_of(files, name, options)
        if trouble:
            source.problems.append(Problem(trouble, name, "Replace or remove it.", bad=True, key=name))
            continue
        ends = cuts(text, window // 2 * CHARACTERS[kind], whole_words=kind != "characters")
        where += [(len(texts), start, end) for start, end in zip([0, *ends], ends, strict=False)]
        keys += [f"{name}@{start}" for start in [0, *ends[:-1]]]
        splits += [files.split(name)] * len(ends)
        texts.append(text)
    source.seen = len(keys) + len(source.problems)
    if len(keys) < FEWEST:
        some = source.problems[0] if source.problems else Problem("", ", ".join(names[:3]))
        raise DataError(some.what or f"{sum(map(len, texts)):,} characters are too few to learn from", some.where,
                        f"Give at least {FEWEST * window // 2 * CHARACTERS[kind]:,}, or shorter windows (--set text.window=32). Say --task "
                        "classify if every line is a label, a space and a text.")
    source.split = [split or "train" for split in splits] if any(splits) else None
    source.items = Pieces(texts, np.asarray(where, np.int64), alike=source.split is not None and window // 2 * CHARACTERS[kind] >= COPY)
    source.times = list(range(len(keys)))
    source.targets = tokens.counted(source.items) if kind == "words" else np.diff(source.items.where[:, 1:])[:, 0].tolist()
    source.facts = {"texts": len(texts), "characters": sum(map(len, texts)), "window": window}
    source.notes.append(f"windows of {window} {kind} (--set text.window): the second half counts, the first is what stands before it"
                        if kind == "characters" else f"pieces of about {window // 2} {kind} (--set text.window), each read behind those before it")
    if len(files) > len(names):
        source.notes.append(f"{len(files) - len(names):,} other files are not read")
    return source


def window_of(settings: Mapping[str, Any]) -> int:
    """--set text.window, an even number. Raises OptionError."""
    said = str(settings.get("text.window", WINDOW))
    if not said.isdecimal() or not LEAST <= int(said) <= MOST or int(said) % 2:
        raise OptionError(f"{said!r} is no window", f"--set text.window={said}", f"Give one even number of {LEAST} … {MOST:,} tokens.")
    return int(said)


def text_of(files: Files, name: str, options: ReadOptions) -> tuple[str, str]:
    """(text, what is wrong with it). Raises DataError for bytes that are not of this encoding."""
    if files.is_binary(name):
        return "", "this is no text file"
    text = files.text(name, options.encoding).replace("\r\n", "\n")
    return text, "" if text.strip() else "the file is empty"


def cuts(text: str, most: int, whole_words: bool) -> list[int]:
    """Where pieces of at most so many characters end; before a space of their second half, where words are to stay whole."""
    if not whole_words:
        return [*range(most, len(text), most), len(text)]
    ends, start = [], 0
    while len(text) - start > most:
        end = start + most
        space = next((place for place in range(end, start + most // 2, -1) if text[place].isspace() and not text[place - 1].isspace()), end)
        ends.append(space)
        start = space
    return [*ends, len(text)]


def prompts(files: Files, options: ReadOptions) -> Source:
    """What is to be gone on with: a table's text column, each line of one file, or several files."""
    found: list[tuple[str, str]] = []
    source = Source("text", [], [], [])
    if files.having(TABLES):
        table = read_table(files, options)
        column = next((name for name in (*options.inputs, COLUMN) if name in table.columns), next(iter(table.columns)))
        found = list(zip(table.keys(), table.strings(column), strict=True))
        source.problems = list(table.problems)
    else:
        names = text_files(files) or files.names
        for name in names:
            text, trouble = text_of(files, name, options)
            if trouble:
                source.problems.append(Problem(trouble, name, "Replace or remove it.", bad=True, position=len(found), key=name))
            elif len(names) > 1:
                found.append((name, text.rstrip("\n")))
            else:
                found += [(f"{name}:{number}", line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    source.keys = [key for key, _ in found]
    texts = [text or "\n" for _, text in found]
    source.items = as_pieces(texts)
    source.seen = len(found) + len(source.problems)
    return source


def encode(source: Source, state: Mapping[str, Any]) -> Arrays:
    """(N, 2 · longest piece) ids, int16 where they fit: a piece, padded behind, after as many tokens as stand before it."""
    pieces = source.items if isinstance(source.items, Pieces) else as_pieces(source.items)
    ids, lengths, _ = tokens.encoded(pieces, state["tokenizer"], 1 << 40)
    half = int(lengths.max())
    if state["tokens"] == "characters" and "window" in source.facts:
        half = source.facts["window"] // 2
    changes = np.diff(pieces.where[:, 0], prepend=-1) != 0                  # pieces at which a text begins
    begins = np.concatenate([[0], lengths.cumsum()[:-1]])
    texts = changes.cumsum()                                                 # as many paddings stand before each piece
    stream = np.zeros(len(ids) + half * int(texts[-1]) + half, np.int16 if state["vocab"] < 1 << 15 else np.int32)
    stream[np.arange(len(ids)) + half * np.repeat(texts, lengths)] = ids
    begins = begins + half * texts
    cells = np.zeros((len(pieces), 2 * half), stream.dtype)
    for start in range(0, len(pieces), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        cells[rows] = stream[begins[rows, None] + np.arange(-half, half)]
        cells[rows, half:][np.arange(half) >= lengths[rows, None]] = 0
    return Arrays(cells)


def as_pieces(texts: Sequence[str]) -> Pieces:
    """Some pieces taken out of their texts: each stands for itself."""
    return Pieces(texts, np.asarray([(place, 0, len(text)) for place, text in enumerate(texts)], np.int64).reshape(-1, 3))

