"""What a run tells whoever watches it. This one is silent; the command line draws a live table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bakeoff.plan import Plan
    from bakeoff.types import Trial


class Watch:
    """Every method is called from the main process, between trainings; none may take long."""

    def data(self, record: Mapping[str, Any], folder: Path) -> None:
        """The data check has passed: data.json; the run's folder is there, and can be resumed from now on."""

    def phase(self, name: str) -> None:
        """'calibrating', 'tuning', 'finals', 'measuring', 'report'."""

    def plan(self, plan: Plan, folder: Path) -> None:
        """The plan stands; also called when a resumed run goes on."""

    def started(self, contender: str, number: int, stage: str) -> None:
        """A training has been handed to a worker."""

    def ended(self, trial: Trial, left_seconds: float | None) -> None:
        """A training has ended (or was found in the records of a resumed run); left: predicted waiting time of the whole run."""

    def cut(self, cut: Mapping[str, Any]) -> None:
        """The clock has shortened the plan."""

    def note(self, text: str) -> None:
        """A warning in one line that says what it changes for the answer."""

    def close(self) -> None:
        """The run has ended, well or not."""
