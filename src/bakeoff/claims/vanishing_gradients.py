"""Do plain recurrent networks lose gradients over time, and do gates help? The norm of ∂loss/∂x_t is taken at every step t."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bakeoff import registry
from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.seeds import Mean, mean_of
from bakeoff.report.format import listing

if TYPE_CHECKING:
    from bakeoff.nn.network import Network
    from bakeoff.types import Batch

STEPS = 60
WIDTH = 32
SEEDS, UPDATES = 4, 250
LOST = -math.log(10) / STEPS                  # slope with which a tenth is left at the other end
MOMENTS = {"start": "before training", "trained": "after a short training"}
PLAIN, GATED = "rnn, tanh", ("lstm", "gru")
FLOOR = 1e-300                                # what a gradient of exactly 0 counts as


def entries() -> list[Any]:
    from bakeoff.claims.trained import Entry
    return [Entry(PLAIN, "rnn"), Entry("rnn, relu", "rnn", {"rnn.unit": "relu"}), Entry("rnn, leaky relu", "rnn", {"rnn.unit": "leaky_relu"}),
            *(Entry(name, name) for name in ("irnn", "lstm", "gru")), Entry("tcn", "tcn", {"tcn.depth": 5}), Entry("transformer", "transformer")]


def norms(network: Network, batch: Batch) -> list[float]:
    """‖∂loss/∂x_t‖ by lag, the last step first: root of the mean square over the batch, x_t being the cell as the encoder is given it.

    In double precision: after some steps a gradient may be smaller than single precision has numbers.
    """
    import copy

    import torch

    from bakeoff.types import Grid
    double = copy.deepcopy(network).double().eval()
    cells, _ = network.fold(network.scale(batch.x))
    x = double.embed(Grid(cells.x.double(), cells.valid)).x.detach().requires_grad_()
    loss = double.task.loss(double.head(double.encoder(Grid(x, cells.valid)), batch), batch.y, double.params)
    (grad,) = torch.autograd.grad(loss.sum(), x)
    return [max(FLOOR, value) for value in grad.square().sum(-1).mean(0).sqrt().flip(0).tolist()]


def measure(ask: Ask) -> Numbers:
    return measured(ask, steps=STEPS, seeds=SEEDS, updates=UPDATES, examples=4000)


def measured(ask: Ask, *, steps: int, seeds: int, updates: int, examples: int) -> dict[str, Any]:
    import numpy as np

    from bakeoff.claims.problems import marked
    from bakeoff.claims.trained import COMMON, fitted, made, network_of, setting
    from bakeoff.train import loop
    task, chance = registry.get("task", "classify")(), np.random.default_rng(ask.seed)
    train = made(*marked(examples, steps, chance), task)
    test = made(*marked(500, steps, chance), task, like=train)
    seen, found = test.take(range(64)), []
    for entry in entries():
        ask.say(entry.name)
        params = setting(entry, train.spec, task, **COMMON, width=WIDTH, batch=32)
        curves: dict[str, list[list[float]]] = {"start": [], "trained": []}
        right = []
        for seed in range(ask.seed * 1000, ask.seed * 1000 + seeds):
            curves["start"].append(norms(network_of(entry, train.spec, task, params, seed), seen))
            network, _ = fitted(entry, train, task, params, steps=updates, seed=seed)
            curves["trained"].append(norms(network, seen))
            right.append(loop.evaluate(network, test, task)[0])
        found.append({"name": entry.name, "group": entry.group, "accuracy": right, **curves})
    return {"steps": steps, "networks": found}


def slope(curve: Sequence[float]) -> float:
    """Change of the log of the norm per step of lag, by least squares from lag 1 on. Lag 0 is read without a recurrence."""
    lags = range(1, len(curve))
    logs = [math.log(curve[lag]) for lag in lags]
    middle, height = sum(lags) / len(lags), sum(logs) / len(logs)
    return sum((lag - middle) * (log - height) for lag, log in zip(lags, logs, strict=True)) / sum((lag - middle) ** 2 for lag in lags)


def slopes(numbers: Numbers, moment: str) -> dict[str, list[float]]:
    return {one["name"]: [slope(curve) for curve in one[moment]] for one in numbers["networks"]}


def judge(numbers: Numbers) -> Finding:
    """For each moment and gate: shown where the plain network loses (its whole interval under LOST) and the gated one less (that of the
    difference over 0); refuted where either is the other way round."""
    shown, open_cases, words = [], [], []
    for moment, when in MOMENTS.items():
        found = slopes(numbers, moment)
        plain = mean_of(found[PLAIN])
        for name in GATED:
            less = gain(found, name)
            if plain.high < LOST and less.low > 0:
                shown.append((moment, name))
            elif not (plain.low > LOST or less.high < 0):
                open_cases.append((moment, name))
        gated = " and ".join(f"{left(mean_of(found[name]))} in {name}" for name in GATED)
        words.append(f"{when} its norm is times {left(plain)} in the plain network, {gated}")
    after = slopes(numbers, "trained")
    value = Mean(*(math.exp(end) for end in gain(after, "lstm")))
    rest = {name: math.exp(mean_of(slopes(numbers, "start")[name]).value * numbers["steps"]) for name in GATED}
    sentence = (f"With every step that a gradient goes back, {'; '.join(words)} (95 % intervals over networks). Gates slow the loss, they do not end "
                f"it: before training, over {numbers['steps']} steps, "
                f"{listing(f'{100 * share:.2g} % is left in {name}' for name, share in rest.items())}.")
    asked = f"times as much of a gradient is kept per step by lstm as by {PLAIN}, after training"
    if len(shown) == len(MOMENTS) * len(GATED):
        return Finding("holds", sentence, asked, *value)
    if shown:
        cases = "; ".join(f"{' and '.join(name for at, name in shown if at == moment)} {when}" for moment, when in MOMENTS.items()
                          if any(at == moment for at, _ in shown))
        return Finding("holds if", sentence, asked, *value, condition=f"it is said of {cases}")
    if open_cases:
        return Finding("cannot tell", sentence, asked, *value, condition="more seeds: the intervals meet")
    return Finding("does not hold", sentence, asked, *value)


def gain(found: Mapping[str, Sequence[float]], name: str) -> Mean:
    """How much flatter the gated network's gradient falls, seed by seed."""
    return mean_of([gated - plain for gated, plain in zip(found[name], found[PLAIN], strict=True)])


