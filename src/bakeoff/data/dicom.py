"""Greyscale pictures of medical devices in DICOM files, as they are written without compression.

Part 5 and 10 of the standard, https://www.dicomstandard.org: elements of (group, number), for explicit syntaxes their type, a length
and a value, one after the other. What is not needed is passed over.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
LONG = frozenset([b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"])     # lengths of four bytes
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
SYNTAX, PIXELS = (0x0002, 0x0010), (0x7FE0, 0x0010)
SAMPLES, PHOTOMETRIC, FRAMES, ROWS, COLUMNS = (0x28, 0x02), (0x28, 0x04), (0x28, 0x08), (0x28, 0x10), (0x28, 0x11)
ALLOCATED, SIGNED, INTERCEPT, SLOPE = (0x28, 0x100), (0x28, 0x103), (0x28, 0x1052), (0x28, 0x1053)
WANTED = frozenset([SYNTAX, PIXELS, SAMPLES, PHOTOMETRIC, FRAMES, ROWS, COLUMNS, ALLOCATED, SIGNED, INTERCEPT, SLOPE])
DEEPEST = 64                          # sequences inside sequences
MOST_PIXELS = 100_000_000

Tag = tuple[int, int]


class NotRead(ValueError):
    """Why a DICOM file gives no picture."""


def is_dicom(content: bytes) -> bool:
    return content[128:132] == b"DICM"


def picture(content: bytes) -> Image.Image:
    """(rows, columns) as a grey picture: of 8 bits, or of 16 where values are deeper; the smallest is 0 where some are negative.

    Raises NotRead.
    """
    try:
        found = elements(content)
        return shown(found)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise NotRead("the file is cut short, or not laid out as DICOM is") from error


def elements(content: bytes) -> dict[Tag, bytes]:
    """The values of WANTED."""
    found: dict[Tag, bytes] = {}
    place, explicit = 132, True
    while place + 8 <= len(content):
        if content[place:place + 2] != b"\2\0" and SYNTAX in found:          # the head of group 2 is explicit, whatever follows
            syntax = found[SYNTAX].decode("ascii").rstrip("\0 ")
            if syntax not in (IMPLICIT, EXPLICIT):
                raise NotRead(f"it is compressed, or big-endian ({syntax}): save it uncompressed")
            explicit = syntax == EXPLICIT
        tag, length, place = head(content, place, explicit)
        if length == UNDEFINED:
            place = behind(content, place, explicit)
            continue
        if place + length > len(content):
            raise NotRead("the file is cut short")
        if tag in WANTED:
            found[tag] = content[place:place + length]
        place += length
    return found


def head(content: bytes, place: int, explicit: bool) -> tuple[Tag, int, int]:
    """(tag, length of its value, where that begins)."""
    tag: Tag = struct.unpack_from("<HH", content, place)
    if explicit and tag[0] != ITEM[0]:
        if content[place + 4:place + 6] in LONG:
            return tag, struct.unpack_from("<I", content, place + 8)[0], place + 12
        return tag, struct.unpack_from("<H", content, place + 6)[0], place + 8
    return tag, struct.unpack_from("<I", content, place + 4)[0], place + 8


def behind(content: bytes, place: int, explicit: bool, depth: int = 0) -> int:
    """Where a sequence, or an item of one, of undefined length ends."""
    if depth > DEEPEST:
        raise NotRead("it holds sequences inside sequences without end")
    while True:
        tag, length, place = head(content, place, explicit)
        if tag in (SEQUENCE_END, ITEM_END):
            return place
        place = behind(content, place, explicit, depth + 1) if length == UNDEFINED else place + length


def shown(found: dict[Tag, bytes]) -> Image.Image:
    if PIXELS not in found:
        raise NotRead("there is no picture in it")
    rows, columns, bits = (number(found, tag) for tag in (ROWS, COLUMNS, ALLOCATED))
    if number(found, SAMPLES, 1) != 1 or words(found, FRAMES, "1") != "1":
        raise NotRead("it is in colour, or of several frames: single grey pictures are read")
    if bits not in (8, 16) or not 0 < rows * columns <= MOST_PIXELS:
        raise NotRead(f"it has {rows:,} × {columns:,} pixels of {bits} bits")
    if len(found[PIXELS]) < rows * columns * bits // 8:
        raise NotRead("the file is cut short")
    sort = np.dtype(f"<{'i' if number(found, SIGNED, 0) else 'u'}{bits // 8}")
    values: NDArray[Any] = np.frombuffer(found[PIXELS], sort, rows * columns).reshape(rows, columns).astype(np.float64)
    values = values * float(words(found, SLOPE, "1")) + float(words(found, INTERCEPT, "0"))
    values -= min(0.0, float(values.min()))                                  # as those of a scanner, which counts from air
    if words(found, PHOTOMETRIC, "MONOCHROME2") == "MONOCHROME1":            # the smallest is white
        values = values.max() - values
    whole = np.clip(np.rint(values), 0, 65535)
    return Image.fromarray(whole.astype(np.uint8 if bits == 8 and whole.max() <= 255 else np.uint16))


def number(found: dict[Tag, bytes], tag: Tag, without: int | None = None) -> int:
    if tag not in found and without is not None:
        return without
    return int(struct.unpack_from("<H", found[tag])[0])


def words(found: dict[Tag, bytes], tag: Tag, without: str) -> str:
    return found[tag].decode("ascii").strip("\0 ") if found.get(tag, b"").strip(b"\0 ") else without
