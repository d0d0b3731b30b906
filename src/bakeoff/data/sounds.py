"""Sound files → arrays: headers first, then all decoded in parallel, resampled, and turned into log-mel levels or framed.

A broken file is told, not raised. Mel bands: Davis & Mermelstein 1980, "Comparison of parametric representations for
monosyllabic word recognition"; the scale of O'Shaughnessy 1987, 2595 · log10(1 + f / 700).
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

MOST_SECONDS = 600                    # a longer recording is no example: decoded it would fill the memory of a thread
MOST_SAMPLES = 1 << 27                # of all its channels together
RATES = (100, 768_000)                # Hz that are believed
LOWEST_HZ = 20.0                      # below lies what moves a microphone, not what is heard
SILENCE, STEP = -110.0, 0.5           # dB of level 0, and between two levels: 255 stands for +17.5 dB. A sine of full scale is 0 dB
BLOCK = 1 << 20                       # samples read at a time
FRAMES = 2048                         # spectra at a time
SLACK = 64                            # bytes that a head may count too many: some writers do
TAPS = 10                             # zero crossings on either side of the resampling filter, of the lower rate
WHOLE = ("FLAC", "WAV", "WAVEX", "AIFF")      # formats whose head says how many samples follow; others may only guess

Read = Callable[[], bytes]


@dataclass(frozen=True)
class Head:
    """What a file's first bytes say. frames: samples per channel."""

    rate: int
    frames: int
    channels: int
    format: str

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


@dataclass(frozen=True)
class Form:
    """How all recordings of a data set are stored. wave: samples of one step side by side instead of mel bands."""

    rate: int
    hop_ms: float
    window_ms: float
    mels: int
    wave: bool = False

    @property
    def hop(self) -> int:
        """Samples from one step to the next."""
        return max(1, round(self.rate * self.hop_ms / 1000))

    @property
    def window(self) -> int:
        """Samples under one window."""
        return max(2, round(self.rate * self.window_ms / 1000))

    @property
    def width(self) -> int:
        """Numbers per step."""
        return self.hop if self.wave else self.mels


def library() -> Any:
    """The module soundfile. Raises DataError where it is not installed."""
    try:
        import soundfile
    except (ImportError, OSError):            # OSError: it is there, but not the library that it calls
        raise DataError("sound files need the extra 'audio'", "soundfile is not installed", "Say: pip install 'bakeoff[audio]'") from None
    return soundfile


def heads(reads: Sequence[Read], workers: int) -> list[Head | str]:
    """For each file its Head, or what is wrong with it."""
    library()
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(head, reads, chunksize=16))


def head(read: Read) -> Head | str:
    try:
        content = read()
        with library().SoundFile(io.BytesIO(content)) as sound:
            found = Head(sound.samplerate, sound.frames, sound.channels, sound.format)
    except Exception as error:                # a decoder may raise anything on bytes that are no sound
        return f"the recording cannot be read: {brief(error)}"
    return fault(found, content) or found


def brief(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "ormat not recognised" in text:
        return "it is in no format that is known (wav, flac, ogg, mp3)"
    return text.rpartition(">: ")[2].removeprefix("Error : ").rstrip(".")[:120]


def fault(found: Head, content: bytes) -> str | None:
    """What is wrong with a file as a whole."""
    if not RATES[0] <= found.rate <= RATES[1]:
        return f"{found.rate:,} samples a second are not believable"
    if found.format in ("WAV", "WAVEX") and (missing := missing_bytes(content)) > SLACK:
        return f"the file is cut off: {missing:,} bytes of its sound are missing"
    if found.frames <= 0:
        return "there is no sound in it: 0 samples"
    return too_long(found.seconds, found.frames * found.channels) if found.format in WHOLE else None


def too_long(seconds: float, samples: int) -> str | None:
    if seconds > MOST_SECONDS:
        return f"the recording lasts {seconds:,.0f} s, more than {MOST_SECONDS}: cut it into clips"
    return f"the recording has {samples:,} samples, more than {MOST_SAMPLES:,}" if samples > MOST_SAMPLES else None


def missing_bytes(content: bytes) -> int:
    """How many bytes the data chunk of a RIFF file says that it has and has not: the decoder passes over that in silence.

    Writers that cannot go back leave 0 or almost 2³² there: those are not meant.
    """
    order = {b"RIFF": "<", b"RIFX": ">"}.get(content[:4])
    place = 12
    while order and place + 8 <= len(content):
        name, size = content[place:place + 4], struct.unpack_from(f"{order}I", content, place + 4)[0]
        if name == b"data":
            return 0 if size >= 0x7FFFFF00 else max(0, int(size) - (len(content) - place - 8))
        place += 8 + size + size % 2
    return 0


def decode(reads: Sequence[Read], form: Form, workers: int) -> tuple[list[NDArray[Any]], list[str | None]]:
    """All recordings as (T, mels) uint8 or (T, hop) int16, empty where broken; and for each what went wrong, or None."""
    filters(form)                             # made once, before threads ask for it

    def one(read: Read) -> tuple[NDArray[Any], str | None]:
        nothing = np.zeros((0, form.width), np.int16 if form.wave else np.uint8)
        try:
            x, rate = mono(read())
        except TooMuch as error:
            return nothing, str(error)
        except Exception as error:            # a decoder may raise anything on broken bytes
            return nothing, f"the recording is broken: {brief(error)}"
        if not len(x):
            return nothing, "there is no sound in it: 0 samples"
        if not np.isfinite(x).all():
            return nothing, "the recording holds values that are no finite numbers"
        x = resampled(x, rate, form.rate)
        return (framed(x, form) if form.wave else levels(x, form)), None

    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(one, reads, chunksize=16))
    return [cells for cells, _ in done], [wrong for _, wrong in done]


