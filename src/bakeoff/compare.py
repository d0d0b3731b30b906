"""Rows → values with intervals, paired tests against the best, ties, the recommended contender.

How it is done, in the order of the code:

1. *Contributions.* What each test example (or group of examples, where they come in groups) adds to a contender's
   value is found by leaving it out (jackknife). For means this is exact, for other metrics it is their first order.
2. *Two sources of noise.* Over examples, paired: the covariance of the contributions of all contenders. Over training
   seeds: the variance of the value between seeds beyond what the test examples explain (two-way random effects). Their
   sum has Satterthwaite's degrees of freedom, so three seeds are not taken for three hundred.
3. *Few examples.* 28 of 28 right has no spread to estimate a variance from. Values of 0 … 1 get the interval of
   Agresti and Coull, on as many independent examples as the spread tells of; differences get four examples more, two
   in each direction (Agresti and Min 2005, https://doi.org/10.1002/sim.1781, in spirit).
4. *Many contenders.* Resamples give random Gaussian weights to examples and seeds, the same to all contenders
   (a multiplier bootstrap, which is drawing from their joint covariance). The largest difference of *any* two of the
   contenders still in question is what the best is judged by: that pays for the best having been picked. Contenders
   are judged from the most different on, and one found different leaves the question (step-down max-T). The lower end
   of an interval needs no such price: picking the best can only make it look better (Dunnett).

Tests simulate all of it: coverage, false differences among equals, power.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bakeoff.errors import DataError, OptionError, near
from bakeoff.metrics.base import Metric, Rows, Summed, Units, sign

Floats = NDArray[np.float64]

LEVEL = 0.95
OUTSIDE = "pretrained"        # the group of contenders that were trained before, on other data
ALPHA = 1 - LEVEL
POWER = 0.8
RESAMPLES = 9_999
SEED = 20_240_613                             # of the resamples: the same comparison twice is the same to the last digit
FLIPS = 4                                     # examples added to a difference of 0–1 values, half in each direction
BLOCKS = (20, 100)                            # least and most blocks of examples where a metric is no function of sums
CELLS_READ = 100_000_000                      # numbers that all values without a block may read together; more: fewer blocks
HOPELESS = 100                                # times the test examples there are: more than that separates nothing in practice
COSTS = {"macs": ("macs", "parameters"), "parameters": ("parameters", "macs"), "latency": ("latency_ms_p50",),
         "memory": ("peak_infer_bytes",), "seconds": ("train_seconds",)}


@dataclass(frozen=True)
class Entrant:
    """A contender as it is compared.

    rows: the metric's rows per seed, all on the same test examples; one where deterministic; none where it failed.
    cost: what COSTS names, None or absent where unknown.
    """

    name: str
    group: str
    rows: tuple[Rows, ...]
    deterministic: bool = False
    cost: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Value:
    """Mean over seeds with its 95 % interval, and the value per seed. None: not to be had from a single example."""

    value: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """A contender minus the best, in the metric's unit."""

    difference: float
    low: float | None
    high: float | None
    p: float


@dataclass(frozen=True)
class Pair:
    """a minus b, a ranked before b; interval for all pairs at once, p corrected by Holm."""

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    p: float


@dataclass(frozen=True)
class Comparison:
    """Who is how good, and who differs from whom. Contenders stand by rank."""

    metric: str
    unit: str
    direction: Literal["high", "low"]
    contenders: tuple[str, ...]
    values: Mapping[str, Value]
    against_best: Mapping[str, Difference]    # all but the best
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]                    # what is estimated, in sentences
    tied_with: tuple[str, ...]
    recommended: str
    margin: float
    cost: str
    best_network: str | None                  # best that is neither baseline nor pretrained
    best_baseline: str | None
    p_baseline: float | None                  # of best_network against best_baseline
    more_examples_to_separate: int | None     # first from second; None: they are, or no number of examples in reach would
    without_value: Mapping[str, str]          # entered with rows, but the metric is not defined on them
    seeds: int
    n_test: int
    outside: Mapping[str, tuple[Value, Difference]] = field(default_factory=dict)     # pretrained: values, and what they are minus the best

    @property
    def best(self) -> str:
        return self.contenders[0]

    @property
    def beats_baseline(self) -> bool:
        return self.p_baseline is not None and self.p_baseline < ALPHA

    def record(self) -> dict[str, Any]:
        """comparison.json."""
        return {"metric": self.metric, "unit": self.unit, "best": self.direction, "level": LEVEL, "contenders": list(self.contenders),
                "values": {name: asdict(self.values[name]) | {"seeds": list(self.values[name].seeds)} for name in self.contenders},
                "against_best": {name: asdict(self.against_best[name]) for name in self.contenders[1:]},
                "pairs": [asdict(pair) for pair in self.pairs], "notes": list(self.notes),
                **({"outside": {name: {"value": asdict(value) | {"seeds": list(value.seeds)}, "against_best": asdict(told)}
                                for name, (value, told) in self.outside.items()}} if self.outside else {})}


