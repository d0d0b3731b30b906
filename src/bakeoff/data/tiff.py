"""TIFF files with bands that Pillow does not know: any number of them, 8 to 32 bits, in strips or tiles, plain or deflated.

Adobe 1992, TIFF 6.0, https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = (b"II*\0", b"MM\0*")
MOST_NUMBERS = 400_000_000            # of one image; more is not unpacked
MOST_BANDS = 512
WIDTH, HEIGHT, BITS, PACKED, BANDS, ORDER, PREDICTED, KIND = 256, 257, 258, 259, 277, 284, 317, 339
STRIPS, STRIP_BYTES, STRIP_ROWS, TILES, TILE_BYTES, TILE_WIDE, TILE_HIGH = 273, 279, 278, 324, 325, 322, 323
TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}     # of a tag's values; others say nothing that is needed
LETTERS = {1: "u", 2: "i", 3: "f"}


class NotRead(Exception):
    """What is wrong with a file, in words."""


@dataclass(frozen=True)
class Shape:
    """What the tags of the first image say."""

    height: int
    width: int
    bands: int
    dtype: np.dtype[Any]
    tags: dict[int, tuple[int, ...]]


def is_tiff(content: bytes) -> bool:
    return content[:4] in MAGIC


def look(content: bytes) -> Shape:
    """Size, bands and type of the first image. Raises NotRead."""
    if not is_tiff(content):
        raise NotRead("its format is not known")
    sign = "<" if content[:2] == b"II" else ">"
    try:
        tags = dict(entries(content, sign))
    except struct.error:
        raise NotRead("the file is cut short") from None

    def one(tag: int, usual: int) -> int:
        return tags.get(tag, (usual,))[0]

    high, wide, bands, bits = one(HEIGHT, 0), one(WIDTH, 0), one(BANDS, 1), set(tags.get(BITS, (1,)))
    if not (high > 0 < wide and 0 < bands <= MOST_BANDS and high * wide * bands <= MOST_NUMBERS):
        raise NotRead(f"it has {wide:,} × {high:,} pixels in {bands:,} bands")
    if len(bits) != 1 or (letter := LETTERS.get(one(KIND, 1))) is None or (size := bits.pop()) not in ((32, 64) if letter == "f" else (8, 16, 32)):
        raise NotRead("its numbers are of none of the types with 8, 16 or 32 bits")
    return Shape(high, wide, bands, np.dtype(f"{sign}{letter}{size // 8}"), tags)


def entries(content: bytes, sign: str) -> list[tuple[int, tuple[int, ...]]]:
    """Tag and values of the first directory."""
    (start,) = struct.unpack_from(f"{sign}I", content, 4)
    (count,) = struct.unpack_from(f"{sign}H", content, start)
    found = []
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, form, number = struct.unpack_from(f"{sign}HHI", content, place)
        letter = TYPES.get(form)
        if letter is None or number > len(content):
            continue
        at = place + 8 if struct.calcsize(letter) * number <= 4 else struct.unpack_from(f"{sign}I", content, place + 8)[0]
        if number:
            found.append((tag, struct.unpack_from(f"{sign}{number}{letter}", content, at)))
    return found


def read(content: bytes) -> NDArray[Any]:
    """(H, W, bands) of the first image, in its own type. Raises NotRead."""
    shape = look(content)
    tags, tiled = shape.tags, TILES in shape.tags
    if tiled:
        wide, high = tags.get(TILE_WIDE, (0,))[0], tags.get(TILE_HIGH, (0,))[0]
    else:
        wide, high = shape.width, min(tags.get(STRIP_ROWS, (shape.height,))[0], shape.height)
    starts, lengths = (tags.get(tag, ()) for tag in ((TILES, TILE_BYTES) if tiled else (STRIPS, STRIP_BYTES)))
    apart = tags.get(ORDER, (1,))[0] == 2
    across, down = ceil(shape.width / max(wide, 1)), ceil(shape.height / max(high, 1))
    pieces = across * down * (shape.bands if apart else 1)
    if wide < 1 or high < 1 or min(len(starts), len(lengths)) < pieces or wide * high > MOST_NUMBERS:
        raise NotRead("its strips or tiles are not all there")
    out = np.zeros((shape.bands, shape.height, shape.width) if apart else (1, shape.height, shape.width, shape.bands), shape.dtype)
    for number in range(pieces):
        plane, place = divmod(number, across * down)
        top, left = place // across * high, place % across * wide
        rows = high if tiled else min(high, shape.height - top)
        block = unpacked(content[starts[number]:starts[number] + lengths[number]], (rows, wide, *out.shape[3:]), shape)
        part = block[:shape.height - top, :shape.width - left]
        out[plane, top:top + len(part), left:left + part.shape[1]] = part
    return np.ascontiguousarray(out.transpose(1, 2, 0)) if apart else out[0]


def unpacked(raw: bytes, sizes: tuple[int, ...], shape: Shape) -> NDArray[Any]:
    """A strip or tile as numbers, differences along rows added up again."""
    packed, size = shape.tags.get(PACKED, (1,))[0], prod(sizes) * shape.dtype.itemsize
    if packed in (8, 32946):
        try:
            raw = zlib.decompressobj().decompress(raw, size)
        except zlib.error:
            raise NotRead("a deflated part of it is broken") from None
    elif packed != 1:
        raise NotRead(f"its bands are compressed in a way ({packed}) that is not read: save it plain or deflated")
    if len(raw) < size:
        raise NotRead("the file is cut short")
    block = np.frombuffer(raw, shape.dtype, prod(sizes)).reshape(sizes)
    way = shape.tags.get(PREDICTED, (1,))[0]
    if way == 1:
        return block
    if way != 2 or shape.dtype.kind == "f":
        raise NotRead(f"its numbers are predicted in a way ({way}) that is not read: save it without")
    return block.cumsum(1, dtype=shape.dtype.newbyteorder("="))
