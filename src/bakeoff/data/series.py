"""Series: numbers on one time axis, one or many channels, of equal or different lengths, whole or with gaps.

Either many short ones with a target each, or ones that go on and are to be forecast (forecasts.py, rolling.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from bakeoff.data import forecasts, rolling, stacks
from bakeoff.data.base import Arrays, Claim, Indices, Problem, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.names import common_stem, ending, file_split, split_order
from bakeoff.data.series_files import Cases, arff_header, as_numbers, read_arrays, read_lines, table_header
from bakeoff.errors import DataError
from bakeoff.registry import kind

FORMATS = (".ts", ".tsv", ".npz", ".arff", ".txt")        # where a problem lies in several formats, the first of these is read
MOST_POINTS = 400                                         # a shown curve has at most about twice as many, and at most
MOST_CURVES = 12


@kind("series")
class Series:
    """UCR/UEA .ts, pairs NAME_TRAIN and NAME_TEST of .tsv or .txt (class first), .npz of (cases, channels, time), .arff.

    A missing value is filled with the channel's training mean, and every channel with gaps in the training split gets one
    more channel that is 1 where a value was missing.
    """

    name: ClassVar[str] = "series"
    axes: ClassVar[tuple[str, ...]] = ("time",)
    settings: ClassVar[tuple[str, ...]] = ()

    def claims(self, files: Files) -> Claim | None:
        return self.claims_cases(files) or forecasts.claim(files)

    def claims_cases(self, files: Files) -> Claim | None:
        """As series that each have a target."""
        names = preferred(files)
        if not names:
            return None
        first, form = names[0], ending(names[0])
        if form == ".ts" and files.head(first).lstrip(b"\xef\xbb\xbf \r\n")[:1] in (b"#", b"@"):
            return Claim(1.0, f"{first} is a .ts file of series")
        if form == ".arff":
            return arff_claim(files.head(first, 1 << 20), first)
        if form == ".npz":
            shapes = [shape for shape, dtype in stacks.input_heads(files, first).values() if len(shape) == 3 and dtype.kind in "fi"]
            return Claim(0.9, f"{first} holds numbers of shape {shapes[0]}: (cases, channels, time)") if shapes else None
        if form in (".tsv", ".txt") and any(file_split(name) for name in names) and numeric(files.head(first, 1 << 20)):
            return Claim(0.95, f"{first} has a class and numbers in every line")
        return None

    def read(self, files: Files, options: ReadOptions) -> Source:
        """Every case of one problem, or series to be forecast. Raises DataError where there are several, or none can be read."""
        going_on = None if options.task is not None or self.claims_cases(files) is not None else forecasts.claim(files)
        if options.task == forecasts.TASK or (going_on is not None and going_on.score >= forecasts.SURE):
            return forecasts.read(files, options)
        names = preferred(files)
        if not names:
            raise DataError("there is no file of series", str(files.path), f"Give one of {', '.join(FORMATS)}.")
        one_problem(files, names)
        cases = Cases()
        for name in names:
            (read_arrays if ending(name) == ".npz" else read_lines)(cases, files, name, options)
        one_width(cases)
        if not cases.items:
            first = min(cases.problems, key=lambda problem: problem.position or 0, default=Problem("there is no case", names[0]))
            raise DataError(f"none of {cases.seen:,} series can be read; the first: {first.what}", first.where,
                            first.fix or "Check the format.")
        return Source(self.name, cases.items, cases.keys, targets_of(cases) if options.want_targets else [], split=splits_of(cases),
                      groups=[cases.groups.get(key, key) for key in cases.keys] if cases.groups else None,
                      problems=cases.problems, notes=notes_of(files, names, cases), seen=cases.seen, task=cases.task,
                      facts={"channels": cases.items[0].shape[1]})

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        """state: channels (as encoded), own (as read), fill (training mean per channel), gaps (channels with gaps in the
        training split), length (T where all series have it, which is a matter of storage, not of knowledge)."""
        cells = np.concatenate([source.items[i] for i in train])
        missing = np.isnan(cells)
        known = np.maximum(len(cells) - missing.sum(0), 1)
        fill = np.nansum(cells, axis=0, dtype=np.float64) / known
        gaps = np.flatnonzero(missing.any(0)).tolist()
        lengths = {len(item) for item in source.items}
        return {"channels": cells.shape[1] + len(gaps), "own": cells.shape[1], "fill": fill.tolist(), "gaps": gaps,
                "length": lengths.pop() if len(lengths) == 1 else None}

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """float32 (N, T, C) where every series has state['length'], else ragged. Raises DataError for other channels."""
        if source.panel is not None:
            return rolling.latest(source, state)
        for item, key in zip(source.items, source.keys, strict=True):
            if item.shape[1] != state["own"]:
                raise DataError(f"a series has {item.shape[1]} channels, those of the training had {state['own']}", key,
                                "Give the same channels in the same order.")
        lengths = np.fromiter(map(len, source.items), np.int64, len(source.items))
        cells = np.empty((int(lengths.sum()), state["channels"]), np.float32)
        own = cells[:, :state["own"]]
        if len(lengths):
            np.concatenate(source.items, out=own)
        missing = np.isnan(own)
        for place, channel in enumerate(state["gaps"], state["own"]):
            cells[:, place] = missing[:, channel]
        if missing.any():
            np.copyto(own, np.asarray(state["fill"], np.float32), where=missing)
        if state["length"] is not None and (lengths == state["length"]).all():
            return Arrays(cells.reshape(len(lengths), -1, state["channels"]))
        return Arrays(cells, lengths[:, None])

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        item = source.items[index][:, :MOST_CURVES]
        item = item[::max(1, len(item) // MOST_POINTS)]
        channels = [[None if math.isnan(value) else float(f"{value:.5g}") for value in channel] for channel in item.T.tolist()]
        return {"form": "curve", "channels": channels, "names": [str(number) for number in range(1, len(channels) + 1)]}


def preferred(files: Files) -> list[str]:
    """The files to read, train first: of each problem those in the first of FORMATS that is there, and what --test gives."""
    problems: dict[tuple[bool, str, str], list[str]] = {}
    for name in files.having(FORMATS):
        given = files.members[name].split is not None
        problems.setdefault((given, "", "") if given else (given, files.folder(name), common_stem(name)), []).append(name)
    chosen: list[str] = []
    for _, names in sorted(problems.items()):
        form = min((ending(name) for name in names), key=FORMATS.index)
        chosen += [name for name in names if ending(name) == form]
    return sorted(chosen, key=lambda name: split_order(files.split(name)))


def one_problem(files: Files, names: Sequence[str]) -> None:
    """Raises DataError where the files are of several problems, and says how to point at one."""
    stems: dict[str, set[str]] = {}
    for name in names:
        if files.members[name].split is None:
            stems.setdefault(files.folder(name), set()).add(common_stem(name))
    parts = [folder if folder and len(inside) == 1 else f"{folder}/{stem}".strip("/")
             for folder, inside in stems.items() for stem in sorted(inside)]
    if len(parts) > 1:
        more = f" and {len(parts) - 20} more" if len(parts) > 20 else ""
        raise DataError(f"there are {len(parts)} problems here: {', '.join(parts[:20])}{more}", str(files.path),
                        f"Give one of them: {files.path / parts[0]}")


def one_width(cases: Cases) -> None:
    """Sets aside the series whose number of channels is not the usual one."""
    counts = Counter(item.shape[1] for item in cases.items)
    if len(counts) < 2:
        return
    usual = counts.most_common(1)[0][0]
    every, cases.items, cases.labels, cases.keys, cases.positions, cases.splits = (
        list(zip(cases.items, cases.labels, cases.keys, cases.positions, cases.splits, strict=True)), [], [], [], [], [])
    for item, label, key, position, split in every:
        if item.shape[1] == usual:
            cases.add(item, label, key, position, split)
        else:
            cases.set_aside(f"there are {item.shape[1]} channels where {usual} are usual", ", line ".join(key.rsplit(":", 1)), key,
                            position)


def targets_of(cases: Cases) -> list[Any]:
    """Labels as written; where no file says the task, '1.0000000e+00', as old files of the archive have it, is '1'."""
    if cases.task is None:
        try:
            numbers = list(map(float, cases.labels))
        except ValueError:
            return cases.labels
        if all(map(float.is_integer, numbers)):
            return [f"{number:.0f}" for number in numbers]
    return cases.labels


def splits_of(cases: Cases) -> list[str] | None:
    if all(split is None for split in cases.splits):
        return None
    return [split or "train" for split in cases.splits]


def notes_of(files: Files, names: Sequence[str], cases: Cases) -> list[str]:
    notes = []
    same = sorted({ending(name) for name in files.having(FORMATS)} - {ending(name) for name in names})
    if same:
        notes.append(f"the {ending(names[0])} files are read; those in {', '.join(same)} are left out")
    missing = sum(int(np.isnan(item).sum()) for item in cases.items)
    if missing:
        share = missing / sum(item.size for item in cases.items)
        notes.append(f"{missing:,} values ({share:.1%}) are missing: filled with the channel's training mean, and marked in a channel "
                     "of their own")
    return notes


def numeric(head: bytes) -> bool:
    """Whether the first lines, or all but a few of them, hold a class and numbers: what is wrong with the few is told by
    the reader, with file and line."""
    lines = head.split(b"\n")
    whole = [line.rstrip(b"\r") for line in (lines[:-1] or lines) if line.strip()][:40] or [line.rstrip(b"\r") for line in lines[:1]]
    try:
        header = table_header(whole, "")
        rows = [header.split(line) for line in whole]
    except (DataError, ValueError):
        return False
    good = [row.channels[0].count(header.separator) >= 2 and as_numbers(row.channels[0], header.separator) is not None for row in rows]
    return sum(good) > 0.75 * len(good)


def arff_claim(head: bytes, name: str) -> Claim | None:
    """Steps in time have names that count up, 'att1', 'att2' …; other names are those of a table's columns."""
    try:
        header = arff_header(head.split(b"\n"), name)
    except DataError:
        return None
    if header.counted:
        return Claim(0.9, f"{name} is an .arff file whose attributes are steps in time")
    return Claim(0.2, f"{name} is an .arff file of numbers")