def left(fall: Mean) -> str:
    return f"{math.exp(fall.value):.3f} [{math.exp(fall.low):.3f}, {math.exp(fall.high):.3f}]"


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Bar, Line, bars, lines
    plots = []
    for moment, when in MOMENTS.items():
        middle = {one["name"]: typical(one[moment]) for one in numbers["networks"]}
        order = sorted(middle, key=lambda name: middle[name][-1], reverse=True)
        right = {one["name"]: "{:.2f} [{:.2f}, {:.2f}]".format(*mean_of(one["accuracy"]).within(0, 1)) for one in numbers["networks"]}
        groups = {one["name"]: one["group"] for one in numbers["networks"]}
        shown = [Line(name, groups[name], [(lag, max(norm, 1e-16)) for lag, norm in enumerate(curve) if lag]) for name, curve in middle.items()]
        few = [lag for lag in (1, 5, 15, 30, 59) if lag < numbers["steps"]]
        plots.append(Plot(
            f"The gradient that reaches a step, {when}",
            "A straight line that falls loses the same share at every step; a level one loses nothing. "
            f"{numbers['steps'] - 1} steps back, from most to least: {', '.join(order)}. Below 10⁻¹⁶, where no step of training notices it, a line "
            "is drawn at the foot.",
            lines(shown, across="steps back from the answer", upward="norm of ∂loss/∂x", log_upward=True),
            ["network", *(f"lag {lag}" for lag in few), *(["right answers"] if moment == "trained" else [])],
            [[name, *(f"{curve[lag]:.1e}" for lag in few), *([right[name]] if moment == "trained" else [])] for name, curve in middle.items()]))
    rows, shares = [], []
    for moment, when in MOMENTS.items():
        for one in numbers["networks"]:
            alive = passing(one[moment])
            note = "" if len(alive) == len(one[moment]) else f" ({len(alive)} of {len(one[moment])})"
            if len(alive) > 1:
                mean = mean_of([slope(curve) for curve in alive])
                if moment == "trained":
                    shares.append(Bar(one["name"] + note, one["group"], *(math.exp(end) for end in mean)))
                rows.append([one["name"], when, left(mean) + note])
            else:
                rows.append([one["name"], when, f"nothing is left in {len(one[moment]) - len(alive)} of {len(one[moment])}"])
    plots.append(Plot("What is left of a gradient from one step to the next, after training",
                      "1 keeps all of it; .9 leaves a tenth after 22 steps, .7 after 7. In brackets: so many of the networks pass any gradient "
                      "at all.",
                      bars(shares, across="factor per step"), ["network", "when", "factor per step, 95 % interval"], rows))
    return plots