def compare(entrants: Sequence[Entrant], metric: Metric, n_test: int, *, seeds: int, groups: Sequence[object] | None = None,
            margin: float | None = None, cost: str = "macs") -> Comparison:
    """Compares all entrants that have rows. Those with outside knowledge, which were trained before on other data, stand apart:
    each is set against the best of the others, and changes nothing that is said of these.

    n_test: test examples; the rows' first column counts them from 0. groups: which of them belong together, one entry
    per example. seeds: as planned; an entrant may have fewer. margin: how much worse is still as good, by default .02
    of a 0–1 metric, else 5 % of the best's value. Raises DataError where no entrant has a value.
    """
    if cost not in COSTS:
        raise OptionError(f"no cost is called {cost!r}", "--cost", near(cost, COSTS))
    knowing = [one for one in entrants if one.group == OUTSIDE and one.rows]
    if knowing and len(knowing) < len(entrants):
        alone = partial(compare, metric=metric, n_test=n_test, seeds=seeds, groups=groups, margin=margin, cost=cost)
        found = alone([one for one in entrants if one not in knowing])
        best = next(one for one in entrants if one.name == found.best)
        outside = {one.name: told for one in knowing if (told := apart(best, one, alone)) is not None}
        lost = {one.name: f"{metric.name} is not a number on its answers" for one in knowing if one.name not in outside}
        return replace(found, outside=outside, without_value={**found.without_value, **lost})
    notes: list[str] = []
    unit, units = units_of(groups, n_test, notes)
    measured, without_value = measure(entrants, metric, unit, units, n_test, notes)
    if not measured:
        raise DataError(f"{metric.name} has no value for any contender", f"{n_test} test examples",
                        "Give more test examples, or another --metric.")
    direction = sign(metric)
    ranked = sorted(measured, key=lambda item: (-round(direction * item.value, 12), price(item.entrant, cost), item.entrant.name))
    bounded = metric.unit == "" and all(0 <= value <= 1 for item in ranked for value in item.seeds)
    noise = Noise(ranked, units, n_test, bounded, seeds)
    values = {item.entrant.name: Value(tidy(item.value), *interval(metric, item.value, noise, k, bounded), tuple(map(tidy, item.seeds)))
              for k, item in enumerate(ranked)}
    draws = resampled(noise)
    judged = against_best(noise, draws, direction)
    names = tuple(item.entrant.name for item in ranked)
    margin = margin if margin is not None else 0.02 if metric.unit == "" else 0.05 * abs(ranked[0].value)
    tied = tuple(name for name, one in zip(names[1:], judged, strict=True) if one.p >= ALPHA)
    good_enough = [0, *(k for k, one in enumerate(judged, 1) if one.low > -margin)]
    network, baseline, p_baseline = beats(noise, draws, ranked, direction)
    describe(notes, ranked, metric, seeds, n_test, len(names))
    return Comparison(
        metric=metric.name, unit=metric.unit, direction=metric.best, contenders=names, values=values,
        against_best={name: Difference(tidy(direction * one.difference), *ends(direction, one.low, one.high), tidy(one.p))
                      for name, one in zip(names[1:], judged, strict=True)},
        pairs=every_pair(noise, draws, names), notes=tuple(notes), tied_with=tied,
        recommended=cheapest(ranked, good_enough, cost), margin=tidy(margin), cost=cost, best_network=network, best_baseline=baseline,
        p_baseline=p_baseline, more_examples_to_separate=more_examples(noise, judged, n_test), without_value=without_value,
        seeds=seeds, n_test=n_test)


