"""What waits for what? Kernels that wait for one another are counted, and the same cells are timed as many short or few long sequences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.seeds import Mean, geometric

WIDTH = 32
CELLS = 8192                                  # batch × length, always
LENGTHS = (32, 128, 512, 2048, 8192)          # the last: one sequence
COUNTED = (128, 256, 512)
BATCHES, ALONG = (1, 4, 16, 64), 128          # examples at once, of so many steps
THREADS = (1, 2)
DEARER = 1.25                                 # times as long, one sequence beside many short ones: from here on waiting costs
STEP = 1.0                                    # kernels per further step from which on a network waits for each
KINDS: Mapping[str, Sequence[str]] = {
    "convolutions": ("tcn", "fcn"), "recurrences": ("rnn", "lstm", "gru"), "linear recurrences": ("mingru", "lru", "mamba")}


def measure(ask: Ask) -> Numbers:
    import os
    import time
    from functools import partial

    import torch

    from bakeoff import registry
    from bakeoff.claims.clock import quickest, rounds_of
    from bakeoff.cost import count
    from bakeoff.options import cores
    from bakeoff.types import Batch, Grid
    torch.manual_seed(ask.seed)
    found: list[dict[str, Any]] = []
    with torch.inference_mode():
        for kind, names in KINDS.items():
            for name in names:
                ask.say(name)
                family = registry.get("family", name)

                def encoder(steps: int, family: Any = family) -> Any:
                    return family(WIDTH, rank=1, sizes=(steps,), causal=family.can_be_causal).eval()

                def act(batch: int, steps: int, encoder: Any = encoder) -> Any:
                    network, grid = encoder(steps), Grid(torch.randn(batch, steps, WIDTH), None)
                    return partial(network, grid)
                one = {"name": name, "kind": kind, "group": family.group}
                serial, macs = [], 0.0
                for steps in COUNTED:
                    network = encoder(steps)
                    seen = count(network, Batch(Grid(torch.zeros(1, steps, WIDTH)), None, [""], {}), partial(told, network))
                    serial.append(seen.calls + seen.serial)
                    macs = seen.macs / steps
                one |= {"serial": serial, "macs per step": macs}
                by_length = rounds_of([act(CELLS // steps, steps) for steps in LENGTHS], rounds=5, clock=time.thread_time)
                one["by length"] = [min(seconds) for seconds in by_length]
                one["stretches"] = [long / short for short, long in zip(by_length[0], by_length[-1], strict=True)]
                one["by batch"] = quickest([act(batch, ALONG) for batch in BATCHES], rounds=5, clock=time.thread_time)
                one["by threads"] = []
                for threads in THREADS:
                    torch.set_num_threads(threads)
                    one["by threads"] += quickest([act(CELLS // 128, 128)], rounds=5)
                torch.set_num_threads(1)
                found.append(one)
    return {"networks": found, "load": os.getloadavg()[0], "cores": cores()}


def told(network: Any, batch: Any) -> Any:
    """A pass as the counter asks for it."""
    return network(batch.x)


def per_step(one: Mapping[str, Any]) -> float:
    """Kernels that each further step adds to what goes one after the other."""
    return float((one["serial"][-1] - one["serial"][0]) / (COUNTED[-1] - COUNTED[0]))


def stretch(one: Mapping[str, Any]) -> float:
    """How many times as long one long sequence takes as many short ones, the cells being the same."""
    return float(one["by length"][-1] / one["by length"][0])


def stretches(one: Mapping[str, Any]) -> Mean:
    """The same, round by round: geometric mean and interval."""
    return geometric([math.log(ratio) for ratio in one["stretches"]])


def judge(numbers: Numbers) -> Finding:
    """A network goes at once where further steps add no kernels and length costs no time; it waits where both are otherwise."""
    ways: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for one in numbers["networks"]:
        adds, dearer = per_step(one) >= STEP, stretch(one) > DEARER
        ways[one["kind"]].append("waits" if adds and dearer else "at once" if not adds and not dearer else "blocks" if dearer else "between")
    times = {kind: [stretch(one) for one in numbers["networks"] if one["kind"] == kind] for kind in KINDS}
    sentence = (f"{CELLS:,} cells as one sequence instead of {CELLS // LENGTHS[0]} short ones take " + ", ".join(
        f"{min(found):.2g} to {max(found):.2g} times as long in {kind}" for kind, found in times.items())
        + "; a further step adds " + ", ".join(f"{per_step(one):.2g} ({one['name']})" for one in numbers["networks"])
        + " kernels that wait for one another.")
    least = min((one for one in numbers["networks"] if one["kind"] == "recurrences"), key=per_step)
    what = f"kernels that wait, per further step, in the recurrence with the fewest ({least['name']}); in a convolution " \
           f"{max(per_step(one) for one in numbers['networks'] if one['kind'] == 'convolutions'):.2g}"
    value = per_step(least)
    single = stretches(least)
    sentence += f" In {least['name']} length costs {single.value:.2f} times the time [{single.low:.2f}, {single.high:.2f}], over rounds."
    first, second, third = (set(ways[kind]) for kind in KINDS)
    if first == {"at once"} and second == {"waits"} and third == {"waits"}:
        return Finding("holds", sentence, what, value)
    if first == {"at once"} and second == {"waits"} and "waits" not in third:
        return Finding("holds if", sentence, what, value, condition=(
            f"a step's memory passes through a nonlinear function ({', '.join(KINDS['recurrences'])}); where it is linear in the one before "
            f"({', '.join(KINDS['linear recurrences'])}), blocks of steps are computed side by side (which is counted: by the clock one long "
            "sequence costs them more than many short ones too)"))
    if "waits" in first or "waits" not in second:
        return Finding("does not hold", sentence, what, value)
    return Finding("cannot tell", sentence, what, value, condition="a quieter machine: counted and measured do not agree on some networks")


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Bar, Line, bars, lines
    networks = numbers["networks"]
    waits = Plot(
        "The same cells, cut into longer and longer sequences", f"Every point is the same work: {CELLS:,} cells. Convolutions stay level. A "
            f"recurrence has "
        "ever fewer sequences to do side by side and ever more steps to wait for, and rises. How much depends on what launching a step costs: "
        "the LSTM is one kernel with its loop inside, the GRU five kernels a step. Linear recurrences (dashed) read blocks of steps side by side.",
        lines([Line(one["name"], one["group"], [(steps, 1e3 * seconds) for steps, seconds in zip(LENGTHS, one["by length"], strict=True)],
                    dashed=one["kind"] == "linear recurrences") for one in networks],
              across="steps per sequence", upward="time of a pass, ms (dashed: linear recurrences)", log_across=True, log_upward=True),
        ["network", *(f"{steps:,} steps, ms" for steps in LENGTHS), "last over first"],
        [[one["name"], *(f"{1e3 * seconds:.3g}" for seconds in one["by length"]), f"{stretch(one):.2f}"] for one in networks])
    counted = Plot(
        "Kernels that one more step adds, counted", "Nothing for a convolution: it launches the same kernels for any length. At least one per "
                                                    "step where a "
        "step needs the one before; a small part of one where blocks of 16 linear steps are read side by side.",
        bars([Bar(one["name"], one["group"], per_step(one)) for one in networks], across="kernels one after the other, per further step"),
        ["network", *(f"{steps} steps" for steps in COUNTED), "per step"],
        [[one["name"], *(f"{number:,}" for number in one["serial"]), f"{per_step(one):.2f}"] for one in networks])
    gains = {one["name"]: BATCHES[-1] * one["by batch"][0] / one["by batch"][-1] for one in networks}
    batch = Plot(
        "What reading many examples at once gains", f"A recurrence cannot read its own steps side by side, but it can read other examples. "
                                                    f"{extremes(gains)} On a single example {rates(networks)}",
        lines([Line(one["name"], one["group"], [(many, one["by batch"][0] * many / seconds) for many, seconds in
                                                zip(BATCHES, one["by batch"], strict=True)], dashed=one["kind"] == "linear recurrences")
               for one in networks], across=f"examples at once, of {ALONG} steps", upward="times as many examples a second as one by "
                   "one", log_across=True,
              log_upward=True),
        ["network", *(f"{many} at once, ms" for many in BATCHES)],
        [[one["name"], *(f"{1e3 * seconds:.3g}" for seconds in one["by batch"])] for one in networks])
    shared = {one["name"]: one["by threads"][0] / one["by threads"][1] for one in networks}
    threads = Plot(
        "What a second thread gains", f"Two threads share the cells of one kernel: it pays where kernels are large. {extremes(shared)} Time by the "
                                      f"clock, which other processes disturb (load {numbers['load']:.1f} on {numbers['cores']} cores): the rule "
                                      "does not look at it.",
        bars([Bar(one["name"], one["group"], shared[one["name"]]) for one in networks],
             across="times as fast with two threads as with one"),
        ["network", *(f"{number} thread{'s' if number > 1 else ''}, ms" for number in THREADS)],
        [[one["name"], *(f"{1e3 * seconds:.3g}" for seconds in one["by threads"])] for one in networks])
    return [waits, counted, batch, threads]


def extremes(gains: Mapping[str, float]) -> str:
    """Who gains most and least."""
    least, most = min(gains, key=gains.__getitem__), max(gains, key=gains.__getitem__)
    return f"{most} gains most ({gains[most]:.2g} times), {least} least ({gains[least]:.2g})."


def rates(networks: Sequence[Mapping[str, Any]]) -> str:
    """Multiply-adds a second on one example, gated beside plain."""
    found = {one["name"]: one["macs per step"] * ALONG / one["by batch"][0] for one in networks}
    return ", ".join(f"{name} does {found[name] / found['rnn']:.2g} times as many multiply-adds a second as rnn" for name in ("lstm", "gru")) + "."


def answers(numbers: Numbers) -> list[str]:
    adds = {one["name"]: per_step(one) for one in numbers["networks"]}
    return [f"{', '.join(f'{adds[name]:.2g} ({name})' for name in KINDS['recurrences'])} kernels wait per further step.",
            f"Over examples: with {BATCHES[-1]} at once " + ", ".join(
                f"{one['name']} reads {BATCHES[-1] * one['by batch'][0] / one['by batch'][-1]:.2g} times as many a second"
                for one in numbers["networks"] if one["name"] in ("lstm", "gru")) + ".",
            f"{', '.join(f'{adds[name]:.2g} ({name})' for name in KINDS['linear recurrences'])} kernels at each further step."]


CLAIM = Claim(
    id="parallelism",
    statement="The steps of a recurrent network cannot be computed in parallel, the positions of a convolution can",
    asserted=(
        Said("Each step needs the state of the step before, so recurrent networks cannot be parallelised over time.", "textbooks"),
        Said("Gated recurrent networks can be parallelised to some extent.", "a comparison article"),
        Said("Recurrences that are linear in their state can be trained with a parallel scan.", "research papers since 2018")),
    experiment=f"{CELLS:,} cells of width {WIDTH} are read as {CELLS // LENGTHS[0]} sequences of {LENGTHS[0]} steps, then as fewer and longer ones, "
               "down to a single one: the same work each time. Timed is what one thread computes. Beside it, kernels that go one after the other "
               "are counted, and batches and a second thread are tried.",
    rule=f"A network waits if every further step adds at least {STEP:.0f} kernel that waits for another, and one long sequence takes more than "
         f"{DEARER} times as long as many short ones; it goes at once if neither is so. Holds if all convolutions go at once and all recurrences "
         "wait, holds if … where recurrences with linear memory do not, does not hold if a convolution waits or no recurrence does.",
    limits="A CPU and small networks: on a GPU launching costs more, and serial steps lose more. Linear recurrences are computed here in blocks; a "
           "scan by doubling would need log T steps.",
    changed="The rule looked at first at the exponent of time over all lengths; a run showed that an LSTM, one kernel with its loop inside, hides "
            "its waiting until a single sequence is left, so the longest is now held against the shortest. The number was the time that the "
            "recurrence loses; since linear recurrences lose as much without waiting, it is now what is counted.",
    measure=measure, judge=judge, draw=draw, answers=answers)
