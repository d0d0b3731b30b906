"""Readers on files that were damaged in some way: what comes is examples, or one message that can be acted on; nothing else.

200 mutations of every tiny data set; `make fuzz` draws 10,000 of each. They are drawn anew each time; a seed that ever failed is
kept in KEPT and tried first.
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff import registry
from bakeoff.data.load import Reader, files_of, guess_kind, task_asked
from bakeoff.errors import DataError, OptionError
from bakeoff.options import Options
from contracts.tiny import CELLS, Cell

COUNT = int(os.environ.get("FUZZ", "200"))
MOST_SECONDS = 5.0
FEW = 10                                      # files of a data set: enough to be one, few enough to be read ten thousand times
# cell → seeds of mutations that once found a defect
KEPT: dict[str, tuple[int, ...]] = {"image-classify": (176013883083869,), "text-classify": (59560171743125,),
                                   "text-summarise": (56376834721935,)}
BYTES = (b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b",", b'"', b"\t", b"nan", b"1e999", b"-", b"%s", "é∞😀".encode(), b"0" * 40,
         b"../..")


def changed(raw: bytes, rng: random.Random) -> bytes:
    """Cut, doubled, overwritten, with something put in, turned about, or with a line gone or doubled."""
    place = rng.randrange(len(raw) + 1)
    match rng.randrange(8):
        case 0:
            return raw[:place]
        case 1:
            return raw[place:]
        case 2:
            return raw + raw
        case 3:
            return raw[:place] + rng.choice(BYTES) + raw[place:]
        case 4:
            few = bytearray(raw)
            for _ in range(rng.choice((1, 3, 30)) if raw else 0):
                few[rng.randrange(len(few))] = rng.randrange(256)
            return bytes(few)
        case 5:
            return raw[:place] + bytes(rng.randrange(256) for _ in range(rng.randrange(9))) + raw[place + rng.randrange(9):]
        case _:
            lines = raw.splitlines(keepends=True) or [b""]
            where = rng.randrange(len(lines))
            return b"".join([*lines[:where], *rng.choice(([], [lines[where]] * 2, [lines[where][::-1]])), *lines[where + 1:]])


def seeds(cell: Cell) -> Iterator[int]:
    yield from KEPT.get(str(cell), ())
    for _ in range(COUNT):
        yield int.from_bytes(os.urandom(6))


def thinned(path: Path) -> Path:
    """The data set with few files: a table that names missing ones is one more thing to be told."""
    names = sorted(file for file in path.parent.rglob("*") if file.is_file() and file != path)
    for file in names[FEW:] if path.is_dir() else []:
        file.unlink()
    return path


@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "zipped"])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_damaged_files_are_read_or_refused_in_words(cell: Cell, packed: bool, tmp_path: Path) -> None:
    for module in cell.needs:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    tries = list(seeds(cell))[:COUNT // 4 if packed else None]               # packed, it is the archive that is damaged, whatever lies in it
    (folder := tmp_path / "data").mkdir()
    path = thinned(cell.make(folder))
    if packed:
        with zipfile.ZipFile(tmp_path / "data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder))
        shutil.rmtree(folder)
        path = tmp_path / "data.zip"
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    if path.is_file() and not packed:
        files += sorted(file for file in path.parent.iterdir() if file != path)[:FEW]
    options = Options(**cell.options)
    for seed in tries:
        rng = random.Random(seed)
        file = files[0] if rng.random() < 0.5 else rng.choice(files)
        raw = file.read_bytes()
        file.write_bytes(changed(raw, rng))
        began = time.monotonic()
        try:
            found = files_of(path)
            kind = registry.get("kind", guess_kind(found, None, task_asked(options))[0])()
            Reader(kind, found, options, {}).read()
        except (DataError, OptionError):
            pass                              # one message: what, where, how to mend it
        except Exception as error:
            raise AssertionError(f"{cell}: seed {seed} (add it to KEPT): {type(error).__name__}: {error}") from error
        finally:
            file.write_bytes(raw)
        assert time.monotonic() - began < MOST_SECONDS, f"{cell}: seed {seed} took long"
