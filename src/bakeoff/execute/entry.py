"""The door through which a worker is entered: light, so that the parent need not import torch to name it."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection

from bakeoff.execute.base import Piece


def start(piece: Piece, answer: Connection, parent: Connection, threads: int) -> None:
    from bakeoff.execute import worker
    worker.main(piece, answer, parent, threads)
    os._exit(0)                               # the answer is sent: taking an interpreter full of libraries apart costs 40 ms
