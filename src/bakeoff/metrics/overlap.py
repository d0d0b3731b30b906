"""Metrics of written texts: what they have in common with the true ones. Rows are counts, so that the value of any set is exact."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import OptionError
from bakeoff.metrics.base import Metric, Rows, Units, ratio, sums, whole
from bakeoff.registry import metric
from bakeoff.types import Answer

Floats = NDArray[np.float64]

ORDERS, LETTERS = 4, 6                        # longest n-grams of words for BLEU, of letters for chrF
SPACELESS = ("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")      # scripts that put no space between words, as Unicode calls their letters
LATIN = "LATIN"


@metric("bleu")
class BLEU:
    """Geometric mean of the shares of n-grams that are right, times a penalty for being short: Papineni et al. 2002,
    https://aclanthology.org/P02-1040; as sacrebleu counts and smooths. rows: index, right and all n-grams, length, true length."""

    name: ClassVar[str]
    unit: ClassVar[str] = "BLEU"
    best: ClassVar[Literal["high", "low"]] = "high"
    span: ClassVar[tuple[float, float]] = (0.0, 100.0)

    def __init__(self, tokens: str = "13a") -> None:
        """tokens: sacrebleu's way of parting words (see `parting`)."""
        self.tokens = tokens

    @cached_property
    def counter(self) -> Any:
        present("sacrebleu")
        from sacrebleu.metrics.bleu import BLEU as Library
        return Library(tokenize=self.tokens, effective_order=True)

    @property
    def signature(self) -> str:
        """How it was counted, in sacrebleu's words."""
        from sacrebleu.metrics.bleu import BLEU as Library
        library = Library(tokenize=self.tokens)
        library.corpus_score(["a"], [["a"]])
        return str(library.get_signature())

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        found = [self.counter.sentence_score(said, [true]) for said, true in texts(answers, targets)]
        return np.array([[index, *one.counts, *one.totals, one.sys_len, one.ref_len] for index, one in enumerate(found)],
                        np.float64).reshape(-1, 2 * ORDERS + 3)

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums(list(rows[:, 1:].T), unit, units)

    def of(self, totals: Rows) -> Floats:
        return self.score(totals, ORDERS)

    def each(self, rows: Rows) -> Floats:
        """Of each row by itself: only as long n-grams as there are count."""
        return self.score(rows[:, 1:], 0)

    def score(self, counts: Rows, orders: int) -> Floats:
        """(…, 2·ORDERS + 2) counts → (…). orders: of n-grams that must be there, 0: as many as there are."""
        right, all_, said, true = counts[..., :ORDERS], counts[..., ORDERS:2 * ORDERS], counts[..., -2], counts[..., -1]
        none = (right == 0) & (all_ > 0)
        smooth = 2.0 ** np.cumsum(none, -1)                                  # each order without a match counts half as much as the one before
        share = np.where(none, 1 / smooth, right) / np.maximum(all_, 1)
        logs = np.log(np.maximum(share, 1e-300)) * (all_ > 0)
        there = np.maximum((all_ > 0).sum(-1), 1)
        mean = logs.sum(-1) / (orders or there)
        short = np.where(said < true, 1 - ratio(true, said), 0.0)
        score = 100 * np.exp(np.minimum(np.nan_to_num(short), 0.0) + mean)
        known = (right.sum(-1) > 0) & (there >= orders)
        return np.where(true + said > 0, np.where(known, score, 0.0), np.nan)

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("chrf")
class ChrF:
    """F-score of n-grams of letters, recall counting twice: Popović 2015, https://aclanthology.org/W15-3049; as sacrebleu has it.
    rows: index; said, true and common n-grams of each order."""

    name: ClassVar[str]
    unit: ClassVar[str] = "chrF"
    best: ClassVar[Literal["high", "low"]] = "high"
    span: ClassVar[tuple[float, float]] = (0.0, 100.0)

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        found = [[index, *common_letters(said, true)] for index, (said, true) in enumerate(texts(answers, targets))]
        return np.array(found, np.float64).reshape(-1, 3 * LETTERS + 1)

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([np.ones(len(rows)), *rows[:, 1:].T], unit, units)

    def of(self, totals: Rows) -> Floats:
        said, true, common = (totals[..., 1 + part::3] for part in range(3))
        there = (said > 0) & (true > 0)
        orders = np.maximum(there.sum(-1), 1)
        precision, recall = (np.where(there, common / np.maximum(part, 1), 0.0).sum(-1) / orders for part in (said, true))
        score = np.nan_to_num(ratio(5 * precision * recall, 4 * precision + recall))
        return np.where(totals[..., 0] > 0, 100 * score, np.nan)

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("exact")
class Exact:
    """Share of texts that are right to the letter. rows: index, right."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        return np.array([[index, said == true] for index, (said, true) in enumerate(texts(answers, targets))], np.float64).reshape(-1, 2)

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([np.ones(len(rows)), rows[:, 1]], unit, units)

    def of(self, totals: Rows) -> Floats:
        return ratio(totals[..., 1], totals[..., 0])

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


class Rouge:
    """Mean over texts of the F-score of what they share with the true ones: Lin 2004, https://aclanthology.org/W04-1013; by the library
    rouge-score, without stemming. rows: index, F."""

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    best: ClassVar[Literal["high", "low"]] = "high"

    def __init__(self, latin: bool = True) -> None:
        """latin: words are parted as the library does, which knows a – z and digits alone; else see Words."""
        self.latin = latin

    @cached_property
    def scorer(self) -> Any:
        present("rouge_score")
        from rouge_score.rouge_scorer import RougeScorer
        return RougeScorer([self.name], tokenizer=None if self.latin else Words())

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        found = [[index, self.scorer.score(true, said)[self.name].fmeasure] for index, (said, true) in enumerate(texts(answers, targets))]
        return np.array(found, np.float64).reshape(-1, 2)

    def totals(self, rows: Rows, unit: Units, units: int) -> Rows:
        return sums([np.ones(len(rows)), rows[:, 1]], unit, units)

    def of(self, totals: Rows) -> Floats:
        return ratio(totals[..., 1], totals[..., 0])

    def value(self, rows: Rows) -> float:
        return whole(self, rows)


@metric("rougeL")
class RougeL(Rouge):
    """The longest common subsequence of words."""


@metric("rouge1")
class Rouge1(Rouge):
    """Common words."""


@metric("rouge2")
class Rouge2(Rouge):
    """Common pairs of neighbouring words."""


class Words:
    """Runs of letters and digits of any script in lower case; a letter of a script without spaces is a word."""

    def tokenize(self, text: str) -> list[str]:
        found = [""]
        for letter in unicodedata.normalize("NFC", text).lower():
            alone = script_of(letter) in ("zh", "ja", "char")
            if alone or not (letter.isalnum() or unicodedata.category(letter).startswith("M")):
                found += [letter, ""] if alone else [""]
            else:
                found[-1] += letter
        return [word for word in found if word]


def texts(answers: Sequence[Answer], targets: Sequence[object]) -> list[tuple[str, str]]:
    """(what was said, what is true), without spaces at the ends."""
    return [(str(answer.value or "").strip(), str(target).strip()) for answer, target in zip(answers, targets, strict=True)]


def common_letters(said: str, true: str) -> list[int]:
    """For each order: n-grams said (0 where the true text has none), true ones, and common ones; spaces do not count."""
    said, true = "".join(said.split()), "".join(true.split())
    found: list[int] = []
    for order in range(1, LETTERS + 1):
        ours, theirs = (Counter(text[start:start + order] for start in range(len(text) - order + 1)) for text in (said, true))
        found += [ours.total() if theirs else 0, theirs.total(), (ours & theirs).total()]
    return found


def script_of(letter: str) -> str:
    """'zh' Han, 'ja' kana, 'char' another script without spaces, 'latin', '' none or any other."""
    if letter.isascii():
        return "latin" if letter.isalpha() else ""
    name = unicodedata.name(letter, "")
    if name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY")):
        return "zh"
    if name.startswith(("HIRAGANA", "KATAKANA")):
        return "ja"
    return "char" if name.startswith(SPACELESS) else "latin" if name.startswith(LATIN) else ""


def parting(targets: Sequence[str]) -> str:
    """How sacrebleu is to part words, by the script that most letters of the texts are of: zh, ja-mecab, char, else 13a. Japanese
    without mecab (sacrebleu's extra 'ja') is parted into letters."""
    letters = Counter(script_of(letter) for text in targets for letter in text if letter.isalpha())
    spaceless = letters["zh"] + letters["ja"] + letters["char"]
    if spaceless <= 0.5 * letters.total():
        return "13a"
    if letters["ja"] > 0.1 * spaceless:
        return "ja-mecab" if find_spec("MeCab") else "char"
    return "zh" if letters["zh"] >= letters["char"] else "char"


def mostly_latin(targets: Sequence[str]) -> bool:
    letters = Counter(script_of(letter) for text in targets for letter in text if letter.isalpha())
    return letters["latin"] >= 0.5 * letters.total()


def present(library: str) -> None:
    """Raises OptionError where a library of the extra 'text' is missing."""
    if find_spec(library) is None:
        raise OptionError(f"written texts are judged by {library.replace('_', '-')}, which is not installed", "", "Say: pip install 'bakeoff[text]'")


def translated(tokens: str) -> tuple[Metric, ...]:
    return (BLEU(tokens), ChrF(), Exact())


def summarised(latin: bool) -> tuple[Metric, ...]:
    return (RougeL(latin), Rouge1(latin), Rouge2(latin))
