"""Clips – video files, animated GIFs, folders of frames – → uint8 frames of one size, evenly spaced in time, all decoded in parallel.

A broken clip is told, not raised. Every frame takes the same way through `pictures.pixels`, wherever it comes from.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bakeoff.data import pictures
from bakeoff.data.pictures import Read
from bakeoff.errors import DataError, OptionError

FRAMES = 16                   # most frames of a clip, and
SIDE = 48                     # most pixels of a frame's longer side: together as many pixels as a picture of 192 × 192
MOST_FRAMES = 4096            # that can be asked for
MOST_BYTES = 2 << 30          # of all clips together, as colour; they are held twice while they are written
LARGEST = 40_000_000          # pixels of a frame that is decoded, and
LARGEST_FLIP = 1 << 22        # of a GIF's, where a few bytes can claim any size
MOST_DECODED = 10**11         # pixels of all frames of one clip
FORMATS = "avi,mov,mp4,matroska,webm,mpeg,mpegts,mpegvideo,h264,ogg,flv,asf"      # containers; none that names other files to open
Frames = NDArray[np.uint8]


class Span(NamedTuple):
    """The part of a clip that an example is: seconds, or numbers of frames for a folder of frames. The end is left out."""

    start: float = 0.0
    end: float = math.inf


class Head(NamedTuple):
    """What is known of a clip before it is decoded. mode: of its first frame, as Pillow names it."""

    height: int
    width: int
    frames: int
    mode: str


class Unreadable(Exception):
    """What is wrong with a clip, in words."""


class Clip(Protocol):
    """Where frames come from. Both methods may raise anything on bytes that are no clip."""

    def head(self) -> Head: ...

    def pick(self, most: int, span: Span) -> Iterator[tuple[str, Image.Image]]:
        """At most so many frames, evenly spaced within the span, and what each is called. Raises Unreadable where none lies in it."""
        ...


@dataclass(frozen=True)
class Sheets:
    """A folder of frames. names: what they are called, reads: their bytes, both in order."""

    names: Sequence[str]
    reads: Sequence[Read]

    def head(self) -> Head:
        if not self.reads:
            raise Unreadable("there is no such clip or folder of frames")
        first = pictures.head(self.reads[0])
        if isinstance(first, str):
            raise Unreadable(f"its frame {self.names[0]}: {first}")
        return Head(first.height, first.width, len(self.reads), first.mode)

    def pick(self, most: int, span: Span) -> Iterator[tuple[str, Image.Image]]:
        for number in chosen(list(range(len(self.reads))), most, span, ""):
            known = pictures.head(self.reads[number])
            if isinstance(known, str):
                raise Unreadable(f"its frame {self.names[number]}: {known}")
            with Image.open(io.BytesIO(self.reads[number]())) as picture:
                yield self.names[number], picture


@dataclass(frozen=True)
class Flip:
    """An animated GIF. A later frame may enlarge it, so its size is looked at before each is decoded."""

    read: Read

    def head(self) -> Head:
        with Image.open(io.BytesIO(self.read())) as picture:
            bounded(picture.height, picture.width, 1, LARGEST_FLIP)
            return Head(picture.height, picture.width, getattr(picture, "n_frames", 1), picture.mode)

    def pick(self, most: int, span: Span) -> Iterator[tuple[str, Image.Image]]:
        with Image.open(io.BytesIO(self.read())) as picture:
            count = getattr(picture, "n_frames", 1)
            times: list[float] = list(range(count))
            if span != Span():                # frames of a GIF stay for as long as each of them says
                lasts = [picture.info.get("duration", 100) / 1000 for _ in turned_over(picture, count)]
                times = [0.0, *np.cumsum(lasts)[:-1].tolist()]
            wanted = set(chosen(times, most, span, " s"))
            for number in turned_over(picture, max(wanted) + 1):
                if number in wanted:
                    yield f"{number}", picture.convert("RGBA" if "transparency" in picture.info else "RGB")


def turned_over(picture: Image.Image, count: int) -> Iterator[int]:
    """The first frames of a GIF one after the other."""
    for number in range(count):
        bounded(picture.height, picture.width, count, LARGEST_FLIP)
        picture.seek(number)
        bounded(picture.height, picture.width, count, LARGEST_FLIP)
        yield number


@dataclass(frozen=True)
class Film:
    """A video file, decoded by PyAV on one thread: as many clips are decoded at once as there are cores."""

    read: Read

    def head(self) -> Head:
        content = self.read()
        with opened(content) as (container, stream):
            height, width, count = stream.codec_context.height, stream.codec_context.width, len(moments(container, stream))
        bounded(height, width, count)
        if not count:
            raise Unreadable("the clip has no frames")
        for frame in decoded(content):
            turned = abs(frame.rotation) == 90
            return Head(*((width, height) if turned else (height, width)), count, "RGB")
        raise Unreadable("none of its frames can be decoded")

    def pick(self, most: int, span: Span) -> Iterator[tuple[str, Image.Image]]:
        """Frames are counted by their packets; where fewer come out of the decoder they are chosen anew among those."""
        content = self.read()
        with opened(content) as (container, stream):
            times = moments(container, stream)
        wanted = set(chosen(times, most, span, " s"))
        found: list[tuple[str, Image.Image]] = []
        count = 0
        for frame in decoded(content):
            if count in wanted:
                found.append((f"{count}", picture_of(frame)))
            count += 1
            if len(found) == len(wanted):
                yield from found
                return
        if not count:
            raise Unreadable("none of its frames can be decoded")
        wanted = set(chosen(times[:count], most, span, " s"))
        yield from ((f"{number}", picture_of(frame)) for number, frame in enumerate(decoded(content)) if number in wanted)


def av_module() -> Any:
    """PyAV. Raises DataError where it is not installed."""
    try:
        import av
    except ImportError:
        raise DataError("video files are read by PyAV, which is not installed", "the extra 'video'",
                        "pip install 'bakeoff[video]'; or give folders of numbered frames, which need nothing.") from None
    return av


class opened:
    """with opened(content) as (container, its first video stream). Raises Unreadable."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __enter__(self) -> tuple[Any, Any]:
        av = av_module()
        self.container = av.open(io.BytesIO(self.content), options={"format_whitelist": FORMATS})
        streams = self.container.streams.video
        if not streams:
            self.container.close()
            raise Unreadable("the file holds no video")
        streams[0].codec_context.thread_count = 1
        return self.container, streams[0]

    def __exit__(self, *_: object) -> None:
        self.container.close()


