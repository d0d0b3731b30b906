"""Two pieces of work timed in turns in one process, by the thread's own clock: a busy machine slows both, but the ratio holds."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

ROUNDS = 15
ROUND_SECONDS = 0.06                          # of each side, per round


def in_turns(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float, float]:
    """(median of ours / theirs, seconds of ours, seconds of theirs), which of them begins changing every round."""
    start = time.thread_time()
    theirs()
    times = max(1, round(ROUND_SECONDS / (time.thread_time() - start)))
    pairs = []
    for number in range(ROUNDS + 1):
        seconds = {}
        for act in (ours, theirs) if number % 2 else (theirs, ours):
            start = time.thread_time()
            for _ in range(times):
                act()
            seconds[act] = (time.thread_time() - start) / times
        pairs.append((seconds[ours], seconds[theirs]))
    mine, other = np.array(pairs[1:]).T       # the first round warms up
    return float(np.median(mine / other)), float(np.median(mine)), float(np.median(other))
