"""Piano rolls in files of arrays and lists → steps of 88 keys: MATLAB cells, .npz, .json. A piece that cannot be read is told, not raised."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.base import Problem
from bakeoff.data.files import Files
from bakeoff.data.names import SPLITS, ending, split_order
from bakeoff.errors import DataError

Roll = NDArray[np.uint8]              # (T, 88): 1 where a key sounds

LOWEST, KEYS, PITCHES = 21, 88, 128   # A0 is the first of a piano's 88 keys; MIDI has 128 pitches
WORDS = "|".join(sorted(SPLITS, key=len, reverse=True))
NAMED = re.compile(rf"(?P<split>{WORDS})(?:[_.-]?(?:data|set|pieces|rolls?))?(?:[_./-]?\d+)?", re.IGNORECASE)
JSON_HEAD = re.compile(rf'\s*\{{\s*"(?:{WORDS})"\s*:\s*\[\s*\[\s*\[\s*[\d\]]', re.IGNORECASE)
SPARE = "Mend or remove it."


@dataclass
class Pieces:
    """What was found so far, one entry per piece that can be used."""

    items: list[Roll] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: int = 0
    outside: int = 0                                  # notes that no key of a piano plays
    drums: int = 0                                    # notes of percussion

    def add(self, roll: Roll, key: str, split: str | None) -> None:
        self.items.append(roll)
        self.keys.append(key)
        self.splits.append(split)
        self.seen += 1

    def set_aside(self, what: str, key: str, where: str = "") -> None:
        self.problems.append(Problem(what, where or key, SPARE, bad=True, position=self.seen, key=key))
        self.seen += 1


class Unreadable(Exception):
    """What is wrong with a piece, in words, and at which step of it."""


def split_of(name: str) -> str | None:
    """'train' | 'val' | 'test' as the name of an array or list says: 'traindata', 'valid', 'test_3'; None: it says none."""
    found = NAMED.fullmatch(name)
    return SPLITS[found["split"].lower()] if found else None


def read(pieces: Pieces, files: Files, name: str, head: str) -> None:
    """Adds the pieces of a .mat, .npz or .json. head: how their keys begin. Raises DataError for a file that cannot be read."""
    parts = {".mat": mat_parts, ".npz": npz_parts, ".json": json_parts}[ending(name)](files, name)
    own = files.split(name)
    for part, found in sorted(parts.items(), key=lambda item: split_order(split_of(item[0]))):
        for number, piece in enumerate(found, 1):
            key, where = f"{head}{split_of(part) or part or 'piece'} {number}", f"{name}, {f'{part} ' if part else ''}piece {number}"
            try:
                pieces.add(roll_of(piece, pieces), key, files.members[name].split or split_of(part) or own)
            except Unreadable as wrong:
                pieces.set_aside(str(wrong), key, where)


def roll_of(piece: Any, pieces: Pieces) -> Roll:
    """A piece as read → its roll. Raises Unreadable."""
    roll = of_array(piece, pieces) if isinstance(piece, np.ndarray) else of_steps(piece, pieces)
    if not len(roll):
        raise Unreadable("the piece is empty")
    return roll


def of_array(array: NDArray[Any], pieces: Pieces) -> Roll:
    """(T, 88), or (T, 128) of all MIDI pitches, that are 0 where nothing sounds; any other number is a strength."""
    if array.size == 0:
        raise Unreadable("the piece is empty")
    if array.ndim != 2 or array.shape[1] not in (KEYS, PITCHES) or array.dtype.kind not in "biuf":
        raise Unreadable(f"{array.dtype.name} of shape {array.shape} is no piano roll: (steps, 88 keys)")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise Unreadable("a number is missing or without limit")
    if array.dtype.kind in "if" and (array < 0).any():
        raise Unreadable("a number is negative: it is 0 where nothing sounds")
    roll = (array > 0).astype(np.uint8)
    if roll.shape[1] == PITCHES:
        pieces.outside += int(roll.sum()) - int(roll[:, LOWEST:LOWEST + KEYS].sum())
        roll = roll[:, LOWEST:LOWEST + KEYS]
    return np.ascontiguousarray(roll)


def of_steps(steps: Any, pieces: Pieces) -> Roll:
    """A list of steps, each the list of the MIDI pitches that sound."""
    if not isinstance(steps, list):
        raise Unreadable("the piece is no list of steps")
    roll = np.zeros((len(steps), KEYS), np.uint8)
    outside = 0
    for number, step in enumerate(steps):
        if not isinstance(step, list):
            raise Unreadable(f"step {number + 1} is no list of pitches")
        for pitch in step:
            if isinstance(pitch, bool) or not isinstance(pitch, int | float) or pitch != pitch // 1 or not 0 <= pitch < PITCHES:
                raise Unreadable(f"step {number + 1} has {str(pitch)[:40]!r}, which is no MIDI pitch (0 … 127)")
            key = int(pitch) - LOWEST
            if 0 <= key < KEYS:
                roll[number, key] = 1
            else:
                outside += 1
    pieces.outside += outside
    return roll


def mat_parts(files: Files, name: str) -> dict[str, Sequence[Any]]:
    """Cell arrays whose names say a split: traindata, validdata, testdata."""
    from scipy.io import loadmat
    try:
        names = variables(files.read(name))
        asked = [found for found in names if split_of(found)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")           # of variables twice, or odd types: what is used is looked at
            content: Any = io.BytesIO(files.read(name))
            arrays = loadmat(content, variable_names=asked) if asked else {}
    except NotImplementedError:
        raise DataError("the file is of MATLAB 7.3 (HDF5)", name, "Save it with save(…, '-v7').") from None
    except Exception as error:                        # a reader may raise anything on bytes that are no such file
        raise DataError(f"the file cannot be read as MATLAB arrays: {error or type(error).__name__}", name, "Fetch it anew.") from None
    found = {key: array.ravel() if array.dtype == object else pieces_of(array) for key, array in arrays.items() if isinstance(array, np.ndarray)}
    if not found:
        raise DataError(f"there are no piano rolls, but {', '.join(map(str, names[:8])) or 'nothing'}", name,
                        "Name the cell arrays traindata, validdata and testdata.")
    return {key: list(cells) for key, cells in found.items()}


def npz_parts(files: Files, name: str) -> dict[str, Sequence[Any]]:
    """Arrays (T, 88) of a piece each, or (N, T, 88) of many; 'train_lengths' beside 'train': how many steps of each are meant."""
    try:
        with files.open_bytes(name) as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {array: archive[array] for array in archive.files}
    except Exception as error:                        # as above; objects are not unpacked: they could run code
        raise DataError(f"the arrays cannot be read: {error or type(error).__name__}", name,
                        "Save plain arrays (steps, 88) with numpy.savez, one per piece, no objects.") from None
    lengths = {array.removesuffix("_lengths"): values for array, values in arrays.items() if array.endswith("_lengths")}
    found: dict[str, list[Any]] = {}
    for array, values in arrays.items():
        if array.removesuffix("_lengths") in lengths and array.endswith("_lengths"):
            continue
        pieces = pieces_of(values)
        if array in lengths:
            ends = lengths[array].ravel()
            if ends.dtype.kind not in "iu" or len(ends) != len(pieces) or (len(ends) and not 0 <= ends.min() <= ends.max() <= values.shape[1]):
                raise DataError(f"{array}_lengths does not say how many steps each of the {len(pieces)} pieces has", name,
                                "Give one whole number per piece.")
            pieces = [piece[:end] for piece, end in zip(pieces, ends.tolist(), strict=True)]
        split = split_of(array)
        key = array if len(pieces) != 1 or values.ndim == 3 else (split or "")
        found.setdefault(key, []).extend(pieces)
    if not found:
        raise DataError("there is no array", name, "Save arrays (steps, 88) with numpy.savez, one per piece.")
    return dict(found)


def pieces_of(array: NDArray[Any]) -> list[Any]:
    """(N, T, 88) → its pieces; anything else is one."""
    return list(array) if array.ndim == 3 else [array]


def json_parts(files: Files, name: str) -> dict[str, Sequence[Any]]:
    """{"train": [piece, …], "valid": …, "test": …}, or one list of pieces."""
    try:
        found = json.loads(files.text(name))
    except (ValueError, RecursionError) as error:
        raise DataError(f"this is no JSON: {str(error)[:200]}", name, "Fetch or write it anew.") from None
    parts = found if isinstance(found, dict) else {"": found}
    kept = {part: pieces for part, pieces in parts.items() if part == "" or split_of(part)}
    if not kept or not all(isinstance(pieces, list) for pieces in kept.values()):
        raise DataError('there are no lists of pieces under "train", "valid" and "test"', name,
                        'Write {"train": [piece, …], "valid": […], "test": […]}; a piece is a list of steps, a step a list of MIDI pitches.')
    return kept


def looks(files: Files, name: str) -> bool:
    """Whether a .mat, .npz or .json holds piano rolls, from its beginning where that tells it."""
    match ending(name):
        case ".json":
            return JSON_HEAD.match(files.head(name, 4096).decode("utf-8", "replace")) is not None
        case ".npz":
            from bakeoff.data.stacks import npz_heads
            heads = {array: head for array, head in npz_heads(files, name).items() if not array.endswith("_lengths")}
            return bool(heads) and all(len(shape) in (2, 3) and shape[-1] in (KEYS, PITCHES) and dtype.kind in "bu" and split_of(array)
                                       for array, (shape, dtype) in heads.items())
        case _:
            return any(split_of(variable) for variable in mat_names(files, name))


def mat_names(files: Files, name: str) -> list[str]:
    """The names of a .mat's variables; of a file that cannot be read, the usual ones: the reader says what is wrong."""
    if not files.head(name, 10).startswith(b"MATLAB"):
        return []
    try:
        return variables(files.read(name))
    except Exception:                                             # a decoder may raise anything
        return ["traindata"]


def variables(content: bytes) -> list[str]:
    """The names of the arrays in the bytes of a .mat."""
    from scipy.io import whosmat
    stream: Any = io.BytesIO(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [str(found[0]) for found in whosmat(stream)]
