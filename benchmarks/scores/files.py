"""Data sets on disk for the rows that train at a stated setting: read, checked and parted as `bakeoff run` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bakeoff.data.base import Splits
from bakeoff.data.load import load
from bakeoff.options import Options
from bakeoff.tasks.base import Task
from bakeoff.train.setup import Setup


def opened(data: str | Path, fold: int = 0, **options: Any) -> tuple[Splits, Task]:
    """Splits with collated targets, the test with them, and the fitted task. options: those of `bakeoff run`; fold: with `folds`."""
    loaded = load(data, Options(**options))
    setup = Setup(tuple(str(one.folder) for one in loaded.folds), loaded.task_name, tuple(one.task_state for one in loaded.folds), loaded.metric,
                  loaded.kind_name, tuple(one.kind_state for one in loaded.folds))
    return setup.open(fold, test=True), setup.make_task(fold)
