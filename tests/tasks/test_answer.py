"""Questions about stories: every family and the baselines of labels enter, and what decides stands in one sentence of several."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bakeoff.data.base import Arrays, Dataset
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.network import Network
from bakeoff.registry import every
from bakeoff.tasks.answer import AnswerQuestion
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.train.contender import Neural
from bakeoff.train.setup import Setup
from bakeoff.types import Spec

SETUP = Setup((), "", (), "", "", ())
FAMILIES = list(every("family"))


def stories(count: int, seed: int = 0) -> tuple[Dataset, AnswerQuestion]:
    """A question (who?) and two or three sentences (who, where); every person stands in one of them."""
    rng, boxes, answers = np.random.default_rng(seed), [], []
    for _ in range(count):
        people = rng.permutation([1, 2, 3])[:rng.integers(2, 4)]
        places = rng.integers(4, 6, len(people))
        asked = int(rng.integers(len(people)))
        boxes.append(np.array([[people[asked], 0], *zip(people, places, strict=True)], np.int32))
        answers.append("ab"[places[asked] - 4])
    shapes = np.array([box.shape for box in boxes], np.int64)
    spec = Spec("made", ("sentence", "word"), (None, None), None, 6, None, {"train": count}, "made", (), (), (4, 2), (4, 2))
    task = AnswerQuestion().fit(answers, spec)
    data = Dataset(spec, Arrays(np.concatenate([box.ravel() for box in boxes]), shapes), answers, [str(row) for row in range(count)])
    data.aim(task.collate(answers))
    return data, task


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_reads_stories_of_many_lengths(name: str) -> None:
    data, task = stories(40)
    family: type[Encoder] = every("family")[name]
    assert Neural(family).why_not(data.spec, task, SETUP) is None
    torch.manual_seed(0)
    network = Network(family, data.spec, task, space_of(family, data.spec, task).defaults()).eval()
    with torch.no_grad():
        together = network.answer(data.take(range(8)))
        alone = torch.cat([network.answer(data.take([row])) for row in range(8)])
    torch.testing.assert_close(together, alone, atol=2e-4, rtol=1e-3)


def test_a_recurrence_learns_who_is_where() -> None:
    data, task = stories(600)
    family = every("family")["gru"]
    params = {**space_of(family, data.spec, task).defaults(), "width": 32}
    assert (params["pool"], params["fold"]) == ("attention", "raster")
    torch.manual_seed(0)
    network = Network(family, data.spec, task, params)
    loop.train(network, data, None, task, params, examples=6000, seed=0)
    held, _ = stories(100, 1)
    assert loop.value_of(loop.outputs(network, held), held, task) > 0.9


def test_labels_have_their_baselines_here_too() -> None:
    data, task = stories(30)
    entering = {name for name, cls in every("baseline").items() if cls.why_not(data.spec, task) is None}
    assert entering >= {"majority", "linear", "nearest"}
    assert task.metrics[0].name == "accuracy"


def test_other_examples_are_no_stories() -> None:
    spec = Spec("made", ("word",), (None,), None, 6, None, {"train": 9}, "made", (), (), (4,), (4,))
    assert "two axes" in (AnswerQuestion().why_not(spec) or "")
