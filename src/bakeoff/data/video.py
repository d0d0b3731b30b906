"""Video: time × height × width cells, grey or in colour; clips may last differently long."""

from __future__ import annotations

import base64
import io
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, ClassVar

import numpy as np
from PIL import Image as Pillow

from bakeoff.data import clips, media, pictures
from bakeoff.data.base import Arrays, Claim, Indices, Problem, ReadOptions, Source
from bakeoff.data.clips import Clip, Span
from bakeoff.data.files import Files, classes_of
from bakeoff.data.media import Entry, Listed, Media, content, none_left, path_cells, summary
from bakeoff.data.names import CLIPS, IMAGES, by_number, ending, folder_of
from bakeoff.data.rows import Table
from bakeoff.errors import DataError
from bakeoff.registry import kind

FLIPS = frozenset([".gif"])
STILLS = IMAGES - FLIPS
MEDIA = Media("video", CLIPS | FLIPS, "clip", "clips", ".mp4, .avi or .gif, or folders of numbered frames")
FEWEST = 3                    # pictures in a folder that are taken for frames without being told
LOOK = 5                      # files looked into to see whether they move


@kind("video")
class Video:
    """Folder per class of clips (.mp4, .avi, .gif, folders of numbered frames), or a table with path, label, and start and end
    where an example is a part of a clip; optionally split."""

    name: ClassVar[str] = "video"
    axes: ClassVar[tuple[str, ...]] = ("time", "height", "width")
    settings: ClassVar[tuple[str, ...]] = ("video.size", "video.frames")

    def claims(self, files: Files) -> Claim | None:
        named = path_cells(files)
        if named is not None:
            table, column, cells = named
            if any(ending(cell) in CLIPS or (cell in files and moves(files, cell)) for cell in cells):
                return Claim(0.97, f"{table} has a column {column!r} of video files")
            folders = {folder_of(name) for name in files.having(STILLS)}
            beside = folder_of(table)
            if any(cell.strip("/") and f"{beside}/{cell.strip('/')}".lstrip("/") in folders for cell in cells):
                return Claim(0.97, f"{table} has a column {column!r} of folders of frames")
            return None
        films = files.having(CLIPS)
        flips = files.having(FLIPS)
        if flips and all(moves(files, name) for name in flips[:LOOK]):
            films += flips
        if films and len(films) >= 0.5 * len(files):
            classes = classes_of([files.folder(name) for name in films])
            among = f" in {len(set(classes))} folders" if len(set(classes)) > 1 else ""
            return Claim(0.95 if any(classes) else 0.6, f"{len(films):,} clips{among}", "classify" if any(classes) else None)
        return frames_claim(files)

    def read(self, files: Files, options: ReadOptions) -> Source:
        """items: uint8 (T, H, W, C) each. Raises DataError where nothing can be read."""
        shelf = Shelf.of(files)
        if path_cells(files) is None:
            entries, source = media.in_folders(shelf.listed(files), files, options, MEDIA)
            spans = [Span()] * len(entries)
            if shelf.left:
                source.notes.append(f"{shelf.left:,} other files are not read")
        else:
            known = {*files.names, *shelf.folders}
            entries, source, table = media.in_table(files, options, MEDIA, known, [*shelf.films, *shelf.folders])
            spans = spans_of(table)
            if any(span != Span() for span in spans):
                source.notes.append("start and end are seconds in a video file, numbers of frames (from 0) in a folder of frames")
        return filled(shelf, files, entries, spans, source, options)

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        return {"channels": int(source.items[0].shape[-1])}

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """All frames one behind the other (frames, H, W, C), shapes (N, 1): time differs, the rest does not."""
        return Arrays(np.concatenate(source.items), np.array([[len(item)] for item in source.items], np.int64))

    def items(self, arrays: Arrays) -> Any:
        """`encode` loses nothing: prepared arrays are as good as the files."""
        return np.split(arrays.cells, arrays.offsets()[1:-1])

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        """A few frames as one picture."""
        cells = clips.strip(source.items[index])
        return {"form": "picture", "png": base64.b64encode(pictures.png(cells, largest=max(cells.shape))).decode("ascii")}


@dataclass
class Shelf:
    """Which files are clips. films: video files and GIFs; folders: folder → the names of its frames in order; left: files that
    are neither."""

    films: list[str]
    folders: dict[str, list[str]]
    left: int

    @classmethod
    def of(cls, files: Files) -> Shelf:
        films = files.having(CLIPS | FLIPS)
        holds: dict[str, list[str]] = defaultdict(list)
        for name in files.having(STILLS):
            holds[folder_of(name)].append(name)
        parts = [place.split("/") for place in (*holds, *films) if place]
        around = {"/".join(part[:depth]) for part in parts for depth in range(len(part))}
        folders = {folder: sorted(names, key=by_number) for folder, names in holds.items() if folder not in around}
        if "" in folders:                     # the frames lie at the top: the data are one clip
            folders = {files.label: folders[""]}
        return cls(films, folders, len(files) - len(films) - sum(map(len, folders.values())))

    def listed(self, files: Files) -> Listed:
        names = sorted([*self.films, *self.folders], key=lambda name: name.split("/"))
        inside = [files.folder(self.folders[name][0] if name in self.folders else name) for name in names]
        places = [folder_of(place) if name in self.folders else place for name, place in zip(names, inside, strict=True)]
        splits = [files.folder_split(self.folders[name][0] if name in self.folders else name) for name in names]
        return Listed(names, classes_of(places), splits)

    def clip(self, files: Files, name: str) -> Clip:
        if name in self.folders:
            frames = self.folders[name]
            return clips.Sheets([frame.rpartition("/")[2] for frame in frames], [partial(content, files, frame) for frame in frames])
        if not name:
            return clips.Sheets([], [])
        return (clips.Flip if ending(name) in FLIPS else clips.Film)(partial(content, files, name))


