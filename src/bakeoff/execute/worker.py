"""What a worker process does with a piece of work. Imported by the fork server, so that a worker starts with torch warm."""

from __future__ import annotations

import ctypes
import errno
import gc
import importlib
import json
import os
import shutil
import signal
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pandas as pd
import threadpoolctl
import torch

from bakeoff import registry
from bakeoff.errors import BakeoffError
from bakeoff.execute.base import FULL_DISK, Piece
from bakeoff.folder import folder_of
from bakeoff.nn.conv import Conv
from bakeoff.train import contender as contenders
from bakeoff.train import feed, loop
from bakeoff.train.loop import Diverged
from bakeoff.train.record import listed, plain, rowed
from bakeoff.types import Job, Trial

# Imported once for all workers forked from this process: building an optimizer alone imports torch._dynamo, 1.4 s
WARM = ("torch._dynamo", "safetensors.torch", "pyarrow.parquet", "scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.sparse",
        "sklearn.ensemble")
for _name in WARM:
    importlib.import_module(_name)
for _sort in ("family", "baseline", "task", "metric"):
    registry.every(_sort)


def warm_up() -> None:
    """A step of a small convolution: what torch sets up at its first use is set up before workers are forked, 40 ms each."""
    network = torch.nn.Sequential(Conv(4, 4, 3, rank=1), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    torch.nn.functional.cross_entropy(network(torch.ones(2, 8, 4)).mean(1), torch.zeros(2, dtype=torch.int64)).backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0, foreach=True)
    optimizer.step()


warm_up()
gc.collect()
gc.freeze()                   # what is imported stays: no worker's collector walks it, or copies its pages


def main(piece: Piece, answer: Connection, parent: Connection, threads: int) -> None:
    """Entry of the process: sends ('ok', result) or ('error', message, traceback) and ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)                  # the parent decides what Ctrl-C means
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    first_to_go()
    keep_memory()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)                                # vanished gradients would otherwise cost a hundredfold
    try:
        with threads_limited(threads):
            registry.import_modules(piece.setup.modules)
            answer.send(("ok", DO[piece.what](piece)))
    except MemoryError:
        answer.send(("error", "out of memory", traceback.format_exc()))
    except (BakeoffError, Diverged) as error:
        answer.send(("error", str(error), ""))
    except OSError as error:
        answer.send(("error", FULL_DISK if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"OSError: {error}", traceback.format_exc()))
    except Exception as error:        # whatever a contender does wrong is its own failure, not the run's
        short = "out of memory" if "alloc" in str(error) and "memory" in str(error) else f"{type(error).__name__}: {error}"
        answer.send(("error", short, traceback.format_exc()))
    answer.close()


def end_with(parent: Connection) -> None:
    """Ends this process when the one that asked is gone (kill -9 included): its end of the pipe closes."""
    try:
        parent.recv()
    except (EOFError, OSError):
        os._exit(1)


def first_to_go() -> None:
    """Out of memory, the system should end a training, not the run."""
    with suppress(OSError):           # not Linux: the system decides
        Path("/proc/self/oom_score_adj").write_text("1000")


def keep_memory() -> None:
    """Has the allocator keep what a step frees for the next step, instead of giving it back to the system each time."""
    with suppress(OSError, AttributeError):                       # not glibc
        heap = ctypes.CDLL(None)
        heap.mallopt(-3, 1 << 30)                                 # M_MMAP_THRESHOLD
        heap.mallopt(-1, 2**31 - 1)                               # M_TRIM_THRESHOLD


def threads_limited(threads: int) -> Any:
    return threadpoolctl.threadpool_limits(threads)


def train(piece: Piece) -> Trial:
    job, setup = piece.job, piece.setup
    entrant = contenders.contender(job.contender)
    task = setup.make_task(job.fold)
    if job.stage == "tune":
        return entrant.tune(job, setup.open(job.fold), task, setup).trial(job)
    splits = setup.open(job.fold, test=True)
    outcome, fitted = entrant.final(job, splits, task, setup)
    assert splits.test is not None
    save_final(folder_of(setup.run_folder, job), fitted, fitted.outputs(splits.test), splits.test, task, setup, job)
    return outcome.trial(job)


def save_final(folder: Path, fitted: Any, outputs: torch.Tensor, test: Any, task: Any, setup: Any, job: Job) -> None:
    """Weights, settings and answers, the whole folder at once: a crash leaves either nothing or all of it."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    fitted.save(partial)
    record = json.loads((partial / "config.json").read_text())
    record |= {"contender": job.contender, "seed": job.seed, "kind": setup.kind, "kind_state": plain(setup.kind_state[job.fold])}
    (partial / "config.json").write_text(json.dumps(record, indent=1, ensure_ascii=False))
    answers = task.decode(outputs)
    table = {"key": test.keys, "target": [listed(target) for target in test.targets],
             "answer": [listed(answer.value) for answer in answers]}
    for label in answers[0].scores if answers else ():
        table[f"score:{label}"] = [rowed(answer.scores[label]) for answer in answers]
    pd.DataFrame(table).to_parquet(partial / "answers.parquet", index=False)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def calibrate(piece: Piece) -> dict[str, Any]:
    """Finds and times a contender's starting setting: {start, seconds_per_example, forward_seconds, units, macs}."""
    job, setup = piece.job, piece.setup
    entrant, task = contenders.contender(job.contender), setup.make_task(job.fold)
    splits = setup.open(job.fold)
    if isinstance(entrant, contenders.Plain):
        return calibrate_plain(entrant, job, splits, task, piece)
    raw, start = splits.train, dict(job.params)
    data = entrant.read(raw)
    per, slowed = step_seconds(entrant, start, data, task, piece.setup, piece.limit_seconds / 2)
    units = entrant.units(raw, task, start)
    space = entrant.space(raw.spec, task, setup)
    allowed = units * piece.training_seconds / (per * min(slowed, 1.5)) / starting_examples(len(data), min(int(start["batch"]), len(data)))
    if units > allowed and "fold" in space:
        start, units = affordable_start(entrant, space, start, data, task, allowed)
    per, slowed = step_seconds(entrant, start, data, task, piece.setup, piece.limit_seconds)
    network = entrant.build(replace(job, params=start), data.spec, task, setup, setup.seed)
    looked = data.subset(next(feed.batches(data, min(256, len(data)), 0)))
    loop.outputs(network, looked)
    began = time.perf_counter()
    loop.outputs(network, looked, torch.device(setup.device))
    forward = (time.perf_counter() - began) / len(looked)
    return {"start": start, "seconds_per_example": per, "slowed": slowed, "forward_seconds": forward, "units": units,
            "macs": contenders.macs_per_example(network, data)}


