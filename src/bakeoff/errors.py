"""What can go wrong, said so that the user can mend it: what happened, where, how to fix it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class BakeoffError(Exception):
    """A fault that the user can fix. The command line prints it without a traceback and exits with code 2."""

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(" – ".join(part for part in (what, where, fix) if part))

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.what, self.where, self.fix)      # a worker's error reaches the parent whole


class DataError(BakeoffError):
    """The data cannot be read as asked."""


class OptionError(BakeoffError):
    """An option, name or value that does not exist or cannot be had."""


class BudgetError(BakeoffError):
    """The budget is too small to train anything."""


class RunError(BakeoffError):
    """A run's folder that is missing, incomplete or already there."""


class Defect(Exception):
    """A defect of bakeoff itself (exit code 1)."""


def near(name: str, names: Iterable[str]) -> str:
    """'Did you mean …?' with the nearest of `names`, or the whole list where none is near."""
    known: Sequence[str] = sorted(names)
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
