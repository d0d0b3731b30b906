"""The layouts in which series that go on lie in files: wide tables, long tables, and M4's rows (an id, then values)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import beside, tsf
from bakeoff.data.base import Claim, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.names import SPLITS, TABLES, ending
from bakeoff.data.panel import Panel, Values, in_order, rhythm, spread_out
from bakeoff.data.roles import looks
from bakeoff.data.rows import Table, joined, one_problem, read_one
from bakeoff.data.sniff import is_number
from bakeoff.data.split import NAMES, sort_of_split
from bakeoff.errors import DataError, near

IDS = ("unique_id", "item_id", "series_id")
TIMES = ("ds", "timestamp", "date", "time", "datetime")
VALUES = ("y", "target", "value")
CALENDAR = ("year", "month", "day", "hour", "minute")
LABELS = ("label", "class")           # a column of this name is a class or number to be learnt, not a series
FORMATS = (*sorted(TABLES - {".arff"}), ".txt")
MONTH = re.compile(r"^\d{4}[-/.]\d{1,2}$")
PEEK = 1 << 17
TASK = "forecast"
FORM = "series.form"                  # the setting that says of new data how those of the training lay
SURE = 0.5                            # a claim of so much needs no --task and no --horizon


class Layout(NamedTuple):
    """Which columns are what. form: 'long', 'wide' or 'rows' (M4); times: those that give the time stamp, '' and none in rows;
    future: those that are known ahead, words: those of words, which stand beside the channels; split: that of --split."""

    form: str
    id: str
    times: tuple[str, ...]
    channels: tuple[str, ...]
    aimed: tuple[int, ...]
    future: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    split: str = ""


def claim(files: Files) -> Claim | None:
    """How much the files look like series to be forecast; what has no time stamps is taken for such only where it is asked for."""
    if (found_tsf := tsf.claim(files)) is not None:
        return found_tsf
    names = files.having(FORMATS)
    if not names or len(names) > 3:
        return None
    try:
        heads = [read_one(files if ending(name) == ".parquet" else files.sample(name, PEEK), name, ReadOptions(encoding="latin-1"))
                 for name in names]
        found = layout(heads, ReadOptions(want_targets=False))
    except DataError:
        return None
    what = f"{names[0]} has {len(found.channels)} column{'s' if len(found.channels) > 1 else ''} of numbers"
    if found.form == "rows":
        return Claim(0.9, f"{' and '.join(names)} hold a series in every row, the second goes on where the first ends", TASK)
    if found.form == "long":
        return Claim(0.85, f"{names[0]} has the columns {found.id!r}, {found.times[0]!r} and {found.channels[found.aimed[0]]!r}", TASK)
    if found.times and not set(LABELS) & {name.lower() for name in heads[0].columns}:
        return Claim(SURE if ascending(heads[0], found.times) else 0.05, f"{what} along {', '.join(found.times)}", TASK)
    return Claim(0.05, f"{what}, their rows in order", TASK)


def ascending(table: Table, times: Sequence[str]) -> bool:
    """Whether nearly all rows come after the one above: a column of times may also be something about an example."""
    try:
        moments, _ = moments_of(table, times)
    except DataError:
        return False
    return len(moments) > 2 and bool((np.diff(moments) > 0).mean() > 0.9)


def layout(tables: Sequence[Table], options: ReadOptions) -> Layout:
    """What the columns are. Raises DataError where there is none of numbers, or an option names one that is not there."""
    first = tables[0]
    widths = {len(table.columns) for table in tables}
    if len(widths) > 1 or options.settings.get(FORM) == "rows":
        return rows_layout(tables)
    known = {name.strip().lower(): name for name in reversed(list(first.columns))}
    given = options.time
    for option, wanted in (("--time", given), ("--inputs", options.inputs), ("--future", options.future)):
        for name in wanted:
            if name not in first.columns:
                raise DataError(f"there is no column {name!r}", f"{option} {name}", near(name, first.columns))
    id_ = next((known[name] for name in IDS if name in known), "")
    if not given:
        calendar = tuple(known[name] for name in CALENDAR if name in known) if "year" in known else ()
        named = next((known[name] for name in TIMES if name in known), None)
        given = calendar or ((named,) if named else tuple(name for name in first.columns if dated(first, name))[:1])
    aim = tuple(part.strip() for part in options.target.split(",")) if options.target else ()
    split = options.split if options.split and sort_of_split(options.split) == "column" else ""
    if split and split not in first.columns:
        raise DataError(f"there is no column {split!r}", f"--split {split}", near(split, first.columns))
    rest = [name for name in first.columns if name not in (id_, split, *given, *options.future)
            and (not options.inputs or name in (*options.inputs, *aim))]
    channels = tuple(name for name in rest if numeric(first, name))
    words = tuple(name for name in rest if name not in channels)
    for name in aim:
        if name not in channels:
            raise DataError(f"there is no column of numbers {name!r}", f"--target {name}", near(name, channels or first.columns))
    if not channels:
        raise DataError("there is no column of numbers to forecast", ", ".join(first.files), "Give one row per moment, a column per quantity.")
    if id_ and not aim:
        aim = (next((known[name] for name in VALUES if known.get(name) in channels), channels[0]),)
    return Layout("long" if id_ else "wide", id_, given, channels, tuple(channels.index(name) for name in aim or channels), options.future,
                  words, split)


def rows_layout(tables: Sequence[Table]) -> Layout:
    """M4: an id and values, all files alike but in their width."""
    columns = [list(table.columns) for table in tables]
    for table, names in zip(tables, columns, strict=True):
        if len(names) < 2 or not all(numeric(table, name) for name in names[1:4]):
            raise DataError("the tables have different columns", ", ".join(table.files), "Give all parts of a table the same columns.")
    return Layout("rows", columns[0][0], (), ("value",), (0,))


def numeric(table: Table, name: str) -> bool:
    """Whether most of what a column holds is numbers: what is wrong with the rest is told by the reader, with its line."""
    cells = [cell for cell in table.strings(name)[:500] if cell.strip()]
    return sum(is_number(cell) for cell in cells) > 0.5 * len(cells) or not cells


def dated(table: Table, name: str) -> bool:
    cells = [cell.strip() for cell in table.strings(name)[:500]]
    return all(MONTH.match(cell) for cell in cells) or looks(table, name) == "time"


def read(files: Files, options: ReadOptions) -> Source:
    """Series as a Source with a Panel. Raises DataError for what no series can be: words, time stamps out of order, too few rows."""
    if tsf.claim(files) is not None:
        source = tsf.read(files, options)
        assert source.panel is not None
        source.reading = {"settings": {FORM: "tsf"}}
        source.facts = {"series": len(source), "channels": 1, "forecast": ["value"], "season": source.panel.season}
        for item in source.items:
            gaps(item, source.panel)
        return source
    names = files.having(FORMATS)
    tables = [whole(read_one(files, name, options)) for name in names]
    tables.sort(key=lambda table: ("train", "val", "test", None).index(table.splits[0]) % 3)
    found = layout(tables, options)
    if found.form == "rows":
        source = from_rows(tables)
    else:
        one_problem(files, names)
        table = joined(tables)
        known = beside.beside(table, found.future, found.words, options.settings.get(beside.CODES))
        source = from_long(table, found, known) if found.form == "long" else from_wide(table, found, known, files.label)
    assert source.panel is not None
    if options.want_targets and source.panel.later:
        end_with_values(source, source.panel)
    codes = {} if found.form == "rows" else beside.reading(known)
    source.reading = {"time": list(found.times), "inputs": [*found.channels, *found.words] if found.form == "wide" else [],
                      "future": list(found.future),
                      "target": ",".join(found.channels[place] for place in found.aimed) if found.form == "wide" else None,
                      "settings": {FORM: found.form, **codes}}
    source.facts = {"series": len(source), "channels": len(found.channels), "forecast": [found.channels[place] for place in found.aimed],
                    "season": source.panel.season}
    if found.future:
        source.facts["future"] = list(found.future)
    return source


def end_with_values(source: Source, panel: Panel) -> None:
    """Leaves out the rows behind the last value of what is forecast: they tell what is known ahead, and there is nothing to learn."""
    for number, item in enumerate(source.items):
        end = int(np.flatnonzero(~np.isnan(item[:, list(panel.aimed)]).all(1)).max(initial=-1)) + 1
        source.items[number], panel.beside[number], panel.stamps[number] = item[:end], panel.beside[number][:end], panel.stamps[number][:end]
        if panel.moments:
            panel.moments[number] = panel.moments[number][:end]


def whole(table: Table) -> Table:
    """A table without broken rows: one that is left out would move all that follow it. Raises DataError."""
    if table.problems:
        first = table.problems[0]
        raise DataError(f"{first.what}; no row of a series may lack", first.where, first.fix)
    return table


def numbers(table: Table, names: Sequence[str]) -> Values:
    """(rows, columns), NaN where missing. Raises DataError for a word."""
    columns = []
    for name in names:
        values, bad = table.numbers(name)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise DataError(f"{table.strings(name)[row]!r} is no number", table.where(row, name), "Mend the cell, or leave it empty.")
        columns.append(values)
    return np.stack(columns, 1)


def moments_of(table: Table, names: Sequence[str]) -> tuple[NDArray[np.float64], bool]:
    """(a number per row that grows with time, whether these are dates in seconds). Raises DataError for what is no time."""
    import pandas as pd
    if len(names) > 1 or names[0].strip().lower() == "year":
        parts = {name.strip().lower(): numbers(table, [name])[:, 0] for name in names}
        frame = pd.DataFrame({"month": 1, "day": 1, **parts}, index=range(len(table)))
        parsed = pd.to_datetime(frame, errors="coerce", utc=True)
        text = [" ".join(cells) for cells in zip(*(table.strings(name) for name in names), strict=True)]
    else:
        values, bad = table.numbers(names[0])
        if not bad.any() and not np.isnan(values).any():
            return values, False
        text = table.strings(names[0])
        parsed = pd.to_datetime(pd.Series(text, dtype=object), errors="coerce", utc=True, format="mixed")
    wrong = np.flatnonzero(parsed.isna().to_numpy())
    if len(wrong):
        row = int(wrong[0])
        raise DataError(f"{text[row]!r} is no time", table.where(row, names[0]), "Write times as 2024-01-31 17:00, or as numbers.")
    return parsed.dt.as_unit("us").astype("int64").to_numpy() / 1e6, True


def labels(table: Table, names: Sequence[str]) -> list[str]:
    """A row's time stamp as written."""
    cells = [[cell.strip() for cell in table.strings(name)] for name in names]
    return ["-".join(parts) for parts in zip(*cells, strict=True)]


