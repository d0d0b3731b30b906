"""Forecasting: what is read, in which units, and that all families enter through it and learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bakeoff.nn.encoder import Encoder
from bakeoff.nn.network import Network, empty_batch
from bakeoff.registry import every
from bakeoff.tasks.classify import Classify
from bakeoff.tasks.forecast import Forecast
from bakeoff.train.choices import space_of
from bakeoff.train.contender import Neural, Plain
from bakeoff.train.setup import Setup
from bakeoff.types import Ahead, Batch, Grid, Spec

AHEAD = Ahead(6, 4, (8, 16, 24), ("a", "b"), (0, 1))
SETUP = Setup((), "", (), "", "", ())
FAMILIES = every("family")


def spec_of(ahead: Ahead) -> Spec:
    size, channels = (ahead.lookbacks[-1],), len(ahead.names) * (2 if ahead.marked else 1)
    return Spec("made", ("time",), size, channels, None, None, {"train": 500, "val": 100, "test": 100}, "", (), (), size, size, ahead)


def task_of(ahead: Ahead) -> Forecast:
    return Forecast().fit([], spec_of(ahead))


def batch_of(ahead: Ahead, examples: int = 8, level: float = 0.0, size: float = 1.0, seed: int = 0) -> tuple[Batch, Forecast]:
    """Waves: the future is as the season before."""
    rng = np.random.default_rng(seed)
    phase = rng.integers(0, ahead.season, (examples, 1, len(ahead.names)))
    time = np.arange(ahead.lookbacks[-1] + ahead.horizon)[None, :, None]
    wave = level + size * np.sin(2 * np.pi * (time + phase) / ahead.season + 0.5)
    task = task_of(ahead)
    length = ahead.lookbacks[-1]
    future = [{"values": one[length:, list(ahead.aimed)].T, "naive": np.ones(len(ahead.aimed)), "spread": np.full(len(ahead.aimed), size)}
              for one in wave]
    x = wave[:, :length]
    if ahead.marked:
        x = np.concatenate([x, np.zeros_like(x)], -1)
    return Batch(Grid(torch.from_numpy(x).float()), task.collate(future), [], {}), task


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_enters_and_trains_a_step_or_says_why_not(name: str) -> None:
    spec, task = spec_of(AHEAD), task_of(AHEAD)
    entrant = Neural(FAMILIES[name])
    reason = entrant.why_not(spec, task, SETUP)
    if reason is not None:
        assert len(reason.split()) > 5
        return
    batch, task = batch_of(AHEAD)
    torch.manual_seed(0)
    network = Network(FAMILIES[name], spec, task, {**entrant.space(spec, task, SETUP).defaults(), "width": 16})
    out = network(batch)
    assert out.shape == (8, 6, 2, 4)
    task.loss(out, batch.y, {}).mean().backward()
    assert all(weight.grad is not None for weight in network.parameters())


@pytest.mark.parametrize("setting", [{"channels": "together"}, {"pool": "last"}, {"pool": "attention"}, {"pool": "mean"}, {"pool": "grid"},
                                     {"window": "mean"}, {"lookback": 8}, {"lookback": 24}, {"objective": "squared"}], ids=str)
@pytest.mark.parametrize("ahead", [AHEAD, Ahead(3, 4, (16,), ("a", "b", "c"), (2,), marked=True), Ahead(1, 1, (8,), ("x",), (0,))],
                         ids=["two", "one of three", "one"])
def test_every_choice_gives_a_forecast_of_its_shape(setting: dict[str, Any], ahead: Ahead) -> None:
    setting = {name: value for name, value in setting.items() if name != "lookback" or value in ahead.lookbacks}
    batch, task = batch_of(ahead)
    params = {**space_of(FAMILIES["tcn"], spec_of(ahead), task).defaults(), **setting, "width": 16}
    network = Network(FAMILIES["tcn"], spec_of(ahead), task, params)
    out = network(batch)
    assert out.shape == (8, ahead.horizon, len(ahead.aimed), 4)
    assert (out[..., 1:].diff(dim=-1) > 0).all()
    assert torch.isfinite(task.loss(out, batch.y, params)).all()


def test_the_network_sees_the_chosen_look_back_and_no_more() -> None:
    batch, task = batch_of(AHEAD)
    params = {**space_of(FAMILIES["gru"], spec_of(AHEAD), task).defaults(), "lookback": 8}
    network = Network(FAMILIES["gru"], spec_of(AHEAD), task, params).eval()
    before = network(batch)
    changed = batch.x.x.clone()
    changed[:, :-8] = 1e6
    torch.testing.assert_close(network(batch._replace(x=Grid(changed))), before)
    assert task.prepared(spec_of(AHEAD), params).sizes == (8,)


@pytest.mark.parametrize("way", ["last", "mean"])
def test_level_and_size_of_a_window_come_out_as_they_went_in(way: str) -> None:
    batch, task = batch_of(AHEAD)
    params = {**space_of(FAMILIES["tcn"], spec_of(AHEAD), task).defaults(), "window": way}
    network = Network(FAMILIES["tcn"], spec_of(AHEAD), task, params).eval()
    plain = network(empty_batch(batch.x))
    moved = network(empty_batch(Grid(200 + 30 * batch.x.x)))
    torch.testing.assert_close(moved, 200 + 30 * plain, rtol=2e-3, atol=0.05)


def test_a_constant_window_gives_numbers() -> None:
    task = task_of(AHEAD)
    network = Network(FAMILIES["tcn"], spec_of(AHEAD), task, space_of(FAMILIES["tcn"], spec_of(AHEAD), task).defaults()).eval()
    for value in (0.0, 5.0, -1e6):
        out = network(empty_batch(Grid(torch.full((2, 24, 2), value))))
        assert torch.isfinite(out).all()
        torch.testing.assert_close(out, torch.full_like(out, value), rtol=1e-3, atol=1e-3)


def test_the_loss_is_in_deviations_and_passes_over_what_is_missing() -> None:
    task = task_of(AHEAD)
    y = task.collate([{"values": np.array([[1.0, np.nan, 3, 4, 5, 6], [0.0] * 6]), "spread": np.array([2.0, 10.0])}])
    out = torch.zeros(1, 6, 2, 4)
    pinball = 19 / 2 / 11 * (0.1 + 0.5 + 0.9) / 3             # all is said too low: each level counts its own share
    assert task.loss(out, y, {}).tolist() == pytest.approx([(1 + 3 + 4 + 5 + 6) / 2 / 11 + pinball])
    assert task.loss(out, y, {"objective": "squared"}).tolist() == pytest.approx([(1 + 9 + 16 + 25 + 36) / 4 / 11 + pinball])
    assert task.plain_loss(out, y).tolist() == pytest.approx([19 / 2 / 11 + pinball])


def test_waves_are_learnt() -> None:
    batch, task = batch_of(AHEAD, 64, level=50.0, size=7.0)
    torch.manual_seed(0)
    network = Network(FAMILIES["mlp"], spec_of(AHEAD), task, {**space_of(FAMILIES["mlp"], spec_of(AHEAD), task).defaults(), "width": 32})
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(150):
        optimizer.zero_grad()
        loss = task.loss(network(batch), batch.y, {}).mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.25
    answers = task.decode(network(batch).detach())
    assert answers[0].value.shape == (2, 6)
    assert np.abs(answers[0].value - batch.y[0, :, :2].T.numpy()).mean() < 2
    assert list(answers[0].scores) == ["0.1", "0.5", "0.9"]
    assert (answers[0].scores["0.1"] < answers[0].scores["0.9"]).all()


def test_quantiles_learn_the_spread_of_noise() -> None:
    rng = np.random.default_rng(0)
    ahead = Ahead(2, 1, (8,), ("x",), (0,))
    series = rng.normal(size=(2000, 10, 1))
    task = task_of(ahead)
    y = task.collate([{"values": one[8:].T, "naive": np.ones(1), "spread": np.ones(1)} for one in series])
    batch = Batch(Grid(torch.from_numpy(series[:, :8]).float()), y, [], {})
    torch.manual_seed(0)
    network = Network(FAMILIES["mlp"], spec_of(ahead), task, {**space_of(FAMILIES["mlp"], spec_of(ahead), task).defaults(), "width": 32})
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(150):
        optimizer.zero_grad()
        task.loss(network(batch), y, {}).mean().backward()
        optimizer.step()
    out = network.eval()(batch).detach()
    for place, level in enumerate(ahead.levels, 1):
        assert (y[..., 0] < out[..., 0, place]).float().mean().item() == pytest.approx(level, abs=0.06)


def test_it_restores_and_others_say_why_they_do_not_fit() -> None:
    task = Forecast.restore(task_of(AHEAD).state())
    assert task.ahead == AHEAD
    image = Spec("made", ("time",), (8,), 1, None, None, {}, "")
    assert "nothing to forecast" in str(task.why_not(image))
    assert "go on" in str(Classify().why_not(spec_of(AHEAD)))
    for name, baseline in every("baseline").items():
        enters = Plain(baseline).why_not(spec_of(AHEAD), task, SETUP) is None
        assert enters == (name in ("last", "seasonal", "drift", "dlinear", "ets")) or name == "ets"
    assert issubclass(FAMILIES["gru"], Encoder)
