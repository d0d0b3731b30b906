"""How examples go on: step by step, each drawn from what is said of it after all before it, then taken for one that came."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bakeoff.data.base import Dataset
from bakeoff.errors import OptionError


def gone_on(fitted: Any, task: Any, data: Dataset, steps: int, seed: int) -> list[NDArray[Any]]:
    """The next steps of each example of the view, (steps, *frame) each. The same example and seed give the same, whatever stands
    beside it. Raises OptionError for no steps."""
    if steps < 1:
        raise OptionError(f"{steps} steps are none", f"--steps {steps}", "Give at least 1.")
    stepper, ways = fitted.stepper, []
    with torch.inference_mode():
        for row in range(len(data)):
            generator = torch.Generator().manual_seed(seed)
            out, state = stepper.begin(data.take([row]).x.x)
            way = [task.drawn(out, generator)]
            while len(way) < steps:
                out, state = stepper.step(way[-1], state)
                way.append(task.drawn(out, generator))
            ways.append(torch.cat(way).numpy().astype(np.float32))
    return ways
