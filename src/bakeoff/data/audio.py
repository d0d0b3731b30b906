"""Sound: steps in time × mel bands, as levels in dB; or the waveform, the samples of a step side by side."""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bakeoff.data import media, pictures, sounds
from bakeoff.data.base import Arrays, Claim, Indices, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.media import Media, none_left, summary
from bakeoff.data.names import SOUNDS
from bakeoff.data.sounds import Form, Head
from bakeoff.errors import DataError, OptionError, near
from bakeoff.registry import kind

MEDIA = Media("audio", SOUNDS, "recording", "recordings", ".wav, .flac, .ogg or .mp3",
              ("text", "transcript", "transcription", "sentence"))
# Chosen by what networks reach in the same time (gru, resnet, crnn, two seeds each). On a fifth of ESC-10, clips of 5 s, in five
# core-seconds: .83 on average with steps of 20 ms and 40 bands, .81 with 64 bands; gru .81 with steps of 20 ms, .75 with 10. Levels
# stay as they are: on spoken digits in 1.5 core-seconds resnet and crnn have .975 and .94 with them, .97 and .89 where each band is
# centred over the training split, .88 and .85 where it is centred in each recording, since a band's level tells a convolution where
# in the spectrum it stands. A floor 80 dB below each recording's peak changes nothing (.83).
HOP_MS, WINDOWS = 10.0, 2.5           # steps of 10 ms under windows of 25 ms: within them the mouth hardly moves
MOST_STEPS, LONGEST_HOP_MS = 256, 40.0    # coarser steps while most recordings have more than this: a network reads each in turn
MELS = 40
INPUTS = ("mel", "wave")
MOST_BYTES = 8 << 30                  # of all recordings as they are kept
ENDLESS = 1 << 40                     # samples that a head names which does not know
PICTURE = (96, 240)                   # height and most width in pixels of a spectrogram that is shown
POINTS = 400                          # of a waveform that is shown


@kind("audio")
class Audio:
    """Folder per class of .wav .flac .ogg .mp3, optionally under train/ val/ test/; or a table with a path column and a label, or
    with what is said in each.

    Recordings may differ in length, rate and channels.
    """

    name: ClassVar[str] = "audio"
    axes: ClassVar[tuple[str, ...]] = ("time", "mel")
    settings: ClassVar[tuple[str, ...]] = ("audio.input", "audio.rate", "audio.hop", "audio.window", "audio.mels")

    def claims(self, files: Files) -> Claim | None:
        return media.claim(files, MEDIA)

    def read(self, files: Files, options: ReadOptions) -> Source:
        """A list of (T, mels) uint8, levels of sounds.STEP dB, or of (T, samples a step) int16.

        A second takes 4 kB at 100 steps of 40 bands, whatever the rate; a waveform of 16,000 Hz takes 32 kB.

        Raises DataError where nothing can be read, OptionError for a setting that has no meaning.
        """
        entries, source = media.listed(files, options, MEDIA)
        workers = min(16, os.cpu_count() or 1)
        reads = media.reads(files, entries)
        found = sounds.heads(reads, workers)
        failed = {number: one for number, one in enumerate(found) if isinstance(one, str)}
        good = [number for number in range(len(entries)) if number not in failed]
        known = [one for one in found if not isinstance(one, str)]
        if not known:
            raise none_left(failed, entries, source, MEDIA)
        form = form_of(known, options.settings)
        items, wrong = sounds.decode([reads[number] for number in good], form, workers)
        failed |= {number: what for number, what in zip(good, wrong, strict=True) if what is not None}
        items = [item for item, what in zip(items, wrong, strict=True) if what is None]
        if not items:
            raise none_left(failed, entries, source, MEDIA)
        media.fill(source, entries, items, failed, options)
        source.notes += notes_of(known, form)
        source.facts |= {"seconds": summary([round(one.seconds, 3) for one in known]), "rates": counted(one.rate for one in known),
                         "channels": counted(one.channels for one in known), "formats": counted(one.format for one in known)}
        source.reading["settings"] = {"audio.input": "wave" if form.wave else "mel", "audio.rate": form.rate, "audio.hop": form.hop_ms,
                                      "audio.window": form.window_ms, "audio.mels": form.mels}
        return source

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        """state: length is T where all recordings have it, which is a matter of storage, not of knowledge."""
        form = form_from(source.reading["settings"])
        lengths = {len(item) for item in source.items}
        length = lengths.pop() if len(lengths) == 1 else None
        own = {"axes": ["time"], "sizes": [None], "channels": form.hop} if form.wave else {"sizes": [None, form.mels], "channels": 1}
        return {**own, "length": length, "step_seconds": form.hop / form.rate}

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """Fixed where every recording has state['length'], else ragged in time."""
        lengths = np.fromiter(map(len, source.items), np.int64, len(source.items))
        sizes = tuple(size for size in state["sizes"] if size is not None)                     # after the time
        cells = np.concatenate(source.items).reshape(-1, *sizes, state["channels"])
        if state["length"] is not None and (lengths == state["length"]).all():
            return Arrays(cells.reshape(len(lengths), -1, *sizes, state["channels"]))
        return Arrays(cells, lengths[:, None])

    def items(self, arrays: Arrays) -> list[NDArray[Any]]:
        """`encode` loses nothing: prepared arrays are as good as the files."""
        if arrays.shapes is None:
            return [one.reshape(len(one), -1) for one in arrays.cells]
        return [arrays.example(row).cells.reshape(shape[0], -1) for row, shape in enumerate(arrays.shapes.tolist())]

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        """The spectrogram as a picture, low tones at the bottom; or the waveform as a curve."""
        item, form = source.items[index], form_from(source.reading["settings"])
        words = f"{len(item) * form.hop / form.rate:.2f} s of sound, {len(item):,} × {form.width}"
        if form.wave:
            return {"form": "curve", "channels": [outline(item.reshape(-1))], "names": ["amplitude"], "words": words}
        return {"form": "picture", "png": base64.b64encode(spectrogram(item)).decode("ascii"), "words": words}


