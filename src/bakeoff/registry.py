"""Name → class for families, baselines, kinds, tasks and metrics.

Importing this costs nothing: the folders below, and installed plug-ins (entry point group "bakeoff"), are imported at
the first look-up.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from bakeoff.errors import Defect, OptionError, near

GROUPS = ("recurrent", "conv", "hybrid", "attention", "capsule", "dynamic", "memory", "dense", "baseline", "pretrained")
FOLDERS = {"family": ("models",), "baseline": ("baselines",), "kind": ("data",), "task": ("tasks",), "metric": ("metrics",)}

Class = TypeVar("Class", bound=type)
_known: dict[str, dict[str, Any]] = {what: {} for what in FOLDERS}
_loaded: set[str] = set()


def family(name: str, *, group: str) -> Callable[[Class], Class]:
    """Registers an Encoder under `name`. Its module's docstring gives the sentence and the paper shown to users."""
    if group not in GROUPS:
        raise Defect(f"group {group!r} of family {name!r}: {near(group, GROUPS)}")
    return _register("family", name, group=group)


def baseline(name: str) -> Callable[[Class], Class]:
    """Registers a contender without an encoder."""
    return _register("baseline", name, group="baseline")


def kind(name: str) -> Callable[[Class], Class]:
    """Registers a Kind of data: what turns files into examples."""
    return _register("kind", name)


def task(name: str) -> Callable[[Class], Class]:
    """Registers a Task: targets, head, loss, answers."""
    return _register("task", name)


def metric(name: str) -> Callable[[Class], Class]:
    """Registers a Metric: rows per example, a value for any set of rows."""
    return _register("metric", name)


def _register(what: str, name: str, **marks: Any) -> Callable[[Class], Class]:
    def note(cls: Class) -> Class:
        if _known[what].get(name, cls).__qualname__ != cls.__qualname__:
            raise Defect(f"two classes are registered as {what} {name!r}: {_known[what][name]} and {cls}")
        cls.name = name                       # type: ignore[attr-defined]
        for key, value in marks.items():
            setattr(cls, key, value)
        _known[what][name] = cls
        return cls
    return note


def every(what: str) -> dict[str, Any]:
    """All registered classes of a sort ('family', 'baseline', 'kind', 'task', 'metric'), by name, in a fixed order."""
    if what not in _loaded:
        _loaded.add(what)
        for folder in FOLDERS[what]:
            import_folder(f"bakeoff.{folder}")
        for entry in entry_points(group="bakeoff"):
            entry.load()
    return dict(sorted(_known[what].items()))


def import_folder(package: str) -> None:
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(found.name)


def modules_of(classes: Iterable[Any]) -> tuple[str, ...]:
    """The modules outside bakeoff in which these classes stand, for processes that have not imported them: by name, the script that is
    run by its file."""
    found = set()
    for cls in classes:
        module = sys.modules.get(getattr(cls, "__module__", ""))
        if module is not None and not module.__name__.startswith("bakeoff."):
            found.add(str(Path(module.__file__).resolve()) if module.__name__ == "__main__" and module.__file__ else module.__name__)
    return tuple(sorted(found))


def import_modules(modules: Iterable[str]) -> None:
    """What `modules_of` found elsewhere. A script is imported under its own name, so that what it guards by __main__ is not run again."""
    for name in modules:
        if not name.endswith(".py"):
            importlib.import_module(name)
        elif (stem := Path(name).stem) not in sys.modules:
            spec = importlib.util.spec_from_file_location(stem, name)
            assert spec is not None
            assert spec.loader is not None
            sys.modules[stem] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[stem])


def get(what: str, name: str) -> Any:
    """The class registered as `name`; raises OptionError with the nearest name."""
    known = every(what)
    if name not in known:
        raise OptionError(f"no {what} is called {name!r}", "", near(name, known))
    return known[name]
