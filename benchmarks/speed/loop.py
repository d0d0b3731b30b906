"""What bakeoff's training loop and network add to the work that torch does.

Command: python benchmarks/speed/loop.py          Time: 100 s
Value: step time of every contender in bakeoff's loop over the same network in a loop written by hand, batch 64: median ratio
≤ 1.02. Whole network (prepare, scale, fold, embed, encoder, back, head) over the bare torch.nn modules that do the same work,
forward and backward, batch 64: median ratio ≤ 1.10. Both sides run in turns, step by step, in the same process, on one thread,
and are timed by the thread's own clock: a busy machine slows both, but the ratio holds.
"""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from outcome import Bar, finish
from problems import network_of, problem, setting
from torch import Tensor, nn
from torch.nn import functional as F
from turns import in_turns

from bakeoff import registry
from bakeoff.data.base import Dataset
from bakeoff.nn.network import Network, empty_batch
from bakeoff.train import loop
from bakeoff.types import Batch, Grid

BATCH = 64
PAIRED_SECONDS = 4.0                          # of both sides, per contender


def by_hand(network: Network, x: Tensor, y: Tensor, params: dict[str, Any], steps: int) -> Iterator[None]:
    """The same training as anybody would write it down for data that lie in two tensors; a pause after each step."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=params["lr"], weight_decay=params["weight_decay"], fused=True)
    warm = max(1, round(params["warmup"] * steps))
    network.train()
    for step in range(steps):
        if step % (len(x) // BATCH) == 0:
            order = torch.randperm(len(x)).split(BATCH)
        rows = order[step % (len(x) // BATCH)]
        out = network(empty_batch(Grid(x[rows])))
        loss = F.cross_entropy(out, y[rows])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), params["clip"])
        share = (step + 1) / warm if step < warm else max(0.005, 0.5 + 0.5 * math.cos(math.pi * (step - warm) / max(1, steps - warm)))
        for group in optimizer.param_groups:
            group["lr"] = params["lr"] * share
        optimizer.step()
        yield


class InTurns(Dataset):
    """The data of bakeoff's loop. Asked for a batch, it notes how long the step before took and lets the other side take one."""

    def __init__(self, data: Dataset, other: Iterator[None]) -> None:
        super().__init__(data.spec, data.arrays, data._targets, data._keys)
        self.y, self.other, self.began = data.y, other, 0.0
        self.ours: list[float] = []
        self.theirs: list[float] = []

    def take(self, rows: Any) -> Batch:
        asked = time.thread_time()
        if self.began:
            self.ours.append(asked - self.began)
        start = time.thread_time()
        next(self.other)
        self.theirs.append(time.thread_time() - start)
        self.began = time.thread_time()
        return super().take(rows)


def loops() -> dict[str, dict[str, float]]:
    """Per contender: the two step times in milliseconds and the median of the ratios of neighbouring steps."""
    found = {}
    data, task = problem("series")
    x, y = torch.from_numpy(np.array(data.arrays.cells)), data.y
    for name in registry.every("family"):
        params = setting(name, data, task, batch=BATCH)
        torch.manual_seed(0)
        network = network_of(name, data, task, params)
        start = time.thread_time()
        for _ in by_hand(copy.deepcopy(network), x, y, params, 4):
            pass
        steps = max(20, min(200, round(PAIRED_SECONDS / ((time.thread_time() - start) / 2))))
        turns = InTurns(data, by_hand(copy.deepcopy(network), x, y, params, steps))
        loop.train(network, turns, None, task, params, examples=steps * BATCH, seed=0)
        ours, theirs = np.array(turns.ours[2:]), np.array(turns.theirs[2:-1])
        ratio = float(np.median(ours / theirs))
        mine, bare_ms = 1e3 * float(np.median(ours)), 1e3 * float(np.median(theirs))
        found[name] = {"ratio": ratio, "loop_ms": mine, "by_hand_ms": bare_ms, "pairs": len(ours)}
        print(f"{name:12s} loop {ratio:.3f}  ({mine:.2f} over {bare_ms:.2f} ms a step)", flush=True)
    return found


