"""MIDI files ↔ piano rolls, by mido. Notes are put on a grid of note values: none is lost, however short; what repeats without a
gap becomes one long note."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.data.rolls import KEYS, LOWEST, Pieces, Roll, Unreadable
from bakeoff.errors import DataError

ENDINGS = (".mid", ".midi")
MOST_STEPS = 200_000                  # a longer piece is none: a day of sixteenths
PERCUSSION = 9                        # the channel whose notes are drums
TICKS = 480                           # per quarter note, of files that are written
TEMPO = 500_000                       # microseconds of a quarter note where nothing else is said: 120 a minute
VELOCITY = 72


def mido_module() -> Any:
    """mido. Raises DataError where it is not installed."""
    try:
        import mido
    except ImportError:
        raise DataError("MIDI files need the extra 'music'", "mido is not installed", "Say: pip install 'bakeoff[music]'") from None
    return mido


def roll_of(content: bytes, per_quarter: float, pieces: Pieces) -> Roll:
    """The bytes of a MIDI file → its roll with so many steps per quarter note. Raises Unreadable."""
    mido = mido_module()
    try:
        file = mido.MidiFile(file=io.BytesIO(content), clip=True)
        tracks, ticks, form = file.tracks, file.ticks_per_beat, file.type
    except EOFError:
        raise Unreadable("the file ends too early") from None
    except Exception as error:                        # a reader may raise anything on bytes that are no such file
        raise Unreadable(f"this is no MIDI file: {str(error)[:120] or type(error).__name__}") from None
    if form == 2:
        raise Unreadable("its tracks are pieces of their own (MIDI type 2)")
    if ticks <= 0:
        raise Unreadable("its time is not counted in notes (SMPTE frames)")
    notes: list[tuple[int, int, int]] = []            # pitch, start, end in ticks
    drums = 0
    for track in tracks:
        now = 0
        sounding: dict[tuple[int, int], int] = {}
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            if message.channel == PERCUSSION:
                drums += message.type == "note_on" and message.velocity > 0
                continue
            which = message.channel, message.note
            if which in sounding:
                notes.append((message.note, sounding.pop(which), now))
            if message.type == "note_on" and message.velocity > 0:
                sounding[which] = now
        notes += [(pitch, start, now) for (_, pitch), start in sounding.items()]       # never ended: it sounds till the track's end
    if not notes:
        raise Unreadable("there are no notes, but drums" if drums else "there are no notes")
    step = ticks / per_quarter
    spans = [(pitch, round(start / step), max(round(end / step), round(start / step) + 1)) for pitch, start, end in notes]
    steps = max(end for _, _, end in spans)
    if steps > MOST_STEPS:
        raise Unreadable(f"it lasts {steps:,} steps, more than {MOST_STEPS:,}")
    played = [span for span in spans if 0 <= span[0] - LOWEST < KEYS]
    if not played:
        raise Unreadable("no note is one of the piano's 88 keys (21 … 108)")
    pieces.drums += drums
    pieces.outside += len(spans) - len(played)
    roll = np.zeros((steps, KEYS), np.uint8)
    for pitch, start, end in played:
        roll[start:end, pitch - LOWEST] = 1
    return roll


def write(path: Path, roll: Roll, per_quarter: float, seam: int | None = None) -> None:
    """One track of the keys that sound. seam: a step at which a marker 'continued' is set."""
    mido = mido_module()
    ticks = round(TICKS / per_quarter)
    events: list[tuple[int, int, Any]] = []           # tick, order among those of one tick (ends first), message
    edges = np.diff(np.pad(roll.astype(np.int8), ((1, 1), (0, 0))), axis=0)
    for key in np.flatnonzero(roll.any(0)).tolist():
        events += [(int(step) * ticks, 2, mido.Message("note_on", note=key + LOWEST, velocity=VELOCITY))
                   for step in np.flatnonzero(edges[:, key] == 1)]
        events += [(int(step) * ticks, 0, mido.Message("note_off", note=key + LOWEST)) for step in np.flatnonzero(edges[:, key] == -1)]
    if seam is not None:
        events.append((seam * ticks, 1, mido.MetaMessage("marker", text="continued")))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=TEMPO)])
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, len(roll) * ticks - now)))
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS)
    file.tracks.append(track)
    file.save(path)
