"""Music: piano rolls, steps of 88 keys that sound or do not, from MIDI files or from files of rolls; pieces may last differently long."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bakeoff.data import midi, pictures, rolls
from bakeoff.data.base import Arrays, Claim, Indices, Problem, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.media import content, summary
from bakeoff.data.names import common_stem, ending
from bakeoff.data.rolls import KEYS, LOWEST, Pieces, Roll, Unreadable
from bakeoff.errors import DataError, OptionError
from bakeoff.registry import kind

FORMATS = (".mat", ".npz", ".json")           # where a piece lies in several formats, the first of these is read
VALUES = (1, 2, 4, 8, 16, 32)                 # note values that a step may have: 4 is a quarter
STEP, ROLL_STEP = 16, 4                       # of MIDI files unless asked; of rolls, which do not say it, as they are usually made
NOTES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
PAPER, LINE, INK = (250, 250, 248), (214, 216, 220), (31, 72, 126)
MOST_DRAWN = 192                              # steps of a picture
MARGIN = 3                                    # keys above the highest and below the lowest that are drawn


@kind("music")
class Music:
    """.mid files, optionally under train/ valid/ test/; piano-roll .mat (cell arrays traindata, validdata, testdata), .npz, and .json
    {"train": [piece, …], "valid", "test"}, a piece a list of steps, a step the list of MIDI pitches that sound."""

    name: ClassVar[str] = "music"
    axes: ClassVar[tuple[str, ...]] = ("time",)
    settings: ClassVar[tuple[str, ...]] = ("music.step",)
    written: ClassVar[tuple[str, ...]] = (".mid",)

    def claims(self, files: Files) -> Claim | None:
        played = files.having(midi.ENDINGS)
        if played and len(played) >= 0.5 * len(files):
            return Claim(0.95, f"{len(played):,} MIDI files", "predict")
        first = next((name for name in files.having(FORMATS) if rolls.looks(files, name)), None)
        return Claim(0.95, f"{first} holds piano rolls", "predict") if first else None

    def read(self, files: Files, options: ReadOptions) -> Source:
        """items: uint8 (T, 88) each. Raises DataError where nothing can be read."""
        value, pieces, targets = step_of(options.settings), Pieces(), []
        names = files.having(midi.ENDINGS)
        if names:
            midi.mido_module()
            classes = files.classes(names) if options.want_targets and options.task not in (None, "predict") else []
            for number, name in enumerate(names):
                try:
                    pieces.add(midi.roll_of(content(files, name), value / 4, pieces), name, files.folder_split(name))
                except (Unreadable, OSError) as wrong:
                    pieces.set_aside(str(wrong), name)
                else:
                    targets += classes[number:number + 1]
        else:
            value = ROLL_STEP if "music.step" not in options.settings else value
            collection = one_collection(files)
            for name in collection:
                rolls.read(pieces, files, name, f"{name}: " if len(collection) > 1 else "")
        if options.want_targets and not targets:
            short(pieces)
        if not pieces.items:
            first = pieces.problems[0] if pieces.problems else None
            raise DataError(f"none of {pieces.seen:,} pieces can be read; the first: {first.what}" if first else "there are no pieces",
                            first.where if first else str(files.path), rolls.SPARE if first else "Give .mid files, or piano rolls.")
        split = None if all(one is None for one in pieces.splits) else [one or "train" for one in pieces.splits]
        source = Source(self.name, pieces.items, pieces.keys, targets, split=split, problems=pieces.problems, seen=pieces.seen,
                        task="classify" if targets and all(targets) else "predict", notes=notes_of(pieces, value, bool(names)),
                        reading={"settings": {"music.step": value}})
        source.facts |= {"steps": summary([len(item) for item in pieces.items]), "seconds": seconds(sum(map(len, pieces.items)), value)}
        return source

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        return {"channels": KEYS}

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """All steps one behind the other (steps, 88), shapes (N, 1)."""
        return Arrays(np.concatenate(source.items), np.array([[len(item)] for item in source.items], np.int64))

    def items(self, arrays: Arrays) -> Any:
        """`encode` loses nothing: prepared arrays are as good as the files."""
        return np.split(arrays.cells, arrays.offsets()[1:-1])

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        roll: Roll = source.items[index]
        value = int((source.reading.get("settings") or {}).get("music.step", STEP))
        sounding = np.flatnonzero(roll.any(0))
        span = f", {pitch_name(int(sounding[0]))} – {pitch_name(int(sounding[-1]))}" if len(sounding) else ", silent"
        words = f"{len(roll):,} steps, about {seconds(len(roll), value):.0f} s, {onsets(roll):,} notes{span}"
        return {"form": "picture", "png": base64.b64encode(drawn(roll)).decode("ascii"), "words": words}

    def told(self, cells: Any, reading: Mapping[str, Any]) -> list[list[int]]:
        """Steps (T, 88) as lists of the MIDI pitches that sound."""
        return [(np.flatnonzero(step) + LOWEST).tolist() for step in np.asarray(cells) > 0.5]

    def write(self, path: Path, before: Any, after: Any, reading: Mapping[str, Any]) -> None:
        """A .mid of a piece (T, 88) and of how it goes on (N, 88)."""
        value = int((reading.get("settings") or {}).get("music.step", STEP))
        midi.write(path, np.concatenate([np.asarray(before) > 0.5, np.asarray(after) > 0.5]).astype(np.uint8), value / 4, len(before))


def step_of(settings: Mapping[str, Any]) -> int:
    """--set music.step: the note value of a step. Raises OptionError."""
    asked = str(settings.get("music.step", STEP))
    if asked not in map(str, VALUES):
        raise OptionError(f"{asked!r} is no note value", f"--set music.step={asked}",
                          f"Give one of {', '.join(map(str, VALUES))}: 4 is a quarter note, 16 a sixteenth.")
    return int(asked)


def one_collection(files: Files) -> list[str]:
    """The files of rolls to be read, in the first format that is there. Raises DataError where there are several collections."""
    chosen: dict[tuple[str, str], str] = {}
    names = [name for name in files.having(FORMATS) if files.members[name].split or rolls.looks(files, name)] or files.having(FORMATS)
    for name in sorted(names, key=lambda name: FORMATS.index(ending(name))):
        chosen.setdefault((files.folder(name), common_stem(name)) if not files.split(name) else (name.removesuffix(ending(name)), ""), name)
    stems = sorted({(files.folder(name), common_stem(name)) for name in chosen.values() if files.members[name].split is None})
    if len(stems) > 1:
        raise DataError(f"there are {len(stems)} collections here: {', '.join(f'{folder}/{stem}'.strip('/') for folder, stem in stems[:20])}",
                        str(files.path), f"Give one of them: {files.path / next(iter(chosen.values()))}")
    return list(chosen.values())


def short(pieces: Pieces) -> None:
    """Sets aside pieces of a single step: nothing comes next in them."""
    every = list(zip(pieces.items, pieces.keys, pieces.splits, strict=True))
    taken = {problem.position for problem in pieces.problems}
    places = [place for place in range(pieces.seen) if place not in taken]
    pieces.items, pieces.keys, pieces.splits = [], [], []
    for place, (roll, key, split) in zip(places, every, strict=True):
        if len(roll) > 1:
            pieces.items.append(roll)
            pieces.keys.append(key)
            pieces.splits.append(split)
        else:
            pieces.problems.append(Problem("the piece has a single step: nothing comes next", key, rolls.SPARE, True, place, key))


def notes_of(pieces: Pieces, value: int, from_midi: bool) -> list[str]:
    notes = []
    if from_midi:
        notes.append(f"a step is a 1/{value} note (--set music.step=4 for quarters)")
    if pieces.outside:
        notes.append(f"{pieces.outside:,} notes outside the 88 keys of a piano (pitches 21 … 108) are left out")
    if pieces.drums:
        notes.append(f"{pieces.drums:,} notes of percussion (channel 10) are left out")
    return notes


def seconds(steps: int, value: int) -> float:
    """An estimate: at 120 quarter notes a minute."""
    return round(steps * 4 / value * midi.TEMPO / 1e6, 1)


def pitch_name(key: int) -> str:
    """'C4' of key 39."""
    pitch = key + LOWEST
    return f"{NOTES[pitch % 12]}{pitch // 12 - 1}"


def onsets(roll: Roll) -> int:
    """How many notes begin."""
    return int((np.diff(roll.astype(np.int8), axis=0, prepend=0) == 1).sum())


def drawn(roll: Roll) -> bytes:
    """The first steps as a PNG: time to the right, pitch upwards, a line under every C."""
    roll = roll[:MOST_DRAWN]
    sounding = np.flatnonzero(roll.any(0))
    low, high = (int(sounding[0]), int(sounding[-1])) if len(sounding) else (27, 51)
    low, high = max(0, low - MARGIN), min(KEYS - 1, high + MARGIN)
    high = min(KEYS - 1, max(high, low + 23))
    across, up = max(2, min(8, 480 // len(roll))), 4
    picture = np.empty(((high - low + 1) * up, len(roll) * across, 3), np.uint8)
    picture[:] = PAPER
    for key in range(low, high + 1):
        bottom = (high - key + 1) * up
        if (key + LOWEST) % 12 == 0:
            picture[bottom - 1] = LINE
        for step in np.flatnonzero(roll[:, key]).tolist():
            picture[bottom - up:bottom - 1, step * across:(step + 1) * across - (across > 3)] = INK
    return pictures.png(picture, largest=max(picture.shape))