def decoded(content: bytes) -> Iterator[Any]:
    """The frames in the order in which they are shown."""
    with opened(content) as (container, stream):
        yield from container.decode(stream)


def moments(container: Any, stream: Any) -> list[float]:
    """When each frame is shown, in seconds from the first, in order; by the packets alone, which are not decoded."""
    packets = [packet.pts for packet in container.demux(stream) if packet.size]
    if any(time is None for time in packets):                # a container that keeps no times
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        return [number / rate for number in range(len(packets))]
    first = min(packets, default=0)
    return [float((time - first) * stream.time_base) for time in sorted(packets)]


def picture_of(frame: Any) -> Image.Image:
    """A decoded frame as it is shown: turned as the camera was."""
    return Image.fromarray(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)))


def bounded(height: int, width: int, frames: int, most: int = LARGEST) -> None:
    """Raises Unreadable for a clip that would take very long to decode. most: pixels of a frame."""
    if height * width > most or height * width * frames > MOST_DECODED:
        raise Unreadable(f"the clip has {frames:,} frames of {width:,} × {height:,} pixels, more than are decoded")


def chosen(times: Sequence[float], most: int, span: Span, unit: str) -> list[int]:
    """Which frames are taken: those within the span, or where they are more than `most`, the middles of so many equal parts."""
    inside = [number for number, time in enumerate(times) if span.start <= time < span.end]
    if not inside:
        if not times:
            raise Unreadable("the clip has no frames")
        raise Unreadable(f"no frame lies from {span.start:g} to {span.end:g}{unit}; the last is at {times[-1]:g}{unit}")
    count = len(inside)
    return inside if count <= most else [inside[(2 * part + 1) * count // (2 * most)] for part in range(most)]


@dataclass
class Form:
    """How all clips of a data set are stored. channels: 1 grey, 3 colour, None: grey where every frame of every clip is."""

    height: int
    width: int
    frames: int
    channels: int | None = None
    depth: int = 255
    notes: list[str] = field(default_factory=list)


def heads(clips: Sequence[Clip], workers: int) -> list[Head | str]:
    """For each clip its Head, or what is wrong with it."""
    with pictures.no_alarm(), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(head, clips))


def head(clip: Clip) -> Head | str:
    try:
        return clip.head()
    except DataError:
        raise
    except Unreadable as wrong:
        return str(wrong)
    except Exception as error:                # a decoder may raise anything on bytes that are no clip
        return f"the clip cannot be read: {said(error)}"


def said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or pictures.brief(error))