def apart(best: Entrant, one: Entrant, alone: Callable[[Sequence[Entrant]], Comparison]) -> tuple[Value, Difference] | None:
    """A contender with outside knowledge: its value, and that minus the best of the others; None where it has no value."""
    both = alone([replace(one, group=""), best])              # groups play no part here, and none is apart
    if one.name not in both.values:
        return None
    told = both.against_best[both.contenders[1]]
    if both.best == one.name:                                 # turned round: the best of the others is what it is counted from
        told = Difference(-told.difference, None if told.high is None else -told.high, None if told.low is None else -told.low, told.p)
    return both.values[one.name], told


# 1. Contributions

@dataclass(frozen=True)
class Measured:
    """An entrant's value per seed, and what each unit contributes: (seeds, units), mean 0, so that a value's standard
    error is the contributions' over √units."""

    entrant: Entrant
    seeds: tuple[float, ...]
    parts: Floats

    @property
    def value(self) -> float:
        return float(np.mean(self.seeds))


def units_of(groups: Sequence[object] | None, n_test: int, notes: list[str]) -> tuple[Units, int]:
    """What is drawn independently: examples, or groups of them → unit per example, number of units."""
    if groups is None:
        return np.arange(n_test), n_test
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    if len(numbers) == 1 < n_test:
        notes.append("All test examples belong to one group: the intervals are about that group only.")
        return np.arange(n_test), n_test
    if len(numbers) < n_test:
        notes.append(f"Examples of a group are not independent, so whole groups are what is drawn: {len(numbers):,} of them.")
    return np.array([numbers[group] for group in groups], dtype=np.int64), len(numbers)


