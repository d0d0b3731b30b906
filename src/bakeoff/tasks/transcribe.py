"""What is said in a recording, as text: connectionist temporal classification.

Graves, Fernández, Gomez & Schmidhuber 2006, https://doi.org/10.1145/1143844.1143891. Prefix beam search: Hannun, Maas, Jurafsky & Ng
2014, https://arxiv.org/abs/1408.2873.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.metrics.error_rate import TRANSCRIBE, words
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.fold import Fold
from bakeoff.registry import task
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Sort
from bakeoff.types import Answer, Batch, Grid, Needs, Params, Spec

CLOSED, OFTEN = 200, 20       # so few different words, each said so often on average, may be learnt as units of their own
COARSE = 4                    # steps of the data that an encoder may read as one cell
HURRY = 4                     # times as fast as usual somebody may speak and still be heard
BEAM = 8                      # prefixes kept
UNLIKELY = 1e-3               # a unit below is not tried behind a prefix
CHARACTERS, WORDS = "characters", "words"

Units = tuple[int, ...]
Beams = Mapping[Units, tuple[float, float]]   # prefix → chance of it with silence, and with its last unit, at the last step
NOTHING: Beams = {(): (1.0, 0.0)}             # before the first step


class Steps(NamedTuple):
    """chances: (B, T, 1 + K) log-probabilities of no unit and of each; steps: (B,) int64, how many of the T an example has; row: which
    of the two ways of writing y is meant, 0 characters, 1 words."""

    chances: Tensor
    steps: Tensor
    row: int


@task("transcribe")
class Transcribe:
    """Every step says one unit or none; what is repeated counts once. out: Steps; answers: (B, L) numbers of units.

    A cell of the encoder that stands for several steps of the data says as many units as somebody may say meanwhile, so that no fold is
    too coarse for a fast speaker; but no more, since the fewer steps there are, the sooner it is found which of them says what (spoken
    digits, 4,000 examples, a step per cell against four: crnn .013 and .071 words wrong, transformer .53 and .84).
    y: (B, 2, L), or (B, 1, L) where words are not closed: the transcript in characters and in words, −1 behind; what training never
    saw is left out.
    """

    sort: ClassVar[Sort] = "whole"
    settles: ClassVar[bool] = True

    def __init__(self, characters: Sequence[str] = (), vocabulary: Sequence[str] = (), pace: Sequence[float] = (1.0, 1.0)) -> None:
        """pace: steps of the data per character, and per word, as is usual."""
        self.characters, self.vocabulary, self.pace = list(characters), list(vocabulary), list(pace)
        self.units = [*self.characters, *self.vocabulary]
        self.metrics = TRANSCRIBE

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        said = [words(target) for target in targets]
        counts = Counter(word for one in said for word in one)
        closed = len(counts) <= min(CLOSED, counts.total() / OFTEN)
        spelt = [" ".join(one) for one in said]
        pace = [spec.typical[0] / float(np.median([needed(one) for one in texts])) for texts in (spelt, said)]
        self.__init__(sorted(set().union(*spelt)), sorted(counts) if closed else [], pace)   # type: ignore[misc]
        return self

    def state(self) -> dict[str, Any]:
        return {"characters": self.characters, "vocabulary": self.vocabulary, "pace": self.pace}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(state["characters"], state["vocabulary"], state["pace"])

    def why_not(self, spec: Spec) -> str | None:
        if spec.ahead is not None:
            return "these series have no target of their own: they go on, and are to be forecast"
        return None if spec.axes[0] == "time" and spec.channels is not None else "there is no time along which something is said"

    @staticmethod
    def unfit(target: object, steps: int) -> str | None:
        """Why an example of so many steps cannot have this transcript, None: it can. Each character takes a step, and one of silence
        parts it from another of its kind."""
        least = needed(" ".join(words(target)))
        return None if least <= steps else f"the transcript needs {least:,} steps, a step per character, and the example has {steps:,}"

    def needs(self) -> Needs:
        return Needs(keep=1, coarse=COARSE)

    def space(self, spec: Spec) -> Space:
        ways = (WORDS, CHARACTERS) if self.vocabulary else (CHARACTERS,)
        return Space({
            "units": Param("units", ways[0], "what a step says; words: where there are few of them", values=ways),
            "decoding": Param("decoding", "greedy", f"how steps become text; beam: the likeliest of {BEAM} beginnings at any time",
                              values=("greedy", "beam")),
        })

    def collate(self, targets: Sequence[object]) -> Tensor:
        spoken = [words(target) for target in targets]
        rows = [numbers([" ".join(one) for one in spoken], self.characters)]
        if self.vocabulary:
            rows.append(numbers(spoken, self.vocabulary))
        longest = max(1, *(len(one) for row in rows for one in row))
        y = torch.full((len(spoken), len(rows), longest), -1, dtype=torch.int64)
        for place, row in enumerate(rows):
            for example, one in enumerate(row):
                y[example, place, :len(one)] = torch.tensor(one, dtype=torch.int64)
        return y

    def prepared(self, spec: Spec, params: Params) -> Spec:
        return spec

    def prepare(self, batch: Batch, params: Params) -> Batch:
        return batch

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        by_word = params.get("units") == WORDS
        first, count = (len(self.characters), len(self.vocabulary)) if by_word else (0, len(self.characters))
        return Spoken(encoder, dim, first, count, int(by_word), self.pace[by_word], params)

    def loss(self, out: Steps, y: Tensor, params: Params) -> Tensor:
        return self.plain_loss(out, y)

    def plain_loss(self, out: Steps, y: Tensor) -> Tensor:
        """−log of the chance of the transcript, per unit of it; 0 where there are too few steps for it."""
        own = y[:, out.row]
        length = (own >= 0).sum(1)
        missed = F.ctc_loss(out.chances.transpose(0, 1), (own + 1).clamp(min=1), out.steps, length, blank=0, reduction="none",
                            zero_infinity=True)
        return missed / length.clamp(min=1)

    def decode(self, out: Tensor) -> list[Answer]:
        known = ~out.isnan()
        return [Answer(self.written([int(number) for number in row[there].tolist()]), {}) for row, there in zip(out, known, strict=True)]

    def written(self, units: Sequence[int]) -> str:
        """Numbers of units, all of one sort, as text."""
        between = " " if units and units[0] >= len(self.characters) else ""
        return " ".join(between.join(self.units[unit] for unit in units).split())


class Spoken(nn.Module):
    """Grid (B, T' / patch, …, D) of T' steps of the data → Steps, `each` for a cell."""

    def __init__(self, encoder: Encoder, dim: int, first: int, count: int, row: int, pace: float, params: Params) -> None:
        """first: the number of the first of `count` units; pace: steps of the data per unit."""
        super().__init__()
        self.first, self.count, self.row, self.beam = first, count, row, params.get("decoding") == "beam"
        self.patch = Fold.parse(str(params["fold"]), 1).sides(1)[0]                          # steps of the data that a cell stands for
        self.each = min(self.patch, math.ceil(HURRY * self.patch / pace))
        beside = encoder.sizes[1:]
        self.fixed = None not in beside
        width = dim * prod(size or 1 for size in beside) if self.fixed else dim
        self.drop = nn.Dropout(params.get("dropout", 0.0))
        self.out = nn.Linear(width, self.each * (1 + count))

    def forward(self, grid: Grid, batch: Batch) -> Steps:
        x, valid = grid
        if not self.fixed:                                                                   # where cells beside each other vary, their mean
            known = x.new_ones(x.shape[:-1]) if valid is None else valid.to(x.dtype)
            x = x.flatten(2, -2).sum(2) / known.flatten(2).sum(2).clamp(min=1)[..., None]
        said = self.out(self.drop(x.flatten(2))).view(len(x), -1, 1 + self.count)            # (B, T' / patch · each, 1 + K)
        total, given = batch.x.x.shape[1], batch.x.valid
        steps = (torch.full((len(x),), total, device=x.device) if given is None
                 else given.reshape(len(x), total, -1).any(-1).sum(1).clamp(min=1))
        steps = (steps * self.each + self.patch - 1) // self.patch
        return Steps(said.float().log_softmax(-1), steps, self.row)

    def answer(self, grid: Grid, batch: Batch, out: Steps | None) -> Tensor:
        """(B, L) numbers of units, NaN behind."""
        chances, steps, _ = self(grid, batch) if out is None else out
        if not self.beam:
            return greedy(chances, steps) + self.first
        found = [prefix_beam(one[:count].exp().cpu().numpy()) for one, count in zip(chances, steps.tolist(), strict=True)]
        answers = torch.full((len(found), max(map(len, found))), torch.nan, device=chances.device)
        for row, units in enumerate(found):
            answers[row, :len(units)] = torch.tensor(units, dtype=answers.dtype)
        return answers + self.first


def greedy(chances: Tensor, steps: Tensor) -> Tensor:
    """(B, T, 1 + K), (B,) → (B, L) units from 0, NaN behind: the likeliest at each step, repetitions as one, silence left out."""
    best = chances.argmax(-1)
    new = F.pad(best[:, 1:] != best[:, :-1], (1, 0), value=True)
    kept = new & (best > 0) & (torch.arange(best.shape[1], device=best.device) < steps[:, None])
    out = chances.new_full((len(best), int(kept.sum(1).max())), torch.nan)
    example, step = kept.nonzero(as_tuple=True)
    out[example, (kept.cumsum(1) - 1)[example, step]] = (best[example, step] - 1).to(out.dtype)
    return out


def prefix_beam(chances: NDArray[np.floating[Any]], width: int = BEAM, unlikely: float = UNLIKELY) -> Units:
    """(T, 1 + K) probabilities → the likeliest units from 0, summed over all ways of saying them, among those whose beginnings were
    always among the `width` likeliest."""
    beams = NOTHING
    for row in chances.tolist():
        beams = heard(beams, row, width, unlikely)
    return likeliest(beams)


def heard(beams: Beams, row: Sequence[float], width: int = BEAM, unlikely: float = UNLIKELY) -> Beams:
    """The prefixes after one more step. row: (1 + K,) probabilities of no unit and of each."""
    tried = [unit for unit, chance in enumerate(row[1:]) if chance > unlikely]
    after: dict[Units, list[float]] = {}
    for prefix, (silent, voiced) in beams.items():
        same = after.setdefault(prefix, [0.0, 0.0])
        same[0] += (silent + voiced) * row[0]
        if prefix:
            same[1] += voiced * row[1 + prefix[-1]]
        for unit in tried:
            longer = after.setdefault((*prefix, unit), [0.0, 0.0])
            longer[1] += (silent if prefix and prefix[-1] == unit else silent + voiced) * row[1 + unit]
    best = sorted(after.items(), key=lambda one: (-sum(one[1]), one[0]))[:width]
    total = sum(best[0][1]) or 1.0                                                           # no product of many steps becomes 0
    return {prefix: (silent / total, voiced / total) for prefix, (silent, voiced) in best}


def likeliest(beams: Beams) -> Units:
    return max(beams, key=lambda prefix: sum(beams[prefix]))


def needed(text: Sequence[str]) -> int:
    """The fewest steps in which it can be said: one per unit, and one of silence between two that are alike."""
    return len(text) + sum(one == other for one, other in pairwise(text))


def numbers(texts: Iterable[Sequence[str]], units: Sequence[str]) -> list[list[int]]:
    """Each text as the numbers of its units; what is not among them is left out."""
    number = {unit: place for place, unit in enumerate(units)}
    return [[number[unit] for unit in text if unit in number] for text in texts]
