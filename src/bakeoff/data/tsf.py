"""Files .tsf: a head of lines with @, then a series in every line, its attributes and its values parted by colons.
Godahewa et al. 2021, https://arxiv.org/abs/2105.06643
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bakeoff.data.base import Claim, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.panel import DAY, Panel, Values, season_of
from bakeoff.errors import DataError, near

ENDING = ".tsf"
UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": float(DAY), "week": 7.0 * DAY}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
NAMED = {"secondly": "second", "minutely": "minute", "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month",
         "quarterly": "quarter", "yearly": "year"}
START = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2})[-:](\d{1,2})(?:[-:](\d{1,2}))?)?$")
MISSING = ("?", "nan", "")


@dataclass
class Head:
    """attributes: (name, type) in front of the values of each line; months, or else seconds, lie between two steps."""

    attributes: list[tuple[str, str]] = field(default_factory=list)
    months: int = 0
    seconds: float | None = None
    horizon: int | None = None

    @property
    def step_seconds(self) -> float | None:
        return self.months * 365.25 / 12 * DAY if self.months else self.seconds


def claim(files: Files) -> Claim | None:
    names = files.having((ENDING,))
    return Claim(1.0, f"{names[0]} is a .tsf file of series to be forecast", "forecast") if names else None


def read(files: Files, options: ReadOptions) -> Source:
    """Every series of one file. Raises DataError for what is broken, with its line."""
    names = files.having((ENDING,))
    if len(names) > 1:
        raise DataError(f"there are {len(names)} {ENDING} files: {', '.join(names[:6])}", str(files.path), f"Name one: {files.path / names[0]}")
    for option, value in (("target", options.target), ("inputs", options.inputs), ("future", options.future), ("time", options.time)):
        if value and options.want_targets:
            raise DataError(f"a {ENDING} file has no columns", f"--{option} {value}", "Leave it out.")
    name, head, body = names[0], Head(), False
    panel, keys = Panel([], ("value",), (0,)), dict[str, None]()
    items: list[Values] = []
    for number, line in enumerate(files.lines(name, options.encoding), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        where = files.where(name, number)
        if body:
            key, start, values = row_of(text, head, where)
            key = key or f"T{len(items) + 1}"
            if key in keys:
                raise DataError(f"the series {key!r} stands twice", where, "Give every series a name of its own.")
            keys[key] = None
            items.append(values[:, None])
            moments = None if start is None else moments_from(start, len(values), head)
            if moments is not None:
                panel.moments.append(moments)
            panel.stamps.append(stamps_of(moments, len(values), head))
            if head.horizon and options.want_targets and len(values) <= head.horizon:
                raise DataError(f"the series {key!r} has {len(values):,} values, and {head.horizon:,} of each are to be forecast", where,
                                "Leave the series out, or correct @horizon.")
        elif text.lower() == "@data":
            body = True
        elif text.startswith("@"):
            told(head, text, where)
        else:
            raise DataError(f"{text[:40]!r} is no line of a head", where, "A head has lines with @ and ends with @data.")
    if not items:
        raise DataError("there are no series" if body else "there is no line @data", files.where(name), "Give one series per line, below @data.")
    if head.step_seconds is not None:
        panel.season, panel.beat = season_of(head.step_seconds)
        panel.step_seconds = head.step_seconds if panel.moments else None
    if head.horizon and options.want_targets:
        panel.bounds = [(len(item) - head.horizon, len(item) - head.horizon, len(item)) for item in items]
        panel.notes.append(f"@horizon says {head.horizon}: the last {head.horizon} steps of each series are the test part (--split for another)")
    starts = {str(stamps[0]) for stamps in panel.stamps}
    if len(starts) > 1:
        panel.notes.append(f"the series begin at {len(starts):,} different times")
    return Source("series", items, list(keys), [], seen=len(items), task="forecast", panel=panel)


def told(head: Head, text: str, where: str) -> None:
    """What a line with @ says; of those that are not known nothing is needed."""
    words = text[1:].split()
    name, rest = words[0].lower() if words else "", words[1:]
    if name == "attribute":
        if len(rest) != 2 or rest[1] not in ("string", "numeric", "date"):
            raise DataError(f"{text!r} is no attribute", where, "Write: @attribute NAME string, numeric or date.")
        head.attributes.append((rest[0], rest[1]))
    elif name == "frequency" and rest:
        count, _, unit = rest[0].lower().rpartition("_")
        many = {"": 1.0, "half": 0.5}.get(count, float(count) if count.isdecimal() else None)
        unit = NAMED.get(unit, unit.removesuffix("s"))
        if many is None or (unit not in UNITS and unit not in MONTHS):
            raise DataError(f"{rest[0]!r} is no known frequency", where, near(rest[0], NAMED))
        head.months, head.seconds = (round(many * MONTHS[unit]), None) if unit in MONTHS else (0, many * UNITS[unit])
    elif name == "horizon" and rest:
        if not rest[0].isdecimal() or not 0 < int(rest[0]) < 10**9:
            raise DataError(f"{rest[0]!r} is no horizon", where, "Give a whole number of steps.")
        head.horizon = int(rest[0])


def row_of(text: str, head: Head, where: str) -> tuple[str, np.datetime64 | None, Values]:
    """(name, start, values) of a line; NaN where a value is missing."""
    parts = text.split(":")
    if len(parts) != len(head.attributes) + 1:
        raise DataError(f"the line has {len(parts) - 1} attributes, the head names {len(head.attributes)}", where,
                        "Part attributes and values by colons.")
    cells = [cell.strip() for cell in parts[-1].split(",")]
    try:
        values = np.array([np.nan if cell.lower() in MISSING else float(cell) for cell in cells])
    except ValueError:
        wrong = next(cell for cell in cells if not number(cell))
        raise DataError(f"{wrong!r} is no number", where, "Mend it, or write ? where a value is missing.") from None
    if np.isinf(values).any():
        raise DataError("a value is infinite", where, "Mend it, or write ? where a value is missing.")
    if np.isnan(values).all():
        raise DataError("the series has no values", where, "Give some, or leave the line out.")
    name, start = "", None
    for (attribute, sort), cell in zip(head.attributes, parts, strict=False):
        if sort == "date":
            start = start_of(cell.strip(), where)
        elif not name or attribute.lower() == "series_name":
            name = cell.strip()
    return name, start, values


def number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.lower() in MISSING
    return True


def start_of(cell: str, where: str) -> np.datetime64:
    found = START.match(cell)
    fix = "Write it as 1979-01-31 00-00-00."
    if found is None:
        raise DataError(f"{cell!r} is no time", where, fix)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return np.datetime64(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", "s")
    except ValueError:
        raise DataError(f"{cell!r} is no time", where, fix) from None


def moments_from(start: np.datetime64, count: int, head: Head) -> Values | None:
    """Seconds since 1970 of each step; None where the head names no frequency. A month's steps are on its start's day, as far on as
    the first of the month is."""
    begun = start.astype("datetime64[s]").astype(np.int64)
    if head.months:
        month = start.astype("datetime64[M]")
        steps = (month + head.months * np.arange(count)).astype("datetime64[s]").astype(np.int64)
        return (steps - steps[0] + begun).astype(np.float64)
    return None if head.seconds is None else begun + head.seconds * np.arange(count)


def stamps_of(moments: Values | None, count: int, head: Head) -> Sequence[str]:
    """A label for each step: its moment, as finely as the frequency asks, or its number."""
    if moments is None:
        return [str(place) for place in range(1, count + 1)]
    fine: Literal["D", "s"] = "D" if head.months or head.seconds in (UNITS["day"], UNITS["week"]) else "s"
    found: list[str] = np.datetime_as_string(moments.astype("datetime64[s]"), unit=fine).tolist()
    return found
