"""What a time stamp tells by itself, and so of steps to come: hour of the day, day of the week, time of the year."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.panel import DAY, Values

MONTH = 27 * DAY                      # steps of so many seconds or more are counted in months, which differ in days
YEAR = 300 * DAY


def names(step_seconds: float | None) -> tuple[str, ...]:
    """Of the features of steps so long; none where the stamps are no dates."""
    if step_seconds is None:
        return ()
    hour = ("hour sin", "hour cos") if step_seconds < DAY else ()
    week = ("weekday sin", "weekday cos", "weekend") if step_seconds <= DAY else ()
    return (*hour, *week, *(("year sin", "year cos") if step_seconds < YEAR else ()))


def features(moments: Values, step_seconds: float | None) -> Values:
    """(T,) seconds since 1970 → (T, K), columns as `names` has them, −1 … 1."""
    if step_seconds is None:
        return np.zeros((len(moments), 0))
    columns: list[Values] = []
    if step_seconds < DAY:
        columns += circle(moments / DAY % 1)
    if step_seconds <= DAY:
        weekday = (np.floor(moments / DAY) + 3) % 7                          # the first of January 1970 was a Thursday
        columns += [*circle(weekday / 7), (weekday >= 5).astype(np.float64)]
    if step_seconds < YEAR:
        stamps = moments.astype("datetime64[s]")
        columns += circle((stamps - stamps.astype("datetime64[Y]")).astype(np.float64) / (365.25 * DAY))
    return np.stack(columns, 1) if columns else np.zeros((len(moments), 0))


def circle(phase: Values) -> list[Values]:
    return [np.sin(2 * np.pi * phase), np.cos(2 * np.pi * phase)]


def going_on(last: float, step_seconds: float, count: int, working: bool = False) -> NDArray[np.float64]:
    """The moments of the `count` steps after the last one. working: Saturdays and Sundays are no steps."""
    ahead = np.arange(1, count + 1)
    if working:
        days = last + DAY * np.arange(1, 2 * count + 8)
        return np.asarray(days[(np.floor(days / DAY) + 3) % 7 < 5][:count], np.float64)
    if step_seconds < MONTH:
        return np.asarray(last + step_seconds * ahead, np.float64)
    month = np.array([last]).astype("datetime64[s]").astype("datetime64[M]")
    later = month + ahead * max(1, round(step_seconds / (365.25 / 12 * DAY)))
    return later.astype("datetime64[s]").astype(np.int64).astype(np.float64)