def measure(entrants: Sequence[Entrant], metric: Metric, unit: Units, units: int, n_test: int,
            notes: list[str]) -> tuple[list[Measured], dict[str, str]]:
    """Values and contributions of all that have them, and why the others have none."""
    if not isinstance(metric, Summed):
        cells = sum(seed.size for entrant in entrants for seed in entrant.rows)
        blocks = int(np.clip(CELLS_READ // max(cells, 1), *BLOCKS))
        if units > blocks:
            notes.append(f"{metric.name} is no sum over examples: its noise is estimated from {blocks} random blocks of them.")
            unit = np.random.default_rng(SEED).permutation(np.arange(units) % blocks)[unit]
    units = int(unit.max(initial=-1)) + 1
    found, without = [], {}
    for entrant in entrants:
        if not entrant.rows:
            continue
        pairs = [contributions(metric, seed, unit[seed[:, 0].astype(np.int64)], units) for seed in entrant.rows]
        values = tuple(value for value, _ in pairs)
        if all(map(math.isfinite, values)):
            found.append(Measured(entrant, values, np.stack([parts for _, parts in pairs])))
        else:
            without[entrant.name] = f"{metric.name} is not a number on its answers"
    return found, without


def contributions(metric: Metric, rows: Rows, unit: Units, units: int) -> tuple[float, Floats]:
    """The value, and by the jackknife what each unit adds to it, (units,) with mean 0. unit: one per row."""
    with np.errstate(over="ignore", invalid="ignore"):       # an answer of 1e200: its square has no value, which is said
        if isinstance(metric, Summed):
            totals = metric.totals(rows, unit, units)
            whole = totals.sum(0)
            value = float(metric.of(whole))
            left = metric.of(whole - totals)
        else:
            value = metric.value(rows)
            left = np.array([metric.value(rows[unit != one]) for one in range(units)])
        parts = (units - 1) * (value - np.where(np.isfinite(left), left, value))   # undefined without it: says nothing
        return value, parts - parts.mean()


# 2. Two sources of noise, 3. few examples

class Noise:
    """Variances of values and of their differences, by rank.

    A flip is one example turning from wrong to right: contributions are counted in flips where an absolute scale is
    needed, which 0–1 metrics have.
    """

    def __init__(self, ranked: Sequence[Measured], units: int, n_test: int, bounded: bool, seeds: int) -> None:
        self.values: Floats = np.array([item.value for item in ranked])
        self.parts: Floats = np.stack([item.parts.mean(0) for item in ranked])          # (K, units): mean over seeds
        self.units = self.parts.shape[1]
        self.n_test, self.flip = n_test, n_test / self.units
        self.counted = units                                                             # before blocks were made of them
        self.bounded = bounded
        spare = max(self.units - 1, 1) * self.units
        self.examples: Floats = self.parts @ self.parts.T / spare if self.units > 1 else np.full((len(ranked),) * 2, math.inf)
        self.beyond, self.freedom, self.wobble = seed_variance(ranked, self.units, seeds)

    def freedom_over_examples(self, parts: Floats) -> float:
        """Degrees of freedom of the variance of these contributions: fewer than there are where a few large errors make
        it, which their kurtosis tells of. 0–1 values have no large errors."""
        most = float(max(self.units - 1, 1))
        square = parts ** 2
        all_squares = float(square.sum()) ** 2
        excess = self.units * float(square @ square) - all_squares
        return most if self.bounded or excess <= 0 else min(most, max(2 * self.units * all_squares / excess, 1.0))

    def of_difference(self, i: int, j: int) -> tuple[float, float]:
        """Of value i − value j, paired: standard error and degrees of freedom.

        These are Satterthwaite's, from the mean squares that the variance was put together from.
        """
        apart = self.parts[i] - self.parts[j]
        square = float(apart @ apart)
        if self.bounded:
            square += FLIPS * self.size_of_a_flip(apart + self.values[i] - self.values[j]) / self.flip ** 2
        if self.units < 2:
            return math.inf, 1.0
        examples, both = square / (self.units * (self.units - 1)), [i, j]
        variance = examples + float(self.beyond[both].sum())
        squares = examples ** 2 / self.freedom_over_examples(apart) + float(self.wobble[both].sum())
        return math.sqrt(variance), max(variance ** 2 / squares, 1.0) if squares > 0 else 1.0

    def size_of_a_flip(self, apart: Floats) -> float:
        """How large differences are where there are any, squared: 1 where one model errs and the other does not, less
        where only one seed of three does. Where there are none, what one example could do."""
        square = (apart * self.flip) ** 2
        return float(((square @ square) + self.flip ** 2) / (square.sum() + self.flip))


def seed_variance(ranked: Sequence[Measured], units: int, seeds: int) -> tuple[Floats, Floats, Floats]:
    """Of the mean over seeds, per contender: variance that the test examples do not explain, its degrees of freedom, and
    the variance of its estimate (halved).

    Between three seeds a variance may come out far too small. Where it is smaller than is typical, compared with what
    the test examples explain, it is raised towards that, which counts for two degrees of freedom; one large variance
    moves nobody. A contender of which only one seed came through borrows the others' mean. Deterministic ones, and all
    where one seed was planned, have none: then these trained models are what is compared.
    """
    count = np.array([len(item.seeds) for item in ranked])
    free = np.maximum(count - 1, 1).astype(np.float64)
    seen = np.array([float(np.var(item.seeds, ddof=1)) if len(item.seeds) > 1 else 0.0 for item in ranked])
    rest = np.array([float(((item.parts - item.parts.mean(0)) ** 2).sum()) for item in ranked])
    by_chance = rest / np.maximum((units - 1) * free * units, 1)
    several = count > 1
    told = several & (by_chance > 0)
    wobble = seen ** 2 / free
    if told.sum() > 2:
        median = 2 * special.gammaincinv(free / 2, 0.5) / free                 # of a chi square over its mean
        typical = by_chance * float(np.median((seen / np.maximum(by_chance, 1e-300) / median)[told]))
        raised, own = told & (typical > seen), free / (free + 2)
        wobble = np.where(raised, own ** 2 * wobble + (1 - own) ** 2 * typical ** 2 * 2 / told.sum() / free, wobble)
        seen = np.where(raised, own * seen + (1 - own) * typical, seen)
    beyond = np.maximum(seen - by_chance, 0.0)
    lent = ~several & (seeds > 1) & np.array([not item.entrant.deterministic for item in ranked])
    if several.any() and lent.any():
        beyond[lent], wobble[lent] = beyond[several].mean(), seen[several].mean() ** 2
    return beyond / count, free, wobble / count ** 2


def interval(metric: Metric, value: float, noise: Noise, k: int, bounded: bool) -> tuple[float | None, float | None]:
    """95 % interval of one value: each source of noise enters with its own t quantile (Banerjee 1961), since one between
    three seeds may come out far too small."""
    examples, seeds = float(noise.examples[k, k]), float(noise.beyond[k])
    reach, seeds_reach = (quantile(ALPHA / 2, freedom) for freedom in (noise.freedom_over_examples(noise.parts[k]), noise.freedom[k]))
    if bounded:                                              # Agresti and Coull on n independent examples
        spread, least = value * (1 - value), 1 / noise.n_test
        n = (spread + least) / (examples + least / noise.counted) if math.isfinite(examples) else 1.0
        n_more = n + reach ** 2
        middle = (n * value + reach ** 2 / 2) / n_more
        half = math.sqrt(reach ** 2 * middle * (1 - middle) / n_more + seeds_reach ** 2 * seeds)
        return tidy(max(min(middle - half, value), 0.0)), tidy(min(max(middle + half, value), 1.0))
    half = math.sqrt(reach ** 2 * examples + seeds_reach ** 2 * seeds)
    if not math.isfinite(half):
        return None, None
    least, most = getattr(metric, "span", (-math.inf, math.inf))
    if metric.best == "low" and value > 0:                   # an error cannot fall below 0: symmetric in its logarithm
        return tidy(value * math.exp(-half / value)), tidy(min(value * math.exp(min(half / value, 700.0)), most))
    return tidy(max(value - half, least)), tidy(min(value + half, most))


def quantile(tail: float, freedom: float) -> float:
    """Student's t above which `tail` lies."""
    return float(-special.stdtrit(freedom, tail))


# 4. Many contenders

@dataclass(frozen=True)
class Judged:
    """One against the best, in the direction in which high is good. critical: the normal quantile it was judged by."""

    difference: float
    low: float
    high: float
    p: float
    critical: float


def against_best(noise: Noise, draws: Floats, direction: int) -> list[Judged]:
    """All others by rank, against the first."""
    count = len(noise.values)
    tests = [Test.of(noise, k, 0) for k in range(count)]
    critical, p = step_down(draws, [test.score for test in tests])
    below = limit_of(largest(draws[:, 1:] - draws[:, :1]), ALPHA / 2, count - 1, 1) if count > 1 else 0.0
    judged = []
    for k in range(1, count):
        difference = direction * (noise.values[k] - noise.values[0])
        judged.append(Judged(difference, difference - tests[k].reach(below), difference + tests[k].reach(critical[k]), p[k], critical[k]))
    return judged


@dataclass(frozen=True)
class Test:
    """A paired difference with its standard error. score: the normal quantile that is as surprising as its t."""

    difference: float
    error: float
    freedom: float
    score: float

    @classmethod
    def of(cls, noise: Noise, i: int, j: int) -> Test:
        difference = float(noise.values[i] - noise.values[j])
        if i == j:
            return cls(0.0, 0.0, 1.0, 0.0)
        error, freedom = noise.of_difference(i, j)
        if difference == 0 or not math.isfinite(error):
            return cls(difference, error, freedom, 0.0)
        tail = float(special.stdtr(freedom, -abs(difference) / error)) if error > 0 else 0.0
        return cls(difference, error, freedom, float(-special.ndtri(tail)))

    def reach(self, critical: float) -> float:
        """How far the interval reaches where `critical` is the normal quantile."""
        return self.error * quantile(float(special.ndtr(-critical)), self.freedom) if self.error else 0.0

    @property
    def p(self) -> float:
        """Two-sided, not corrected."""
        return 2 * float(special.ndtr(-self.score))


def resampled(noise: Noise) -> Floats:
    """Deviations of all values under Gaussian weights for units and seeds → (RESAMPLES, K)."""
    count = len(noise.values)
    covariance = np.where(np.isfinite(noise.examples), noise.examples, 0.0) + np.diag(noise.beyond)
    size, axes = np.linalg.eigh(covariance)
    normal = np.random.default_rng(SEED).standard_normal((RESAMPLES, count))
    return normal @ (axes * np.sqrt(np.maximum(size, 0.0))).T


def standard(draws: Floats) -> Floats:
    """Each column over its standard deviation; columns without any stay 0."""
    spread = np.sqrt((draws ** 2).mean(0))
    return np.divide(draws, spread, out=np.zeros_like(draws), where=spread > 1e-12 * max(float(np.abs(draws).max(initial=0.0)), 1e-300))


def largest(draws: Floats) -> Floats:
    """The largest standardised column per resample."""
    return standard(draws).max(1)


def step_down(draws: Floats, scores: Sequence[float]) -> tuple[list[float], list[float]]:
    """Critical value and p per contender, against the first. scores: how surprising its difference to the first is.

    From the most different on: each is judged by the largest difference of any two of those not yet found different.
    """
    count = len(scores)
    order = sorted(range(1, count), key=lambda k: (-scores[k], k))
    inside, top = [0], np.zeros(len(draws))
    judged: list[tuple[int, float, float]] = []
    for k in reversed(order):                                # the least different first: the largest only grows
        top = np.maximum(top, np.abs(standard(draws[:, inside] - draws[:, [k]])).max(1))
        inside.append(k)
        pairs = len(inside) * (len(inside) - 1) // 2
        judged.append((k, limit_of(top, ALPHA, pairs, 2), chance(top, scores[k], pairs, 2)))
    critical, p = [0.0] * count, [1.0] * count
    so_far, stopped = 0.0, None
    for k, limit, value in reversed(judged):
        so_far = max(so_far, value)
        p[k] = so_far
        if so_far >= ALPHA and stopped is None:
            stopped = limit
        critical[k] = limit if stopped is None else stopped
    return critical, p


def chance(top: Floats, score: float, comparisons: int, sides: int) -> float:
    """How often the largest of the comparisons is as surprising as `score` where nothing differs.

    At most the sum of their single chances, which is exact for one, and tells what 10,000 resamples are too few for.
    """
    bound = min(comparisons * sides * float(special.ndtr(-score)), 1.0)
    return bound if comparisons == 1 else min(bound, (1 + int((top >= score).sum())) / (len(top) + 1))


def limit_of(top: Floats, alpha: float, comparisons: int, sides: int) -> float:
    """The score above which `chance` is below alpha."""
    bound = float(-special.ndtri(alpha / (comparisons * sides)))
    if comparisons == 1:
        return bound
    more = math.ceil(alpha * (len(top) + 1) - 1)             # so many resamples may be as large, less one
    return min(bound, float(np.partition(top, len(top) - more)[len(top) - more]))


def every_pair(noise: Noise, draws: Floats, names: Sequence[str]) -> tuple[Pair, ...]:
    """All pairs: p by Holm, intervals that hold for all of them at once."""
    count = len(names)
    places = [(i, j) for i in range(count) for j in range(i + 1, count)]
    if not places:
        return ()
    tests = [Test.of(noise, i, j) for i, j in places]
    top = np.zeros(len(draws))
    for i in range(1, count):
        top = np.maximum(top, np.abs(standard(draws[:, :i] - draws[:, [i]])).max(1))
    critical = limit_of(top, ALPHA, len(places), 2)
    corrected = holm([test.p for test in tests])
    return tuple(Pair(names[i], names[j], tidy(test.difference), *ends(1, test.difference - test.reach(critical),
                                                                        test.difference + test.reach(critical)), tidy(p))
                 for (i, j), test, p in zip(places, tests, corrected, strict=True))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction, in the order given."""
    corrected, so_far = [1.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda k: p[k])):
        so_far = max(so_far, min((len(p) - rank) * p[place], 1.0))
        corrected[place] = so_far
    return corrected


def beats(noise: Noise, draws: Floats, ranked: Sequence[Measured], direction: int) -> tuple[str | None, str | None, float | None]:
    """Best network, best baseline, and the p of the first being better.

    It must be better than *every* baseline, which pays for the best baseline having been picked; and by more than the
    best of all networks would be by chance, which pays for the network. Two-sided, as all p here.
    """
    baselines = [k for k, item in enumerate(ranked) if item.entrant.group == "baseline"]
    networks = [k for k, item in enumerate(ranked) if item.entrant.group not in ("baseline", "pretrained")]
    network, baseline = (ranked[some[0]].entrant.name if some else None for some in (networks, baselines))
    if not baselines or not networks:
        return network, baseline, None
    worst = 0.0
    for k in baselines:
        test = Test.of(noise, networks[0], k)
        if direction * test.difference <= 0:
            return network, baseline, 1.0
        worst = max(worst, 2 * chance(largest(draws[:, networks] - draws[:, [k]]), test.score, len(networks), 1))
    return network, baseline, tidy(min(worst, 1.0))


# What is said about it

def price(entrant: Entrant, cost: str) -> tuple[float, ...]:
    """What decides which is cheaper; infinite where it was not measured."""
    prices = [entrant.cost.get(key) for key in COSTS[cost]]
    return tuple(math.inf if number is None or math.isnan(number) else float(number) for number in prices)


def cheapest(ranked: Sequence[Measured], among: Sequence[int], cost: str) -> str:
    """The cheapest of those good enough; the best where no cost is known."""
    return ranked[min(among, key=lambda k: (price(ranked[k].entrant, cost), k))].entrant.name


def more_examples(noise: Noise, judged: Sequence[Judged], n_test: int) -> int | None:
    """How many more test examples would tell the second from the best with 80 % power, two digits; None where they
    are told apart, or where even a hundred times as many would not do (or more seeds would have to)."""
    if not judged or judged[0].p < ALPHA or not judged[0].difference:
        return None
    apart = noise.parts[0] - noise.parts[1]
    per_unit = float(apart @ apart) / max(noise.units - 1, 1)                  # variance of one unit's difference
    wanted = (judged[0].difference / (judged[0].critical - float(special.ndtri(1 - POWER)))) ** 2
    room = wanted - float(noise.beyond[0] + noise.beyond[1])
    if room <= 0:
        return None
    more = (per_unit / room - noise.units) * noise.flip
    if more < 1 or more > HOPELESS * n_test:                                   # under 1: the few seeds hide it, not the few examples
        return None
    step = 10 ** max(math.floor(math.log10(more)) - 1, 0)
    return math.ceil(more / step) * step


def describe(notes: list[str], ranked: Sequence[Measured], metric: Metric, seeds: int, n_test: int, count: int) -> None:
    """Adds what is estimated."""
    fixed = [item.entrant.name for item in ranked if item.entrant.deterministic]
    short = [item.entrant.name for item in ranked if not item.entrant.deterministic and len(item.seeds) < seeds]
    if seeds == 1:
        notes.append("One seed: what is estimated is the value of these trained models on unseen examples like these; "
                     "how much another seed would change it is not known.")
    else:
        notes.append(f"A value is the mean over {seeds} training seeds. Its 95 % interval is of the value on unseen examples "
                     "like these and over other seeds.")
        if seeds == 2:
            notes.append("Two seeds tell little of others: differences between contenders are then found somewhat too often.")
        if fixed:
            notes.append(f"The same with every seed: {', '.join(fixed)}.")
        notes.extend(f"{name}: not all of the {seeds} seeds came through." for name in short)
    if count > 1:
        notes.append(f"The best is the {'highest' if metric.best == 'high' else 'lowest'} of {count} noisy values, so its value is "
                     "somewhat optimistic.")
        notes.append(f"Differences are paired on the same {n_test:,} test examples. Against the best, p and intervals are corrected for "
                     f"{count - 1} comparison{'s' if count > 2 else ''} with a best that was itself picked; among all pairs, p by Holm.")
        notes.append(f"More examples to separate: would tell the first from the second with {POWER:.0%} power, if the difference seen is "
                     "the true one and the seeds stay as many.")


def ends(direction: int, low: float, high: float) -> tuple[float | None, float | None]:
    """An interval, turned back where low is good; None where it has no end."""
    first, last = (low, high) if direction > 0 else (-high, -low)
    return (tidy(first) if math.isfinite(first) else None), (tidy(last) if math.isfinite(last) else None)


def tidy(number: float) -> float:
    """Twelve digits: what lies beyond depends on the order of summation, and records are compared byte by byte."""
    return float(f"{number:.12g}") + 0.0
