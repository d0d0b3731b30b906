"""The first words of what was read, as many as do best; and the text of the nearest training example."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from bakeoff.baselines.first_k import FirstK, beginning, texts_of
from bakeoff.baselines.nearest import Nearest
from bakeoff.data import tokens
from bakeoff.data.base import Arrays, Dataset
from bakeoff.tasks.classify import Classify
from bakeoff.tasks.summarise import Summarise
from bakeoff.tasks.translate import Translate
from bakeoff.tasks.writer import Writes
from bakeoff.types import Spec

RNG = np.random.default_rng(0)
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
READ = [" ".join(RNG.choice(WORDS, RNG.integers(8, 14))) + ". " + " ".join(RNG.choice(WORDS, 5)) + "." for _ in range(60)]


def made(targets: list[str], task: Writes) -> tuple[Dataset, Writes]:
    tokenizer, vocab = tokens.learnt(READ, "subwords", 400, 1)
    cells, lengths, _ = tokens.encoded(READ, tokenizer, 512)
    spec = Spec("made", ("subword",), (None,), None, vocab, None, {"train": 60}, "", (), (), (40,), (20,), writing=tokenizer)
    data = Dataset(spec, Arrays(cells, lengths[:, None]), targets, [str(k) for k in range(60)])
    task = task.fit(targets, spec)
    return data.aim(task.collate(targets)), task


def test_what_was_read_is_a_text_again() -> None:
    data, _ = made(READ, Translate())
    assert texts_of(data.subset([3, 1])) == [READ[3], READ[1]]


@pytest.mark.parametrize("task", [Translate(), Summarise()], ids=lambda task: task.name)
def test_as_many_words_as_do_best_are_repeated(task: Writes) -> None:
    targets = [" ".join(text.split()[:6]) for text in READ]
    data, task = made(targets, task)
    fitted = FirstK().fit(data, task, {"first_k.unit": "words"}, 0)
    assert fitted.k == 6
    assert [answer.value for answer in task.decode(fitted.outputs(data.subset([5, 2])))] == [targets[5], targets[2]]
    arrays, record = fitted.state()
    again = FirstK.restore(arrays, json.loads(json.dumps(record)), data.spec, task)
    assert torch.equal(again.outputs(data).nan_to_num(-1), fitted.outputs(data).nan_to_num(-1))


def test_the_first_sentence() -> None:
    targets = [text[:text.index(".") + 1] for text in READ]
    data, task = made(targets, Summarise())
    fitted = FirstK().fit(data, task, {"first_k.unit": "sentences"}, 0)
    assert (fitted.k, [answer.value for answer in task.decode(fitted.outputs(data))]) == (1, targets)
    assert beginning("One. Two! Three", "sentences", 2) == "One. Two!"
    assert beginning("Keine Zeichen", "sentences", 1) == "Keine Zeichen"


def test_nothing_is_answered_with_nothing() -> None:
    data, task = made(READ, Translate())
    fitted = FirstK().fit(data, task, {"first_k.unit": "words"}, 0)
    assert fitted.outputs(data.subset(np.arange(0))).shape[0] == 0


def test_who_cannot_say_what_was_read_says_so() -> None:
    data, task = made(READ, Translate())
    assert FirstK.why_not(data.spec, task) is None
    assert "cannot be written back" in str(FirstK.why_not(Spec("made", ("word",), (None,), None, 9, None, {}, ""), task))
    assert "classify" in str(FirstK.why_not(data.spec, Classify()))


def test_the_nearest_examples_text_is_given() -> None:
    targets = [text.upper() for text in READ]
    data, task = made(targets, Translate())
    assert Nearest.space(data.spec, task) == {}
    fitted = Nearest().fit(data, task, {}, 0)
    assert [answer.value for answer in task.decode(fitted.outputs(data))] == targets
    arrays, record = fitted.state()
    again = Nearest.restore(arrays, json.loads(json.dumps(record)), data.spec, task)
    assert torch.equal(again.outputs(data), fitted.outputs(data))
    assert fitted.parameters() > 0
