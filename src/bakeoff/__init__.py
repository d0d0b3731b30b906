"""Convolutional, recurrent or something newer? The families compete on your data under one equal budget.

`bakeoff.run("flowers/")` is the whole story; every other public name is imported when it is first asked for.
"""

from __future__ import annotations

__version__ = "0.1.0"         # stands first: whatever is imported below may ask for it

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bakeoff.run import check, load, resume, run

if TYPE_CHECKING:
    from bakeoff.data.base import Kind
    from bakeoff.estimators import BakeoffClassifier, BakeoffRegressor
    from bakeoff.metrics.base import Metric
    from bakeoff.nn.encoder import Encoder
    from bakeoff.registry import baseline, family, kind, metric, task
    from bakeoff.result import Result
    from bakeoff.space import Choice, Range
    from bakeoff.tasks.base import Task
    from bakeoff.types import Budget

PLACES = {
    "BakeoffClassifier": "estimators", "BakeoffRegressor": "estimators", "Budget": "types", "Choice": "space", "Encoder": "nn.encoder",
    "Kind": "data.base", "Metric": "metrics.base", "Range": "space", "Result": "result", "Task": "tasks.base", "baseline": "registry",
    "family": "registry", "kind": "registry", "metric": "registry", "task": "registry",
}

__all__ = [
    "BakeoffClassifier", "BakeoffRegressor", "Budget", "Choice", "Encoder", "Kind", "Metric", "Range", "Result", "Task", "__version__",
    "baseline", "check", "family", "kind", "load", "metric", "resume", "run", "task",
]


def __getattr__(name: str) -> Any:
    """A public name at its first use. `run` is not among them: `bakeoff.run` must stay the function, not the module."""
    if name not in PLACES:
        raise AttributeError(f"module 'bakeoff' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"bakeoff.{PLACES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
