"""The options of `run`, resolved and checked before anything is read. Names and defaults are those of the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from bakeoff.errors import OptionError, near

EQUALS = ("seconds", "examples", "macs")
SEARCHES = ("tpe", "random", "grid")
COSTS = ("macs", "latency", "parameters", "memory", "seconds")
DEVICES = ("auto", "cpu", "cuda", "mps")
ENCODINGS = ("utf-8", "latin-1", "utf-16", "cp1252")
DEFAULT_BUDGET = "10m"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


@dataclass(frozen=True)
class Options:
    """What the user may say to `run`. budget: '10m', '90s', '1h', or seconds."""

    task: str | None = None
    target: str | None = None
    inputs: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    group: str | None = None
    time: tuple[str, ...] = ()
    test: str | None = None
    split: str | None = None
    folds: str | None = None
    horizon: int | None = None
    lookback: int | None = None
    season: int | None = None
    metric: str | None = None
    slate: str = "auto"
    budget: str | float | None = None
    trials: int | None = None
    examples: int | None = None
    equal: str = "seconds"
    max_params: int | None = None
    plan: str | None = None
    search: str = "tpe"
    set: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = 3
    seed: int = 0
    jobs: int | None = None
    device: str = "auto"
    on: str = "local"
    cost: str = "macs"
    margin: float | None = None
    max_bad: str | float = "5%"
    max_shared: str | float = "25%"
    encoding: str = "utf-8"
    out: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("equal", EQUALS), ("search", SEARCHES), ("cost", COSTS), ("device", DEVICES), ("on", ("local",))):
            value = getattr(self, name)
            if value not in known:
                raise OptionError(f"{value!r} is no value of --{name}", f"--{name}", near(str(value), known))
        for name in ("trials", "examples", "seeds", "jobs", "max_params", "horizon", "lookback", "season"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise OptionError(f"{value!r} is no count", f"--{name.replace('_', '-')}", "Give a whole number from 1 up.")
        if self.margin is not None and not self.margin >= 0:
            raise OptionError(f"a margin of {self.margin} has no meaning", "--margin", "Give a number from 0 up.")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise OptionError(f"no encoding is called {self.encoding!r}", "--encoding", near(self.encoding, ENCODINGS)) from None
        self.budget_seconds  # noqa: B018  raises where it cannot be read
        share(self.max_bad, "--max-bad")
        share(self.max_shared, "--max-shared")

    @property
    def budget_seconds(self) -> float | None:
        """Waiting time for the whole run; None where counts alone decide."""
        if self.budget is None:
            return None if self.trials is not None or self.examples is not None else seconds_of(DEFAULT_BUDGET)
        return seconds_of(self.budget)

    @property
    def slate_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name.strip() for name in self.slate.split(",") if name.strip()))

    def record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restore(cls, record: Mapping[str, Any]) -> Options:
        known, tuples = {one.name for one in fields(cls)}, {"inputs", "future", "time"}
        values: dict[str, Any] = {name: tuple(value) if name in tuples else value for name, value in record.items() if name in known}
        return cls(**values)


def seconds_of(budget: str | float) -> float:
    """'10m' → 600. Raises OptionError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)[a-z]*\s*", str(budget).lower())
    if not found or float(found[1]) <= 0:
        raise OptionError(f"{budget!r} is no waiting time", "--budget", "Write it as 90s, 10m or 1h.")
    return float(found[1]) * UNITS[found[2]]


def share(value: str | float, where: str) -> float:
    """'5%' or .05 → .05. Raises OptionError."""
    text = str(value).strip()
    try:
        number = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise OptionError(f"{value!r} is no share", where, "Write it as 5% or 0.05.")
    return number


def settings_of(asked: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    """`--set NAME=VALUES` as given, or a mapping, → name → values."""
    if isinstance(asked, Mapping):
        return dict(asked)
    settings = {}
    for one in asked:
        name, equals, value = one.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise OptionError(f"{one!r} is no setting", "--set", "Write it as NAME=VALUES, for instance width=32,64 or lr=1e-4..1e-2.")
        settings[name.strip()] = value.strip()
    return settings


def names_of(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """'a,b' or ['a', 'b'] → ('a', 'b')."""
    if value is None:
        return ()
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else tuple(value)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
