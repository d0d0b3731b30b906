"""Row 28: the time of a training step against the length of the sequence, and what reading it side by side saves.

Paper: Feng et al. 2024 (minGRU, figure 1), https://arxiv.org/abs/2410.01201
Command: python benchmarks/scores/28_step_time.py
Expected: a table; the scan's advantage over a loop of autograd on the same minimal GRU grows from 128 to 4,096 steps. Two minutes.

A step is all that the one loop does for a batch: take, forward, loss, backward, clip, optimizer. Classification of made series with one channel,
eight a batch, width 64, one layer, read one way (the transformer both ways) and step by step; one thread. The loop reads with the same weights and
layers, and takes the recurrence alone one step after the other, as plain PyTorch does. All are timed in turns, by the thread's own clock on a
CPU; the median of three rounds after one that warms up. In print the rival is a sequential GRU on a GPU: ours is `gru over mingru` below.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

import numpy as np
import torch
from row import Part, Row, made, network_of, setting
from torch import Tensor

from bakeoff.tasks.classify import Classify
from bakeoff.train import loop

LENGTHS = (128, 256, 512, 1024, 2048, 4096)
BATCH, WIDTH, ROUNDS = 8, 64, 3
CELLS = 4096                  # a training has so many of a sequence at least: at few steps, beginning it would be what is timed
TIMED = ("gru", "mingru", "tcn", "transformer")
LOOP = "mingru by a loop"


def one_by_one(share: Tensor, new: Tensor, truncate: int = 0) -> Tensor:
    """h[t] = h[t−1] + z[t] ⊙ (x[t] − h[t−1]), as written down, under autograd."""
    states = [share[0] * new[0]]
    for z, x in zip(share[1:].unbind(0), new[1:].unbind(0), strict=True):
        states.append(torch.lerp(states[-1], x, z))
    return torch.stack(states)


@contextmanager
def looped() -> Iterator[None]:
    with mock.patch("bakeoff.nn.linear.mixing_scan", one_by_one):
        yield


def timed(name: str, length: int, device: torch.device) -> Callable[[], float]:
    """Milliseconds of a step of a contender at a length, anew at each call."""
    generator = np.random.default_rng(0)
    cells = generator.normal(size=(BATCH, length, 1)).astype(np.float32)
    task = Classify()
    data = made(cells, [str(number % 2) for number in range(BATCH)], task)
    own = name.split()[0]
    params: dict[str, Any] = setting(own, data, task, fold="keep", width=WIDTH, batch=BATCH)
    params |= {f"{own}.depth": 1} if own in ("gru", "mingru") else {}
    params |= {"causal": own != "transformer"}
    network = network_of(own, data, task, params).to(device)
    steps = max(2, CELLS // length)
    clock = time.thread_time if device.type == "cpu" else time.perf_counter

    def run() -> float:
        with looped() if name == LOOP else nullcontext():
            start = clock()
            loop.train(network, data, None, task, params, examples=steps * BATCH, seed=0, device=device)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            return 1e3 * (clock() - start) / steps
    return run


def main() -> int:
    row = Row(28, "step_time", __doc__ or "")
    torch.set_num_threads(1)
    advantage = {}
    for length in LENGTHS:
        runs = {name: timed(name, length, row.device) for name in (*TIMED, LOOP)}
        rounds = [{name: run() for name, run in runs.items()} for _ in range(ROUNDS + 1)][1:]
        times = {name: [one[name] for one in rounds] for name in runs}
        middle = {name: float(np.median(found)) for name, found in times.items()}
        for name, value in middle.items():
            row.add(Part(f"{name}, T={length}", "", None, "low", [value], "ms a step"))
        advantage[length] = middle[LOOP] / middle["mingru"]
        row.add(Part(f"mingru, T={length}, the loop over the scan", "", None, "high", [advantage[length]], "times as long"))
        row.add(Part(f"mingru, T={length}, gru over mingru", "175 at 512, on a GPU" if length == 512 else "", None, "high",
                     [middle["gru"] / middle["mingru"]], "times as long"))
    row.add(Part("mingru, the scan's advantage at 4,096 over that at 128", "grows with the length", 1.0, "high",
                 [advantage[LENGTHS[-1]] / advantage[LENGTHS[0]]], "ratio of ratios"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
