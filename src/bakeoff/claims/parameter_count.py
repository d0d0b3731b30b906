"""Who has fewer parameters, who needs fewer, and do longer sequences ask for more?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.powers import exponent
from bakeoff.claims.seeds import geometric, mean_of
from bakeoff.report.format import percent

LENGTHS, WIDTHS = (32, 128, 512, 2048), (4, 8, 16, 32)
NETWORKS: Mapping[str, Sequence[str]] = {"conv": ("resnet", "fcn"), "recurrent": ("gru", "lstm")}
TASKS = {"digits": "pictures (digits)", "vowels": "sequences (vowels)"}
TARGET = 0.9                                  # accuracy that is to be reached
SEEDS, STEPS, BATCH = 3, 150, 32
FEW = 0.05                                    # exponent of parameters against length below which length asks for no more


def measure(ask: Ask) -> Numbers:
    return measured(ask, seeds=SEEDS, steps=STEPS, widths=WIDTHS)


def measured(ask: Ask, *, seeds: int, steps: int, widths: Sequence[int]) -> dict[str, Any]:
    from bakeoff.claims.counting import counted
    from bakeoff.claims.trained import Entry, fitted, setting
    from bakeoff.options import Options
    from bakeoff.session import load_data
    from bakeoff.train import loop
    lengths = [{"name": name, "group": group, "points": [[length, counted(name, (length,), 3, {"fold": "keep", "width": 32})["parameters"]]
                                                         for length in LENGTHS]} for group, names in NETWORKS.items() for name in names]
    reached = []
    for task_name in TASKS:
        loaded = load_data(f"sample:{task_name}", Options())
        task = loaded.make_task()
        assert loaded.splits.test is not None
        train, test = (split.collate(task.collate) for split in (loaded.splits.train, loaded.splits.test))
        for group, names in NETWORKS.items():
            for name in names:
                ask.say(f"{task_name}: {name}")
                entry, points = Entry(name, name), []
                for width in widths:
                    params = setting(entry, loaded.spec, task, width=width, batch=BATCH)
                    right = []
                    for seed in range(ask.seed * 1000, ask.seed * 1000 + seeds):
                        network, _ = fitted(entry, train, task, params, steps=steps, seed=seed)
                        right.append(loop.evaluate(network, test, task)[0])
                    points.append({"parameters": network.parameter_count(), "accuracy": right})
                reached.append({"task": task_name, "name": name, "group": group, "points": points})
    return {"lengths": lengths, "reached": reached, "steps": steps}


def needed(points: Sequence[Mapping[str, Any]], seed: int) -> float:
    """Parameters at which a network first reaches TARGET, between two widths on a straight line in log parameters; twice the most that was
    tried where it never does, the fewest that were tried where all do."""
    found = [(math.log(point["parameters"]), point["accuracy"][seed]) for point in points]
    if found[0][1] >= TARGET:
        return math.exp(found[0][0])
    for (small, below), (large, above) in pairwise(found):
        if below < TARGET <= above:
            return math.exp(small + (large - small) * (TARGET - below) / (above - below))
    return 2 * math.exp(found[-1][0])


def ratios(numbers: Numbers, task: str) -> list[float]:
    """Per seed the log of how many times as many parameters the best recurrent network needs as the best convolutional one."""
    seeds = len(numbers["reached"][0]["points"][0]["accuracy"])

    def least(group: str, seed: int) -> float:
        return min(needed(one["points"], seed) for one in numbers["reached"] if (one["task"], one["group"]) == (task, group))
    return [math.log(least("recurrent", seed) / least("conv", seed)) for seed in range(seeds)]


def judge(numbers: Numbers) -> Finding:
    """Three parts: convolutions need fewer on each task (the interval of the ratio above 1), and recurrent networks need more for
    longer sequences."""
    growth = [exponent(one["points"]).value for one in numbers["lengths"] if one["group"] == "recurrent"]
    grows = max(growth) > FEW
    times = {TASKS.get(task, task): geometric(ratios(numbers, task)) for task in dict.fromkeys(one["task"] for one in numbers["reached"])}
    shown = [task for task, mean in times.items() if mean.low > 1]
    unknown = [task for task, mean in times.items() if mean.low <= 1 <= mean.high]
    words = " and ".join(f"{one.value:.2g} times [{one.low:.2g}, {one.high:.2g}] on {task}" for task, one in times.items())
    sentence = (f"For {percent(TARGET)} right the best recurrent network needs {words} as many parameters as the best convolutional one. "
                + (f"Longer sequences ask for more parameters, with exponent {max(growth):.2f}." if grows else
                   "Longer sequences ask a recurrent network for no parameters more."))
    told = [*shown, *times][0]
    what = f"times as many parameters for {percent(TARGET)} right, recurrent over convolutional, on {told}"
    number = times[told]
    if len(shown) == len(times) and grows:
        return Finding("holds", sentence, what, *number)
    seeds = len(ratios(numbers, numbers["reached"][0]["task"]))
    open_half = f"; on {' and '.join(unknown)} the interval holds 1, so that {seeds} seeds do not tell" if unknown else ""
    other = "" if grows else "; the half about longer sequences does not hold"
    if shown or grows:
        half = f"of {' and '.join(shown)}" if shown else "of longer sequences alone"
        return Finding("holds if", sentence, what, *number, condition=f"it is said {half}{open_half}{other}")
    if unknown:
        return Finding("cannot tell", sentence, what, *number, condition=f"more seeds{open_half}{other}")
    return Finding("does not hold", sentence, what, *number)


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Line, lines
    plots = []
    for task in dict.fromkeys(one["task"] for one in numbers["reached"]):
        shown = [(one, [(point["parameters"], mean_of(point["accuracy"]).within(0, 1)) for point in one["points"]])
                 for one in numbers["reached"] if one["task"] == task]
        plots.append(Plot(
            f"Accuracy against parameters, {TASKS.get(task, task)}",
            f"Where a line crosses {percent(TARGET)} is what that network needs: further left is fewer. Four widths, each trained for "
            f"{numbers['steps']} steps from the same starting settings; bars are 95 % intervals over seeds.",
            lines([Line(one["name"], one["group"], [(size, mean.value) for size, mean in points],
                        [(max(0.0, mean.low), min(1.0, mean.high)) for _, mean in points]) for one, points in shown],
                  across="parameters", upward="accuracy on test examples", log_across=True, level=(TARGET, f"{percent(TARGET)} right")),
            ["network", "parameters", "accuracy", "95 % interval"],
            [[one["name"], f"{size:,}", f"{mean.value:.3f}", f"{mean.low:.3f} – {mean.high:.3f}"] for one, points in shown for size, mean in points]))
    plots.append(Plot(
        "Parameters against length", "Level: a recurrent network uses the same weights at every step, however many there are. What grows with "
                                     "length is its work and its memory while training, which other claims measure.",
        lines([Line(one["name"], one["group"], [tuple(point) for point in one["points"]]) for one in numbers["lengths"]], across="steps of the "
            "series",
              upward="parameters, width 32", log_across=True),
        ["network", *(f"{length:,} steps" for length in LENGTHS)],
        [[one["name"], *(f"{size:,}" for _, size in one["points"])] for one in numbers["lengths"]]))
    return plots


def answers(numbers: Numbers) -> list[str]:
    growth = max(exponent(one["points"]).value for one in numbers["lengths"] if one["group"] == "recurrent")
    ways = {True: "convolutional", False: "recurrent", None: "not known"}
    fewer = {TASKS.get(task, task): ways[True if times.low > 1 else False if times.high < 1 else None]
             for task in TASKS for times in [geometric(ratios(numbers, task))]}
    found = f"Fewer for {percent(TARGET)} right: {', '.join(f'{who} on {task}' for task, who in fewer.items())}."
    return [found, found, f"{'No' if growth < FEW else 'Yes'}: exponent {growth:.2f}."]


CLAIM = Claim(
    id="parameter-count",
    statement="Convolutional networks have fewer parameters than recurrent ones, and recurrent ones need more for longer sequences",
    asserted=(
        Said("Convolutional networks need fewer parameters, since filters are shared.", "a comparison article"),
        Said("Recurrent networks need fewer parameters, since one cell serves all steps.", "a vendor's page"),
        Said("The number of parameters of a recurrent network grows with the length of the sequence.", "a comparison article")),
    experiment=f"Two convolutional (resnet, fcn) and two recurrent networks (gru, lstm), four widths each, are trained alike ({STEPS} steps of "
               f"{BATCH} examples, {SEEDS} seeds) on pictures of digits and on spoken vowels as series of 7 to 29 steps; what counts is how many "
               f"parameters first reach {percent(TARGET)} right. Beside it, parameters are counted for series of 32 to 2,048 steps.",
    rule="Per task: convolutions need fewer if the interval of the ratio, recurrent over convolutional (the best of each, seed by seed), lies "
         "above 1, more if it lies below; a network that never gets there counts with twice the most that was tried. Longer sequences "
         f"ask for more if the exponent of parameters against length is above {FEW}. Holds if all of this is so, holds if … for the parts that "
         "are; does not hold if all are otherwise, cannot tell if none is so and a task's interval holds 1.",
    limits="Two small tasks and one learning rate for all; convolutions here are separable, which makes them three to nine times smaller than plain "
           "ones. Between two widths the number is read from a straight line.",
    changed="That an interval which holds 1 decides nothing (it had counted against the claim), and which ratio stands as the number, was settled "
            "after the run with seed 0.",
    measure=measure, judge=judge, draw=draw, answers=answers)