def from_wide(table: Table, found: Layout, known: beside.Beside, name: str) -> Source:
    """One series with a channel per column."""
    values = np.concatenate([numbers(table, found.channels), known.values], 1)
    panel = panel_of([table.keys()], found, known)
    splits = table.split()
    if found.times:
        moments, dates = moments_of(table, found.times)
        stamps = labels(table, found.times)
        in_order(moments, stamps.__getitem__, table.where)
        found_rhythm = rhythm(moments, dates)
        values, panel.stamps[0] = spread_out(values, stamps, found_rhythm.places)
        panel.season, panel.beat = found_rhythm.season, found_rhythm.name
        if dates:
            panel.moments, panel.step_seconds = [moments_at(moments, found_rhythm.places)], step_of(moments)
        panel.notes += [found_rhythm.note] if found_rhythm.note else []
        ends = found_rhythm.places
    else:
        panel.notes.append("there is no column of time stamps: the rows are taken in their order")
        ends = np.arange(len(values))
    if found.split:
        panel.bounds, panel.column = [bounds_by(table, found.split, np.arange(len(table)), ends)], found.split
    elif splits is not None and len(set(splits)) > 1:
        last = {split: int(ends[row]) + 1 for row, split in enumerate(splits)}
        train = last.get("train", 0)
        val = last.get("val", train)
        panel.bounds = [(train, val, last.get("test", val))]
    values, panel.beside = values[:, :len(found.channels)], [values[:, len(found.channels):]]
    gaps(values, panel)
    return Source("series", [values], [name], [], notes=list(table.notes), seen=1, task=TASK, panel=panel)


