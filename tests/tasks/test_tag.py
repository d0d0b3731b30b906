"""A tag per word: padding counts nowhere, and every family that keeps its steps learns a planted rule."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bakeoff.baselines.majority import Majority
from bakeoff.data.base import Arrays, Dataset
from bakeoff.errors import DataError
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.network import Network
from bakeoff.registry import every
from bakeoff.tasks.tag import Tag
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.train.contender import Neural
from bakeoff.train.setup import Setup
from bakeoff.types import Batch, Grid, Spec

SETUP = Setup((), "", (), "", "", ())
IN, NAMES, OTHERS = 1, range(2, 6), range(6, 12)      # ids: a name behind IN is a place, elsewhere it is none


def sentences(count: int, seed: int = 0) -> tuple[Dataset, Tag]:
    rng, rows, tags = np.random.default_rng(seed), [], []
    for _ in range(count):
        row = rng.choice([IN, *NAMES, *OTHERS], rng.integers(3, 9), p=[0.3, *[0.1] * 4, *[0.05] * 6])
        rows.append(row.astype(np.int32))
        tags.append(["B-LOC" if word in NAMES and place and row[place - 1] == IN else "O" for place, word in enumerate(row)])
    shapes = np.array([[len(row)] for row in rows], np.int64)
    spec = Spec("made", ("word",), (None,), None, 12, None, {"train": count}, "made", (), (), (int(shapes.max()),), (5,))
    task = Tag().fit(tags, spec)
    data = Dataset(spec, Arrays(np.concatenate(rows), shapes), tags, [str(row) for row in range(count)])
    data.aim(task.collate(tags))
    return data, task


KEEPING = [name for name, family in every("family").items() if Neural(family).why_not(sentences(3)[0].spec, Tag(), SETUP) is None]


@pytest.mark.parametrize("name", KEEPING)
def test_every_family_that_keeps_its_steps_learns_the_rule(name: str) -> None:
    data, task = sentences(240)
    family: type[Encoder] = every("family")[name]
    params = {**space_of(family, data.spec, task).defaults(), "width": 32}
    held, _ = sentences(60, 1)
    value = 0.0
    for examples in (2400, 7200, 14400):      # most need few
        if value <= 0.9:
            torch.manual_seed(0)
            network = Network(family, data.spec, task, params)
            loop.train(network, data, None, task, params, examples=examples, seed=0)
            value = loop.value_of(loop.outputs(network, held), held, task)
    assert value > 0.9


def test_many_families_keep_their_steps_and_others_say_why_not() -> None:
    assert set(KEEPING) >= {"gru", "lstm", "tcn", "transformer", "crnn", "resnet"}
    assert "one vector" in (Neural(every("family")["textcnn"]).why_not(sentences(3)[0].spec, Tag(), SETUP) or "")


def test_padding_costs_nothing_and_is_not_answered() -> None:
    data, task = sentences(12)
    torch.manual_seed(0)
    family = every("family")["gru"]
    network = Network(family, data.spec, task, space_of(family, data.spec, task).defaults()).eval()
    with torch.no_grad():
        alone = [network.judge(data.take([row])) for row in range(12)]
        kept, loss = network.judge(data.take(range(12)))
    torch.testing.assert_close(loss, torch.cat([one for _, one in alone]))
    lengths = data.lengths().tolist()
    assert [len(answer.value) for answer in task.decode(kept)] == lengths       # type: ignore[arg-type]
    assert [answer.value for answer in task.decode(kept)] == [task.decode(one)[0].value for one, _ in alone]


def test_the_loss_is_the_mean_over_known_words() -> None:
    task = Tag(["A", "B"])
    out, y = torch.tensor([[[2.0, 0.0], [0.0, 1.0], [9.0, 9.0]]]), task.collate([["A", "new", "B"], ["B"]])[:1]
    expected = (-out[0, 0].log_softmax(0)[0] - out[0, 2].log_softmax(0)[1]) / 2
    torch.testing.assert_close(task.loss(out, y, {}), expected[None])
    assert task.collate([["A", "new", "B"], ["B"]]).tolist() == [[0, -1, 1], [1, -1, -1]]


def test_the_value_is_of_spans_where_there_are_spans() -> None:
    spec = sentences(3)[0].spec
    assert [metric.name for metric in Tag().fit([["O", "I-a"]], spec).metrics] == ["f1", "accuracy"]
    assert [metric.name for metric in Tag().fit([["NN", "O"]], spec).metrics] == ["accuracy"]
    assert Tag.restore(Tag().fit([["NN", "VB"]], spec).state()).tags == ["NN", "VB"]
    with pytest.raises(DataError, match="there is one tag only"):
        Tag().fit([["O"]], spec)


def test_majority_gives_each_word_its_most_frequent_tag() -> None:
    data, task = sentences(200)
    x, wanted = data.take(range(200)).x.x, data.y
    fitted = Majority().fit(data.subset(range(100)), task, {}, 0)
    out = fitted.outputs(data)
    assert out.shape == (200, int(data.lengths().max()))
    for word in range(1, 12):
        seen = (x[:100] == word) & (wanted[:100] >= 0)
        usual = torch.bincount(wanted[:100][seen], minlength=2).argmax()
        here = (x == word) & ~out.isnan()
        assert (out[here] == usual).all()
    assert fitted.of_word[0] == task.number["O"]                                # an id without an example: the most frequent of all
    again = Majority.restore(fitted.state()[0], {}, data.spec, task)
    assert torch.equal(again.outputs(data), out) or ((again.outputs(data) == out) | out.isnan()).all()
    assert [len(answer.value) for answer in task.decode(out)] == data.lengths().tolist()      # type: ignore[arg-type]


def test_numbers_have_tags_for_no_words() -> None:
    spec = Spec("made", ("time",), (None,), 3, None, None, {"train": 9}, "made", (0.0,) * 3, (1.0,) * 3, (9,), (9,))
    assert "ids" in (Majority.why_not(spec, Tag()) or "")
    assert Tag().why_not(spec) is None
    batch = Batch(Grid(torch.zeros(2, 9, 3), None), None, [], {})
    family = every("family")["gru"]
    assert Network(family, spec, Tag(), space_of(family, spec, Tag()).defaults()).answer(batch).shape == (2, 9)
