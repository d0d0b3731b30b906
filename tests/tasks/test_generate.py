"""The next token: what is scored, what is learnt, and that steps give what the whole window gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bakeoff.data.base import Arrays, Dataset
from bakeoff.nn.network import Network
from bakeoff.registry import every, get
from bakeoff.tasks.generate import Generate
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.types import Spec

VOCAB, WINDOW = 7, 16
FAMILIES = [name for name, family in every("family").items() if family.can_be_causal and not family.pools and 1 in family.ranks]


def windows(count: int = 48, period: int = 5) -> Dataset:
    """The ids 2 … 6 in turn, windows beginning anywhere: two tokens tell all that follow. The last window ends early."""
    cells = np.stack([2 + (np.arange(WINDOW) + number) % period for number in range(count)]).astype(np.int16)
    cells[-1, WINDOW - 3:] = 0
    spec = Spec("text", ("character",), (WINDOW,), None, VOCAB, None, {"train": count}, "", (), (), (WINDOW,), (WINDOW,))
    targets = [int((row[WINDOW // 2:] > 0).sum()) for row in cells]
    return Dataset(spec, Arrays(cells), targets, [str(number) for number in range(count)]).collate(None)


def network(name: str, data: Dataset, task: Generate, **params: object) -> Network:
    torch.manual_seed(0)
    space = space_of(get("family", name), data.spec, task)
    return Network(get("family", name), data.spec, task, {**space.defaults(), "width": 16, **params})


def test_answers_are_the_nats_of_the_second_half() -> None:
    data = windows()
    task = Generate().fit(data.targets, data.spec)
    net = network("gru", data, task).eval()
    ids = data.take(range(48)).x.x
    with torch.no_grad():
        chances = net(data.take(range(48))).log_softmax(-1)
        said, loss = net.judge(data.take(range(48)))
    assert chances.shape == (48, WINDOW - 1, VOCAB)
    for row in (0, 20, 47):
        nats = [-float(chances[row, cell - 1, ids[row, cell]]) for cell in range(1, WINDOW) if ids[row, cell]]
        scored = [-float(chances[row, cell - 1, ids[row, cell]]) for cell in range(WINDOW // 2, WINDOW) if ids[row, cell]]
        assert float(said[row]) == pytest.approx(sum(scored), rel=1e-4)
        assert float(loss[row]) == pytest.approx(sum(nats) / len(nats), rel=1e-4)
        assert len(scored) == data.targets[row]
    torch.testing.assert_close(loop.outputs(net, data), said)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_follows_for_sure_is_learnt_and_steps_say_it_too(name: str) -> None:
    torch.set_num_threads(1)
    data = windows()
    task = Generate.restore(Generate().fit(data.targets, data.spec).state())
    net = network(name, data, task)
    params = {**space_of(get("family", name), data.spec, task).defaults(), "width": 16, "lr": 2e-2}
    loop.train(net, data, None, task, params, examples=1600, seed=0)
    value, _ = loop.evaluate(net, data, task)
    assert value < 0.15, f"{value:.2f} nats; guessing costs {np.log(5):.2f}"
    batch = data.take([0, 3])
    state, steps = net.encoder.start(2), []
    with torch.no_grad():
        whole = net(batch)
        for ids in batch.x.x[:, :-1].unbind(1):
            out, state = net.step(ids, state)
            steps.append(out)
    torch.testing.assert_close(torch.stack(steps, 1), whole, rtol=1e-3, atol=1e-3)


def test_only_ids_on_one_axis_are_gone_on_with() -> None:
    data = windows()
    assert Generate().why_not(data.spec) is None
    image = Spec("image", ("height", "width"), (4, 4), 1, None, None, {}, "")
    assert Generate().why_not(image) is not None
    assert Generate("word").metrics[0].name == "perplexity"
