"""Whether nominal work (bakeoff.cost.work) says how much dearer one setting of a contender is than another.

Command: python benchmarks/speed/work.py          Time: 100 s
Value: per contender and kind of data, step times of the starting setting and of others drawn from width, fold, depth and batch;
measured ratio to the start over predicted ratio. At least 80 % lie within 1.5 times, either way, and 95 % within 2 times.
The planner gives a dearer setting fewer examples by this number: an error of 1.5 is a trial 1.5 times as long as its share.
"""

from __future__ import annotations

import math
import random
import sys
import time
from typing import Any

import numpy as np
import torch
from outcome import Bar, finish
from problems import network_of, problem

from bakeoff import registry
from bakeoff.cost import work
from bakeoff.data.base import Dataset
from bakeoff.train.choices import space_of
from bakeoff.train.optim import optimizer_for

OTHERS = 3                                    # settings beside the start, per contender and kind
SECONDS = 0.2                                 # of steps per setting


def step_seconds(name: str, data: Dataset, task: Any, params: dict[str, Any]) -> tuple[float, float]:
    """(quickest step by the thread's own clock, nominal work) at a setting."""
    torch.manual_seed(0)
    network = network_of(name, data, task, params)
    rows = range(params["batch"])
    nominal = work(network, data.take(rows))
    optimizer, weights = optimizer_for(network, params), list(network.parameters())
    network.train()
    quickest, spent, steps = math.inf, 0.0, 0
    while steps < 4 or spent < SECONDS:
        start = time.thread_time()
        batch = data.take(rows)
        loss = network.loss(batch).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        seconds = time.thread_time() - start
        quickest, spent, steps = min(quickest, seconds), spent + seconds, steps + 1
    return quickest, nominal


def main() -> int:
    began = time.perf_counter()
    torch.set_num_threads(1)
    rng = random.Random(0)
    errors: list[float] = []
    found = []
    for kind in ("series", "image", "text"):
        data, task = problem(kind, 256)
        for name, family in registry.every("family").items():
            space = space_of(family, data.spec, task)
            start = space.defaults()
            first, nominal_first = step_seconds(name, data, task, start)
            for _ in range(OTHERS):
                drawn = {key: rng.choice(space[key].values) for key in ("width", "fold", "batch")}
                depth = f"{name}.depth"
                if depth in space:
                    drawn[depth] = rng.randint(int(space[depth].low), int(space[depth].high))
                seconds, nominal = step_seconds(name, data, task, {**start, **drawn})
                error = (seconds / first) / (nominal / nominal_first)
                errors.append(abs(math.log(error)))
                found.append({"kind": kind, "contender": name, **drawn, "step_ms": 1e3 * seconds, "start_ms": 1e3 * first,
                              "nominal_ms": 1e3 * nominal, "measured_over_predicted": error})
            print(kind, name, *(f"{one['measured_over_predicted']:.2f}" for one in found[-OTHERS:]), flush=True)
    shares = {factor: float(np.mean(np.array(errors) < math.log(factor))) for factor in (1.5, 2.0)}
    bars = [Bar("share of settings within 1.5 times", shares[1.5], 0.8, "high"), Bar("share within 2 times", shares[2.0], 0.95, "high")]
    return finish("work", {"settings": found}, bars, began)


if __name__ == "__main__":
    sys.exit(main())
