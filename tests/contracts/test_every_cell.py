"""Every kind × task × contender either trains a step on tiny data and answers, or says in a sentence why it does not enter."""

from __future__ import annotations

import importlib.util
import math
from functools import cache
from pathlib import Path

import pytest
import torch

from bakeoff.data.base import Splits
from bakeoff.data.load import load
from bakeoff.options import Options
from bakeoff.tasks.base import Task
from bakeoff.train import loop
from bakeoff.train.contender import Neural, contenders
from bakeoff.train.setup import Setup
from bakeoff.types import Job
from contracts.tiny import CELLS, Cell

BATCH = 8
PLACE: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def place(tmp_path_factory):
    PLACE[:] = [tmp_path_factory.mktemp("cells")]
    yield
    opened.cache_clear()


@cache
def opened(number: int) -> tuple[Splits, Task, Setup]:
    """The cell's data as a run has them."""
    cell = CELLS[number]
    (folder := PLACE[0] / str(cell)).mkdir()
    loaded = load(cell.make(folder), Options(**cell.options))
    assert (loaded.kind_name, loaded.task_name) == (cell.kind, cell.task)
    setup = Setup(tuple(str(fold.folder) for fold in loaded.folds), loaded.task_name, (loaded.folds[0].task_state,), loaded.metric,
                  loaded.kind_name, (loaded.folds[0].kind_state,))
    return setup.open(test=True), setup.make_task(), setup


@pytest.mark.parametrize("name", list(contenders()))
@pytest.mark.parametrize("number", range(len(CELLS)), ids=[str(cell) for cell in CELLS])
def test_it_trains_a_step_or_says_why_not(number: int, name: str) -> None:
    cell: Cell = CELLS[number]
    for module in cell.needs:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    (splits, task, setup), one = opened(number), contenders()[name]
    data = splits.together()
    why = one.why_not(data.spec, task, setup)
    if why is not None:
        assert len(why.split()) >= 5, "a sentence"
        assert why[-1] not in ".!", "it stands in the middle of others"
        return
    params = {**one.space(data.spec, task, setup).defaults(), **({"width": 16, "batch": BATCH} if isinstance(one, Neural) else {})}
    some = data.subset(range(min(len(data), 3 * BATCH)))
    assert splits.test is not None
    if isinstance(one, Neural):
        network = one.build(Job(name, 0, "final", 0, params, BATCH), data.spec, task, setup, 0)
        before = [weight.detach().clone() for weight in network.parameters()]
        course = loop.train(network, some, None, task, params, examples=2 * BATCH, seed=0)
        assert math.isfinite(course.train_loss)
        assert any(not torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True)), "something was learnt"
        value, loss = loop.evaluate(network, some, task)
        assert math.isfinite(loss)
        out = loop.outputs(network, splits.test)
    else:
        fitted = one.baseline().fit(some, task, params, 0)
        value, _ = loop.judged(fitted.outputs(some), some, task)
        out = fitted.outputs(splits.test)
    assert math.isfinite(value)
    assert len(task.decode(out)) == len(splits.test)