def form_of(found: Sequence[Head], asked_size: Any, asked_frames: Any) -> Form:
    """The form for clips with these heads. Raises OptionError for a setting that means nothing, DataError for too much."""
    frames = FRAMES if asked_frames is None else frames_of(asked_frames)
    heights, widths, counts = [one.height for one in found], [one.width for one in found], [one.frames for one in found]
    alike = len(set(heights)) == len(set(widths)) == 1
    if asked_size is not None:
        height, width = pictures.size_of(str(asked_size), "video.size")
    elif alike:
        shrink = max(1.0, max(heights[0], widths[0]) / SIDE)
        height, width = max(1, round(heights[0] / shrink)), max(1, round(widths[0] / shrink))
    else:
        height = width = max(1, int(min(median(min(one.height, one.width) for one in found), SIDE)))
    sizes = f"{pictures.span(heights)} × {pictures.span(widths)}"
    notes = [f"frames are {sizes} (--set video.size={height}x{width} resizes)" if alike and (height, width) == (heights[0], widths[0]) else
             f"frames of {sizes} are resized to {height} × {width}" + ("" if asked_size else " (--set video.size=96)")]
    if max(counts) > frames:
        notes.append(f"clips have {pictures.span(counts)} frames, of which at most {frames} evenly spaced are read"
                     + ("" if asked_frames else f" (--set video.frames={2 * frames})"))
    else:
        notes.append(f"clips have {pictures.span(counts)} frames, all are read")
    needed = sum(min(count, frames) for count in counts) * height * width * 3
    if needed > MOST_BYTES:
        less = max(8, int(max(height, width) * math.sqrt(MOST_BYTES / needed)))
        raise DataError(f"{len(found):,} clips of up to {frames} frames of {height} × {width} take {needed / 1e9:.1f} GB",
                        f"more than the {MOST_BYTES / 1e9:.1f} GB that are held", f"Say --set video.size={less}, or fewer --set video.frames.")
    return Form(height, width, frames, notes=notes)


def frames_of(text: Any) -> int:
    """'16' → frames. Raises OptionError."""
    if not str(text).strip().isdecimal() or not 1 <= int(text) <= MOST_FRAMES:
        raise OptionError(f"{text!r} is no number of frames", f"--set video.frames={text}", f"Give a whole number from 1 to {MOST_FRAMES}.")
    return int(text)


class Decoded(NamedTuple):
    """cells: (T, H, W, C); mixed: frames had different sizes."""

    cells: Frames
    mixed: bool


def decode(clips: Sequence[Clip], spans: Sequence[Span], form: Form, workers: int) -> list[Decoded | str]:
    """All clips, or what is wrong with one."""
    def one(number: int) -> Decoded | str:
        try:
            return frames(clips[number], spans[number], form)
        except Unreadable as wrong:
            return str(wrong)
        except Exception as error:            # a decoder may raise anything on broken bytes
            return f"the clip is broken: {said(error)}"

    with pictures.no_alarm(), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, range(len(clips))))


def frames(clip: Clip, span: Span, form: Form) -> Decoded:
    """C is 1 where every frame is grey, unless the form says it."""
    shape = pictures.Form(form.height, form.width, form.channels or 3, form.depth)
    sizes, rows = set(), []
    for name, picture in clip.pick(form.frames, span):
        sizes.add(picture.size)
        try:
            rows.append(pictures.pixels(picture, shape))
        except Exception as error:            # a picture is decoded when it is looked at
            raise Unreadable(f"its frame {name} is broken: {said(error)}") from None
    cells = np.stack(rows)
    if form.channels is None and (cells[..., :1] == cells[..., 1:]).all():
        cells = np.ascontiguousarray(cells[..., :1])
    return Decoded(cells, len(sizes) > 1)


def alike(found: Sequence[Frames]) -> list[Frames]:
    """All clips in colour where one is."""
    channels = max((cells.shape[-1] for cells in found), default=1)
    return [cells if cells.shape[-1] == channels else np.repeat(cells, channels, axis=-1) for cells in found]


def strip(cells: Frames, row: int = 3, gap: int = 2, largest: tuple[int, int] = (136, 290)) -> Frames:
    """(T, H, W, C) → at most two rows of a few frames, evenly spaced, white between them, as one picture (H', W', C).

    Small ones are enlarged by a whole number as long as the picture stays within `largest`, height and width.
    """
    some = cells[chosen(list(range(len(cells))), 2 * row, Span(), "")]
    rows, columns = -(-len(some) // row), min(row, len(some))
    _, height, width, channels = some.shape
    sheet = np.full((rows * (height + gap), columns * (width + gap), channels), 255, np.uint8)
    for number, frame in enumerate(some):
        top, left = number // row * (height + gap), number % row * (width + gap)
        sheet[top:top + height, left:left + width] = frame
    sheet = sheet[:-gap, :-gap]
    times = max(1, min(most // size for most, size in zip(largest, sheet.shape, strict=False)))
    return sheet.repeat(times, 0).repeat(times, 1)
