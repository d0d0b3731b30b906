"""Grey DICOM pictures: what is written is read, in both syntaxes, and what is not read is told."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.data import dicom, pictures
from bakeoff.data.base import ReadOptions
from bakeoff.data.dicom import EXPLICIT, IMPLICIT
from bakeoff.data.files import Files
from bakeoff.data.image import Image


def element(group: int, number: int, kind: str, value: bytes, explicit: bool = True, length: int | None = None) -> bytes:
    value += b"\0" * (len(value) % 2)
    size = len(value) if length is None else length
    if not explicit:
        return struct.pack("<HHI", group, number, size) + value
    if kind in ("OW", "SQ"):
        return struct.pack("<HH2sHI", group, number, kind.encode(), 0, size) + value
    return struct.pack("<HH2sH", group, number, kind.encode(), size) + value


def written(cells: np.ndarray, syntax: str = EXPLICIT, photometric: str = "MONOCHROME2", slope: str = "", intercept: str = "",
            frames: str = "", samples: int = 1) -> bytes:
    explicit = syntax != IMPLICIT

    def one(number: int, kind: str, value: bytes) -> bytes:
        return element(0x28, number, kind, value, explicit)

    def short(value: int) -> bytes:
        return struct.pack("<H", value)

    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + element(8, 0x1150, "UI", b"1.2", explicit) + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    nested = element(8, 0x1140, "SQ", item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), explicit, 0xFFFFFFFF)
    parts = [element(2, 0x10, "UI", syntax.encode()), nested, one(0x02, "US", short(samples)), one(0x04, "CS", photometric.encode())]
    parts += [one(0x08, "IS", frames.encode())] if frames else []
    parts += [one(0x10, "US", short(cells.shape[0])), one(0x11, "US", short(cells.shape[1])), one(0x100, "US", short(8 * cells.itemsize)),
              one(0x103, "US", short(cells.dtype.kind == "i"))]
    parts += [one(0x1052, "DS", intercept.encode()), one(0x1053, "DS", slope.encode())] if slope else []
    return b"\0" * 128 + b"DICM" + b"".join(parts) + element(0x7FE0, 0x10, "OW", cells.tobytes(), explicit)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("sort", [np.uint8, np.uint16])
def test_what_is_written_is_read(syntax: str, sort: type) -> None:
    cells = np.random.default_rng(0).integers(0, np.iinfo(sort).max, (5, 7)).astype(sort)
    picture = dicom.picture(written(cells, syntax))
    assert picture.size == (7, 5)
    np.testing.assert_array_equal(np.asarray(picture), cells)


def test_signed_numbers_begin_at_zero_and_scales_are_followed() -> None:
    cells = np.array([[-1000, 0], [24, 400]], np.int16)
    np.testing.assert_array_equal(np.asarray(dicom.picture(written(cells))), cells + 1000)
    scaled = dicom.picture(written(cells, slope="2", intercept="-24"))
    np.testing.assert_array_equal(np.asarray(scaled), 2 * cells.astype(int) + 2000)


def test_the_smallest_may_be_white() -> None:
    cells = np.array([[0, 10], [200, 250]], np.uint8)
    np.testing.assert_array_equal(np.asarray(dicom.picture(written(cells, photometric="MONOCHROME1"))), 250 - cells)


@pytest.mark.parametrize(("changes", "told"), [
    ({"syntax": "1.2.840.10008.1.2.4.70"}, "compressed"), ({"frames": "12"}, "several frames"), ({"samples": 3}, "in colour")])
def test_what_is_not_read_is_told(changes: dict[str, object], told: str) -> None:
    with pytest.raises(dicom.NotRead, match=told):
        dicom.picture(written(np.zeros((4, 4), np.uint8), **changes))                # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_damaged_files_are_read_or_told(chance: random.Random) -> None:
    content = bytearray(written(np.zeros((4, 4), np.uint16), chance.choice([EXPLICIT, IMPLICIT])))
    for _ in range(chance.randint(1, 12)):
        content[chance.randrange(132, len(content))] = chance.randrange(256)
    cut = bytes(content[:chance.randrange(132, len(content) + 1)])
    found = pictures.head(lambda: cut)
    assert isinstance(found, str | pictures.Head)


def test_a_folder_per_class_of_them_is_images(tmp_path: Path) -> None:
    for number in range(12):
        (place := tmp_path / ("ill", "well")[number % 2]).mkdir(exist_ok=True)
        (place / f"{number}.dcm").write_bytes(written(np.full((6, 6), 100 * (number + 1), np.uint16)))
    files = Files.open(tmp_path)
    claim = Image().claims(files)
    assert claim is not None
    assert claim.task == "classify"
    source = Image().read(files, ReadOptions())
    assert source.items.shape == (12, 6, 6, 1)
    assert sorted(set(source.targets)) == ["ill", "well"]
    assert any("more than 8 bits" in note for note in source.notes)
