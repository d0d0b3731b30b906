"""Readers of boxes: Pascal VOC .xml, COCO .json, YOLO .txt, and tables filename,…,class,xmin,ymin,xmax,ymax."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.parsers import expat

from bakeoff.data.base import Problem, ReadOptions
from bakeoff.data.boxes import Album, Box, Finder, Layout, Sheet, last_of, stem_of
from bakeoff.data.files import Files
from bakeoff.data.names import IMAGES, TABLES, ending, file_split
from bakeoff.data.rows import Table, read_one
from bakeoff.errors import DataError

MOST_BYTES = 64 << 20                 # an .xml or .txt file of more describes no image
HEAD = 4096                           # bytes by which a layout is known
LOOKED_AT = 8                         # files by whose beginnings
FILES = ("filename", "file_name", "file", "image", "path", "image_path", "image_id", "img")
LABELS = ("class", "label", "name", "class_name", "category")
SIDES = (("xmin", "x_min", "x0", "left"), ("ymin", "y_min", "y0", "top"), ("xmax", "x_max", "x1", "right"), ("ymax", "y_max", "y1", "bottom"))
NAMES = ("classes.txt", "obj.names", "names.txt", "labels.txt", "_darknet.labels", "classes.names", "predefined_classes.txt")
LINE = re.compile(rb"\s*\d+(\s+-?\d*\.?\d+([eE]-?\d+)?){4,}\s*$")
OBJECT = "annotation/object"


class Refused(Exception):
    """An .xml file that declares entities: they could unpack to any size."""


def images(files: Files) -> list[str]:
    return files.having(IMAGES)


def some(names: Sequence[str]) -> Sequence[str]:
    return names[::max(1, len(names) // LOOKED_AT)][:LOOKED_AT]


def head(files: Files, name: str) -> bytes:
    """The beginning of a file, b'' where it cannot be read: whoever reads all of it tells."""
    try:
        return files.head(name, HEAD)
    except DataError:
        return b""


# ---- Pascal VOC -------------------------------------------------------------------------------------------------------------------

def looks_voc(files: Files) -> Layout | None:
    names = files.having([".xml"])
    if not any(b"<annotation" in head(files, name) for name in some(names)):
        return None
    return Layout(f"boxes in {len(names):,} .xml files (Pascal VOC)", names, read_voc)


def read_voc(files: Files, names: Sequence[str], encoding: str) -> Album:
    """A sheet per .xml file, of the image that it names or else is called like."""
    find, book = Finder(images(files)), Album([], read=set(names))
    taken: dict[str, str] = {}
    for name in names:
        told, boxes, wrong = parsed_xml(files, name)
        image = find(name, told) or find(name, stem_of(name)) if told else find(name, stem_of(name))
        if not image and not wrong[0]:
            wrong = f"there is no image {told or stem_of(name)!r}", name
        if image and image in taken:
            wrong = f"the image {image} is described in {taken[image]} too", name
        book.sheets.append(Sheet(image if image and image not in taken else name, image, wrong[1] or name, boxes, wrong[0]))
        taken.setdefault(image, name)
    return book


def parsed_xml(files: Files, name: str) -> tuple[str, list[Box], tuple[str, str]]:
    """(the image's name, boxes, (what is wrong, where)) of one file. Nothing is expanded: a file that declares a document type is refused."""
    reader = Voc(name)
    try:
        if files.members[name].size > MOST_BYTES:
            return "", [], (f"the file has more than {MOST_BYTES >> 20} MB", name)
        reader.parser.Parse(files.read(name), True)
    except expat.ExpatError as error:
        return reader.image, [], (f"the XML is broken: {expat.errors.messages.get(error.code, 'it cannot be read')}", f"{name}, line {error.lineno}")
    except Refused:
        return "", [], ("the XML declares a document type, whose entities are not read", f"{name}, line {reader.parser.CurrentLineNumber}")
    except (DataError, ValueError, LookupError) as error:
        return "", [], (f"the XML cannot be read: {error}", name)
    return reader.image, reader.boxes, reader.wrong


class Voc:
    """Reads one annotation by events, so that lines are known."""

    def __init__(self, name: str) -> None:
        self.name, self.image, self.path = name, "", ""
        self.boxes: list[Box] = []
        self.wrong = ("", "")
        self.text: list[str] = []
        self.found: dict[str, str] = {}
        self.line = 1
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text.append
        self.parser.StartDoctypeDeclHandler = refuse
        self.parser.EntityDeclHandler = refuse

    def start(self, tag: str, _: Any) -> None:
        self.path = f"{self.path}/{tag}".lstrip("/") if len(self.path) < 400 else self.path + "/"
        self.text.clear()
        if self.path == OBJECT:
            self.found, self.line = {}, self.parser.CurrentLineNumber

    def end(self, tag: str) -> None:
        words = "".join(self.text).strip()
        if self.path == "annotation/filename":
            self.image = words
        elif self.path.startswith(OBJECT + "/"):
            self.found.setdefault(self.path[len(OBJECT) + 1:], words)
        elif self.path == OBJECT:
            self.close()
        self.path = self.path.rpartition("/")[0]
        self.text.clear()

    def close(self) -> None:
        where = f"{self.name}, line {self.line}"
        sides = [number(self.found.get(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")]
        label = self.found.get("name", "")
        if not label or None in sides:
            self.wrong = self.wrong if self.wrong[0] else (
                f"an object has {'no name' if not label else 'no box of four numbers'}", where)
        else:
            self.boxes.append(Box(label, tuple(sides), where))             # type: ignore[arg-type]


def refuse(*_: Any) -> None:
    raise Refused


def number(cell: Any) -> float | None:
    """A finite number, or None."""
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


# ---- COCO -------------------------------------------------------------------------------------------------------------------------

def looks_coco(files: Files) -> Layout | None:
    names = [name for name in files.having([".json"]) if any(
        word in head(files, name) for word in (b'"images"', b'"annotations"', b'"categories"'))]
    return Layout(f"boxes in {names[0]}{' …' if len(names) > 1 else ''} (COCO)", names, read_coco) if names else None


def read_coco(files: Files, names: Sequence[str], encoding: str) -> Album:
    """A sheet per entry of "images". Regions marked as crowds are no single objects and left out."""
    find, book = Finder(images(files)), Album([], read=set(names))
    crowds = 0
    for name in names:
        record = parsed_json(files, name, encoding)
        labels = {key(one.get("id")): str(one.get("name", one.get("id"))) for one in entries(record, "categories")}
        sheets: dict[str, Sheet] = {}
        split = file_split(re.sub(r"\d+", "", name))           # 'instances_val2017.json'
        for place, one in enumerate(entries(record, "images")):
            told, where = str(one.get("file_name", "")), f"{name}, images[{place}]"
            image = find(name, told) if told else ""
            wrong = "" if image else f"there is no image {told!r}"
            sheets[key(one.get("id"))] = Sheet(image or f"{name}:{told or place}", image, where, [], wrong, split)
        for place, one in enumerate(entries(record, "annotations")):
            where = f"{name}, annotations[{place}] (id {one.get('id')})"
            sheet = sheets.get(key(one.get("image_id")))
            if sheet is None:
                what = f"a box names an image that is not listed, {str(one.get('image_id'))[:40]!r}"
                book.problems.append(Problem(what, where, "Add the image, or remove it."))
                continue
            crowds += bool(one.get("iscrowd"))
            if one.get("iscrowd"):
                continue
            corner = one.get("bbox")
            sides = [number(side) for side in corner] if isinstance(corner, list) and len(corner) == 4 else [None]
            label = labels.get(key(one.get("category_id")))
            if label is None or None in sides:
                what = f"category id {str(one.get('category_id'))[:40]!r} is not among the {len(labels)} categories" if label is None else (
                    f"bbox {str(corner)[:40]} is not four numbers")
                sheet.wrong, sheet.where = (sheet.wrong, sheet.where) if sheet.wrong else (what, where)
                continue
            x, y, width, height = (float(side or 0) for side in sides)
            sheet.boxes.append(Box(label, (x, y, x + width, y + height), where))
        book.sheets += sheets.values()
    if crowds:
        book.notes.append(f"{crowds:,} regions are marked as crowds: they are no boxes of single objects, and left out")
    once(book)
    return book


def key(value: Any) -> str:
    """An id as text: 7 and 7.0 and '7' are one."""
    return f"{value:.0f}" if isinstance(value, float) and value == value and abs(value) < 1e15 and value == round(value) else str(value)


def parsed_json(files: Files, name: str, encoding: str) -> Mapping[str, Any]:
    """Raises DataError."""
    try:
        record = json.loads(files.text(name, encoding))
    except json.JSONDecodeError as error:
        raise DataError(f"the JSON is broken: {error.msg}", f"{name}, line {error.lineno}", "Mend or replace it.") from None
    except (ValueError, RecursionError):
        raise DataError("the JSON cannot be read", name, "Mend or replace it.") from None
    if not isinstance(record, dict) or not isinstance(record.get("images"), list):
        raise DataError("there is no list \"images\"", name, 'COCO files hold {"images": […], "annotations": […], "categories": […]}.')
    return record


def entries(record: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; what is none stands as an empty one."""
    found = record.get(name)
    yield from (one if isinstance(one, dict) else {} for one in (found if isinstance(found, list) else []))


def once(book: Album) -> None:
    """An image that several files list is one example with the boxes of all."""
    found: dict[str, Sheet] = {}
    for sheet in book.sheets:
        first = found.setdefault(sheet.file or sheet.key, sheet)
        if first is not sheet:
            first.boxes += sheet.boxes
            first.wrong = first.wrong or sheet.wrong
    book.sheets = list(found.values())


# ---- YOLO -------------------------------------------------------------------------------------------------------------------------

def looks_yolo(files: Files) -> Layout | None:
    pairs = partners(files)
    heads = [head(files, name).splitlines() for name in some(list(pairs.values()))]
    lines = [lines[0] for lines in heads if lines and lines[0].strip()]
    if not lines or 2 * sum(LINE.match(line) is not None for line in lines) < len(lines):
        return None
    return Layout(f"boxes in {len(pairs):,} .txt files (YOLO)", list(pairs.values()), read_yolo)


def partners(files: Files) -> dict[str, str]:
    """Image → its .txt file: beside it, or under labels/ where it lies under images/."""
    found = {}
    for name in images(files):
        stem = name[:-len(ending(name))]
        parts = stem.split("/")
        under = [k for k, part in enumerate(parts[:-1]) if part.lower() in ("images", "jpegimages")]
        tries = [stem, *("/".join([*parts[:k], "labels", *parts[k + 1:]]) for k in under)]
        label = next((f"{one}.txt" for one in tries if f"{one}.txt" in files), None)
        if label is not None:
            found[name] = label
    return found


def read_yolo(files: Files, names: Sequence[str], encoding: str) -> Album:
    """A sheet per image; one without a .txt file has no objects, as YOLO has it."""
    labels, source = class_names(files, encoding)
    book = Album([], shares=True, read={*names, *([source] if source else [])})
    book.notes.append(f"the classes are named by {source}" if source else "there is no classes.txt or .yaml: classes go by their numbers")
    pairs = partners(files)
    for image in images(files):
        sheet = Sheet(image, image, pairs.get(image, image))
        book.sheets.append(sheet)
        if image in pairs:
            boxes_of_lines(files, pairs[image], labels, sheet, encoding)
    lone = [name for name in files.having([".txt"]) if name not in book.read and "labels" in name.lower().split("/")[:-1]]
    book.sheets += [Sheet(name, "", name, wrong=f"there is no image {stem_of(name)!r}") for name in lone]
    book.read |= set(lone)
    return book


def boxes_of_lines(files: Files, name: str, labels: Sequence[str], sheet: Sheet, encoding: str) -> None:
    """'class x y width height' per line, middle and size in shares of the image; or the corners of a polygon around it."""
    try:
        lines = list(files.lines(name, encoding)) if files.members[name].size <= MOST_BYTES else []
    except DataError as error:
        sheet.wrong, sheet.where = error.what, error.where
        return
    for place, line in enumerate(lines, 1):
        cells, where = line.split(), f"{name}, line {place}"
        if not cells:
            continue
        numbers = [number(cell) for cell in cells[1:]]
        if not cells[0].isdecimal() or None in numbers or not (len(numbers) == 4 or (len(numbers) >= 6 and len(numbers) % 2 == 0)):
            sheet.wrong, sheet.where = f"{line.strip()[:40]!r} is not a class number and the middle, width and height of a box", where
            return
        own = int(cells[0]) if len(cells[0]) < 9 else -1
        if labels and not 0 <= own < len(labels):
            sheet.wrong, sheet.where = f"class number {cells[0][:12]} is not among the {len(labels)} names", where
            return
        shares: Any = numbers
        if len(shares) == 4:
            x, y, width, height = shares
            sides = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        else:
            sides = min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2])
        sheet.boxes.append(Box(labels[own] if labels else cells[0], sides, where))


def class_names(files: Files, encoding: str) -> tuple[list[str], str]:
    """The names of the classes by number, and the file that says them; ([], '') where none does."""
    listed = [name for name in files.names if last_of(name).lower() in NAMES]
    for name in files.having([".yaml", ".yml"]):
        found = names_in_yaml(files.text(name, encoding))
        if found:
            return found, name
    for name in listed:
        return [line.strip() for line in files.lines(name, encoding) if line.strip()], name
    return [], ""


def names_in_yaml(text: str) -> list[str]:
    """The list or map of numbers under 'names:' of a .yaml file: all of YAML that these files use."""
    found: dict[int, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        start = re.match(r"names\s*:\s*(.*)", line)
        if start is None:
            continue
        rest = start[1].split(" #")[0].strip()
        if rest:
            while rest[0] in "[{" and rest[-1] not in "]}" and (more := next(lines, None)) is not None:
                rest += " " + more.strip()
            for place, part in enumerate(re.findall(r"(?:'[^']*'|\"[^\"]*\"|[^,])+", rest.strip("[]{} "))):
                entry(found, part, place)
        else:
            for more in lines:
                if more.strip() and not more.startswith((" ", "\t", "-")):
                    break
                if more.strip() and not more.strip().startswith("#"):
                    entry(found, more.strip().removeprefix("-"), len(found))
        break
    return [found.get(place, str(place)) for place in range(max(found) + 1)] if found and max(found) < 100_000 else []


def entry(found: dict[int, str], text: str, place: int) -> None:
    """'3: cat', or 'cat' in the place where it stands."""
    numbered = re.match(r"\s*(\d{1,9})\s*:\s*(.*)", text)
    name = (numbered[2] if numbered else text).strip().strip("'\"")
    if name:
        found[int(numbered[1]) if numbered else place] = name


# ---- tables -----------------------------------------------------------------------------------------------------------------------

def looks_table(files: Files) -> Layout | None:
    names = []
    for name in files.having(TABLES - {".parquet"}):
        first = head(files, name).partition(b"\n")[0].decode("latin-1").lower()
        cells = {cell.strip(" \"'\r\ufeff") for cell in re.split("[,;\t]", first)}
        if all(cells & set(side) for side in SIDES) and cells & set(FILES):
            names.append(name)
    split = [name for name in names if file_split(name)]
    names = split if len(split) > 1 else names[:1]             # a table of all beside those of train and test says everything twice
    return Layout(f"boxes in {' and '.join(names[:3])}", names, read_tables) if names else None


def read_tables(files: Files, names: Sequence[str], encoding: str) -> Album:
    """A sheet per image that a row names; a row without a box says that there is none."""
    find, book = Finder(images(files)), Album([], read=set(names))
    for name in names:
        table = read_one(files, name, ReadOptions(encoding=encoding))
        file, label = column(table, FILES), column(table, LABELS)
        sides = [column(table, side) for side in SIDES]
        if file is None or label is None or None in sides:
            raise DataError(f"the table has no column {'class' if label is None else 'of ' + ('file names' if file is None else 'sides')}", name,
                            "Give filename, class, xmin, ymin, xmax and ymax.")
        book.problems += [Problem(one.what, one.where, one.fix) for one in table.problems]
        sheets: dict[str, Sheet] = {}
        rows = zip(table.strings(file), table.strings(label), *(table.strings(str(side)) for side in sides), strict=True)
        for row, (told, word, *cells) in enumerate(rows):
            where = table.where(row)
            image = find(name, told)
            sheet = sheets.setdefault(told, Sheet(image or f"{name}:{told}", image, where, [], "" if image else f"there is no image {told!r}",
                                                  table.splits[0]))
            if not any(cell.strip() for cell in cells):
                continue
            numbers = [number(cell) for cell in cells]
            if None in numbers or not word.strip():
                sheet.wrong, sheet.where = (sheet.wrong, sheet.where) if sheet.wrong else (
                    "the class is missing" if not word.strip() else f"{', '.join(cells)[:40]!r} is not four numbers", where)
                continue
            sheet.boxes.append(Box(word.strip(), tuple(numbers), where))   # type: ignore[arg-type]
        book.sheets += sheets.values()
    once(book)
    return book


def column(table: Table, names: Sequence[str]) -> str | None:
    """The first of these columns that a table has, whatever its case."""
    own = {name.strip().lower(): name for name in table.columns}
    return next((own[name] for name in names if name in own), None)


def named_in_table(files: Files, name: str, encoding: str) -> list[str]:
    """The file names that a table lists, [] where it has no such column."""
    try:
        table = read_one(files, name, ReadOptions(encoding=encoding))
    except DataError:
        return []
    file = column(table, FILES)
    return [] if file is None else [cell.strip() for cell in table.strings(file)]


LOOKS: tuple[Callable[[Files], Layout | None], ...] = (looks_coco, looks_voc, looks_yolo, looks_table)