def bounds_by(table: Table, column: str, rows: NDArray[np.int64], places: NDArray[np.int64]) -> tuple[int, int, int]:
    """Where train, validation and test of one series end, by a column of such words. places: of its rows. Raises DataError for
    another word, and where a part comes before one that it should follow."""
    cells, ends, before = table.strings(column), [0, 0, 0], 0
    for row, place in zip(rows.tolist(), places.tolist(), strict=True):
        word = SPLITS.get(cells[row].strip().lower())
        if word is None:
            raise DataError(f"{cells[row]!r} is no part", table.where(row, column), f"Write one of {', '.join(NAMES)}.")
        part = NAMES.index(word)
        if part < before:
            raise DataError(f"a row of the {NAMES[part]} part comes after the {NAMES[before]} part", table.where(row, column),
                            "Parts of series follow each other in time: train, val, test.")
        ends[part:], before = [place + 1] * (3 - part), part
    if not 0 < ends[0] < ends[2] or ends[1] == ends[2]:
        raise DataError("a series has no training part, or no test part", table.where(int(rows[0]), column), "Give both.")
    return ends[0], ends[1], ends[2]


def panel_of(stamps: list[Sequence[str]], found: Layout, known: beside.Beside) -> Panel:
    return Panel(stamps, found.channels, found.aimed, notes=list(known.notes), beside_names=known.names, plain=known.plain, later=known.later)


def moments_at(moments: Values, places: NDArray[np.int64]) -> Values:
    """The moment of every step, of those without a row too."""
    return np.interp(np.arange(int(places[-1]) + 1), places, moments)


def step_of(moments: Values) -> float | None:
    return float(np.median(np.diff(moments))) if len(moments) > 2 else None


