"""The rule on planted outcomes, and the norms against formulas and differences in double precision."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from bakeoff.claims import vanishing_gradients as claim
from bakeoff.claims.base import Ask
from bakeoff.claims.problems import marked
from bakeoff.claims.trained import COMMON, Entry, made, network_of, setting
from bakeoff.nn.network import Network
from bakeoff.tasks.classify import Classify
from bakeoff.types import Batch, Grid


def planted(start: Mapping[str, float], trained: Mapping[str, float], noise: float = 0.01) -> dict[str, object]:
    """Networks whose gradients fall by so much of the log per step, give or take `noise` from seed to seed."""
    def curves(fall: float) -> list[list[float]]:
        return [[math.exp((fall + noise * seed) * lag) for lag in range(50)] for seed in (-1, 0, 1, 0)]
    return {"steps": 50, "networks": [{"name": name, "group": "recurrent", "start": curves(start[name]), "trained": curves(trained[name]),
                                       "accuracy": [1.0]} for name in start]}


def falls(plain: float, lstm: float, gru: float) -> dict[str, float]:
    return {claim.PLAIN: plain, "lstm": lstm, "gru": gru}


@pytest.mark.parametrize(("start", "trained", "noise", "verdict", "said"), [
    (falls(-0.4, -0.1, -0.1), falls(-0.4, 0.0, 0.0), 0.01, "holds", ""),
    (falls(-0.4, -0.5, -0.5), falls(-0.4, 0.0, 0.0), 0.01, "holds if", "lstm and gru after a short training"),
    (falls(-0.4, -0.1, -0.6), falls(-0.4, -0.1, -0.6), 0.01, "holds if", "lstm before training; lstm after a short training"),
    (falls(0.0, 0.0, 0.0), falls(0.0, 0.0, 0.0), 0.001, "does not hold", ""),                # nothing is lost that could be mitigated
    (falls(-0.4, -0.6, -0.6), falls(-0.4, -0.6, -0.6), 0.01, "does not hold", ""),           # gates make it worse
    (falls(-0.1, -0.09, -0.09), falls(-0.1, -0.09, -0.09), 0.5, "cannot tell", "more seeds"),
])
def test_the_rule(start, trained, noise, verdict, said):
    found = claim.judge(planted(start, trained, noise))
    assert (found.verdict, said in found.condition) == (verdict, True)
    if verdict == "holds":
        assert found.value == pytest.approx(math.exp(0.4))


def tiny(entry: Entry, steps: int = 12) -> tuple[Network, Batch]:
    task = Classify()
    data = made(*marked(32, steps, np.random.default_rng(0)), task)
    params = setting(entry, data.spec, task, **COMMON, width=8)
    return network_of(entry, data.spec, task, params, 0), data.take(range(4))


@pytest.mark.parametrize("entry", claim.entries(), ids=lambda entry: entry.name)
def test_norms_are_those_of_differences_in_double_precision(entry):
    network, batch = tiny(entry)
    double = copy.deepcopy(network).double().eval()
    x = double.embed(Grid(network.fold(network.scale(batch.x))[0].x.double())).x.detach()

    def losses(cells):
        return double.task.loss(double.head(double.encoder(Grid(cells)), batch), batch.y, double.params)
    grad, small = torch.zeros_like(x), 1e-6
    with torch.no_grad():
        for t in range(x.shape[1]):
            for d in range(x.shape[2]):
                moved = torch.zeros_like(x)
                moved[:, t, d] = small
                grad[:, t, d] = (losses(x + moved) - losses(x - moved)) / (2 * small)
    assert claim.norms(network, batch) == pytest.approx(grad.square().sum(-1).mean(0).sqrt().flip(0).tolist(), rel=1e-4)


@pytest.mark.parametrize("name", ["rnn, tanh", "rnn, relu", "rnn, leaky relu", "irnn", "lstm", "gru"])
def test_norms_are_those_of_the_formula_step_by_step(name):
    network, batch = tiny(next(entry for entry in claim.entries() if entry.name == name), steps=60)
    double = copy.deepcopy(network).double().eval()
    (kernel,) = double.encoder.layers.kernels
    weight, inward = kernel.weight_hh_l0, kernel.weight_ih_l0
    bias_i = kernel.bias_ih_l0
    bias_h = getattr(kernel, "bias_hh_l0", torch.zeros_like(bias_i))
    x = double.embed(Grid(network.fold(network.scale(batch.x))[0].x.double())).x.detach().requires_grad_()
    h = c = torch.zeros(len(x), 8, dtype=torch.double)
    for cell in x.unbind(1):
        own, back = cell @ inward.T + bias_i, h @ weight.T + bias_h
        if name == "lstm":
            i, f, g, o = (own + back).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        elif name == "gru":
            (r, z, n), (hr, hz, hn) = own.chunk(3, -1), back.chunk(3, -1)
            r, z = (r + hr).sigmoid(), (z + hz).sigmoid()
            h = (1 - z) * (n + r * hn).tanh() + z * h
        else:
            whole = own + back
            h = whole.tanh() if "tanh" in name else torch.where(whole > 0, whole, whole * (0.01 if "leaky" in name else 0.0))
    pool, out = double.head.pool.norm, double.head.out
    loss = double.task.loss(out(pool(x[:, -1] + h, None)), batch.y, double.params).sum()
    grad = torch.autograd.grad(loss, x)[0].square().sum(-1).mean(0).sqrt().flip(0)
    assert claim.norms(network, batch) == pytest.approx(grad.tolist(), rel=1e-4)


@pytest.mark.parametrize("entry", claim.entries(), ids=lambda entry: entry.name)
def test_single_precision_as_networks_train_gives_the_same_norms(entry):
    network, batch = tiny(entry)
    network.eval()
    x = network.embed(network.fold(network.scale(batch.x))[0]).x.detach().requires_grad_()
    loss = network.task.loss(network.head(network.encoder(Grid(x)), batch), batch.y, network.params).sum()
    grad = torch.autograd.grad(loss, x)[0].square().sum(-1).mean(0).sqrt().flip(0)
    assert claim.norms(network, batch) == pytest.approx(grad.tolist(), rel=1e-4, abs=1e-9)


def test_it_is_measured_and_drawn():
    numbers = json.loads(json.dumps(claim.measured(Ask(), steps=10, seeds=2, updates=2, examples=64)))
    assert claim.judge(numbers).verdict in ("holds", "holds if", "does not hold", "cannot tell")
    assert numbers == json.loads(json.dumps(claim.measured(Ask(), steps=10, seeds=2, updates=2, examples=64)))
    assert len(claim.draw(numbers)) == 3
