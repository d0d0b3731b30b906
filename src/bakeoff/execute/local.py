"""This machine: one process per training, forked from a server that has torch imported already."""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from bakeoff.execute.base import Answered, Piece


@dataclass
class Running:
    piece: Piece
    process: Any
    answer: Connection
    lifeline: Connection
    started: float


class Local:
    """Up to `jobs` worker processes at once, each with `threads` threads."""

    def __init__(self, jobs: int, threads: int = 1, modules: Sequence[str] = ()) -> None:
        """modules: what is imported once besides, before workers are forked."""
        self.jobs, self.threads = jobs, threads
        self.context = mp.get_context("forkserver")
        self.context.set_forkserver_preload(["bakeoff.execute.worker", *modules])
        self.running: list[Running] = []
        with one_thread(), nameless_main(), deaf():
            from multiprocessing import forkserver
            forkserver.ensure_running()

    def free(self) -> bool:
        return len(self.running) < self.jobs

    def put(self, piece: Piece) -> None:
        from bakeoff.execute import entry
        mine, theirs = self.context.Pipe(duplex=False)
        their_lifeline, lifeline = self.context.Pipe(duplex=False)
        process = self.context.Process(target=entry.start, args=(piece, theirs, their_lifeline, self.threads), daemon=True)
        with one_thread(), nameless_main():
            process.start()
        theirs.close()
        their_lifeline.close()
        self.running.append(Running(piece, process, mine, lifeline, time.perf_counter()))

    def wait(self, timeout_seconds: float | None = None) -> list[Answered]:
        if not self.running:
            return []
        ready = wait([one.answer for one in self.running] + [one.process.sentinel for one in self.running], timeout_seconds)
        ended = [one for one in self.running if one.answer in ready or one.process.sentinel in ready]
        self.running = [one for one in self.running if one not in ended]
        return [self.collect(one) for one in ended]

    def collect(self, one: Running) -> Answered:
        seconds = time.perf_counter() - one.started
        message: tuple[Any, ...] | None = None
        try:
            if one.answer.poll():
                message = one.answer.recv()
        except (EOFError, OSError):
            pass                                          # it died while answering: told below
        one.process.join()
        one.answer.close()
        one.lifeline.close()
        if message is None:
            return Answered(one.piece, None, died(one.process.exitcode), "", seconds)
        if message[0] == "ok":
            return Answered(one.piece, message[1], "", "", seconds)
        return Answered(one.piece, None, message[1], message[2], seconds)

    def close(self) -> None:
        """Ends what still runs."""
        for one in self.running:
            one.process.kill()
            one.process.join()
            one.answer.close()
            one.lifeline.close()
        self.running = []


def died(code: int | None) -> str:
    if code == -9:
        return "its process was killed (signal 9): most likely out of memory"
    if code is not None and code < 0:
        return f"its process ended with signal {-code}"
    return f"its process ended with code {code} and no answer"


@contextmanager
def nameless_main() -> Iterator[None]:
    """Hides what the main module is, so that workers do not run a user's script again: they need nothing from it."""
    main = sys.modules["__main__"]
    held = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    for name in held:
        delattr(main, name)
    main.__spec__ = None
    try:
        yield
    finally:
        for name, value in held.items():
            setattr(main, name, value)


@contextmanager
def deaf() -> Iterator[None]:
    """What is started inside does not hear Ctrl-C, not even while it still imports: the parent decides what that means."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, held)


@contextmanager
def one_thread() -> Iterator[None]:
    """What the fork server imports reads these once: a pool of threads must not exist before a fork."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM")
    held = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names[:3], "1"), TOKENIZERS_PARALLELISM="false")
    try:
        yield
    finally:
        for name, value in held.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
