"""Where prepared data lie between runs: a folder per fingerprint, within a size limit, what was used last kept longest."""

from __future__ import annotations

import atexit
import errno
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from bakeoff.errors import DataError

try:
    import fcntl
except ImportError:                           # Windows: an entry counts as in use for a day after its last use
    fcntl = None                              # type: ignore[assignment]

DEFAULT_GB = 2.0
DAY_SECONDS = 86400
DONE, LOCK = "done.json", "lock"              # the first says that an entry is whole, the second is held by who uses it

_held: dict[Path, int] = {}             # entry → descriptor of its lock, open until this process ends


class Kept(NamedTuple):
    """A prepared folder. note: said to the user where it is not in the cache; fresh: it was made just now."""

    folder: Path
    note: str
    fresh: bool


def root() -> Path:
    """$BAKEOFF_CACHE, or bakeoff's folder in the platform's place for caches."""
    asked = os.environ.get("BAKEOFF_CACHE")
    if asked:
        return Path(asked).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "bakeoff"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "bakeoff" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bakeoff"


def limit_bytes() -> int:
    """$BAKEOFF_CACHE_GB, 2 by default."""
    try:
        return int(float(os.environ.get("BAKEOFF_CACHE_GB", DEFAULT_GB)) * 1e9)
    except ValueError:
        return int(DEFAULT_GB * 1e9)


def keep(fingerprint: str, make: Callable[[Path], None]) -> Kept:
    """The folder for `fingerprint`; where there is none, `make` fills one, which appears whole or not at all.

    It stays until this process ends, whatever the limit. Where the cache cannot be written or the disk is full, a
    temporary folder takes its place. Raises DataError where that cannot be written either.
    """
    folder = root() / "data" / fingerprint
    if hold(folder):
        return Kept(folder, "", False)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = filled(folder.parent, make)
        with suppress(OSError):               # another process was quicker: its folder is as good
            made.rename(folder)
        shutil.rmtree(made, ignore_errors=True)
        if hold(folder):
            shrink()
            return Kept(folder, "", True)
        reason = "the entry vanished"
    except OSError as error:
        reason = error.strerror or str(error)
    try:
        base = Path(tempfile.mkdtemp(prefix="bakeoff-"))
        atexit.register(shutil.rmtree, base, ignore_errors=True)
        note = f"the cache {root()} cannot be written ({reason}): the prepared data lie in a temporary folder"
        return Kept(filled(base, make), note, True)
    except OSError as error:
        what = f"the prepared data cannot be written: {error.strerror or error}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = "there is no room on the disk for the prepared data"
        where = f"{root()}, {tempfile.gettempdir()}"
        raise DataError(what, where, "Make room, or set BAKEOFF_CACHE to a folder on another disk.") from None


def filled(parent: Path, make: Callable[[Path], None]) -> Path:
    """A new folder in `parent`, filled and marked as whole; removed again where that fails."""
    folder = parent / f".{uuid4().hex}"
    try:
        folder.mkdir()
        make(folder)
        (folder / LOCK).write_text("")
        (folder / DONE).write_text(json.dumps({"bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())}))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def hold(folder: Path) -> bool:
    """Whether the entry is there and whole; if so it is marked as used now and cannot be removed before this process ends."""
    if folder in _held and (folder / DONE).exists():
        return True
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    if fcntl is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:                       # it is being removed
            os.close(lock)
            return False
    if not (folder / DONE).exists():
        os.close(lock)
        return False
    _held[folder] = lock
    with suppress(OSError):                   # a cache that is read-only serves as well
        os.utime(folder / DONE)
    return True


def entries() -> list[tuple[float, int, Path]]:
    """(last use in seconds, bytes, folder) of every whole entry, the one used longest ago first."""
    found = []
    for done in (root() / "data").glob(f"*/{DONE}"):
        with suppress(OSError, ValueError, KeyError):
            found.append((done.stat().st_mtime, int(json.loads(done.read_text())["bytes"]), done.parent))
    return sorted(found)


def shrink(limit: int | None = None) -> int:
    """Removes what was used longest ago until the rest is within the limit; what is in use stays. Returns bytes freed."""
    known = entries()
    excess = sum(size for _, size, _ in known) - (limit_bytes() if limit is None else limit)
    freed = 0
    for used, size, folder in known:
        if freed >= excess:
            break
        if removed(folder, used):
            freed += size
    for left in (root() / "data").glob(".*"):             # what a process that was killed left behind
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > DAY_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    return freed


def removed(folder: Path, used: float) -> bool:
    """Removes an entry unless somebody uses it."""
    if folder in _held:
        return False
    try:
        with (folder / LOCK).open("r") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            elif time.time() - used < DAY_SECONDS:
                return False
            (folder / DONE).unlink()
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return False
    return True


def clear() -> int:
    """Empties the cache but for what is in use. Returns bytes freed."""
    return shrink(0)