class Plain(nn.Module):
    """(B, T, C) → (B, K): a linear map in, `body` on (B, T, D) or, turned, on (B, D, T), the mean over time, a linear map out."""

    def __init__(self, body: nn.Module, dim: int, outputs: int, turned: bool) -> None:
        super().__init__()
        self.embed, self.body, self.turned, self.out = nn.Linear(3, dim), body, turned, nn.Linear(dim, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        y = self.body(x.transpose(1, 2) if self.turned else x)
        if isinstance(y, tuple):              # a recurrence gives its last state too
            y = y[0]
        return self.out(y if y.dim() == 2 else y.mean(2 if self.turned else 1))


class Around(nn.Module):
    """relu(x + body(x))."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


def layer(dim: int, outputs: int, kernel: int, dilation: int = 1) -> list[nn.Module]:
    """A separable convolution, its norm and activation."""
    return [nn.Conv1d(dim, dim, kernel, padding=kernel // 2 * dilation, dilation=dilation, groups=dim, bias=False),
            nn.Conv1d(dim, outputs, 1, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]


def dense(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]


def bare(name: str, dim: int, outputs: int) -> nn.Module | None:
    """The layers of a contender's starting setting on series as they are written with torch.nn alone; None: it has no such twin."""
    body: nn.Module
    match name:
        case "rnn" | "lstm" | "gru":
            body = getattr(nn, name.upper())(dim, dim // 2, batch_first=True, bidirectional=True)
        case "transformer":
            one = nn.TransformerEncoderLayer(dim, 4, 2 * dim, dropout=0.0, batch_first=True, norm_first=True)
            body = nn.TransformerEncoder(one, 2, nn.LayerNorm(dim), enable_nested_tensor=False)
        case "fcn":
            body = nn.Sequential(*layer(dim, dim, 9), *layer(dim, 2 * dim, 5), *layer(2 * dim, dim, 3))
        case "tcn":
            body = nn.Sequential(*(Around(*layer(dim, dim, 5, 2 ** k), *layer(dim, dim, 5, 2 ** k)) for k in range(3)))
        case "mlp":
            body = nn.Sequential(nn.AdaptiveAvgPool1d(32), nn.Flatten(), *dense(32 * dim, 2 * dim), *dense(2 * dim, dim))
        case _:
            return None
    return Plain(body, dim, outputs, turned=name in ("fcn", "tcn", "mlp"))


def networks() -> dict[str, dict[str, float]]:
    """Per contender with a bare twin: forward and backward of the whole network over the twin's, without dropout."""
    found = {}
    data, task = problem("series")
    batch = data.take(range(BATCH))
    for name in registry.every("family"):
        params = setting(name, data, task, batch=BATCH, dropout=0.0)
        twin = bare(name, params["width"], len(task.classes))
        if twin is None:
            continue
        whole = network_of(name, data, task, params)

        def ours(whole: Network = whole, params: dict[str, Any] = params) -> None:
            whole.loss(batch).mean().backward()

        def theirs(twin: nn.Module = twin) -> None:
            F.cross_entropy(twin(batch.x.x), batch.y).backward()

        ratio, mine, bare_seconds = in_turns(ours, theirs)
        found[name] = {"ratio": ratio, "network_ms": 1e3 * mine, "bare_ms": 1e3 * bare_seconds,
                       "parameters": whole.parameter_count(), "bare_parameters": sum(p.numel() for p in twin.parameters())}
        print(f"{name:12s} network {ratio:.3f}  ({1e3 * mine:.2f} over {1e3 * bare_seconds:.2f} ms)", flush=True)
    return found


def main() -> int:
    began = time.perf_counter()
    torch.set_num_threads(1)
    found = {"loop": loops(), "network": networks()}
    middle = float(np.median([one["ratio"] for one in found["loop"].values()]))
    worst = {what: max(one["ratio"] for one in each.values()) for what, each in found.items()}
    bars = [Bar("bakeoff's loop over one by hand, median of contenders", middle, 1.02, "low"),
            Bar("the same, worst contender, beside what two equal sides differ by on a busy machine", worst["loop"], 1.05, "low"),
            Bar("whole network over bare torch.nn, worst contender", worst["network"], 1.10, "low")]
    return finish("loop", found, bars, began)


if __name__ == "__main__":
    sys.exit(main())
