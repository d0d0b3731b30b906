"""Picture files → one uint8 array: headers first, then all decoded in parallel. A broken file is told, not raised."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bakeoff.data import dicom, tiff
from bakeoff.errors import OptionError

MOST_PIXELS = 100_000_000             # a picture of more is not decoded
MOST_BYTES = 4 << 30                  # pictures of one size are kept as they are while all together take less
SIDE = 64                             # pictures of different sizes become squares of at most this side
DEPTHS = (1, 255, 1023, 4095, 16383, 65535)   # largest value of real numbers, of 8, 10, 12, 14 and 16 bits
DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
GREY = ("L", "1", "LA", "La", *DEEP)
WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")

Read = Callable[[], bytes]


@dataclass(frozen=True)
class Head:
    """What a file's first bytes say. height, width: as shown, turned by the EXIF orientation."""

    height: int
    width: int
    mode: str
    alpha: bool
    bands: int = 0                    # of a .tif that Pillow does not know (tiff.py)


@dataclass
class Form:
    """How all pictures of a data set are stored: size in pixels, channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha;
    bands: as many as there are), and the largest value of deep ones."""

    height: int
    width: int
    channels: int
    depth: int = 255
    bands: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def mode(self) -> str:
        return {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[self.channels]


@contextmanager
def no_alarm() -> Iterator[None]:
    """Pillow's own limit off, which warns or raises by chance of size: `head` has ours, checked before decoding."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def heads(reads: Sequence[Read], workers: int) -> list[Head | str]:
    """For each file its Head, or what is wrong with it."""
    with no_alarm(), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(head, reads))


def head(read: Read) -> Head | str:
    try:
        content = read()
        if (bands := banded(content)) is not None:
            return Head(bands.height, bands.width, f"{bands.bands} bands", False, bands.bands)
        with opened(content) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                return f"the image has {width:,} × {height:,} pixels, more than {MOST_PIXELS:,}"
            if picture.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8):
                width, height = height, width
            return Head(height, width, picture.mode, picture.mode in WITH_ALPHA or "transparency" in picture.info)
    except Exception as error:                # a decoder may raise anything on bytes that are no picture
        return f"the image cannot be read: {brief(error)}"


def opened(content: bytes) -> Image.Image:
    """A picture of any format that is read."""
    return dicom.picture(content) if dicom.is_dicom(content) else Image.open(io.BytesIO(content))


def banded(content: bytes) -> tiff.Shape | None:
    """What a .tif says of itself that Pillow does not read, as it has too many bands or too deep ones. Raises tiff.NotRead."""
    if not tiff.is_tiff(content):
        return None
    try:
        with Image.open(io.BytesIO(content)):
            return None
    except UnidentifiedImageError:
        return tiff.look(content)


def brief(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "its format is not known"
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


def form_of(found: Sequence[Head], reads: Sequence[Read], asked_size: str | None, most: int = SIDE, kept: int | None = None) -> Form:
    """The form for pictures with these heads: one size as it is, else squares of at most `most` pixels; channels by what there is.

    kept: a longer side than this is not kept as it is, even where all have one size.
    """
    sizes = Counter((one.height, one.width) for one in found)
    alpha = all(one.alpha for one in found)
    grey = all(one.mode in GREY for one in found)
    channels = (1 if grey else 3) + alpha
    bands = Counter(one.bands for one in found).most_common(1)[0][0]
    if bands:
        channels = bands
    heights, widths = [one.height for one in found], [one.width for one in found]
    notes = []
    if asked_size is not None:
        height, width = size_of(asked_size)
        notes.append(f"sizes {span(heights)} × {span(widths)}, resized to {height} × {width} (asked)")
    elif len(sizes) == 1 and heights[0] * widths[0] * channels * len(found) <= MOST_BYTES and (kept is None or max(heights + widths) <= kept):
        height, width = heights[0], widths[0]
        notes.append(f"all images are {height} × {width} (--set image.size={height}x{width} resizes)")
    else:
        side = int(min(median(min(one.height, one.width) for one in found), most))
        height = width = max(1, side)
        notes.append(f"sizes {span(heights)} × {span(widths)}, resized to {height} × {width} (--set image.size=96)")
    if any(one.alpha for one in found) and not alpha:
        notes.append("some images are transparent: they are laid on white")
    form = Form(height, width, channels, bands=bool(bands), notes=notes)
    if bands:
        form.depth = depth_of(reads, bands=True)
        notes.append(f"the images have {bands} bands: 0 … {form.depth} becomes 0 … 255")
        return form
    deep = [read for one, read in zip(found, reads, strict=True) if one.mode in DEEP]
    if deep:
        form.depth = depth_of(deep)
        notes.append(f"{len(deep):,} images are grey of more than 8 bits: 0 … {form.depth} becomes 0 … 255")
    return form


def span(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low}…{high}"


def size_of(text: str, name: str = "image.size") -> tuple[int, int]:
    """'96' or '96x64' (height x width) → pixels. name: the setting that says it. Raises OptionError."""
    sides = str(text).lower().replace("×", "x").split("x")
    if not 1 <= len(sides) <= 2 or not all(side.strip().isdigit() and 1 <= int(side) <= 4096 for side in sides):
        raise OptionError(f"{text!r} is no size of images", f"--set {name}={text}",
                          "Give a side in pixels, 96, or height and width, 96x64.")
    return int(sides[0]), int(sides[-1])


def depth_of(reads: Sequence[Read], bands: bool = False) -> int:
    """The smallest usual depth that holds the values of 64 of the pictures."""
    most = 0.0
    with no_alarm():
        for read in reads[::max(1, len(reads) // 64)]:
            try:
                if bands:
                    most = max(most, float(np.nanmax(tiff.read(read()))))
                    continue
                with opened(read()) as picture:
                    most = max(most, float(np.asarray(picture).max()))
            except Exception:
                continue
    return next((depth for depth in DEPTHS if most <= depth), DEPTHS[-1])


def decode(reads: Sequence[Read], form: Form, workers: int) -> tuple[NDArray[np.uint8], list[str | None]]:
    """All pictures as (N, H, W, C), and for each what went wrong, or None."""
    out = np.zeros((len(reads), form.height, form.width, form.channels), np.uint8)

    def one(number: int) -> str | None:
        try:
            if form.bands:
                out[number] = bands_of(reads[number](), form)
                return None
            with opened(reads[number]()) as picture:
                out[number] = pixels(picture, form)
        except Exception as error:            # a decoder may raise anything on broken bytes
            return f"the image is broken: {brief(error)}"
        return None

    with no_alarm(), ThreadPoolExecutor(workers) as pool:
        return out, list(pool.map(one, range(len(reads)), chunksize=16))


def pixels(picture: Image.Image, form: Form) -> NDArray[np.uint8]:
    """One picture as uint8 (H, W, C) of the form's size and channels."""
    if picture.format == "JPEG" and picture.mode in ("L", "RGB"):
        side = 2 * max(form.width, form.height)
        picture.draft(None, (side, side))                                    # decodes at 1/2, 1/4, 1/8 where that is enough
    shown: Image.Image = ImageOps.exif_transpose(picture)
    if shown.mode in DEEP:
        values = np.asarray(shown).astype(np.float32)
        shown = Image.fromarray(np.clip(np.rint(values * (255 / form.depth)), 0, 255).astype(np.uint8))
    transparent = shown.mode in WITH_ALPHA or "transparency" in shown.info
    if transparent and form.channels in (1, 3):
        shown = shown.convert("RGBA")
        white = Image.new("RGBA", shown.size, "white")
        shown = Image.alpha_composite(white, shown)
    if shown.mode != form.mode:
        shown = shown.convert("RGBA").convert(form.mode) if transparent else shown.convert(form.mode)
    if shown.size != (form.width, form.height):
        shown = shown.resize((form.width, form.height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(shown).reshape(form.height, form.width, form.channels)


def bands_of(content: bytes, form: Form) -> NDArray[np.uint8]:
    """A .tif of many bands as uint8 (H, W, bands) of the form's size. Raises tiff.NotRead."""
    cells = tiff.read(content)
    if cells.shape[-1] != form.channels:
        raise tiff.NotRead(f"it has {cells.shape[-1]} bands, most images have {form.channels}")
    scaled = np.clip(np.rint(np.nan_to_num(cells.astype(np.float32)) * (255 / form.depth)), 0, 255).astype(np.uint8)
    if scaled.shape[:2] == (form.height, form.width):
        return scaled
    size = form.width, form.height
    return np.stack([np.asarray(Image.fromarray(np.ascontiguousarray(scaled[..., band])).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
                     for band in range(form.channels)], -1)


def without_full_alpha(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the last channel where it is alpha that hides nothing."""
    return np.ascontiguousarray(cells[..., :-1]) if cells.shape[-1] in (2, 4) and len(cells) and (cells[..., -1] == 255).all() else cells


def png(cells: NDArray[Any], largest: int = 128, size: tuple[int, int] | None = None) -> bytes:
    """(H, W, C) as a PNG of at most `largest` pixels a side; real numbers are stretched to black … white.

    size: height and width in pixels, where the picture is stretched to them.
    """
    if cells.dtype != np.uint8:
        low, high = float(cells.min()), float(cells.max())
        cells = ((cells - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    if cells.shape[-1] > 4:
        cells = cells[..., :3]
    picture = Image.fromarray(cells[..., 0] if cells.shape[-1] == 1 else np.ascontiguousarray(cells))
    if size is not None:
        picture = picture.resize(size[::-1], Image.Resampling.BILINEAR)
    picture.thumbnail((largest, largest))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
