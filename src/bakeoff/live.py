"""What is seen of a run while it goes on: a live table on a terminal, plain lines elsewhere. All of it on stderr."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bakeoff.report.format import duration, plain, short
from bakeoff.status import BAR, Row, Standing, bar
from bakeoff.types import Trial
from bakeoff.watch import Watch
from bakeoff.words import WIDEST, absent_lines, data_lines, plan_line, several, wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from bakeoff.plan import Plan

NARROWEST = 72                # columns that the table needs
EVERY = 15.0                  # seconds between two lines of progress off a terminal
PHASES = {"calibrating": "timing every contender", "tuning": "tuning", "finals": "refitting the best settings",
          "measuring": "measuring costs, one at a time", "report": "comparing, writing the report"}


class Progress(Watch):
    """What both ways of watching keep: the folder, the standing, the phase, and until when it will take."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.folder: Path | None = None
        self.standing: Standing | None = None
        self.stage = ""
        self.ends: float | None = None            # by time.monotonic()
        self.shortened: set[str] = set()          # reasons of cuts that the user has been told

    @property
    def width(self) -> int:
        return min(self.console.width, WIDEST)

    def say(self, *lines: str) -> None:
        """Lines as they are: nothing in a user's names is markup."""
        for line in lines:
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def data(self, record: Mapping[str, Any], folder: Path | None = None) -> None:
        self.folder, self.standing, self.ends = folder, None, None        # nothing of the run before, where one follows another
        self.say(*data_lines(record, self.width))

    def phase(self, name: str) -> None:
        self.stage = name

    def plan(self, plan: Plan, folder: Path) -> None:
        self.folder, self.standing = folder, Standing(plan)
        self.say(*wrapped(plan_line(plan), self.width, "", "  "), *absent_lines(plan.absent, self.width))
        for name, share in plan.contenders.items():
            if share.error:
                self.note(f"{name} failed before the tuning: {share.error}")

    def started(self, contender: str, number: int, stage: str) -> None:
        if self.standing is not None and contender in self.standing.rows:
            self.standing.rows[contender].running += 1

    def ended(self, trial: Trial, left_seconds: float | None) -> None:
        assert self.standing is not None
        better = self.standing.add(trial)
        row = self.standing.rows.get(trial.job.contender)
        self.ends = None if left_seconds is None else time.monotonic() + left_seconds
        if row is not None:
            row.running = max(0, row.running - 1)
            self.counted(row, trial, better)

    def counted(self, row: Row, trial: Trial, better: bool) -> None:
        """A training of this row has ended; better: it is the best so far."""

    def cut(self, cut: Mapping[str, Any]) -> None:
        if self.standing is not None:
            self.standing.asked_again()
        if cut["why"] not in self.shortened:
            trials = cut["what"].get("trials")
            what = f"{several(len(trials), 'contender')} will have fewer trials than planned" if trials else "the finals are fewer or shorter"
            self.note(f"{what}: {cut['why']}; plan.json lists what was cut")
        self.shortened.add(cut["why"])

    def note(self, text: str) -> None:
        self.say(*wrapped(plain(text), self.width, "  note: "))

    def left(self) -> str:
        """'left 6m 10s', or nothing where it is not known or has proved wrong."""
        if self.ends is None or self.stage not in ("tuning", "finals"):
            return ""
        seconds = self.ends - time.monotonic()
        return f"left {duration(seconds if seconds < 10 else round(seconds))}" if seconds >= 1 else ""


class Lines(Progress):
    """Off a terminal: a line for what changes the answer, and one for progress now and then."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.last = time.monotonic()

    @property
    def width(self) -> int:
        return WIDEST

    def phase(self, name: str) -> None:
        super().phase(name)
        self.say(f"{PHASES.get(name, name)} …")

    def counted(self, row: Row, trial: Trial, better: bool) -> None:
        assert self.standing is not None
        standing = self.standing
        if trial.state == "failed":
            self.say(f"  {row.name} {trial.job.stage} {trial.job.number + 1} failed: {plain(trial.why)}")
        elif better and self.ends is not None:
            self.say(f"  {row.name:<12} {row.ended}/{row.asked}  {standing.value(row)}  {row.choices}")
        if time.monotonic() - self.last > EVERY:
            self.last = time.monotonic()
            rows = standing.rows.values()
            ended, asked = sum(row.ended + row.finals for row in rows), sum(row.asked + row.finals_asked for row in rows)
            self.say(f"  {ended} of {asked} trainings ended" + (f", {left}" if (left := self.left()) else ""))


class Table(Progress):
    """On a terminal: a line per contender, drawn anew twice a second."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.screen: Any = None

    def phase(self, name: str) -> None:
        super().phase(name)
        if self.screen is None:
            from rich.live import Live
            self.screen = Live(self, console=self.console, refresh_per_second=2, transient=True)
            self.screen.start()

    def close(self) -> None:
        if self.screen is not None:
            self.screen.stop()
            self.screen = None

    def __rich__(self) -> Text:
        from rich.text import Text
        text = Text(no_wrap=True, overflow="ellipsis")
        said = PHASES.get(self.stage, self.stage)
        if self.standing is None:
            return text.append(f"  {said} …")
        name_wide = max([9, *(len(name) for name in self.standing.rows)])
        best_wide = max(16, min(44, max(self.width, NARROWEST) - name_wide - BAR - 16))
        text.append(f"\n  {'contender':<{name_wide}}  {'trials':>7}  {'best so far':<{best_wide}}  {self.left() or said}\n", style="dim")
        leaders = self.standing.leaders()
        for row in self.standing.rows.values():
            best = f"{self.standing.value(row)}  {row.choices}" if row.best is not None else plain(row.why)
            line = f"  {row.name:<{name_wide}}  {f'{row.ended}/{row.asked}':>7}  {short(best, best_wide):<{best_wide}}  {bar(row.share)}\n"
            text.append(line, style=style(row, row.name in leaders))
        return text


def style(row: Row, leads: bool) -> str:
    """Colour for state only: leading, failed, at work, waiting."""
    if row.why and row.best is None:
        return "red"
    if leads:
        return "bold cyan"
    return "" if row.running else "dim" if row.share in (0.0, 1.0) else ""


def watcher(quiet: bool = False) -> Watch:
    """How a command is watched: not at all, by a table on a terminal, by lines elsewhere. NO_COLOR is honoured."""
    if quiet:
        return Watch()
    from rich.console import Console
    console = Console(stderr=True)
    return Table(console) if console.is_terminal and not console.is_dumb_terminal else Lines(console)
