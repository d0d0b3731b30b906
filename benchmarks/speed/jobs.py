"""What a second worker gains, and how soon a worker takes its first step.

Command: python benchmarks/speed/jobs.py          Time: 60 s          Needs two idle cores
Value: eight trainings by two workers ≥ 1.7 times as fast as by one, and at least as fast as by one worker with two threads
(cores go to trials first). A worker asked for a training of a single step has answered within .1 s, all told: started, opened the
data, built and counted the network, taken the step, looked at eight examples, ended.
Workers are bakeoff's own (execute/local.py); the fork server has started before the clock does, as it does in a run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from outcome import Bar, finish
from problems import problem, setting

from bakeoff.execute.base import Piece
from bakeoff.execute.local import Local
from bakeoff.train.setup import Setup
from bakeoff.types import Job

CONTENDERS = ("gru", "fcn", "mlp", "transformer")
TWICE = 2                                     # each is trained so often
SECONDS = 0.8                                 # about, each
ROUNDS = 2


def prepared(folder: Path, held: int) -> Setup:
    """What a run hands its workers: data on disk, `held` of them for validation, a task, no scaling of examples."""
    data, task = problem("series")
    data.save(folder / "train")
    rows = list(range(len(data)))
    (folder / "splits.json").write_text(json.dumps({"train": rows[held:], "val": rows[:held], "folds": []}))
    return Setup(folders=(str(folder),), task="classify", task_state=(task.state(),), metric="accuracy", kind="series", kind_state=({},),
                 scaled=False)


def pieces_for(setup: Setup, rate: dict[str, float]) -> list[Piece]:
    """The same trainings every time. rate: examples per second of one worker."""
    data, task = problem("series", 64)
    return [Piece("train", Job(name, number, "tune", number, setting(name, data, task), round(rate[name] * SECONDS)), setup)
            for number in range(TWICE) for name in CONTENDERS]


def wall(place: Local, pieces: list[Piece], limit_seconds: float = 60.0) -> float:
    """Seconds until all have ended, or until the limit, when those that run are ended. Raises RuntimeError where one fails."""
    start, waiting, running = time.perf_counter(), list(pieces), 0
    while waiting or running:
        while waiting and place.free():
            place.put(waiting.pop(0))
            running += 1
        for one in place.wait(max(0.0, start + limit_seconds - time.perf_counter())):
            running -= 1
            if one.error:
                raise RuntimeError(f"{one.piece.job.contender}: {one.error}\n{one.traceback}")
        if time.perf_counter() - start >= limit_seconds:
            place.close()
            break
    return time.perf_counter() - start


def first_step(place: Local, setup: Setup) -> list[float]:
    """Seconds from asking to the answer of trainings of one step (of 8 examples), contender after contender."""
    data, task = problem("series", 64)
    return [wall(place, [Piece("train", Job(name, 0, "tune", 0, setting(name, data, task, batch=8), 8), setup)]) for name in CONTENDERS]


def main() -> int:
    began = time.perf_counter()
    torch.set_num_threads(1)
    places = {"one worker": Local(1), "two workers": Local(2), "one worker, two threads": Local(1, 2)}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as small:
        setup, brief = prepared(Path(folder), 100), prepared(Path(small), 8)
        first_step(places["one worker"], brief)                  # the server starts
        steps = [seconds for _ in range(3) for seconds in first_step(places["one worker"], brief)]
        rate = {}
        data, task = problem("series", 64)
        for name in CONTENDERS:
            few, many = (wall(places["one worker"], [Piece("train", Job(name, 0, "tune", 0, setting(name, data, task), count), setup)])
                         for count in (64, 1024))
            rate[name] = 960 / max(1e-3, many - few)
        pieces = pieces_for(setup, rate)
        walls: dict[str, list[float]] = {name: [] for name in places}
        for number in range(ROUNDS):
            for name in list(places)[::-1 if number % 2 else 1]:
                limit = 3 * walls["one worker"][0] if walls["one worker"] else 60.0      # threads on a busy machine may take for ever
                walls[name].append(wall(places[name], pieces, limit))
                print(f"{walls[name][-1]:6.2f} s  {name}", flush=True)
        for place in places.values():
            place.close()
    best = {name: min(seconds) for name, seconds in walls.items()}
    numbers = {"walls_seconds": walls, "first_step_seconds": steps, "examples_per_second": rate}
    bars = [Bar("two workers over one", best["one worker"] / best["two workers"], 1.7, "high"),
            Bar("two workers over one with two threads", best["one worker, two threads"] / best["two workers"], 1.0, "high"),
            Bar("from asking to the end of a training of one step, seconds", float(np.median(steps)), 0.1, "low")]
    return finish("jobs", numbers, bars, began)


if __name__ == "__main__":
    sys.exit(main())
