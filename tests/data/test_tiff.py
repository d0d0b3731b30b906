"""TIFF files of many bands: what was written comes back, whatever the order and packing; broken ones are told; images are made of them."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bakeoff.data import tiff
from bakeoff.data.base import ReadOptions
from bakeoff.data.image import Image as Kind
from bakeoff.data.load import files_of, load_new

KINDS = {"u": 1, "i": 2, "f": 3}


def written(cells: np.ndarray, sign: str = "<", apart: bool = False, packed: int = 1, predicted: bool = False, rows: int = 4,
            tile: int | None = None, **tags: list[int]) -> bytes:
    """(H, W, bands) as a TIFF of strips, or of square tiles."""
    high, wide, bands = cells.shape
    planes = [cells[..., band:band + 1] for band in range(bands)] if apart else [cells]
    blocks: list[np.ndarray] = []
    for plane in planes:
        if tile is None:
            blocks += [plane[top:top + rows] for top in range(0, high, rows)]
        else:
            full = np.pad(plane, ((0, -high % tile), (0, -wide % tile), (0, 0)))
            blocks += [full[top:top + tile, left:left + tile] for top in range(0, high, tile) for left in range(0, wide, tile)]
    if predicted:
        blocks = [np.diff(block, axis=1, prepend=np.zeros_like(block[:, :1])) for block in blocks]
    parts = [block.astype(block.dtype.newbyteorder(sign)).tobytes() for block in blocks]
    parts = [zlib.compress(part) if packed == 8 else part for part in parts]
    starts = (8 + np.cumsum([0, *map(len, parts)])[:-1]).tolist()
    known: dict[int, tuple[str, list[int]]] = {
        256: ("H", [wide]), 257: ("H", [high]), 258: ("H", [cells.dtype.itemsize * 8] * bands), 259: ("H", [packed]), 262: ("H", [1]),
        277: ("H", [bands]), 284: ("H", [2 if apart else 1]), 317: ("H", [2 if predicted else 1]), 339: ("H", [KINDS[cells.dtype.kind]] * bands)}
    known |= {273: ("I", starts), 279: ("I", [len(part) for part in parts]), 278: ("H", [rows])} if tile is None else {
        324: ("I", starts), 325: ("I", [len(part) for part in parts]), 322: ("H", [tile]), 323: ("H", [tile])}
    known |= {int(name[1:]): ("I", values) for name, values in tags.items()}
    at = 8 + sum(map(len, parts))
    beyond, directory, extra = at + 2 + 12 * len(known) + 4, b"", b""
    for tag, (letter, values) in sorted(known.items()):
        raw = struct.pack(f"{sign}{len(values)}{letter}", *values)
        place = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(f"{sign}I", beyond + len(extra))
        extra += b"" if len(raw) <= 4 else raw
        directory += struct.pack(f"{sign}HHI", tag, {"H": 3, "I": 4}[letter], len(values)) + place
    head = (b"II*\0" if sign == "<" else b"MM\0*") + struct.pack(f"{sign}I", at)
    return head + b"".join(parts) + struct.pack(f"{sign}H", len(known)) + directory + struct.pack(f"{sign}I", 0) + extra


def cells(dtype: str = "u2", bands: int = 6, high: int = 11, wide: int = 7) -> np.ndarray:
    values = np.random.default_rng(0).uniform(0, 200, (high, wide, bands))
    return (values * (1 if dtype == "u1" else 40)).astype(dtype)


@pytest.mark.parametrize("form", [{}, {"sign": ">"}, {"apart": True}, {"packed": 8}, {"packed": 8, "predicted": True}, {"rows": 11}, {"tile": 4},
                                  {"tile": 16, "apart": True, "packed": 8, "sign": ">", "predicted": True}], ids=str)
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4"])
def test_what_was_written_comes_back(dtype: str, form: dict[str, Any]) -> None:
    if dtype == "f4" and form.get("predicted"):
        return
    there = cells(dtype)
    shape = tiff.look(written(there, **form))
    assert (shape.height, shape.width, shape.bands) == there.shape
    np.testing.assert_array_equal(tiff.read(written(there, **form)), there)


def test_pillow_reads_the_same_of_what_it_knows() -> None:
    there = cells("u1", 3)
    content = written(there, t262=[2])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), tiff.read(content))


@pytest.mark.parametrize(("content", "what"), [
    (b"GIF89a", "not known"), (b"II*\0\x08\0\0\0", "cut short"), (written(cells())[:200], "cut short"), (written(cells(), t256=[0]), "pixels"),
    (written(cells(), t277=[100_000]), "bands"), (written(cells(), t257=[1 << 30]), "pixels"),
    (written(cells(), t259=[5]), r"compressed in a way \(5\)"),
    (written(cells(), t258=[12]), "types"), (written(cells(), t317=[3]), r"predicted in a way \(3\)"), (written(cells(), t273=[8]), "not all there"),
    (written(cells(), t259=[8]), "deflated part"),
])
def test_what_cannot_be_read_is_told(content: bytes, what: str) -> None:
    with pytest.raises(tiff.NotRead, match=what):
        tiff.read(content)


def test_damaged_files_are_told_and_never_crash() -> None:
    whole = written(cells(bands=5), packed=8, predicted=True)

    @settings(max_examples=200, deadline=5000, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.integers(0, len(whole) - 1), st.integers(0, 20), st.binary(max_size=12))
    def damage(start: int, length: int, inserted: bytes) -> None:
        with contextlib.suppress(tiff.NotRead):
            tiff.read(whole[:start] + inserted + whole[start + length:])
    damage()


def test_images_of_many_bands_are_images_with_as_many_channels(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(3):
            (tmp_path / label / f"{number}.tif").write_bytes(written(cells("u2", 6) + np.uint16(number)))
    (tmp_path / "a/odd.tif").write_bytes(written(cells("u2", 5)))
    (tmp_path / "b/cut.tif").write_bytes(written(cells("u2", 6))[:150])
    source = Kind().read(files_of(tmp_path), ReadOptions())
    assert source.items.shape == (6, 11, 7, 6)
    assert "the images have 6 bands: 0 … 16383 becomes 0 … 255" in source.notes
    np.testing.assert_allclose(source.items[0], cells("u2", 6) * (255 / 16383), atol=0.51)
    cut, odd = sorted(source.problems, key=lambda problem: problem.what.startswith("the image is broken"))
    assert (odd.where, odd.what) == ("a/odd.tif", "the image is broken: it has 5 bands, most images have 6")
    assert cut.where == "b/cut.tif"
    assert cut.what.startswith("the image cannot be read: ")
    assert Kind().shown(source, 0)["form"] == "picture"
    kind = Kind()
    spec = {"kind": "image", "axes": ["height", "width"], "sizes": [11, 7], "channels": 6, "vocab": None, "step_seconds": None, "counts": {},
            "fingerprint": ""}
    state = {**kind.fit(source, np.arange(6), ReadOptions()), "reading": source.reading, "spec": spec}
    (tmp_path / "new.tif").write_bytes(written(cells("u2", 6, 22, 14)))
    assert load_new(tmp_path / "new.tif", "image", state).dataset.take([0]).x.x.shape == (1, 11, 7, 6)


def test_sixteen_bits_in_one_band_are_read_as_before(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        Image.fromarray(np.full((8, 8), 1000, np.uint16)).save(tmp_path / label / "1.tif")
    source = Kind().read(files_of(tmp_path), ReadOptions())
    assert source.items.shape == (2, 8, 8, 1)
    assert (source.items == round(1000 * 255 / 1023)).all()
