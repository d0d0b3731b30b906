"""How surprised a model is by text: nats, bits, and the number of words among which it is as good as guessing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.metrics.base import Metric, PerUnit, Rows
from bakeoff.registry import metric
from bakeoff.types import Answer


class Surprise(PerUnit):
    """An answer is the sum of −ln p over an example's tokens, its target how many characters (or words) these are.
    rows: index, nats, how many."""

    def rows(self, answers: Sequence[Answer], targets: Sequence[object]) -> Rows:
        nats, count = ([float(str(value)) for value in values] for values in ((answer.value for answer in answers), targets))
        return np.column_stack([np.arange(len(nats), dtype=np.float64), nats, count])


@metric("nats")
class Nats(Surprise):
    """Mean −ln p of a character; of subwords, all nats over the characters that they spell."""

    name: ClassVar[str]
    unit: ClassVar[str] = "per character"
    best: ClassVar[Literal["high", "low"]] = "low"


@metric("bpc")
class BitsPerCharacter(Surprise):
    """The same in bits."""

    name: ClassVar[str]
    unit: ClassVar[str] = "bits per character"
    best: ClassVar[Literal["high", "low"]] = "low"

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return super().of(totals) / math.log(2)


@metric("perplexity")
class Perplexity(Surprise):
    """e to the mean nats of a word."""

    name: ClassVar[str]
    unit: ClassVar[str] = "per word"
    best: ClassVar[Literal["high", "low"]] = "low"

    def of(self, totals: Rows) -> NDArray[np.float64]:
        return np.exp(super().of(totals))


CHARACTERS: tuple[Metric, ...] = (Nats(), BitsPerCharacter())
WORDS: tuple[Metric, ...] = (Perplexity(),)
