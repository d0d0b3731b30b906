"""Seconds of small acts, taken in turns so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

LEAST = 2e-3                                  # seconds: what ends sooner is repeated within one taking


def rounds_of(acts: Sequence[Callable[[], object]], rounds: int = 7, clock: Callable[[], float] = time.perf_counter) -> list[list[float]]:
    """Seconds of each act, one per round. clock: time.thread_time counts what this thread computed alone, so that other processes do
    not enter."""
    repeats = []
    for act in acts:
        act()                                 # memory is taken, kernels are chosen
        began = clock()
        act()
        repeats.append(max(1, round(LEAST / max(clock() - began, 1e-7))))
    found: list[list[float]] = [[] for _ in acts]
    for _ in range(rounds):
        for act, many, seconds in zip(acts, repeats, found, strict=True):
            began = clock()
            for _ in range(many):
                act()
            seconds.append((clock() - began) / many)
    return found


def quickest(acts: Sequence[Callable[[], object]], rounds: int = 7, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """The least of those rounds for each act: what it takes where nothing disturbs it."""
    return [min(seconds) for seconds in rounds_of(acts, rounds, clock)]
