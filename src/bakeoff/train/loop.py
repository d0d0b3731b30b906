"""The one training loop. A step is: take, change, forward, loss, backward, clip, step, count; all else happens between steps."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bakeoff.data.base import Dataset, Indices
from bakeoff.metrics.base import sign
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.network import Network
from bakeoff.tasks.base import Task
from bakeoff.train.augment import NONE, augment
from bakeoff.train.feed import batches, in_order
from bakeoff.train.optim import Penalty, optimizer_for, schedule_for
from bakeoff.types import Batch, Grid, Params, Point

LOOKED_AT = 2000              # validation examples a look costs at most
LOOK_SHARE = 0.12             # of the training's time that looks may take, about
WRITING = 8                   # forward passes that an answer costs, about, where it is written one piece after another


class Diverged(Exception):
    """The loss is no longer a number."""


@dataclass
class Course:
    """How a training went. curve: looks at validation; stopped: why it ended."""

    curve: list[Point]
    stopped: Literal["end", "early", "pruned"]
    examples: int
    steps: int
    seconds: float
    train_loss: float         # mean since the last look, or over the last tenth


def to_device(batch: Batch, device: torch.device) -> Batch:
    if device.type == "cpu":
        return batch
    x, valid = batch.x
    moved = Grid(x.to(device, non_blocking=True), None if valid is None else valid.to(device, non_blocking=True))
    y = moved if batch.y is batch.x else None if batch.y is None else batch.y.to(device, non_blocking=True)
    return Batch(moved, y, batch.keys,
                 {name: value.to(device, non_blocking=True) for name, value in batch.given.items()})


def train(network: Network, data: Dataset, val: Dataset | None, task: Task, params: Params, *, examples: int, seed: int,
          looks: int = 0, rungs: Mapping[int, float] | None = None, patience: int | None = None,
          device: torch.device | None = None) -> Course:
    """Trains in place on `examples` examples, where the schedule ends.

    looks: how often validation is looked at, evenly. rungs: look number (from 1) → score under which the training is
    pruned. patience: looks without a better score after which it ends. Raises Diverged.
    """
    device = device or torch.device("cpu")
    size = min(int(params["batch"]), len(data))
    steps = max(1, round(examples / size))
    optimizer, share = optimizer_for(network, params), schedule_for(params, steps)
    rates = [group["lr"] for group in optimizer.param_groups]
    weights = [p for p in network.parameters() if p.requires_grad]
    clip, penalty = float(params["clip"]), Penalty(network, float(params["l1"])) if params["l1"] else None
    planned = [one for one in network.modules() if isinstance(one, Encoder) and type(one).passed is not Encoder.passed]
    feed = batches(data, size, seed)
    how, changed = params.get("augment", NONE), getattr(task, "changed", None)
    chance = torch.Generator(device).manual_seed(seed)
    when = {max(1, round(steps * k / looks)): k for k in range(1, looks + 1)} if val is not None else {}
    when.setdefault(steps, 0)
    when.setdefault(max(1, steps - steps // 10), 0)
    curve: list[Point] = []
    best, best_look = -math.inf, 0
    stopped: Literal["end", "early", "pruned"] = "end"
    mean = math.nan
    total, since = torch.zeros((), device=device), 0
    start = time.perf_counter()
    network.train()
    step = 0
    for step in range(1, steps + 1):
        for one in planned:
            one.passed((step - 1) / steps)
        batch = to_device(data.take(next(feed)), device)
        if changed is not None:
            batch = changed(batch, params, chance)
        elif how != NONE:
            batch = augment(batch, how, data.spec, chance)
        loss = network.loss(batch).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if penalty is not None:
            penalty.add()
        if clip:
            torch.nn.utils.clip_grad_norm_(weights, clip, foreach=True)
        factor = share(step - 1)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        optimizer.step()
        total += loss.detach()
        since += 1
        if step in when:
            mean = float(total) / since
            if not math.isfinite(mean):
                raise Diverged(f"the training loss became {mean} after {step * size:,} examples at learning rate {params['lr']:.2g}")
            look = when[step]
            if look:
                assert val is not None
                value, val_loss = evaluate(network, val, task, device)
                curve.append(Point(step * size, value, val_loss, mean, time.perf_counter() - start))
                now = score(task, value, val_loss)
                if now > best:
                    best, best_look = now, look
                if rungs and look in rungs and best < rungs[look]:
                    stopped = "pruned"
                elif patience and look - best_look >= patience and step < steps:
                    stopped = "early"
                network.train()
            total.zero_()
            since = 0
            if stopped != "end":
                break
    network.eval()
    return Course(curve, stopped, step * size, step, time.perf_counter() - start, mean)


@torch.no_grad()
def outputs(network: Network, data: Dataset, device: torch.device | None = None) -> Tensor:
    """What the head gives for every example of the view, in its order, on the CPU. Leaves the network in eval mode."""
    network.eval()
    device = device or torch.device("cpu")
    order = list(in_order(data))
    with torch.inference_mode():
        return gathered([network.answer(to_device(data.take(rows), device)).float().cpu() for rows in order], order)


def gathered(parts: Sequence[Tensor], order: Sequence[Indices]) -> Tensor:
    """Outputs of batches as one tensor, each example at its place; NaN behind what is shorter than the longest."""
    shape = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    out = parts[0].new_full((sum(map(len, order)), *shape), math.nan)
    for part, rows in zip(parts, order, strict=True):
        padding = [side for size, most in zip(reversed(part.shape[1:]), reversed(shape), strict=True) for side in (0, most - size)]
        out[torch.from_numpy(rows)] = torch.nn.functional.pad(part, padding, value=math.nan)
    return out


@torch.no_grad()
def evaluate(network: Network, data: Dataset, task: Task, device: torch.device | None = None) -> tuple[float, float]:
    """(first metric, mean loss) on a view whose targets are collated. Leaves the network in eval mode."""
    network.eval()
    device = device or torch.device("cpu")
    order, parts, loss = list(in_order(data)), [], 0.0
    with torch.inference_mode():
        for rows in order:
            kept, each = network.judge(to_device(data.take(rows), device))
            parts.append(kept.float().cpu())
            loss += float(each.double().sum())
    return value_of(gathered(parts, order), data, task), loss / len(data)


def value_of(out: Tensor, data: Dataset, task: Task) -> float:
    """The first metric of outputs for a view."""
    metric = task.metrics[0]
    return metric.value(metric.rows(task.decode(out), data.targets))


def judged(out: Tensor, data: Dataset, task: Task) -> tuple[float, float]:
    """(first metric, mean loss) of a baseline's outputs for a view; the loss is 0 where it is not taken of what is decoded."""
    loss = 0.0 if task.settles else float(task.plain_loss(out, data.y[torch.from_numpy(data.index)]).double().mean())
    return value_of(out, data, task), loss


def score(task: Task, value: float, loss: float) -> float:
    """What the search maximises: the first metric, turned so that more is better; the loss breaks ties."""
    if not math.isfinite(value):
        return -math.inf
    return sign(task.metrics[0]) * value - 1e-3 * min(loss, 100.0)


def effort(task: Task) -> int:
    """Forward passes that an answer costs, about."""
    return WRITING if task.needs().writes else 1


def looks_for(examples: int, validation: int, effort: int = 1) -> int:
    """How often to look at validation: 16, 12, 8, 4, 2 times, or at the end alone; a forward pass is a third of a step.

    A dear setting on few examples would else look for longer than it trains.
    """
    affordable = LOOK_SHARE * examples / max(1.0, effort * min(validation, LOOKED_AT // effort) / 3)
    return next((looks for looks in (16, 12, 8, 4, 2) if looks <= affordable), 1)


def looked_at(val: Dataset, seed: int, effort: int = 1) -> Dataset:
    """The part of a large validation split that looks are taken at: the same for every contender, smaller where answers are dear."""
    most = LOOKED_AT // effort
    if len(val) <= most:
        return val
    import numpy as np
    return val.subset(np.sort(np.random.default_rng(seed).choice(len(val), most, replace=False)))
