"""A run's folder is held by one process."""

from __future__ import annotations

import errno
import fcntl

import pytest

from bakeoff.errors import RunError
from bakeoff.folder import hold


def test_a_folder_that_is_held_is_refused_until_it_is_let_go(tmp_path):
    with hold(tmp_path), pytest.raises(RunError, match="another process is at work"):
        hold(tmp_path)
    hold(tmp_path).close()


def test_a_file_system_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def unsupported(file, how):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with hold(tmp_path), hold(tmp_path):
        pass