def from_long(table: Table, found: Layout, known: beside.Beside) -> Source:
    """A series per id, in the order in which they come; rows of several may stand in turns."""
    values = np.concatenate([numbers(table, found.channels), known.values], 1)
    ids = [cell.strip() for cell in table.strings(found.id)]
    if not found.times:
        raise DataError("there is no column of time stamps", ", ".join(table.files), f"Call one of them {TIMES[0]!r}, or say --time COLUMN.")
    moments, dates = moments_of(table, found.times)
    stamps, order = labels(table, found.times), {name: number for number, name in enumerate(dict.fromkeys(ids))}
    panel = panel_of([], found, known)
    steps: list[float] = []
    items, seasons, remarks = [], Counter[tuple[int, str]](), Counter[str]()
    number = np.fromiter((order[name] for name in ids), np.int64, len(ids))
    rows = np.argsort(number, kind="stable")
    for part in np.split(rows, np.flatnonzero(np.diff(number[rows])) + 1):
        own = part.tolist()
        in_order(moments[part], lambda row, own=own: stamps[own[row]], lambda row, own=own: table.where(own[row]))    # type: ignore[misc]
        beat = rhythm(moments[part], dates)
        item, stamp = spread_out(values[part], [stamps[row] for row in own], beat.places)
        items.append(item[:, :len(found.channels)])
        panel.beside.append(item[:, len(found.channels):])
        if dates:
            panel.moments.append(moments_at(moments[part], beat.places))
            steps += [step] if (step := step_of(moments[part])) is not None else []
        panel.stamps.append(stamp)
        if found.split:
            panel.bounds, panel.column = [*(panel.bounds or []), bounds_by(table, found.split, part, beat.places)], found.split
        seasons[beat.season, beat.name] += len(own) > 2       # two rows tell no rhythm
        remarks[beat.note] += 1
    (panel.season, panel.beat), _ = seasons.most_common(1)[0]
    panel.step_seconds = float(np.median(steps)) if steps else None
    panel.notes += [f"in {count:,} series {note}" for note, count in remarks.items() if note]
    for item in items:
        gaps(item, panel)
    return Source("series", items, list(order), [], notes=list(table.notes), seen=len(items), task=TASK, panel=panel)


def from_rows(tables: Sequence[Table]) -> Source:
    """M4: the values of the second file go on where those of the first end; empty cells at a row's end are no steps."""
    parts = []
    for table in tables:
        columns = list(table.columns)
        cells, ids = numbers(table, columns[1:]), [cell.strip() for cell in table.strings(columns[0])]
        known = [np.flatnonzero(~np.isnan(row)) for row in cells]
        parts.append({name: row[:where[-1] + 1 if len(where) else 0] for name, row, where in zip(ids, cells, known, strict=True)})
        twice = [name for name, count in Counter(ids).items() if count > 1]
        if twice:
            row = len(ids) - 1 - ids[::-1].index(twice[0])
            raise DataError(f"the series {twice[0]!r} stands twice", table.where(row), "Give every series an id of its own.")
    first = parts[0]
    for table, part in zip(tables[1:], parts[1:], strict=True):
        strange = sorted(set(first) ^ set(part))
        if strange:
            raise DataError(f"the series {strange[0]!r} stands in one of the files only", f"{tables[0].files[0]}, {table.files[0]}",
                            "Give the same series in all files.")
    panel = Panel([], ("value",), (0,), bounds=[])
    items = []
    for name in first:
        values = np.concatenate([part[name] for part in parts])
        ends = np.cumsum([len(part[name]) for part in parts]).tolist()
        items.append(values[:, None])
        panel.stamps.append([str(number) for number in range(1, len(values) + 1)])
        assert panel.bounds is not None
        panel.bounds.append((ends[0], ends[max(0, len(ends) - 2)], ends[-1]))
    for item in items:
        gaps(item, panel)
    if len(tables) < 2:
        panel.bounds = None
    return Source("series", items, list(first), [], seen=len(items), task=TASK, panel=panel)


def gaps(values: Values, panel: Panel) -> None:
    """Says how much is missing. Raises DataError for a channel without any value."""
    missing = np.isnan(values)
    empty = np.flatnonzero(missing.all(0))
    if len(empty):
        raise DataError(f"column {panel.channels[int(empty[0])]!r} has no value", "the series", "Fill it, or leave it out by --inputs.")
    if missing.any():
        note = "missing values are filled with the last known one and marked in channels of their own"
        if note not in panel.notes:
            panel.notes.append(note)


def described(source: Source) -> dict[str, Any]:
    """Lengths for data.json."""
    lengths = [len(item) for item in source.items]
    return {"time": {"min": min(lengths), "median": float(np.median(lengths)), "max": max(lengths)}}