def form_of(known: Sequence[Head], settings: Mapping[str, Any]) -> Form:
    """The form for recordings with these heads: as asked for, else their usual rate and steps that fit their usual length.

    Raises OptionError, or DataError where all of them together are too much.
    """
    rates = Counter(one.rate for one in known)
    usual = min(rates, key=lambda rate: (-rates[rate], rate))
    seconds = float(np.median([one.seconds for one in known]))
    hop = HOP_MS
    while hop < LONGEST_HOP_MS and 1000 * seconds / hop > MOST_STEPS:
        hop *= 2
    form = form_from({"audio.rate": usual, "audio.hop": hop, **settings})
    total = sum(one.seconds for one in known if one.frames < ENDLESS) * form.rate / form.hop * form.width * (2 if form.wave else 1)
    if total > MOST_BYTES:
        raise DataError(f"{len(known):,} recordings would take {total / 2**30:.0f} GiB", "the data",
                        f"Give fewer, or coarser steps: --set audio.hop={2 * form.hop_ms:g}")
    return form


def form_from(settings: Mapping[str, Any]) -> Form:
    """What --set says, or a model's state; the window is 2.5 steps long where nothing says otherwise. Raises OptionError."""
    way = str(settings.get("audio.input", "mel"))
    if way not in INPUTS:
        raise OptionError(f"sound is not read as {way!r}", f"--set audio.input={way}", near(way, INPUTS))
    rate = int(number(settings, "audio.rate", 0, *sounds.RATES))
    hop = number(settings, "audio.hop", HOP_MS, 0.02, 1000)
    window = number(settings, "audio.window", WINDOWS * hop, 0.1, 2000)
    return Form(rate, hop, window, int(number(settings, "audio.mels", MELS, 4, 256)), way == "wave")


def number(settings: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    """A setting as a number within its bounds. Raises OptionError."""
    asked = settings.get(name, default)
    try:
        value = float(asked)
    except (TypeError, ValueError):
        value = float("nan")
    if not low <= value <= high:
        unit = {"audio.rate": " Hz", "audio.mels": " bands"}.get(name, " ms")
        raise OptionError(f"{asked!r} is no value of {name}", f"--set {name}={asked}", f"Give a number from {low:g} to {high:g}{unit}.")
    return value


def notes_of(known: Sequence[Head], form: Form) -> list[str]:
    notes = []
    other = counted(one.rate for one in known if one.rate != form.rate)
    if other:
        several = ", ".join(f"{count:,} of {int(rate):,} Hz" for rate, count in other.items())
        notes.append(f"{sum(other.values()):,} of {len(known):,} recordings are resampled to {form.rate:,} Hz: {several} (--set audio.rate=16000)")
    mixed = sum(one.channels > 1 for one in known)
    if mixed:
        notes.append(f"{mixed:,} of {len(known):,} recordings have several channels: their mean is read")
    seconds = [one.seconds for one in known if one.frames < ENDLESS]
    long = f"{min(seconds, default=0):.2f} … {max(seconds, default=0):.2f} s of {form.rate:,} Hz"
    if form.wave:
        notes.append(f"{long}, the waveform in 16 bits, {form.hop} samples a step (--set audio.hop=5 in ms; audio.input=mel)")
    else:
        notes.append(f"{long}, {form.mels} mel bands, steps of {form.hop_ms:g} ms under windows of {form.window_ms:g} ms, levels of "
                     f"{sounds.STEP} dB (--set audio.mels=64, audio.hop=5, audio.window=20; audio.input=wave)")
    return notes


def counted(values: Any) -> dict[str, int]:
    """Value → how often, the most frequent first."""
    return {str(value): count for value, count in Counter(values).most_common()}


def spectrogram(item: NDArray[np.uint8]) -> bytes:
    """(T, mels) as a PNG, time to the right, its own softest black and loudest white."""
    high, wide = PICTURE
    cells = item.T[::-1, :, None].astype(np.float32)
    return pictures.png(cells, largest=wide, size=(high, min(wide, max(high // 2, 2 * len(item)))))


def outline(wave: NDArray[np.int16]) -> list[float]:
    """At most 2 · POINTS numbers in which every peak of the waveform stands, full scale as 1."""
    if len(wave) <= 2 * POINTS:
        return [round(value / 32767, 4) for value in wave.tolist()]
    parts = np.array_split(wave, POINTS)
    return [round(value / 32767, 4) for part in parts for value in (int(part.min()), int(part.max()))]