class TooMuch(Exception):
    """More sound than is decoded, or less than the head says."""


def mono(content: bytes) -> tuple[NDArray[np.float32], int]:
    """The mean of all channels (T,) and the samples a second. Raises TooMuch, or whatever the decoder does."""
    parts, count = [], 0
    with library().SoundFile(io.BytesIO(content)) as sound:
        rate, channels, wanted = sound.samplerate, sound.channels, sound.frames if sound.format in WHOLE else 0
        while len(block := sound.read(max(1, BLOCK // channels), dtype="float32", always_2d=True)):
            parts.append(block[:, 0].copy() if channels == 1 else block.mean(1))
            count += len(block)
            if (what := too_long(count / rate, count * channels)) is not None:
                raise TooMuch(what)
    if count < wanted:
        raise TooMuch(f"the file is cut off: {wanted:,} samples should be there, {count:,} are")
    return np.concatenate(parts) if parts else np.zeros(0, np.float32), rate


def resampled(x: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """(T,) at another rate, by a polyphase filter that lets nothing alias."""
    if rate == wanted:
        return x
    from scipy.signal import resample_poly
    ratio = Fraction(wanted, rate).limit_denominator(10_000)
    up, down = max(1, ratio.numerator), ratio.denominator
    taps: Any = low_pass(up, down)
    return np.asarray(resample_poly(x, up, down, window=taps), np.float32)


@lru_cache(maxsize=16)
def low_pass(up: int, down: int) -> NDArray[np.float32]:
    from scipy.signal import firwin
    most = max(up, down)
    return np.asarray(firwin(2 * TAPS * most + 1, 1 / most, window=("kaiser", 5.0)), np.float32)


def framed(x: NDArray[np.float32], form: Form) -> NDArray[np.int16]:
    """(samples,) → (T, hop): steps side by side, nothing shared between them, the last one filled with silence."""
    out = np.zeros((-(-len(x) // form.hop), form.hop), np.int16)
    out.reshape(-1)[:len(x)] = np.rint(np.clip(x, -1, 1) * 32767)
    return out


def levels(x: NDArray[np.float32], form: Form) -> NDArray[np.uint8]:
    """(samples,) → (1 + samples // hop, mels): the power in every band around every step, in dB, a byte each.

    A byte costs a quarter of a float and no accuracy: half a dB is a thirtieth of the levels' usual deviation.
    """
    import torch
    weights, window = filters(form)
    size, hop = 2 * (len(weights) - 1), form.hop
    count = 1 + len(x) // hop
    padded = torch.nn.functional.pad(torch.from_numpy(np.ascontiguousarray(x)), (size // 2, size))
    out = np.empty((count, form.mels), np.uint8)
    for start in range(0, count, FRAMES):
        end = min(start + FRAMES, count)
        part = padded[start * hop:(end - 1) * hop + size]
        spectrum = torch.stft(part, size, hop, form.window, window, center=False, return_complex=True)         # (F, T)
        power = torch.view_as_real(spectrum).square().sum(-1).t() @ weights
        decibel = 10 * torch.log10(power.clamp(min=1e-12))
        out[start:end] = ((decibel - SILENCE) / STEP).round_().clamp_(0, 255).to(torch.uint8).numpy()
    return out


@lru_cache(maxsize=4)
def filters(form: Form) -> tuple[Tensor, Tensor]:
    """Triangles in mel, (bins, mels), so scaled that a sine of full scale has power 1 in a wide band, and the window (samples,).

    The spectrum is as fine as the narrowest band needs: windows are filled up with zeros until every band holds a bin.
    """
    import torch
    edges = hertz(np.linspace(mel(LOWEST_HZ), mel(form.rate / 2), form.mels + 2))
    size = 1 << max(1, math.ceil(math.log2(form.window)))
    while True:
        bins = np.arange(size // 2 + 1) * (form.rate / size)
        rise = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
        fall = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
        weights = np.clip(np.minimum(rise, fall), 0, None)
        if (weights.max(0) > 0.3).all() or size >= 1 << 16:
            break
        size *= 2
    window = np.hanning(form.window + 1)[:-1] if form.window > 2 else np.ones(form.window)
    weights *= 4 / (size * np.square(window).sum())
    return torch.from_numpy(weights.astype(np.float32)), torch.from_numpy(window.astype(np.float32))


def mel(frequency: Any) -> Any:
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def hertz(mels: Any) -> Any:
    return 700 * (10 ** (np.asarray(mels) / 2595) - 1)
