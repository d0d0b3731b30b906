"""Boxes on images: which layout the files have, and from what its readers give, boxes in pixels of each image."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bakeoff.data.base import Claim, Problem
from bakeoff.data.files import Files
from bakeoff.data.names import IMAGES, TABLES, ending, file_split, folder_of, folder_splits
from bakeoff.errors import DataError

TASK = "detect"
FIX = "Mend the box, or remove it."
SETS = {"train": "train", "trainval": "train", "val": "val", "test": "test"}       # lists by these names; later ones win


class Box(NamedTuple):
    """sides: x0, y0, x1, y1 in pixels, or in shares of the image. where: 'a.xml, line 12'."""

    label: str
    sides: tuple[float, float, float, float]
    where: str


@dataclass
class Sheet:
    """What is said of one image. file: its name in the listing, '' where there is none. wrong: why it cannot be used, at `where`."""

    key: str
    file: str
    where: str
    boxes: list[Box] = field(default_factory=list)
    wrong: str = ""
    split: str | None = None


@dataclass
class Album:
    """All sheets of a layout. shares: sides are shares of the image instead of pixels. read: files that were looked into."""

    sheets: list[Sheet]
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    shares: bool = False
    read: set[str] = field(default_factory=set)


Read = Callable[[Files, Sequence[str], str], Album]       # files, names of the layout's own files, encoding


class Layout(NamedTuple):
    """names: the files that hold boxes."""

    why: str
    names: list[str]
    read: Read


def layout(files: Files) -> Layout | None:
    """How these files say boxes, found out once from the beginnings of a few of them; None: they say none."""
    if "boxes" not in files.memo:
        from bakeoff.data import annotations
        found = None if not files.having(IMAGES) else next((one for look in annotations.LOOKS if (one := look(files)) is not None), None)
        files.memo["boxes"] = found
    return files.memo["boxes"]


def claim(files: Files) -> Claim | None:
    """Surer than any other kind: images beside files of boxes are read for no other reason."""
    found = layout(files)
    return None if found is None else Claim(0.98, f"{len(files.having(IMAGES)):,} images, {found.why}", TASK)


def album(files: Files, encoding: str) -> Album:
    """Every image with its boxes as the files have them, and the split that they give. Raises DataError where there are none."""
    found = layout(files)
    if found is None:
        raise DataError("there are no boxes here", str(files.path), "Give images with Pascal VOC .xml, COCO .json or YOLO .txt files, or a table "
                        "with the columns filename, class, xmin, ymin, xmax and ymax.")
    book = found.read(files, found.names, encoding)
    known = {sheet.file for sheet in book.sheets}
    more = [Sheet(name, name, name) for name in files.having(IMAGES) if name not in known]
    if more:
        book.notes.append(f"{counted(len(more), 'image')} with nothing said about them: taken as images without objects, the first {more[0].key}")
        book.sheets += more
    book.sheets.sort(key=lambda sheet: sheet.key)
    given_splits(files, book, encoding)
    others = len(files) - len(book.read | set(files.having(IMAGES)))
    if others:
        book.notes.append(f"{counted(others, 'other file')} not read")
    return book


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def given_splits(files: Files, book: Album, encoding: str) -> None:
    """Splits by lists of images (VOC's ImageSets/Main, tables called train… and test…), else by the readers, else by folders.

    Where lists are given, an image in none of them is left out.
    """
    images = [sheet.file for sheet in book.sheets if sheet.file]
    find = Finder(images)
    listed: dict[str, str] = {}
    lists = [(name, SETS[stem]) for word in SETS for name in files.having([".txt"]) if (stem := stem_of(name).lower()) == word
             and name not in book.read]
    for name, part in lists:
        book.read.add(name)
        listed |= {image: part for line in files.lines(name, encoding) if line.strip() and (image := find(name, line.split()[0]))}
    if not lists:
        from bakeoff.data.annotations import named_in_table
        for name in sorted(files.having(TABLES), key=lambda name: file_split(name) == "test"):
            said = files.split(name)
            if said is not None and name not in book.read:
                cells = named_in_table(files, name, encoding)
                found = [image for cell in cells if (image := find(name, cell))]
                if found:
                    book.read.add(name)
                    listed |= dict.fromkeys(found, said)
    if listed:
        out = [sheet for sheet in book.sheets if sheet.file and sheet.file not in listed]
        if out:
            book.notes.append(f"{counted(len(out), 'image')} in none of the given splits are left out, the first {out[0].key}")
        book.sheets = [sheet for sheet in book.sheets if not sheet.file or sheet.file in listed]
        for sheet in book.sheets:
            sheet.split = listed.get(sheet.file)
        return
    folders = folder_splits(images)
    for sheet in book.sheets:
        if sheet.file:
            said = files.members[sheet.file].split or folders.get(folder_of(sheet.file), ("", ""))[0]
            sheet.split = said or sheet.split


class Finder:
    """The image that a path, name or bare stem in a file means: beside that file, from the top, or the only one of that name."""

    def __init__(self, images: Iterable[str]) -> None:
        self.known = set(images)
        self.by_name, self.by_stem = unique(self.known, last_of), unique(self.known, stem_of)

    def __call__(self, file: str, path: str) -> str:
        """'' where no image, or more than one, is meant."""
        plain = path.strip().replace("\\", "/").removeprefix("./")
        beside = f"{folder_of(file)}/{plain}".lstrip("/")
        for name in (beside, plain):
            if name in self.known:
                return name
        last = last_of(plain)
        return self.by_name.get(last, "") or (self.by_stem.get(last if ending(last) not in IMAGES else stem_of(last), ""))


def unique(names: Iterable[str], short: Callable[[str], str]) -> dict[str, str]:
    """Short name → name, where one alone has it."""
    found: dict[str, str] = {}
    for name in names:
        found[short(name)] = "" if short(name) in found else name
    return {key: name for key, name in found.items() if name}


def last_of(name: str) -> str:
    return name.rpartition("/")[2]


def stem_of(name: str) -> str:
    last = last_of(name)
    return last[:-len(ending(last))] if ending(last) else last


def within(boxes: Sequence[Box], width: int, height: int, shares: bool, problems: list[Problem]) -> list[dict[str, Any]]:
    """Targets of one image, [{'label', 'box': [x0, y0, x1, y1]}] in its pixels.

    What reaches beyond the edge is cut there; a box outside, or without area, is set aside. Each is told as a problem.
    """
    kept = []
    for label, sides, where in boxes:
        x0, y0, x1, y1 = (side * size for side, size in zip(sides, (width, height) * 2, strict=True)) if shares else sides
        if not all(map(math.isfinite, (x0, y0, x1, y1))) or x1 <= x0 or y1 <= y0:
            problems.append(Problem(f"a box of {label!r} has no area and is set aside", where, FIX))
            continue
        inside = [max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)]
        if inside[2] <= inside[0] or inside[3] <= inside[1]:
            problems.append(Problem(f"a box of {label!r} lies outside the image of {width} × {height} and is set aside", where, FIX))
            continue
        slack = 1.0 + 1e-3 * max(width, height)                # a pixel over the edge is rounding
        if x0 < -slack or y0 < -slack or x1 > width + slack or y1 > height + slack:
            problems.append(Problem(f"a box of {label!r} reaches beyond the image of {width} × {height} and is cut there", where, FIX))
        kept.append({"label": label, "box": [round(side, 3) for side in inside]})
    return kept


def facts(targets: Iterable[Sequence[Mapping[str, Any]]]) -> tuple[str, dict[str, int]]:
    """A sentence on how many boxes there are, and boxes per class."""
    per: dict[str, int] = {}
    empty = images = 0
    for boxes in targets:
        images += 1
        empty += not boxes
        for box in boxes:
            per[box["label"]] = per.get(box["label"], 0) + 1
    per = dict(sorted(per.items(), key=lambda item: (-item[1], item[0])))
    named = ", ".join(f"{label} {number:,}" for label, number in list(per.items())[:12]) + (" …" if len(per) > 12 else "")
    without = f"; {counted(empty, 'image')} without any" if empty else ""
    return f"{sum(per.values()):,} boxes on {counted(images, 'image')}: {named}{without}", per
