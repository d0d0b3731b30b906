"""One label or a set of labels: what is learnt of the targets, the loss, the weights, the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from bakeoff import registry
from bakeoff.errors import DataError
from bakeoff.nn.network import Network
from bakeoff.tasks.classify import Classify
from bakeoff.train.choices import space_of
from bakeoff.types import Batch, Grid, Spec

SPEC = Spec("series", ("time",), (12,), 2, None, None, {"train": 100}, "", (0.0,) * 2, (1.0,) * 2, (12,), (12,))
SETS = replace(SPEC, several=True)
TARGETS = ["a;b", "b", "", "b;c", "a", "b"]


def of_sets() -> Classify:
    return Classify().fit(TARGETS, SETS)


def test_the_labels_of_sets_are_learnt_from_the_training_split() -> None:
    task = of_sets()
    assert (task.classes, task.counts, task.examples) == (["a", "b", "c"], [2, 4, 1], 6)
    assert task.metrics[0].name == "macro_f1"
    again = Classify.restore(task.state())
    assert again.state() == task.state()
    assert again.metrics == task.metrics


def test_without_sets_a_separator_is_a_letter_like_any_other() -> None:
    task = Classify().fit(["a;b", "c"], SPEC)
    assert task.classes == ["a;b", "c"]
    assert task.metrics[0].name == "accuracy"


def test_state_of_older_runs_is_read() -> None:
    assert Classify.restore({"classes": ["x", "y"]}).classes == ["x", "y"]


def test_sets_become_ones_and_unknown_labels_are_refused() -> None:
    task = of_sets()
    assert task.collate(["b;c", "", "a"]).tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, 0]]
    with pytest.raises(DataError, match="label 'd' is not among the 3 training classes"):
        task.collate(["a;d"])


def test_what_is_answered_is_every_label_of_at_least_one_half() -> None:
    answers = of_sets().decode(torch.tensor([[2.0, -1.0, 0.0], [-1.0, -1.0, -1.0]]))
    assert [answer.value for answer in answers] == ["a;c", ""]
    assert answers[0].scores == pytest.approx({"a": 0.8808, "b": 0.2689, "c": 0.5}, abs=1e-4)


def test_the_loss_of_sets_is_that_of_each_label() -> None:
    task, out = of_sets(), torch.tensor([[0.5, -2.0, 1.0], [3.0, 0.0, -1.0]])
    y = task.collate(["a", "b;c"])
    by_hand = -(y * out.sigmoid().log() + (1 - y) * (1 - out.sigmoid()).log()).mean(1)
    torch.testing.assert_close(task.plain_loss(out, y), by_hand)
    torch.testing.assert_close(task.loss(out, y, {}), by_hand)
    smooth = F.binary_cross_entropy_with_logits(out, y * 0.9 + 0.05, reduction="none").mean(1)
    torch.testing.assert_close(task.loss(out, y, {"label_smoothing": 0.1}), smooth)


def test_balanced_weights_make_classes_count_alike() -> None:
    targets = ["rare"] * 2 + ["usual"] * 8
    task = Classify().fit(targets, SPEC)
    assert task.space(SPEC)["weights"].default == "none"
    y, out = task.collate(targets), torch.zeros(10, 2)
    losses = task.loss(out, y, {"weights": "balanced"})
    assert losses[:2].sum() == pytest.approx(float(losses[2:].sum()))
    assert losses.mean() == pytest.approx(float(task.plain_loss(out, y).mean())), "the loss keeps its size"
    torch.testing.assert_close(task.loss(out, y, {"weights": "none"}), task.plain_loss(out, y))


def test_balanced_weights_of_sets_make_having_a_label_count_as_not_having_it() -> None:
    task = of_sets()
    y = task.collate(TARGETS)
    weighted = y * task.balanced() + (1 - y)
    torch.testing.assert_close((weighted * y).sum(0), (weighted * (1 - y)).sum(0))


def test_shares_and_weights_for_another_loss_say_what_the_tasks_own_says() -> None:
    out, params = torch.randn(10, 2, generator=torch.Generator().manual_seed(0)), {"weights": "balanced", "label_smoothing": 0.1}
    single = Classify().fit(["rare"] * 2 + ["usual"] * 8, SPEC)
    y = single.collate(["rare"] * 2 + ["usual"] * 8)
    aim = single.aim(y, params)
    torch.testing.assert_close(-(aim.weights * aim.shares * out.log_softmax(-1)).sum(1), single.loss(out, y, params))
    torch.testing.assert_close(aim.loss(out), single.loss(out, y, params))
    sets = of_sets()
    y, out = sets.collate(TARGETS), torch.randn(len(TARGETS), 3, generator=torch.Generator().manual_seed(0))
    aim = sets.aim(y, params)
    assert torch.equal(aim.shares > 0.5, y > 0)
    torch.testing.assert_close(aim.weights, torch.where(y > 0, sets.balanced(), torch.ones(3)))


def test_weights_are_no_choice_where_classes_are_equal() -> None:
    assert "weights" not in Classify().fit(["a", "b"] * 10, SPEC).space(SPEC)
    assert "weights" not in Classify(["a", "b"]).space(SPEC)
    assert "weights" in of_sets().space(SETS)


@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_a_planted_set_is_learnt(weights: str) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 12, 2, generator=generator)
    there = torch.rand(64, 2, generator=generator) < torch.tensor([0.5, 0.15])
    x += 3 * there[:, None, :]
    targets = [";".join(label for label, has in zip(("first", "second"), row, strict=True) if has) for row in there.tolist()]
    task = Classify().fit(targets, SETS)
    params = {**space_of(registry.get("family", "fcn"), SETS, task).defaults(), "width": 16, "weights": weights}
    torch.manual_seed(0)
    network = Network(registry.get("family", "fcn"), SETS, task, params)
    batch = Batch(Grid(x), task.collate(targets), [], {})
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(60):
        loss = task.loss(network(batch), batch.y, params).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    answers = task.decode(network.eval().answer(batch).detach())
    assert sum(answer.value == target for answer, target in zip(answers, targets, strict=True)) >= 62