def typical(curves: Sequence[Sequence[float]]) -> list[float]:
    """The median over seeds, lag by lag: one network whose gradient is 0 would take a mean of logs to the foot."""
    return [statistics.median(lag) for lag in zip(*curves, strict=True)]


def passing(curves: Sequence[Sequence[float]]) -> list[Sequence[float]]:
    """Those that pass a gradient at all: of ReLUs that all stand at a bound nothing is left, at any lag alike."""
    return [curve for curve in curves if max(curve[1:]) > FLOOR]


def answers(numbers: Numbers) -> list[str]:
    kept = {name: math.exp(mean_of(some).value) for name, some in slopes(numbers, "start").items()}
    return [f"Per step {kept[PLAIN]:.2f} of it is left in {PLAIN}, {kept['lstm']:.2f} in lstm and {kept['gru']:.2f} in gru, before training.",
            f"Per step {kept['tcn']:.2f} of it is left in tcn, a convolution.",
            f"Over {numbers['steps']} steps {100 * kept['lstm'] ** numbers['steps']:.2g} % (lstm) and "
            f"{100 * kept['gru'] ** numbers['steps']:.2g} % (gru) are left before training.",
            f"Per step {kept['rnn, relu']:.2f} of it is left with ReLU, {kept['rnn, leaky relu']:.2f} with leaky ReLU, {kept[PLAIN]:.2f} with tanh; "
            f"{kept['irnn']:.2f} where ReLUs start from the identity."]


CLAIM = Claim(
    id="vanishing-gradients",
    statement="Plain recurrent networks lose gradients over time; gates mitigate it.",
    asserted=(
        Said("In a simple recurrent network the gradient shrinks exponentially with the distance in time; gates give it a path on which it lasts.",
             "a textbook"),
        Said("Recurrent networks suffer from vanishing gradients, convolutional networks do not.", "a comparison article"),
        Said("LSTM and GRU solve the vanishing gradient problem.", "a tutorial"),
        Said("ReLU solves the vanishing gradient problem, leaky ReLU the dying ReLU besides.", "a tutorial"),
    ),
    experiment=f"Networks of width {WIDTH} read {STEPS} steps one way and answer after the last which symbol was marked, at a step that may be "
               f"any. The norm of the gradient of that answer's loss is taken at every step, in double precision, of {SEEDS} networks each: as "
               f"they start, and after {UPDATES} updates of 32 examples.",
    rule=f"Slope of the log norm against lag, 95 % interval over seeds. A network loses gradients where less than a tenth is left after {STEPS} "
         "steps (the whole interval); a gate mitigates it where its slope is flatter, seed by seed, interval above 0. Holds where both are so for "
         "lstm and gru, at the start and after training; holds if: for some of these; does not hold where each of them is the other way round.",
    limits="One length, one width, one task and each family's own starting weights (recurrent matrices orthogonal, gates biased by 1 to "
           "remember): a bias of 0 would lose more, a bias of 5 less. All train at the same rate, at which some networks of ReLUs stand at a "
           "bound afterwards and pass nothing. That gradients arrive does not say that they help: long-memory asks for that.",
    measure=measure, judge=judge, draw=draw, answers=answers)