def moves(files: Files, name: str) -> bool:
    """Whether a file is an animated GIF."""
    if ending(name) not in FLIPS:
        return False
    try:
        with Pillow.open(io.BytesIO(files.read(name))) as picture:
            return bool(getattr(picture, "is_animated", False))
    except Exception:                         # a decoder may raise anything on bytes that are no picture
        return False


def frames_claim(files: Files) -> Claim | None:
    """Folders of numbered pictures, several in each class: frame_00.jpg, frame_01.jpg …"""
    stills = files.having(STILLS)
    folders = set(map(folder_of, stills))
    parents = set(map(folder_of, folders))
    if len(stills) < 0.5 * len(files) or not 2 <= len(parents) <= len(folders) / 2:
        return None                           # the usual case, told without looking at every name
    shelf = Shelf.of(files)
    classes, lengths = set(shelf.listed(files).classes), list(map(len, shelf.folders.values()))
    numbered = sum(map(is_numbered, shelf.folders.values()))
    if numbered < 0.9 * len(lengths) or "" in classes or not 2 <= len(classes) <= len(lengths) / 2 or median(lengths) < FEWEST:
        return None
    return Claim(0.93, f"{numbered:,} folders of numbered frames in {len(classes)} classes; --set kind=image reads every frame by itself",
                 "classify")


def is_numbered(names: Sequence[str]) -> bool:
    """Whether the files of a folder differ in one number alone, and that counts up evenly."""
    last = [re.fullmatch(r"(.*?)(\d{1,9})(\.\w+)", name.rpartition("/")[2]) for name in names]
    numbers = [int(found[2]) for found in last if found]
    return (len(numbers) == len(names) > 1 and len({found[1] for found in last if found}) == 1
            and len(set(np.diff(numbers).tolist())) == 1 and numbers[0] < numbers[1])


def spans_of(table: Table) -> list[Span]:
    """The columns start and end of each row; an empty cell is the beginning or the end. Raises DataError for what is no number."""
    named = {name.strip().lower(): name for name in table.columns}
    ends = []
    for name, without in (("start", 0.0), ("end", np.inf)):
        if name not in named:
            ends.append(np.full(len(table), without))
            continue
        values, bad = table.numbers(named[name])
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise DataError(f"{table.strings(named[name])[row]!r} is no number", table.where(row, named[name]),
                            "Write seconds, or for a folder of frames the number of a frame, from 0.")
        ends.append(np.where(np.isnan(values), without, values))
    return [Span(*pair) for pair in zip(*(side.tolist() for side in ends), strict=True)]


def filled(shelf: Shelf, files: Files, entries: Sequence[Entry], spans: Sequence[Span], source: Source, options: ReadOptions) -> Source:
    """`source` with the clips of `entries`, decoded; those that cannot be read are set aside."""
    workers, settings = min(32, os.cpu_count() or 1), options.settings
    every = [shelf.clip(files, entry.file) for entry in entries]
    if any(isinstance(clip, clips.Film) for clip in every):
        clips.av_module()
    found = clips.heads(every, workers)
    failed = {number: head for number, head in enumerate(found) if isinstance(head, str)}
    good = [number for number in range(len(found)) if number not in failed]
    known = [head for head in found if not isinstance(head, str)]
    if not good:
        raise none_left(failed, entries, source, MEDIA)
    form = clips.form_of(known, settings.get("video.size"), settings.get("video.frames"))
    deep = [clip.reads[0] for number, head in zip(good, known, strict=True)
            if isinstance(clip := every[number], clips.Sheets) and head.mode in pictures.DEEP]
    if "video.channels" in settings:          # as the training had them
        form.channels, form.depth = int(settings["video.channels"]), int(settings["video.depth"])
    elif deep:
        form.depth = pictures.depth_of(deep)
        form.notes.append(f"{len(deep):,} clips are grey of more than 8 bits: 0 … {form.depth} becomes 0 … 255")
    decoded = clips.decode([every[number] for number in good], [spans[number] for number in good], form, workers)
    failed |= {number: one for number, one in zip(good, decoded, strict=True) if isinstance(one, str)}
    cells = [one.cells for one in decoded if not isinstance(one, str)]
    if not cells:
        raise none_left(failed, entries, source, MEDIA)
    media.fill(source, entries, clips.alike(cells), failed, options)
    source.problems += [Problem("its frames differ in size: they are resized to one", entries[number].where)
                        for number, one in zip(good, decoded, strict=True) if not isinstance(one, str) and one.mixed]
    source.notes += form.notes
    source.facts |= {"frames": summary([head.frames for head in known]), "heights": summary([head.height for head in known]),
                     "widths": summary([head.width for head in known])}
    source.reading["settings"] = {"video.size": f"{form.height}x{form.width}", "video.frames": form.frames,
                                  "video.channels": source.items[0].shape[-1], "video.depth": form.depth}
    return source
