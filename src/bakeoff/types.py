"""Plain data that every part passes on; imports nothing of ours and, at run time, not even torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

Sizes = tuple[int | None, ...]                # one entry per axis; None: varies from example to example
Change = Literal["shift", "flip", "noise", "scale", "mask", "drop"]           # of examples in training: train/augment.py
Params = Mapping[str, Any]                    # a setting: choice name → value, JSON-able


SEPARATOR = ";"                               # between the labels of a target that is a set of them


def labels_of(target: object) -> list[str]:
    """'a;b' → ['a', 'b'], '' → []: the labels of a target that is a set of them (Spec.several)."""
    return [label for part in str(target).split(SEPARATOR) if (label := part.strip())]


def label_order(label: str) -> tuple[int, float, str]:
    """A key that puts numbers first, by value, then words by letter: '2' before '10'."""
    try:
        number = float(label)
    except ValueError:
        return (1, 0.0, label)
    return (0, number, label) if isfinite(number) else (1, 0.0, label)


class Grid(NamedTuple):
    """Vectors, or ids before embedding, on 1, 2 or 3 axes: all that passes between data, encoder and head.

    x: (B, *S, C) float (uint8 pixels before scaling), or (B, *S) int64 ids.
    valid: (B, *S) bool, False on padding; None: nothing is padded, decided on the host. On each axis valid cells are a
    prefix; x is zero where not valid, restored by whoever writes cells. A missing value is a channel, never a hole.
    """

    x: Tensor
    valid: Tensor | None = None


class Example(NamedTuple):
    """One example as it is shown: x as read, target in the user's words, key such as 'roses/0412.jpg'."""

    x: Any
    target: object
    key: str


class Batch(NamedTuple):
    """x: cells; y: targets as the task collated them, None where they are not known, or the Grid itself where what is read is
    what is to be said; given: known covariates, scales, prompts."""

    x: Grid
    y: Any
    keys: list[str]
    given: Mapping[str, Tensor]


class Answer(NamedTuple):
    """value in the user's labels and units; scores: probability per class, of a forecast '0.1' → that quantile, shaped as the value;
    empty where there are neither."""

    value: object
    scores: Mapping[str, Any]

PRETRAINED_PREFIX = "hf:"     # how the name of a contender begins that was trained before, elsewhere


class Needs(NamedTuple):
    """What a task asks of an encoder. keep: leading axes that keep answers (0 pooled, 1 per step, r per cell).

    coarse: along them, so many cells may share an answer. writes: its head makes causal encoders of the same family, which
    write answers one piece after another.
    """

    causal: bool = False
    keep: int = 0
    coarse: int = 1
    writes: bool = False


@dataclass(frozen=True)
class Ahead:
    """What of series is to be forecast, from which stretch of the past."""

    horizon: int                              # steps
    season: int                               # steps after which a pattern comes again; 1: none is known
    lookbacks: tuple[int, ...]                # steps on offer as input, ascending; the last is what an example holds
    names: tuple[str, ...]                    # of the channels as read
    aimed: tuple[int, ...]                    # which of them are forecast
    marked: bool = False                      # behind the channels as read stand as many that are 1 where a value was missing
    known: tuple[str, ...] = ()               # what is known beside: calendar, then --future, then words of the past
    calendar: int = 0                         # so many of them, the first, come from the time stamps
    later: int = 0                            # so many of them, calendar included, are known of the steps to come
    levels: tuple[float, ...] = (0.1, 0.5, 0.9)     # the quantiles that are said beside a point, ascending


@dataclass(frozen=True)
class Spec:
    """What may be known of a dataset without opening it again; taken from the training split."""

    kind: str
    axes: tuple[str, ...]
    sizes: Sizes
    channels: int | None                      # None: ids
    vocab: int | None                         # None: vectors
    step_seconds: float | None
    counts: Mapping[str, int]                 # train, val, test
    fingerprint: str
    mean: tuple[float, ...] = ()              # per channel, as stored (0 … 255 for pixels)
    std: tuple[float, ...] = ()
    longest: tuple[int, ...] = ()             # per axis, the longest of the training split
    typical: tuple[int, ...] = ()             # per axis, the median: the shape for which costs are stated
    ahead: Ahead | None = None                # None: there is nothing to be forecast
    several: bool = False                     # a label is a set of labels: 'a;b', or '' where there is none
    writing: str = ""                         # the tokenizer (JSON) by which ids are texts again, where nothing of them was lost

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def one_cell(self) -> bool:
        """A table's row: nothing lies beside anything else."""
        return all(size == 1 for size in self.sizes)

    @property
    def binary(self) -> bool:
        """Whether the training cells are 0 or 1: then, and else by a chance that no data have, the mean square of every channel is
        its mean."""
        return bool(self.mean) and all(abs(std * std + mean * mean - mean) < 1e-9 for mean, std in zip(self.mean, self.std, strict=True))


@dataclass(frozen=True)
class Budget:
    """The same for every contender; counts decide, all units are recorded, failed trials count."""

    trials: int
    examples: int                             # per trial, at the contender's starting setting
    seeds: int
    params: int | None = None                 # at most so many parameters; None: no limit


@dataclass(frozen=True)
class Question:
    """What was asked, resolved: everything that, with the data's fingerprint, decides the answer."""

    data: str
    options: Params
    fingerprint: str = ""


@dataclass(frozen=True)
class Job:
    """One training to be done. All that decides its result stands here (and in the plan's thread count)."""

    contender: str
    number: int                               # trial number, or the seed's number for a final
    stage: Literal["tune", "final"]
    seed: int
    params: Params
    examples: int                             # at the starting setting; dearer settings get fewer in proportion
    rungs: Mapping[str, float] = field(default_factory=dict)     # share of the training → score under which it is pruned
    fold: int = 0                             # which outer fold (--folds)
    subsample: int | None = None              # a baseline that cannot end within its share sees so many training examples


@dataclass(frozen=True)
class Point:
    """A look at the validation split in the middle of a training."""

    examples: int
    value: float                              # the task's first metric; NaN where there is no validation
    loss: float                               # mean validation loss
    train_loss: float
    seconds: float


@dataclass(frozen=True)
class Spend:
    """What one training took."""

    examples: int = 0
    steps: int = 0
    macs: float = 0.0
    seconds: float = 0.0
    asked: int = 0                            # examples it would have taken without pruning or early stop


@dataclass(frozen=True)
class Cost:
    """What a fitted contender costs. macs: forward, one example of the typical size; bytes: beyond the bare process."""

    parameters: int
    macs: float
    step_ms: float | None = None              # one training step at the chosen batch
    latency_ms_p50: float | None = None       # one example, batch 1
    latency_ms_p95: float | None = None
    peak_train_bytes: int | None = None
    peak_infer_bytes: int | None = None


@dataclass(frozen=True)
class Trial:
    """A training that has ended: a line of trials.jsonl. score: higher is better whatever the metric, loss breaks ties."""

    job: Job
    state: Literal["done", "pruned", "failed"]
    why: str
    curve: tuple[Point, ...]
    value: float | None                       # first metric at the best point
    score: float | None
    best_examples: int                        # where the best point lies
    spent: Spend
    cost: Cost | None = None
    reached: Mapping[str, float] = field(default_factory=dict)   # rung → best score so far: what later trials are pruned by
