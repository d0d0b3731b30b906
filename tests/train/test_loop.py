from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bakeoff import registry
from bakeoff.nn.network import Network
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.train.feed import batches, in_order
from bakeoff.train.optim import Penalty, optimizer_for, schedule_for

FCN = "fcn"


def setting(splits, task, **changes):
    return {**space_of(registry.get("family", FCN), splits.train.spec, task).defaults(), "width": 16, **changes}


def network_of(splits, task, params, seed=0):
    torch.manual_seed(seed)
    return Network(registry.get("family", FCN), splits.train.spec, task, params)


def test_a_planted_difference_is_learnt(bumps):
    splits, task = bumps()
    params = setting(splits, task)
    network = network_of(splits, task, params)
    course = loop.train(network, splits.train, splits.val, task, params, examples=3000, looks=4, seed=0)
    value, loss = loop.evaluate(network, splits.test, task)
    assert value > 0.95
    assert loss < 0.3
    assert course.stopped == "end"
    assert [round(point.examples / 3000, 1) for point in course.curve] == [0.3, 0.5, 0.8, 1.0]


def test_the_same_seed_gives_the_same_weights_to_the_last_bit(bumps):
    splits, task = bumps()
    params = setting(splits, task)
    pair = []
    for _ in range(2):
        network = network_of(splits, task, params)
        loop.train(network, splits.train, None, task, params, examples=400, seed=3)
        pair.append(torch.cat([p.flatten() for p in network.parameters()]))
    assert torch.equal(*pair)


def test_a_family_that_asks_is_told_how_much_is_over_before_each_step(bumps, monkeypatch):
    splits, task = bumps()
    told = []
    monkeypatch.setattr(registry.get("family", FCN), "passed", lambda self, share: told.append((share, self.training)))
    params = setting(splits, task, batch=8)
    network = network_of(splits, task, params)
    loop.train(network, splits.train, splits.val, task, params, examples=80, looks=4, seed=0)
    assert told == [(step / 10, True) for step in range(10)]


def test_a_loss_that_is_no_number_ends_the_training(bumps):
    splits, task = bumps()
    params = setting(splits, task, lr=3e-2, optimizer="sgd", clip=0.0)
    network = network_of(splits, task, params)
    with torch.no_grad():
        next(network.parameters()).fill_(math.nan)
    with pytest.raises(loop.Diverged, match="learning rate"):
        loop.train(network, splits.train, splits.val, task, params, examples=400, looks=4, seed=0)


def test_a_training_behind_its_rung_is_pruned_there(bumps):
    splits, task = bumps()
    params = setting(splits, task)
    course = loop.train(network_of(splits, task, params), splits.train, splits.val, task, params, examples=2000, looks=4, seed=0,
                        rungs={1: 2.0})
    assert course.stopped == "pruned"
    assert course.examples == pytest.approx(500, abs=32)


def test_patience_ends_a_training_that_no_longer_improves(bumps):
    splits, task = bumps()
    params = setting(splits, task, lr=1e-4, warmup=0.0)
    network = network_of(splits, task, params)
    network.requires_grad_(False)
    network.head.out.weight.requires_grad_(True)
    course = loop.train(network, splits.train, splits.val, task, {**params, "lr": 0.0}, examples=4000, looks=16, seed=0, patience=4)
    assert course.stopped == "early"
    assert len(course.curve) < 16


def test_outputs_come_in_the_order_of_the_view_whatever_the_lengths(bumps):
    splits, task = bumps(ragged=True)
    params = setting(splits, task)
    network = network_of(splits, task, params).eval()
    together = loop.outputs(network, splits.test)
    for k in range(len(splits.test)):
        alone = loop.outputs(network, splits.test.subset([k]))
        torch.testing.assert_close(alone[0], together[k], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("ragged", [False, True])
def test_every_example_comes_once_before_any_comes_again(bumps, ragged):
    splits, _ = bumps(examples=100, ragged=ragged)
    data = splits.train                                     # 60 examples
    feed = batches(data, 4, seed=0)
    rounds = 32 if ragged else 15
    seen = np.concatenate([next(feed) for _ in range(rounds)])
    counts = np.bincount(seen, minlength=len(data))
    assert counts.max() - counts.min() <= (1 if not ragged else 2)
    assert sorted(np.concatenate(list(in_order(data, 7)))) == list(range(len(data)))


def test_few_examples_of_different_lengths_are_not_repeated_within_a_batch(bumps):
    splits, _task = bumps(examples=40, ragged=True)
    data = splits.train
    feed = batches(data, 8, seed=0)
    distinct = [len(set(next(feed).tolist())) for _ in range(60)]
    assert np.mean(distinct) > 7, "a batch of copies learns from one example"


def test_windows_by_length_keep_padding_small(bumps):
    splits, _ = bumps(examples=1500, length=100, ragged=True)
    data, feed = splits.train, batches(splits.train, 16, seed=0)
    lengths = data.lengths()
    padded = [1 - lengths[rows].mean() / lengths[rows].max() for rows in (next(feed) for _ in range(64))]
    assert np.mean(padded) < 0.1


def test_the_rate_rises_then_falls():
    share = schedule_for({"warmup": 0.1, "schedule": "cosine"}, 100)
    values = [share(step) for step in range(100)]
    assert values[0] == pytest.approx(0.1)
    assert max(values) == values[10] == 1.0
    assert values[99] < 0.01
    assert schedule_for({"warmup": 0.0, "schedule": "constant"}, 10)(9) == 1.0
    assert schedule_for({"warmup": 0.0, "schedule": "linear"}, 100)(51) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "rmsprop"])
def test_every_optimizer_lowers_the_loss(bumps, name):
    splits, task = bumps()
    params = setting(splits, task, optimizer=name)
    network = network_of(splits, task, params)
    before = loop.evaluate(network, splits.train, task)[1]
    loop.train(network, splits.train, None, task, params, examples=1500, seed=0)
    assert loop.evaluate(network, splits.train, task)[1] < before / 2


def test_weight_decay_spares_vectors():
    network = torch.nn.Linear(3, 2)
    groups = optimizer_for(network, {"lr": 0.1, "weight_decay": 0.5, "optimizer": "adamw"}).param_groups
    assert [(group["weight_decay"], [p.dim() for p in group["params"]]) for group in groups] == [(0.5, [2]), (0.0, [1])]


def test_l1_adds_the_sign_of_the_weights():
    network = torch.nn.Linear(3, 2)
    network.weight.grad, network.bias.grad = torch.zeros_like(network.weight), torch.zeros_like(network.bias)
    Penalty(network, 0.25).add()
    torch.testing.assert_close(network.weight.grad, 0.25 * network.weight.sign())
    assert not network.bias.grad.any()


@pytest.mark.parametrize(("examples", "validation", "looks"), [(60_000, 12_000, 8), (10_000, 360, 8), (4_000, 2_000, 1), (100, 3_000, 1)])
def test_looks_cost_a_share_of_the_training(examples, validation, looks):
    asked = loop.looks_for(examples, validation)
    assert asked in (1, 2, 4, 8, 12, 16)
    assert asked == 1 or asked * min(validation, loop.LOOKED_AT) / 3 <= loop.LOOK_SHARE * examples
    assert asked >= looks
