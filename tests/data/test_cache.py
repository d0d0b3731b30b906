"""Prepared data appear whole or not at all, stay while in use, and make room for others after."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bakeoff.data import cache
from bakeoff.errors import DataError


def writing(size: int, name: str = "x") -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(bytes(size)) and None


def forget() -> None:
    """As if another process had used the entries and ended."""
    while cache._held:
        os.close(cache._held.popitem()[1])


def test_what_is_made_once_is_found_again(own_cache: Path) -> None:
    first = cache.keep("a1", writing(10))
    second = cache.keep("a1", lambda folder: pytest.fail("it is there already"))
    assert (first.folder, first.fresh, first.note) == (own_cache / "data/a1", True, "")
    assert (second.folder, second.fresh) == (first.folder, False)
    assert (first.folder / "x").stat().st_size == 10


def test_what_fails_in_the_making_leaves_nothing(own_cache: Path) -> None:
    def failing(folder: Path) -> None:
        (folder / "x").write_text("half")
        raise ValueError("broken")
    with pytest.raises(ValueError, match="broken"):
        cache.keep("a1", failing)
    assert list((own_cache / "data").iterdir()) == []


def test_what_was_used_longest_ago_goes_first(own_cache: Path) -> None:
    for number, name in enumerate(("old", "older", "new")):
        folder = cache.keep(name, writing(1000)).folder
        os.utime(folder / cache.DONE, (time.time() - 100 - number,) * 2 if name != "new" else None)
    forget()
    assert cache.shrink(2500) > 900
    assert sorted(path.name for path in (own_cache / "data").iterdir()) == ["new", "old"]


def test_the_limit_is_kept_when_something_is_added(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_CACHE_GB", "0.000002")
    cache.keep("a", writing(1500))
    forget()
    cache.keep("b", writing(1500))
    assert [path.name for path in (own_cache / "data").iterdir()] == ["b"]


def test_what_is_in_use_stays_also_for_another_process(own_cache: Path) -> None:
    folder = cache.keep("a", writing(1000)).folder
    assert cache.clear() == 0
    program = "from bakeoff.data import cache; print(cache.clear())"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "0\n"
    assert folder.exists()


def test_clearing_empties_it(own_cache: Path) -> None:
    cache.keep("a", writing(1000))
    forget()
    assert cache.clear() >= 1000
    assert list((own_cache / "data").iterdir()) == []


def test_what_a_killed_process_left_is_swept_after_a_day(own_cache: Path) -> None:
    left = own_cache / "data/.abc"
    left.mkdir(parents=True)
    os.utime(left, (time.time() - 2 * cache.DAY_SECONDS,) * 2)
    cache.shrink()
    assert not left.exists()


def test_without_a_cache_a_temporary_folder_serves_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "file" / "cache"))
    kept = cache.keep("a1", writing(10))
    assert (kept.folder / "x").stat().st_size == 10
    assert "cannot be written" in kept.note
    assert "temporary folder" in kept.note


def test_a_full_disk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")
    with pytest.raises(DataError, match=r"no room on the disk.*BAKEOFF_CACHE"):
        cache.keep("a1", full)


def test_the_place_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BAKEOFF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.root() == tmp_path / "bakeoff"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.root().parts[-3:] == ("Library", "Caches", "bakeoff")
