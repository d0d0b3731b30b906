"""How often each class was seen."""

import numpy as np
import torch

from bakeoff.baselines.majority import Majority


def test_every_example_gets_the_class_frequencies(made):
    data, task = made(np.zeros((10, 1, 2), np.float32), ["a"] * 7 + ["b"] * 3)
    out = Majority().fit(data, task, {}, 0).outputs(data.subset([1, 9]))
    torch.testing.assert_close(out.exp(), torch.tensor([[0.7, 0.3]] * 2))
    assert [answer.value for answer in task.decode(out)] == ["a", "a"]


def test_a_class_that_is_not_there_counts_as_half_an_example(made):
    data, task = made(np.zeros((10, 1, 2), np.float32), ["a"] * 9 + ["b"])
    out = Majority().fit(data.subset(range(9)), task, {}, 0).outputs(data)
    torch.testing.assert_close(out[0].exp(), torch.tensor([9 / 9.5, 0.5 / 9.5]))


def test_it_enters_classification_only(made):
    data, classify = made(np.zeros((4, 1, 2), np.float32), ["a", "b"] * 2)
    _, regress = made(np.zeros((4, 1, 2), np.float32), [0.0, 1.0] * 2)
    assert Majority.why_not(data.spec, classify) is None
    assert "regress" in (Majority.why_not(data.spec, regress) or "")
