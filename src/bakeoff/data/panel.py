"""Series that go on, side by side: values, a label per step, and what their time stamps tell (order, gaps, season)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError

Values = NDArray[np.float64]

DAY = 86_400
MOST_INSERTED = 0.05                  # of the rows: so many missing ones are inserted; where more lack, rows count as steps
BUSINESS = 0.1                        # share of gaps of three days from which on daily stamps are those of working days
WORKING = "daily on working days"


@dataclass
class Panel:
    """What Source.items, float64 (T, C) with NaN where missing, does not tell.

    stamps: per series, a label for each step. channels: their names. aimed: which of them are forecast. bounds: per series
    where train, validation and test end, in steps, where the files say so.
    """

    stamps: list[Sequence[str]]
    channels: tuple[str, ...]
    aimed: tuple[int, ...]
    season: int = 1
    beat: str = ""                            # what the time stamps are called: 'hourly'; '': nothing that suggests a season
    bounds: list[tuple[int, int, int]] | None = None
    column: str = ""                          # by whose words the bounds were set (--split COLUMN)
    notes: list[str] = field(default_factory=list)
    moments: list[Values] = field(default_factory=list)      # per series, seconds since 1970 of each step; empty where there are no dates
    step_seconds: float | None = None                        # between steps, where there are dates
    beside: list[Values] = field(default_factory=list)       # per series (T, K), what is known beside its values; empty: nothing
    beside_names: tuple[str, ...] = ()
    plain: tuple[bool, ...] = ()                             # which of these are numbers of a size of their own
    later: int = 0                                           # so many of them, the first, are known of the steps to come


class Rhythm(NamedTuple):
    """How time stamps follow each other. places: (n,) where each row stands on a regular grid; step_seconds: None for numbers."""

    places: NDArray[np.int64]
    season: int
    name: str
    note: str


def in_order(times: NDArray[np.float64], told: Callable[[int], str], where: Callable[[int], str]) -> None:
    """Raises DataError for the first row that does not come after the one before it. told: a row's time stamp as written."""
    wrong = np.flatnonzero(np.diff(times) <= 0)
    if not len(wrong):
        return
    row = int(wrong[0]) + 1
    if times[row] == times[row - 1]:
        raise DataError(f"the time stamp {told(row)!r} stands twice", where(row), "Keep one row per moment and series.")
    raise DataError(f"the time stamp {told(row)!r} comes before that of the row above, {told(row - 1)!r}", where(row),
                    "Sort the rows by time.")


def rhythm(times: NDArray[np.float64], dates: bool) -> Rhythm:
    """times: (n,) ascending, seconds where they are dates. Missing rows are given a place where few lack."""
    places = np.arange(len(times))
    if len(times) < 3:
        return Rhythm(places, 1, "", "")
    gaps = np.diff(times)
    step = float(np.median(gaps))
    season, name = (1, "") if not dates else season_of(step)
    if dates and step >= 27 * DAY:                        # months and longer are counted in months: they differ in days
        moments = times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        gaps = np.diff(moments)
        step = float(max(1.0, np.median(gaps)))
    if name == "daily" and (np.abs(gaps - 3 * DAY) < 1).mean() > BUSINESS:
        return Rhythm(places, season, WORKING, "")
    if (gaps == step).all():
        return Rhythm(places, season, name, "")
    jumps = gaps / step
    lacking = round(float(jumps.sum())) - len(gaps)
    if np.allclose(jumps, np.round(jumps), atol=1e-6) and 0 < lacking <= max(1, MOST_INSERTED * len(times)):
        return Rhythm(np.concatenate([[0], np.round(jumps).cumsum()]).astype(np.int64), season, name,
                      f"{lacking:,} rows lack between the time stamps: they count as missing values")
    return Rhythm(places, season, name, "the time stamps are not evenly spaced: rows count as steps")


def season_of(step_seconds: float) -> tuple[int, str]:
    """(season, name): hourly 24, daily 7, monthly 12, quarterly 4, else 1."""
    for low, high, season, name in ((3600, 3600, 24, "hourly"), (DAY, DAY, 7, "daily"), (28 * DAY, 31 * DAY, 12, "monthly"),
                                    (89 * DAY, 92 * DAY, 4, "quarterly")):
        if low <= step_seconds <= high:
            return season, name
    return 1, ""


def spread_out(values: Values, stamps: Sequence[str], places: NDArray[np.int64]) -> tuple[Values, Sequence[str]]:
    """Rows at their places, NaN between; a step without a row is called after the one before it, with how many steps later."""
    total = int(places[-1]) + 1
    if total == len(values):
        return values, stamps
    wide = np.full((total, values.shape[1]), np.nan)
    wide[places] = values
    before = np.searchsorted(places, np.arange(total), side="right") - 1
    later = np.arange(total) - places[before]
    return wide, [stamps[row] if not more else f"{stamps[row]} +{more}" for row, more in zip(before.tolist(), later.tolist(), strict=True)]
