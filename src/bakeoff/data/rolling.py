"""From series that go on to prepared windows: split by time first, windows inside each part, nothing from later in earlier.

A window is an origin with the steps before it as input and the `horizon` steps from it on as target. A training window's
target ends before validation begins, a validation window's before the test; the input of a window may reach back into the
part before, never forward. What is learnt for all windows of a series (deviation, error of the seasonal naive) is learnt
from its training steps alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import calendar, check, split
from bakeoff.data.base import Arrays, Dataset, Indices, Source, Splits
from bakeoff.data.forecasts import described
from bakeoff.data.naive2 import seasonal_indices
from bakeoff.data.names import SPLITS
from bakeoff.data.packed import Packed
from bakeoff.data.panel import WORKING, Panel, Values
from bakeoff.data.windows import Ends, Windows
from bakeoff.errors import DataError, OptionError
from bakeoff.types import Ahead, Spec

Bounds = tuple[int, int, int]         # where train, validation and test end, in steps from a series' beginning
SPANS = (1, 2, 3, 4)                  # look-backs on offer, in seasons or horizons, whichever is longer
LEAST = 8                             # steps of the shortest look-back on offer, where a season and a horizon are shorter
SHOWN = 5
FOLDS = 3


class Asked(Protocol):
    """The options of `run` that decide about windows."""

    @property
    def horizon(self) -> int | None: ...
    @property
    def lookback(self) -> int | None: ...
    @property
    def season(self) -> int | None: ...
    @property
    def split(self) -> str | None: ...
    @property
    def folds(self) -> str | None: ...
    @property
    def encoding(self) -> str: ...


@dataclass
class Rolled:
    """All windows, and which of them are for what. state: with it new series become examples alike."""

    dataset: Dataset
    train: Indices
    val: Indices
    test: Indices
    inner: tuple[tuple[Indices, Indices], ...]
    state: dict[str, Any]
    notes: list[str]
    how: str


def prepare(source: Source, options: Asked, fingerprint: str, folder: Path) -> dict[str, Any]:
    """Writes the windows into folder/fold-0; returns what `load.prepare` records. Raises DataError or OptionError."""
    states: list[dict[str, Any]] = []
    for number, rolled in reversed(list(enumerate(every_fold(source, options, fingerprint)))):         # what is said is of the first
        whole = rolled.dataset
        Splits(whole.view(rolled.train), whole.view(rolled.val) if len(rolled.val) else None, whole.view(rolled.test), rolled.inner).save(
            folder / f"fold-{number}")
        states.insert(0, rolled.state)
    parts = {"train": rolled.train, "val": rolled.val, "test": rolled.test}
    some = whole.view(rolled.train[:SHOWN])
    first = [{"key": key, "target": f"the next {len(picture['future'])}", "split": "train", "shown": picture}
             for key, picture in zip(some.keys, (shown(whole, row) for row in some.index.tolist()), strict=True)]
    record = {"kind": source.kind, "task": source.task, "seen": source.seen, "kept": len(source), "set_aside": [],
              "problems": [check.told(problem) for problem in source.problems], "notes": [*source.notes, *panel_notes(source), *rolled.notes],
              "counts": {name: len(rows) for name, rows in parts.items()}, "how": rolled.how, "classes": None, "target": None,
              "lengths": described(source), "facts": source.facts, "shared": {"count": 0, "keys": []}, "first": first}
    return {"how": rolled.how, "shared": [], "states": states, "record": record}


def every_fold(source: Source, options: Asked, fingerprint: str) -> Iterator[Rolled]:
    """The windows of all series; with --folds several times, each with the test part behind the one before. Notes are made once."""
    panel = source.panel
    assert panel is not None
    lengths = [len(item) for item in source.items]
    horizon = horizon_of(panel, options)
    if options.folds is None:
        yield rolling(source, options, fingerprint, horizon, bounds_of(source, panel, options))
        return
    ways = [origins_of(lengths, horizon, number, options) for number in range(folds_of(options))]
    lookback = lookbacks_of(horizon, options.season or panel.season, [with_validation(edges) for edges in ways[0]], options.lookback)
    for number, given in enumerate(ways):
        notes = list(panel.notes)
        found = rolling(source, options, fingerprint, horizon, given, lookback, number)
        yield replace(found, how=f"fold {number + 1} of {len(ways)}, each tested on the steps behind those it learns from; {found.how}")
        if number:
            panel.notes = notes


def folds_of(options: Asked) -> int:
    """Raises OptionError for anything but a number, and beside --split."""
    asked = str(options.folds)
    if not asked.isdigit() or int(asked) < 2:
        raise OptionError(f"{asked!r} is no number of folds", f"--folds {asked}",
                          "Series are tested on blocks of steps one behind the other: give 2 to 10.")
    if options.split is not None:
        raise OptionError("series are split once or into folds, not both", f"--split {options.split} --folds {asked}", "Leave one of them out.")
    return int(asked)


def origins_of(lengths: Sequence[int], horizon: int, number: int, options: Asked) -> list[Bounds]:
    """Fold `number` of a back-test: the later half of each series in blocks, no shorter than a forecast, each tested after training on
    all that is before it. Raises OptionError where a series is too short."""
    count, found = folds_of(options), []
    for length in lengths:
        size = max(horizon, (length - length // 2) // count)
        start = length - (count - number) * size
        if length - count * size < 2 * horizon:
            raise OptionError(f"a series of {length:,} steps is too short for {count} test parts of {horizon:,} steps and more and a training part",
                              f"--folds {count}", "Ask for fewer folds, or a smaller --horizon.")
        found.append((start, start, start + size))
    return found


def rolling(source: Source, options: Asked, fingerprint: str, horizon: int, given: Sequence[Bounds], lookbacks: tuple[int, ...] | None = None,
            fold: int = 0) -> Rolled:
    """The windows of all series. given: where their parts end."""
    panel = source.panel
    assert panel is not None
    lengths = [len(item) for item in source.items]
    apart = by_series(options)
    bounds = list(given) if apart and any(edges[0] < edges[1] for edges in given) else [with_validation(edges) for edges in given]
    season = options.season or panel.season
    if options.season is None:
        another = "--season 5 for the days of a working week" if panel.beat == WORKING else "--season N for another"
        panel.notes.append(f"the time stamps are {panel.beat}: a season of {season} steps is assumed ({another})" if panel.beat
                           else "nothing suggests a season, so the seasonal naive repeats the last value (--season N for one)")
    source.facts["season"] = season
    if panel.later:
        panel.notes.append(f"known of the steps to come: {', '.join(panel.beside_names[:panel.later])}")
    lookbacks = lookbacks or lookbacks_of(horizon, season, [edges for edges in bounds if edges[0]] if apart else bounds, options.lookback)
    stamped = calendar.names(panel.step_seconds)
    ahead = Ahead(horizon, season, lookbacks, panel.channels, panel.aimed, any(np.isnan(item).any() for item in source.items),
                  (*stamped, *panel.beside_names), len(stamped), len(stamped) + panel.later)
    dataset, starts, state, notes = laid_out(source, panel, bounds, [edges[0] for edges in given], ahead, fingerprint)
    origins = [np.arange(begin, begin + length) for (begin, _), length in zip(starts, lengths, strict=True)]     # positions whose windows end there

    def inside(low: int, high: int, spans: Sequence[Bounds]) -> Indices:
        """Windows whose target lies between two bounds of each series, and whose input the series has."""
        found = []
        for places, edges, (_, reach) in zip(origins, spans, starts, strict=True):
            first, last = max(reach, edges[low] if low >= 0 else 0), edges[high] - horizon
            found.append(places[first:max(first, last + 1)])
        return np.concatenate(found).astype(np.int64)

    train, val, test = inside(-1, 0, bounds), inside(0, 1, bounds), inside(1, 2, bounds)
    if not len(test):
        longest = max(edges[2] - edges[1] for edges in bounds)
        raise DataError(f"the test part has {longest:,} steps, a forecast {horizon:,}", "the series",
                        "Give a longer test part by --split, or a smaller --horizon.")
    inner: tuple[tuple[Indices, Indices], ...] = ()
    parted = series_said(given, str(options.split)) if apart else f"in time order {said(bounds)}"
    how = f"{parted}; windows of {lookbacks[-1]:,} steps look back, {horizon:,} ahead"
    if len(val) < split.FEWEST_VAL:
        train, val, inner = folded(bounds, horizon, lookbacks[-1], inside)
        how += f"; {len(inner)} folds inside train validate, each on what comes later, since a split of it would have under {split.FEWEST_VAL}"
    if not len(train):
        raise DataError(f"no training part is long enough for a look-back of {lookbacks[-1]:,} and a horizon of {horizon:,} steps", "the series",
                        "Give longer series, a smaller --horizon or --lookback, or another --split.")
    size = max(lengths) if apart else max(horizon, season)                       # new series are what the test is about, not new steps
    groups = blocks(dataset, origins, bounds, size, fold << 32)
    dataset = Dataset(Spec(**{**vars(dataset.spec), "counts": {"train": len(train), "val": len(val), "test": len(test)}}), dataset.arrays,
                      dataset._targets, dataset._keys, groups)
    state["spec"] = asdict(dataset.spec)
    drawn = len(set(dataset.view(test).groups or ()))
    if drawn < len(test):
        drawn_as = f"{drawn:,} whole series" if apart else f"{drawn:,} blocks of {size:,} in a row"
        notes.append(f"test windows move by one step and overlap: intervals and tests draw {drawn_as}")
    return Rolled(dataset, train, val, test, inner, state, notes, how)


def panel_notes(source: Source) -> list[str]:
    return [] if source.panel is None else source.panel.notes


def horizon_of(panel: Panel, options: Asked) -> int:
    """As asked for, or as long as the shortest test part of the files. Raises OptionError where neither says it."""
    if options.horizon is not None:
        return options.horizon
    if panel.bounds is None:
        raise OptionError("how many steps are to be forecast is not known", "--horizon", "Say it: --horizon 24 forecasts 24 steps.")
    horizon = min(end - start for _, start, end in panel.bounds)
    if horizon < 1:
        raise DataError("a series has no test steps", "the test file", "Give some, or say --horizon.")
    panel.notes.append(f"the horizon is {horizon} steps, as long as the test part (--horizon N for another)")
    return horizon


def bounds_of(source: Source, panel: Panel, options: Asked) -> list[Bounds]:
    """Where the parts of each series end: by --split, as the files say, or .6/.2/.2 of its steps."""
    asked, lengths = options.split, [len(item) for item in source.items]
    if asked is not None:
        sort = split.sort_of_split(asked)
        if sort == "column" and panel.column == asked and panel.bounds is not None:
            return list(panel.bounds)
        if sort == "column":
            raise OptionError(f"{asked!r} is no split of series", f"--split {asked}",
                              "Write shares of the steps (0.7,0.1,0.2) or numbers of steps (8640,2880,2880), or name a column of train, val and "
                              "test, or a file of key,split that says of each series where it belongs.")
        if sort == "file":
            found = whole_series(source.keys, lengths, options)
        else:
            found = [by_counts(length, asked) if sort == "counts" else by_shares(length, split.shares_of(asked)) for length in lengths]
    elif panel.bounds is not None:
        found = list(panel.bounds)
    else:
        found = [by_shares(length, split.SHARES) for length in lengths]
    return found


def by_series(options: Asked) -> bool:
    """Whether the split puts whole series apart."""
    return options.split is not None and split.sort_of_split(options.split) == "file"


def whole_series(keys: Sequence[str], lengths: Sequence[int], options: Asked) -> list[Bounds]:
    """A file of key,split: each series with all its steps in one part, those it does not name in none. Single windows cannot be parted
    so, since they overlap. Raises OptionError for a single series, DataError for an id or word that is not known."""
    asked = str(options.split)
    if len(keys) == 1:
        raise OptionError("a file of keys parts whole series, and there is one", f"--split {asked}",
                          "Write numbers of its steps (8640,2880,2880) or shares (0.7,0.1,0.2), or name a column of train, val and test.")
    ends: list[Bounds] = []
    for key, word, length in zip(keys, split.by_file(keys, split.listed(asked, options.encoding), asked), lengths, strict=True):
        part = SPLITS.get(word.strip().lower())
        if word.strip() and part is None:
            raise DataError(f"{word!r} is no part", f"{asked}, key {key}", f"Write one of {', '.join(split.NAMES)}.")
        place = len(split.NAMES) if part is None else split.NAMES.index(part)
        ends.append((length * (place < 1), length * (place < 2), length * (place < 3)))
    if not any(edges[0] for edges in ends) or not any(edges[1] < edges[2] for edges in ends):
        raise DataError("there is no series to train on, or none to test on", asked, "Give both.")
    return ends


def series_said(given: Sequence[Bounds], asked: str) -> str:
    train, val, test = (sum(edges[place] > (edges[place - 1] if place else 0) for edges in given) for place in range(3))
    return (f"whole series by {asked}: {train:,} train, {f'{val:,} validate' if val else 'the last .2 of their steps validate'}, "
            f"{test:,} test")


def with_validation(edges: Bounds) -> Bounds:
    """A validation part that lacks is the last .2 of train."""
    train, val, test = edges
    return (round((1 - split.VAL_SHARE) * train), val, test) if val == train else edges


def by_shares(length: int, shares: tuple[float, float, float]) -> Bounds:
    train, test = int(shares[0] * length + 1e-9), int(shares[2] * length + 1e-9)
    return train, train if not shares[1] else length - test, length


def by_counts(length: int, text: str) -> Bounds:
    train, val, test = split.by_counts(length, text), 0, 0
    counts = [train.count(name) for name in split.NAMES]
    val, test = counts[0] + counts[1], sum(counts)
    return counts[0], val, test


def lookbacks_of(horizon: int, season: int, bounds: Sequence[Bounds], asked: int | None) -> tuple[int, ...]:
    """1 … 4 seasons or horizons, whichever is longer, as far as half of a training part of middle length still holds windows."""
    train = int(np.median([edges[0] for edges in bounds]))
    if asked is not None:
        if asked + horizon > train:
            raise OptionError(f"a look-back of {asked:,} and a horizon of {horizon:,} steps do not fit into {train:,} training steps",
                              f"--lookback {asked}", "Give a smaller one.")
        return (asked,)
    unit, most = max(season, horizon, LEAST), (train - horizon) // 2
    fit = tuple(span * unit for span in SPANS if span * unit <= most)
    if not fit and most < 1:
        raise DataError(f"{train:,} training steps are too few to learn forecasts of {horizon:,} steps", "the series",
                        "Give longer series, or a smaller --horizon.")
    return fit or (most,)


def laid_out(source: Source, panel: Panel, bounds: Sequence[Bounds], trains: Sequence[int], ahead: Ahead,
             fingerprint: str) -> tuple[Dataset, list[tuple[int, int]], dict[str, Any], list[str]]:
    """All series one behind the other. A series too short for one training window is led by its first values, repeated.

    trains: where the training parts end as they were given, before a validation part was taken from them: over them goes the
    naive's error, which scales a metric and no training, so that the metric is the one in print. A series of which nothing is trained
    on is scaled by its first look-back, which no target reaches into.
    Returns the dataset of all positions; per series the position of the window that ends before its first step, and the first step
    before which there is a whole window; the state; notes.
    """
    lookback, aimed = ahead.lookbacks[-1], list(ahead.aimed)
    fill = np.nanmean(np.concatenate([item[:edges[0]] for item, edges in zip(source.items, bounds, strict=True)]), axis=0)
    if np.isnan(fill).any():
        name = panel.channels[int(np.flatnonzero(np.isnan(fill))[0])]
        raise DataError(f"column {name!r} has no value in the training part", "the series", "Leave it out by --inputs, or split later.")
    measure = scale_of(panel, trains)
    steps, truth, naive2, known_beside, owner, keys, starts = [], [], [], [], [], [], []
    naive, spread, short, flat, place = [], [], 0, 0, 0
    several = len(source.items) > 1
    for number, (item, edges, train, name, stamps) in enumerate(zip(source.items, bounds, trains, source.keys, panel.stamps, strict=True)):
        held = edges[0] == 0                                                 # a series that is not trained on
        lead = max(0, lookback + ahead.horizon - (len(item) if held else edges[0])) if several else 0
        train = min(lookback, len(item)) if held else train
        short += lead > 0
        steps.append(encoded(item, lead, fill, ahead.marked))
        truth.append(np.concatenate([np.full((lead, len(aimed)), np.nan), item[:, aimed]]))
        naive2.append(deseasoned(steps[-1][:, aimed].astype(np.float64), lead, train, ahead.season))
        aside = known_of(panel, number, len(item), measure)
        known_beside.append(np.concatenate([np.repeat(aside[:1], lead, 0), aside]).astype(np.float32))
        owner.append(np.full(len(item) + lead, number, np.int32))
        keys += [""] * lead + ([f"{name}@{stamp}" for stamp in stamps] if several else list(stamps))
        starts.append((place + lead - lookback, lookback - lead))
        place += lead + len(item)
        known = item[:train if held else edges[0], aimed]
        naive.append(naive_error(item[:train, aimed], ahead.season))
        deviation = np.array([np.nanstd(channel) if np.isfinite(channel).any() else 0.0 for channel in known.T])
        flat += int((deviation == 0).sum())
        spread.append(np.where(deviation > 0, deviation, 1.0))
    arrays = Windows(np.concatenate(steps), np.concatenate(truth), np.concatenate(owner), np.stack(naive), np.stack(spread), lookback,
                     ahead.horizon, np.concatenate(naive2), np.concatenate(known_beside), ahead.later)
    spec = Spec(source.kind, ("time",), (lookback,), arrays.steps.shape[1], None, None, {}, fingerprint, (), (), (lookback,), (lookback,), ahead)
    notes = []
    if short:
        notes.append(f"{short:,} series are too short for a look-back of {lookback:,} steps: their first values are repeated before them")
    if flat:
        notes.append(f"{flat:,} channels never vary in the training part: they count with a deviation of 1")
    dataset = Dataset(spec, arrays, arrays.targets, Packed.of(keys[lookback - 1:]))
    state = {"fill": fill.tolist(), "beside": measure.tolist(), "step_seconds": panel.step_seconds,
             "reading": {**source.reading, "task": source.task}}
    return dataset, starts, state, notes


def encoded(item: Values, lead: int, fill: Values, marked: bool) -> NDArray[np.float32]:
    """(T, C) → (lead + T, C or 2·C) float32: a missing value is the last known one, before the first the training mean; marks
    tell where."""
    missing = np.isnan(item)
    row = np.where(missing, -1, np.arange(len(item))[:, None])
    np.maximum.accumulate(row, axis=0, out=row)
    filled = np.where(row < 0, fill, np.take_along_axis(item, np.maximum(row, 0), 0))
    cells = np.concatenate([filled, missing], 1) if marked else filled
    return np.concatenate([np.repeat(cells[:1], lead, 0), cells]).astype(np.float32)


def naive_error(known: Values, season: int) -> Values:
    """(T, A) training steps → (A,): mean error of repeating the last season; of the last step where that is none, NaN where that
    is none either."""
    found = np.full(known.shape[1], np.nan)
    for channel in range(known.shape[1]):
        for lag in dict.fromkeys((season, 1)):
            error = np.abs(known[lag:, channel] - known[:-lag, channel])
            error = error[~np.isnan(error)]
            if len(error) and error.mean() > 0:
                found[channel] = error.mean()
                break
    return found


def scale_of(panel: Panel, trains: Sequence[int]) -> Values:
    """(2, K): mean and deviation of what is known beside, over the training parts; 0 and 1 of columns of 0 and 1."""
    count = len(panel.beside_names)
    scale = np.stack([np.zeros(count), np.ones(count)])
    for column in np.flatnonzero(panel.plain).tolist():
        every = np.concatenate([part[:train, column] for part, train in zip(panel.beside, trains, strict=True)])
        every = every[~np.isnan(every)]
        if not len(every):
            raise DataError(f"column {panel.beside_names[column]!r} has no value in the training part", "--future", "Leave it out.")
        scale[:, column] = every.mean(), every.std() or 1.0
    return scale


def known_of(panel: Panel, number: int, length: int, scale: Values, steps: int = 0) -> Values:
    """(length + steps, calendar + K) of one series: what the calendar says, and what stands beside, in deviations from its mean;
    a missing value is the last known one. steps: so many more than the series has moments, whose calendar goes on."""
    total, parts = length + steps, []
    if panel.step_seconds is not None:
        moments = panel.moments[number][:total]
        if len(moments) < total:
            moments = np.concatenate([moments, calendar.going_on(float(moments[-1]), panel.step_seconds, total - len(moments),
                                                                   panel.beat == WORKING)])
        parts.append(calendar.features(moments, panel.step_seconds))
    if panel.beside_names:
        values = panel.beside[number][:total]
        values = np.concatenate([values, np.full((total - len(values), values.shape[1]), np.nan)])
        parts.append(encoded((values - scale[0]) / scale[1], 0, np.zeros(values.shape[1]), False).astype(np.float64))
    return np.concatenate(parts, 1) if parts else np.zeros((total, 0))


def deseasoned(filled: Values, lead: int, train: int, season: int) -> Values:
    """(lead + T, A) without gaps → (lead + T, 2, A): without the season that the training steps show, and its factors."""
    factors = np.ones_like(filled)
    for channel in range(filled.shape[1]):
        indices = seasonal_indices(filled[lead:lead + train, channel], season)
        factors[lead:, channel] = indices[np.arange(len(filled) - lead) % len(indices)]
    return np.stack([filled / factors, factors], 1)


def folded(bounds: Sequence[Bounds], horizon: int, lookback: int, inside: Any) -> tuple[Indices, Indices, tuple[tuple[Indices, Indices], ...]]:
    """Train and validation as one, with rolling folds inside: each trains on what ends before it validates, and on no window that
    reaches over the border. Fewer folds where the second half of the series holds no three forecasts."""
    train = inside(-1, 0, [(edges[1], edges[1], edges[1]) for edges in bounds])
    folds = []
    count = max(1, min(FOLDS, min((edges[1] - edges[1] // 2) // horizon for edges in bounds if edges[1])))
    for number in range(count):
        cuts = [cut(edges[1], horizon, number, count) for edges in bounds]
        before, later = inside(-1, 0, cuts), inside(0, 1, cuts)
        if len(before) and len(later):
            folds.append((np.searchsorted(train, before), np.searchsorted(train, np.intersect1d(later, train))))
    if not folds:
        raise DataError(f"the series are too short to hold a look-back of {lookback:,} steps and two forecasts of {horizon:,}", "the series",
                        "Give longer series, or a smaller --horizon or --lookback.")
    return train, train[:0], tuple(folds)


def cut(known: int, horizon: int, number: int, count: int) -> Bounds:
    """The border of fold `number`, and where it ends: the later half of what is known, in equal blocks no shorter than a forecast."""
    size = max(horizon, (known - known // 2) // count)
    end = known - (count - 1 - number) * size
    return end - size, end, end


def blocks(dataset: Dataset, origins: Sequence[Indices], bounds: Sequence[Bounds], size: int, before: int = 0) -> Packed:
    """For each position the block of `size` windows in a row, counted from the test part's beginning: what is drawn as one. before: the
    number of the first block; those of other folds have others."""
    names = np.zeros(len(dataset.arrays), np.int64)
    for places, edges in zip(origins, bounds, strict=True):
        number = (np.arange(len(places)) - edges[1]) // size
        number -= number.min(initial=0)
        real = (places >= 0) & (places < len(names))
        names[places[real]] = before + number[real]
        before += int(number.max(initial=0)) + 1
    return Packed("numbers", names)


def said(bounds: Sequence[Bounds]) -> str:
    if len(bounds) == 1:
        train, val, test = bounds[0]
        return f"{train:,}/{val - train:,}/{test - val:,} steps"
    shares = np.mean([[train / test, (val - train) / test, (test - val) / test] for train, val, test in bounds], axis=0)
    return f"{'/'.join(f'{share:.2g}' for share in shares)} of each series"


def latest(source: Source, state: Mapping[str, Any]) -> Arrays:
    """New series → the last steps of each, as a network reads them: (series, look-back, C)."""
    ahead, fill = state["spec"]["ahead"], np.asarray(state["fill"])
    assert source.panel is not None
    if list(source.panel.channels) != list(ahead["names"]):
        raise DataError(f"the series have the columns {', '.join(source.panel.channels)}, those of the training had "
                        f"{', '.join(ahead['names'])}", source.keys[0], "Give the same columns.")
    length, horizon, panel = ahead["lookbacks"][-1], ahead["horizon"], source.panel
    panel.step_seconds = state.get("step_seconds") if panel.moments else None
    if panel.step_seconds is None and ahead["calendar"]:
        raise DataError("the series have no time stamps, those of the training had", source.keys[0], "Give them in the same column.")
    cells, aside = [], []
    for number, (item, name) in enumerate(zip(source.items, source.keys, strict=True)):
        end = len(item)
        if panel.later:                       # the rows behind the last value tell what is known ahead
            end = int(np.flatnonzero(~np.isnan(item[:, list(panel.aimed)]).all(1)).max(initial=-1)) + 1
            if not 0 < end <= len(item) - horizon:
                raise DataError(f"behind the last value of {', '.join(panel.channels[place] for place in panel.aimed)} stand {len(item) - end} rows, "
                                f"a forecast needs {horizon}", name, f"Give a row for each of the {horizon} steps to come, with its "
                                f"{', '.join(panel.beside_names[:panel.later])} and nothing else.")
        lead = max(0, length - end)
        cells.append(encoded(item[:end], lead, fill, ahead["marked"])[-length:])
        known = known_of(panel, number, end, np.asarray(state["beside"]), horizon)
        aside.append(np.concatenate([np.repeat(known[:1], lead, 0), known])[-length - horizon:].astype(np.float32))
    return Ends(np.stack(cells), None, np.stack(aside), ahead["later"])


def shown(dataset: Dataset, row: int) -> dict[str, Any]:
    """A window as the report shows it: of the first channel that is forecast, the end of the past and what came."""
    arrays, ahead = dataset.arrays, dataset.spec.ahead
    assert isinstance(arrays, Windows)
    assert ahead is not None
    parts = {name: values[0] for name, values in arrays.context(row).items()}
    parts["history"] = parts["history"][-2 * max(ahead.horizon, ahead.season):]
    told = {name: [None if np.isnan(value) else float(f"{value:.5g}") for value in values] for name, values in parts.items()}
    return {"form": "forecast", "name": ahead.names[ahead.aimed[0]], **told}
