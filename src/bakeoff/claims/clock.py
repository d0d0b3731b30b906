"""Seconds of small acts, taken in turns so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

LEAST = 2e-3                                  # seconds: what ends sooner is repeated within one taking


def quickest(acts: Sequence[Callable[[], object]], rounds: int = 7, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Seconds of each act, the least of so many rounds. clock: time.thread_time counts what this thread computed alone, so that other
    processes do not enter."""
    repeats = []
    for act in acts:
        act()                                 # memory is taken, kernels are chosen
        began = clock()
        act()
        repeats.append(max(1, round(LEAST / max(clock() - began, 1e-7))))
    best = [float("inf")] * len(acts)
    for _ in range(rounds):
        for place, (act, many) in enumerate(zip(acts, repeats, strict=True)):
            began = clock()
            for _ in range(many):
                act()
            best[place] = min(best[place], (clock() - began) / many)
    return best
