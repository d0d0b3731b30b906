"""Stories with questions: ids of words on two axes, sentence and word. Layout: Weston et al. 2015, https://arxiv.org/abs/1502.05698"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bakeoff.data import tokens
from bakeoff.data.base import Arrays, Claim, Indices, Problem, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.names import common_stem, ending, split_order
from bakeoff.errors import DataError, OptionError
from bakeoff.registry import kind

NUMBERED = re.compile(r"\s*(\d{1,9})[^\S\t](.*)")
LOOKED_AT = 3                         # files of which the beginning must be in the layout
SHOWN = 2000                          # characters of an example in the report
DEFAULTS = {"story.sentences": 64, "story.words": 32}
VOCABULARY = 20_000
BLANK = 0                             # stands behind a sentence that is shorter than the longest of its story: read like a word


class Asked(NamedTuple):
    """A question of a file. sentences: those before it in its story; trouble: what is wrong, with the line, or ''."""

    line: int
    story: int
    sentences: tuple[str, ...]
    question: str
    answer: str
    trouble: str = ""
    trouble_line: int = 0


@dataclass
class Telling:
    """A story while it is read. A line that cannot be read spoils all questions behind it, since what they ask may stand there."""

    number: int = 0
    last: int = 0
    sentences: list[str] = field(default_factory=list)
    trouble: str = ""
    trouble_line: int = 0

    def spoil(self, trouble: str, line: int) -> None:
        if not self.trouble:
            self.trouble, self.trouble_line = trouble, line


@kind("story")
class Story:
    """Files of lines 'number sentence' and 'number question<TAB>answer<TAB>lines that say it'; number 1 begins a story.

    An example is a question with the sentences before it in its story: the question is the first row, then the sentences from the
    newest to the oldest. So the rows that an answer hangs on stand near the question and at the same place in short and long stories,
    and what follows the answer in time has been read before it.
    """

    name: ClassVar[str] = "story"
    axes: ClassVar[tuple[str, ...]] = ("sentence", "word")
    settings: ClassVar[tuple[str, ...]] = tuple(DEFAULTS)

    def claims(self, files: Files) -> Claim | None:
        names = story_files(files)
        if not names or len(names) < 0.5 * len(files) or not all(looks_told(files, name) for name in names[:LOOKED_AT]):
            return None
        return Claim(0.95, f"the lines of {names[0]} are numbered, with questions and answers between tabs", "answer")

    def read(self, files: Files, options: ReadOptions) -> Source:
        """items: str, the sentences and the question, a line each. Raises DataError where no question can be read."""
        names = story_files(files)
        if not names:
            raise DataError("there are no stories to read", str(files.path), "Give files of lines: number, sentence or question, tab, answer.")
        groups: list[str] = []
        parts: dict[str, int] = {}
        source = Source(self.name, [], [], [], groups=groups, task="answer" if options.want_targets else None)
        found = [(name, asked) for name in names for asked in questions(files, name, options)]
        alone = strange_answers(files, found) if options.want_targets else {}
        splits: list[str | None] = []
        for position, (name, asked) in enumerate(found):
            key, trouble, line = f"{name}:{asked.line}", asked.trouble, asked.trouble_line
            if not trouble and asked.answer in alone:
                trouble, line = alone[asked.answer], asked.line
            if trouble:
                source.problems.append(Problem(trouble, f"{name}, line {line}", "Mend the line, or remove its story.", bad=True,
                                               position=position, key=key))
                continue
            source.items.append("\n".join((*asked.sentences, asked.question)))
            source.keys.append(key)
            groups.append(f"{name}:{asked.story}")
            splits.append(files.split(name))
            parts[common_stem(name)] = parts.get(common_stem(name), 0) + 1
            if options.want_targets:
                source.targets.append(asked.answer)
        source.seen = len(found)
        if not source.keys:
            first = source.problems[0] if source.problems else Problem("there is no question", names[0])
            raise DataError(f"none of {source.seen:,} questions can be used; the first: {first.what}", first.where,
                            first.fix or "Write number, question, tab and answer on one line.")
        source.split = [split or "train" for split in splits] if any(splits) else None
        source.facts = {"parts": parts} if len(parts) > 1 else {}
        source.notes.append("an example is a question with the sentences before it; questions of a story stay together")
        source.reading = {"task": "answer"}
        return source

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        """state: tokenizer (JSON), vocab, sentences and words (the newest so many sentences are kept, of each the first so many words)."""
        limits = {name: limit_of(options.settings, name) for name in DEFAULTS}
        lines = dict.fromkeys(line for row in train for line in source.items[row].split("\n"))
        tokenizer, vocab = tokens.learnt(map(bare, lines), "words", VOCABULARY, 1)
        return {"tokenizer": tokenizer, "vocab": vocab, "sentences": limits["story.sentences"], "words": limits["story.words"]}

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """int32 ids, each example a box of its own size: question and sentences × the words of the longest. What was left out is
        noted in the source."""
        stories = [item.split("\n") for item in source.items]
        lines = list(dict.fromkeys(line for story in stories for line in story))
        cells, lengths, cut = tokens.encoded([bare(line) for line in lines], state["tokenizer"], int(state["words"]))
        ends = lengths.cumsum()
        said = {line: cells[end - length:end] for line, end, length in zip(lines, ends.tolist(), lengths.tolist(), strict=True)}
        most, boxes, late = int(state["sentences"]), [], 0
        for *sentences, question in stories:
            late += len(sentences) > most
            rows = [said[line] for line in (question, *reversed(sentences[-most:]))]
            box = np.full((len(rows), max(map(len, rows))), BLANK, np.int32)
            for place, row in enumerate(rows):
                box[place, :len(row)] = row
            boxes.append(box)
        kept = [note for note in source.notes if "(--set story." not in note]
        if late:
            kept.append(f"{late:,} of {len(stories):,} questions have more than {most:,} sentences before them: the newest {most:,} are read "
                        "(--set story.sentences)")
        if cut:
            kept.append(f"{cut:,} of {len(lines):,} different sentences are longer than {state['words']:,} words and cut there (--set story.words)")
        source.notes[:] = kept
        shapes = np.array([box.shape for box in boxes], np.int64).reshape(-1, 2)
        return Arrays(np.concatenate([box.ravel() for box in boxes]) if boxes else np.empty(0, np.int32), shapes)

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        """The question first, then its story, so that neither is cut off."""
        *sentences, question = source.items[index].split("\n")
        text = "\n".join((question, *sentences))
        return {"form": "text", "text": text if len(text) <= SHOWN else text[:SHOWN] + " …"}


def bare(sentence: str) -> str:
    """Without the sign at its end: that a sentence ends there is said by its row, and a cell costs time."""
    return sentence.rstrip(" .?!") or sentence


def limit_of(settings: Mapping[str, Any], name: str) -> int:
    """--set story.sentences or story.words. Raises OptionError."""
    value = settings.get(name, DEFAULTS[name])
    text = str(value).strip()
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise OptionError(f"{value!r} is no whole number from 1 to 1,000", f"--set {name}={value}", "Give one value, not a range.")
    return int(text)


def story_files(files: Files) -> list[str]:
    """The plain text files, train first."""
    names = [name for name in files.names if ending(name) in ("", ".txt")]
    return sorted(names, key=lambda name: split_order(files.split(name)))


def looks_told(files: Files, name: str) -> bool:
    """Whether the beginning of a file is numbered from 1, with a question and its answer among it."""
    lines = [line for line in files.head(name).decode("utf-8", "replace").split("\n")[:-1] if line.strip()]
    found = [NUMBERED.fullmatch(line.rstrip("\r")) for line in lines]
    told = sum(one is not None for one in found)
    return told >= 0.9 * max(1, len(lines)) and any(one is not None and one[1] == "1" for one in found) and any("\t" in line for line in lines)


def questions(files: Files, name: str, options: ReadOptions) -> Iterator[Asked]:
    """The questions of a file, those that cannot be used with what is wrong. Raises DataError for a file of another layout."""
    told, numbered, first_strange = Telling(), 0, 0
    for line, text in enumerate(files.lines(name, options.encoding), 1):
        if not text.strip():
            continue
        found = NUMBERED.fullmatch(text.rstrip("\r\n"))
        found = found if found is None or found[2].strip() else None          # a number alone is no line of a story
        numbered += found is not None
        if found is None:
            first_strange = first_strange or line
            told.spoil("the line does not begin with a number", line)
        number = told.last + 1 if found is None else int(found[1])
        if number == 1 and found is not None:
            told = Telling(told.number + 1)
        elif number != told.last + 1:
            told.spoil(f"the number {number} follows {told.last}" if told.number else f"the first story begins with number {number}", line)
        told.last = number
        sentence, tab, rest = (text.strip() if found is None else found[2]).partition("\t")
        sentence, answer = " ".join(sentence.split()), rest.partition("\t")[0].strip()
        if not tab and not sentence.endswith("?"):
            told.sentences.append(sentence)
            continue
        trouble, where = told.trouble, told.trouble_line
        if not trouble:
            trouble, where = question_trouble(sentence, answer, told, options.want_targets), line
        yield Asked(line, told.number, tuple(told.sentences), sentence, answer, trouble, where)
    if first_strange and not numbered:
        raise DataError("the lines are not numbered", f"{name}, line {first_strange}",
                        "Write number, sentence on each line, and number, question, tab, answer; number 1 begins a story.")


def question_trouble(question: str, answer: str, told: Telling, want_answer: bool) -> str:
    if not question:
        return "there is no question before the answer"
    if not told.sentences:
        return "there is a question before any sentence of its story"
    return "the question has no answer" if want_answer and not answer else ""


def strange_answers(files: Files, found: Sequence[tuple[str, Asked]]) -> dict[str, str]:
    """Answers that cannot be both learnt and tested, and why: given once only, or in no story of a given training split."""
    whole = [(files.split(name), asked.answer) for name, asked in found if not asked.trouble]
    often = Counter(answer for _, answer in whole)
    strange = {answer: f"the answer {answer!r} is given only once" for answer, count in often.items() if count == 1}
    if any(split == "train" for split, _ in whole):
        learnt = {answer for split, answer in whole if split != "test"}
        strange |= {answer: f"the answer {answer!r} is in no story of the training split" for answer in often if answer not in learnt}
    return strange
