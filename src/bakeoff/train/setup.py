"""What every training of a run shares, in a form that a worker process can be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bakeoff import registry
from bakeoff.data.base import Splits
from bakeoff.tasks.base import Task


@dataclass(frozen=True)
class Setup:
    """folders: per outer fold, the prepared data (train/, test/, splits.json). units: work per example at each
    contender's starting setting, by cost.work; with it a dearer setting gets fewer examples in proportion."""

    folders: tuple[str, ...]
    task: str
    task_state: tuple[Mapping[str, Any], ...]
    metric: str
    kind: str
    kind_state: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    causal: bool = False
    seed: int = 0
    device: str = "cpu"
    max_params: int | None = None
    scaled: bool = True                       # False: --examples is taken literally whatever the setting
    units: Mapping[str, float] = field(default_factory=dict)
    run_folder: str = ""
    modules: tuple[str, ...] = ()             # names, or files, of modules outside bakeoff in which contenders of the slate stand

    def make_task(self, fold: int = 0) -> Task:
        task: Task = registry.get("task", self.task).restore(self.task_state[fold])
        return with_metric(task, self.metric)

    def open(self, fold: int = 0, test: bool = False) -> Splits:
        """The splits with collated targets. Tuning never passes test=True."""
        task = self.make_task(fold)
        splits = Splits.open(Path(self.folders[fold]), test)
        both = splits.together()
        collate = None if task.sort == "itself" else task.collate
        both.collate(collate)
        for part in (splits.train, splits.val):
            if part is not None:
                part.y, part.itself = both.y, both.itself
        if splits.test is not None:
            splits.test.collate(collate)
        return splits


def with_metric(task: Task, metric: str) -> Task:
    """The task with this metric in front: the one that is tuned for."""
    task.metrics = tuple(sorted(task.metrics, key=lambda one: one.name != metric))
    return task