def starting_examples(train: int, batch: int) -> float:
    """Examples that a training should see at least to be worth its setting: a few passes, some hundred steps."""
    return max(min(4.0 * train, 20_000.0), 0.5 * train, 120.0 * batch)


def affordable_start(entrant: contenders.Neural, space: Any, start: dict[str, Any], data: Any, task: Any,
                     allowed: float) -> tuple[dict[str, Any], float]:
    """The dearest width and fold whose work per example is allowed, else one hardly dearer than the cheapest: the same rule
    for everyone. (Where calls, not sums, take the time, a narrow network saves next to nothing.) Folds that line cells up as
    the starting one does come first: a spectrogram whose frames are steps is not torn into patches for the sake of a dearer
    setting."""
    found = []
    for width in space["width"].values or (start["width"],):
        for fold in space["fold"].values:
            if width <= start["width"]:
                point = {**start, "width": width, "fold": fold}
                found.append((entrant.units(data, task, point), width, point))
    alike = [one for one in found if one[2]["fold"].split()[0] == str(start["fold"]).split()[0]]
    found = alike if min(one[0] for one in alike) <= allowed else found
    allowed = max(allowed, 1.25 * min(one[0] for one in found))
    units, _, point = max((one for one in found if one[0] <= allowed), key=lambda one: one[:2])
    return point, units


def step_seconds(entrant: contenders.Neural, start: dict[str, Any], data: Any, task: Any, setup: Any, limit_seconds: float) -> tuple[float, float]:
    """(core-seconds per example of training steps, waiting time over core time).

    What more steps take more, so that beginning a training is left out; core time, so that a neighbour's noise in this
    one second does not decide a contender's plan: the planner applies the ratio's median over all contenders.
    """
    device, size = torch.device(setup.device), min(int(start["batch"]), len(data))
    network = entrant.build(Job(entrant.name, 0, "tune", setup.seed, start, 0), data.spec, task, setup, setup.seed)
    core = time.process_time if device.type == "cpu" else time.perf_counter
    waited = worked = 0.0

    def seconds(steps: int) -> float:
        nonlocal waited, worked
        began, at = time.perf_counter(), core()
        loop.train(network, data, None, task, start, examples=steps * size, seed=0, device=device)
        waited, worked = waited + time.perf_counter() - began, worked + core() - at
        return core() - at

    seconds(2)
    steps, fewer = 4, seconds(2)
    while True:
        more = seconds(steps)
        if waited > limit_seconds or steps >= 512:
            return min(max(more - fewer, more / 4), more) / ((steps - steps // 2) * size), waited / worked
        steps, fewer = 2 * steps, more


def calibrate_plain(entrant: contenders.Plain, job: Job, splits: Any, task: Any, piece: Piece) -> dict[str, Any]:
    """Times a baseline on growing parts of the training split until it takes long enough to be judged by."""
    data = splits.together()
    start = {**entrant.space(data.spec, task, piece.setup).defaults(), **job.params}
    size, seconds, answer = min(len(data), 256), 0.0, 0.0
    while True:
        part = contenders.subsampled(data, size, piece.setup.seed)
        began = time.perf_counter()
        fitted = entrant.baseline().fit(part, task, start, piece.setup.seed)
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        fitted.outputs(part.subset(range(min(len(part), 64))))
        answer = (time.perf_counter() - began) / min(len(part), 64)
        if size == len(data) or seconds + answer * size > piece.limit_seconds:
            break
        size = min(len(data), size * 4)
    return {"start": start, "sample": size, "fit_seconds": seconds, "answer_seconds": answer, "growth": entrant.baseline.growth}


def measure(piece: Piece) -> dict[str, Any]:
    """What a finished final costs; nothing else runs meanwhile."""
    job, setup = piece.job, piece.setup
    fitted, _ = contenders.load_fitted(folder_of(setup.run_folder, job))
    return vars(fitted.cost(setup.open(job.fold).train, piece.limit_seconds))


DO = {"train": train, "calibrate": calibrate, "measure": measure}
