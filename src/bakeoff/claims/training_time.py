"""Is training a recurrent network slower? Seconds per epoch by length, and seconds to the same accuracy, at about equal parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff import registry
from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.seeds import Mean, geometric
from bakeoff.report.format import listing

PARAMETERS, BATCH, EPOCH = 10_000, 32, 1000
LENGTHS, REPEATS, TIMED = (32, 128, 512), 4, 2
SEEDS, UPDATES, LOOKS, LEARNT, STEPS = 3, 120, 12, 0.9, 64
RECURRENT, CONVOLUTIONS = ("rnn", "lstm", "gru"), ("tcn", "resnet", "textcnn")
BESIDE = ("mingru", "transformer")            # shown, not part of the rule
PROBLEMS = {"tooth": "a tooth in noise", "marked": "a marked symbol"}


def measure(ask: Ask) -> Numbers:
    return measured(ask, lengths=LENGTHS, repeats=REPEATS, seeds=SEEDS, updates=UPDATES, parameters=PARAMETERS)


def measured(ask: Ask, *, lengths: Sequence[int], repeats: int, seeds: int, updates: int, parameters: int) -> dict[str, Any]:
    from bakeoff.claims.trained import Entry
    entries = [Entry(name, name) for name in (*RECURRENT, *CONVOLUTIONS, *BESIDE)]
    found: dict[str, dict[str, Any]] = {entry.name: {"name": entry.name, "group": entry.group, "epoch": {}, "reached": {}} for entry in entries}
    for length in lengths:
        ask.say(f"seconds per epoch at length {length}")
        per_epoch(ask.seed, length, repeats, parameters, entries, found)
    for problem, words in PROBLEMS.items():
        ask.say(f"seconds to an accuracy of {LEARNT:g}: {words}")
        to_accuracy(ask.seed, problem, seeds, updates, parameters, entries, found)
    return {"lengths": list(lengths), "networks": list(found.values())}


def per_epoch(seed: int, length: int, repeats: int, parameters: int, entries: Sequence[Any], found: Mapping[str, dict[str, Any]]) -> None:
    """Adds seconds for 1,000 examples, `repeats` times, one network after another within each, so that what else the machine does
    meets all of them alike."""
    import numpy as np

    from bakeoff.claims.problems import marked
    from bakeoff.claims.trained import fitted, made, setting, width_for
    task = registry.get("task", "classify")()
    train = made(*marked(BATCH * (TIMED + 1), length, np.random.default_rng(seed)), task)
    settings = {}
    for entry in entries:
        params = setting(entry, train.spec, task, fold="keep", batch=BATCH)
        settings[entry.name] = {**params, "width": width_for(parameters, entry, train.spec, task, params)}
    for repeat in range(repeats + 1):                                        # the first warms up
        for entry in entries:
            _, course = fitted(entry, train, task, settings[entry.name], steps=TIMED, seed=seed)
            if repeat and course is not None:
                found[entry.name]["epoch"].setdefault(str(length), []).append(course.seconds * EPOCH / course.examples)


def to_accuracy(seed: int, problem: str, seeds: int, updates: int, parameters: int, entries: Sequence[Any],
                found: Mapping[str, dict[str, Any]]) -> None:
    """Adds [seconds, whether it got there] for each seed: until a look at validation finds LEARNT; else those of the whole training."""
    import numpy as np

    from bakeoff.claims.problems import marked, toothed
    from bakeoff.claims.trained import fitted, made, setting, width_for
    draw = {"tooth": toothed, "marked": marked}[problem]
    task, chance = registry.get("task", "classify")(), np.random.default_rng(seed)
    train = made(*draw(BATCH * 100, STEPS, chance), task)
    val = made(*draw(200, STEPS, chance), task, like=train)
    for number in range(seeds):
        for entry in entries:
            params = setting(entry, train.spec, task, fold="keep", batch=BATCH)
            params["width"] = width_for(parameters, entry, train.spec, task, params)
            _, course = fitted(entry, train, task, params, steps=updates, seed=1000 * seed + number, val=val, looks=LOOKS)
            there = None if course is None else next((point.seconds for point in course.curve if point.value >= LEARNT), None)
            spent = math.nan if course is None else course.seconds
            found[entry.name]["reached"].setdefault(problem, []).append([spent if there is None else there, there is not None])


def ratios(numbers: Numbers) -> dict[str, Mean]:
    """What was compared → how many times as long recurrent networks took as convolutional ones (geometric means of three each), with
    its 95 % interval over repeats or seeds, each of which has its own ratio."""
    networks = {one["name"]: one for one in numbers["networks"]}

    def ratio(seconds: Mapping[str, Sequence[float]]) -> Mean:
        def log(names: Sequence[str], turn: int) -> float:
            return sum(math.log(seconds[name][turn]) for name in names) / len(names)
        turns = range(len(seconds[RECURRENT[0]]))
        return geometric([log(RECURRENT, turn) - log(CONVOLUTIONS, turn) for turn in turns])
    found = {f"an epoch at length {length}": ratio({name: one["epoch"][str(length)] for name, one in networks.items()})
             for length in numbers["lengths"]}
    for problem, words in PROBLEMS.items():
        found[f"{LEARNT:g} right on {words}"] = ratio({name: [seconds for seconds, _ in one["reached"][problem]] for name, one in networks.items()})
    return found


def judge(numbers: Numbers) -> Finding:
    """Slower where the whole interval of the ratio lies above 1, quicker where below."""
    found = ratios(numbers)
    slower, quicker = ([what for what, mean in found.items() if test(mean)] for test in (lambda mean: mean.low > 1, lambda mean: mean.high < 1))
    longest = found[f"an epoch at length {numbers['lengths'][-1]}"]
    what = f"seconds per epoch at length {numbers['lengths'][-1]}, recurrent over convolutional"
    sentence = "Recurrent networks took " + ", ".join(f"{mean.value:.2g} [{mean.low:.2g}, {mean.high:.2g}] times as long for {what}"
                                                      for what, mean in found.items()) + ", on one core at equal parameters." + otherwise(numbers)
    if len(slower) == len(found):
        return Finding("holds", sentence, what, *longest)
    if slower:
        return Finding("holds if", sentence, what, *longest, condition=(
            f"it is said of {listing(slower)} (not shown for {listing([what for what in found if what not in slower])})"))
    if quicker:
        return Finding("does not hold", sentence, what, *longest)
    return Finding("cannot tell", sentence, what, *longest, condition="more repeats on a quieter machine: every interval holds 1")


def otherwise(numbers: Numbers) -> str:
    """Recurrent networks that are quicker than a convolutional one, an epoch at the longest length."""
    length = numbers["lengths"][-1]
    spent = {one["name"]: times(one["epoch"][str(length)]).value for one in numbers["networks"]}
    pairs = [f"{name} is quicker than {listing(slow)}" for name in RECURRENT
             if (slow := [other for other in CONVOLUTIONS if spent[name] < spent[other]])]
    return f" One by one, an epoch at length {length}: {'; '.join(pairs)}." if pairs else ""


def times(seconds: Sequence[float]) -> Mean:
    return geometric([math.log(one) for one in seconds])


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Bar, Line, bars, lines
    lengths, networks = numbers["lengths"], numbers["networks"]
    epochs = {one["name"]: [times(one["epoch"][str(length)]) for length in lengths] for one in networks}
    shown = [Line(one["name"], one["group"], [(length, mean.value) for length, mean in zip(lengths, epochs[one["name"]], strict=True)],
                  [(mean.low, mean.high) for mean in epochs[one["name"]]]) for one in networks]
    ranked = sorted(epochs, key=lambda name: epochs[name][-1].value)
    plots = [Plot(f"Seconds for {EPOCH:,} examples, by length",
                  "A line of slope 1 (ten times the steps, ten times the seconds) costs the same per step, however long the sequence; a steeper "
                  f"one costs more with every further step. At {lengths[-1]} steps, from the quickest: {', '.join(ranked)}.",
                  lines(shown, across="steps", upward="seconds per 1,000 examples", log_across=True, log_upward=True),
                  ["network", *(f"{length} steps" for length in lengths)],
                  [[name, *(f"{mean.value:.3g} s [{mean.low:.3g}, {mean.high:.3g}]" for mean in means)] for name, means in epochs.items()])]
    for problem, words in PROBLEMS.items():
        rows, table = [], []
        for one in networks:
            seconds = times([spent for spent, _ in one["reached"][problem]])
            arrived = [there for _, there in one["reached"][problem]]
            count = f"{sum(arrived)} of {len(arrived)}"
            rows.append(Bar(one["name"] if all(arrived) else f"{one['name']} ({count} got there)", one["group"],
                            *seconds))
            table.append([one["name"], f"{seconds.value:.3g} s [{seconds.low:.3g}, {seconds.high:.3g}]", count])
        plots.append(Plot(f"Seconds to {LEARNT:g} right: {words}",
                          "Shorter is sooner. Where a network did not get there, its bar is the whole training, so it would take longer than drawn.",
                          bars(rows, across="seconds"), ["network", "seconds", "got there"], table))
    return plots


def answers(numbers: Numbers) -> list[str]:
    found, length = ratios(numbers), str(numbers["lengths"][-1])
    epoch = {one["name"]: times(one["epoch"][length]).value for one in numbers["networks"]}
    mean = found[f"an epoch at length {length}"]
    return [f"{mean.value:.2g} times as long for an epoch at length {length}, all three together; {epoch['rnn'] / epoch['tcn']:.2g} times for rnn "
            "beside tcn.",
            f"At equal parameters they need less time for an epoch at length {length}, in the mean, not more." if mean.low > 1 else "",
            f"GRU {epoch['gru']:.2f} s, LSTM {epoch['lstm']:.2f} s for {EPOCH:,} examples of {length} steps: here an LSTM is one kernel, a GRU "
            "five a step."]


CLAIM = Claim(
    id="training-time",
    statement="Recurrent training is slower.",
    asserted=(
        Said("Recurrent networks are slow to train, because every step waits for the one before; convolutions are faster.", "a comparison article"),
        Said("Convolutional networks need more computation than recurrent ones.", "a comparison article"),
        Said("A GRU trains faster than an LSTM, having fewer gates.", "a tutorial"),
    ),
    experiment=f"Networks of about {PARAMETERS:,} parameters at their starting settings, every step a cell, batches of {BATCH}, one core. "
               f"Seconds per {EPOCH:,} examples at lengths {', '.join(map(str, LENGTHS))}, timed on {TIMED} updates, {REPEATS} times, in turns. "
               f"Seconds until {LEARNT:g} of 200 validation examples are right, within {UPDATES} updates, {SEEDS} networks each, on two problems of "
               f"{STEPS} steps that all can learn.",
    rule="Ratio of seconds, rnn, lstm and gru over tcn, resnet and textcnn (geometric means), 95 % interval over repeats or seeds. Holds where "
         "all intervals lie above 1: an epoch at each length, and the way to the accuracy on both problems; holds if: where some do; does not "
         "hold where none does and some lie below 1. Networks that did not get there count with their whole training.",
    limits="One core of a processor. A card with thousands of lanes makes convolutions and scans much faster and a step-by-step recurrence "
           "hardly: there the ratios are larger (see parallelism). Starting settings, not tuned ones; other problems need other times.",
    measure=measure, judge=judge, draw=draw, answers=answers)
