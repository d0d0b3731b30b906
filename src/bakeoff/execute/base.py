"""Where trainings run: a place takes pieces of work and gives their answers back as they end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bakeoff.train.setup import Setup
from bakeoff.types import Job

FULL_DISK = "the disk is full"


@dataclass(frozen=True)
class Piece:
    """One piece of work. calibrate: time a contender; train: a Job; measure: costs of finished finals, alone."""

    what: Literal["calibrate", "train", "measure"]
    job: Job
    setup: Setup
    limit_seconds: float = 0.5                # how long to time
    training_seconds: float = math.inf        # calibrate: about how long one training will last


@dataclass(frozen=True)
class Answered:
    """What came of a piece. result: the worker's answer; error: why there is none ('killed by signal 9 …')."""

    piece: Piece
    result: Any
    error: str
    traceback: str
    seconds: float


class Place(Protocol):
    """An executor. Pieces are independent; a crash of one is its own failure."""

    jobs: int

    def put(self, piece: Piece) -> None:
        """Starts a piece; only while `free()`."""
        ...

    def free(self) -> bool: ...

    def wait(self, timeout_seconds: float | None = None) -> list[Answered]:
        """Those that have ended, at least one unless the timeout passed or nothing runs."""
        ...

    def close(self) -> None: ...


def answers(place: Place, pieces: list[Piece]) -> Iterator[Answered]:
    """Runs all pieces, in order of the list as places become free."""
    waiting, running = list(pieces), 0
    while waiting or running:
        while waiting and place.free():
            place.put(waiting.pop(0))
            running += 1
        for answered in place.wait():
            running -= 1
            yield answered
