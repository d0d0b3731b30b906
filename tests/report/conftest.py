"""Simulated runs and their pages, made once per session and only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from make_run import make
from recipes import recipes

from bakeoff.report.render import render


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Name of a recipe → the folder of its run; not to be written to."""
    return cache(lambda name: make(tmp_path_factory.mktemp("runs") / name, recipes()[name]))


@pytest.fixture(scope="session")
def page_text(run_folder: Callable[[str], Path]) -> Callable[[str], str]:
    """Name of a recipe → its report."""
    return cache(lambda name: render(run_folder(name)))
