"""With what does the cost of a network grow? One factor at a time, multiply-adds counted and seconds measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.powers import exponent, local
from bakeoff.claims.seeds import Mean

NEAR = 0.2                                    # how far a measured exponent may lie from the counted one
GROWS = 0.5                                   # counted exponent from which cost grows with a factor
TIMES = 5.0                                   # saturated: the work takes so many times as long as launching the same kernels on next to nothing
LEAST = 3                                     # saturated points that an exponent is fitted to
BATCH, TINY = 16, 4                           # examples; width of the twin that is nothing but launching
# family, factor as the page says it, its values, and how a value becomes (width, sizes, settings)
CONV, LSTM = "tcn", "lstm"
FACTORS: Sequence[tuple[str, str, Sequence[int], Mapping[str, Any]]] = (
    (CONV, "filter size", (3, 5, 9, 17, 33), {"width": 32, "sizes": (256,), "vary": "kernel", "depth": 1}),
    (CONV, "feature maps", (8, 16, 32, 64, 128, 256), {"sizes": (256,), "vary": "width", "kernel": 5, "depth": 1}),
    (CONV, "length", (16, 32, 64, 128, 256, 512, 1024), {"width": 64, "vary": "length", "kernel": 5, "depth": 1}),
    (CONV, "cells of a picture", (8, 16, 32, 64), {"width": 32, "vary": "side", "depth": 1}),
    (CONV, "depth", (1, 2, 4, 8), {"width": 64, "sizes": (256,), "vary": "depth", "kernel": 5}),
    (LSTM, "hidden size", (8, 16, 32, 64, 128, 256, 512), {"sizes": (64,), "vary": "width", "depth": 1}),
    (LSTM, "length", (8, 16, 32, 64, 128, 256), {"width": 128, "vary": "length", "depth": 1}),
    (LSTM, "depth", (1, 2, 4, 8), {"width": 128, "sizes": (64,), "vary": "depth"}),
)


def at(how: Mapping[str, Any], value: int) -> tuple[int, tuple[int, ...], dict[str, int]]:
    """(width, sizes, settings) where the factor has this value."""
    vary = how["vary"]
    width = value if vary == "width" else how["width"]
    sizes = (value,) if vary == "length" else (value, value) if vary == "side" else how["sizes"]
    settings = {name: value if vary == name else how[name] for name in ("kernel", "depth") if vary == name or name in how}
    return width, sizes, settings


def measure(ask: Ask) -> Numbers:
    import time

    import torch

    from bakeoff import registry
    from bakeoff.claims.clock import quickest
    from bakeoff.cost import count
    from bakeoff.types import Batch, Grid
    torch.manual_seed(ask.seed)
    found = []
    for family, factor, values, how in FACTORS:
        ask.say(f"{family}: {factor}")
        cls, acts, points = registry.get("family", family), [], []
        for value in values:
            width, sizes, settings = at(how, value)
            own = {**settings, **({"separable": False} if family == CONV else {"causal": True})}
            for wide, many in ((width, BATCH), (TINY, 1)):
                encoder = cls(wide, rank=len(sizes), sizes=sizes, **own).eval()
                grid = Grid(torch.randn(many, *sizes, wide), None)
                acts.append(lambda encoder=encoder, grid=grid: encoder(grid))
                if wide == width and many == BATCH:
                    macs = count(encoder, Batch(Grid(grid.x[:1]), None, [""], {}), lambda one, encoder=encoder: encoder(one.x)).macs
                    points.append({"value": value if how["vary"] != "side" else value * value, "macs": macs})
        with torch.inference_mode():
            seconds = quickest(acts, clock=time.thread_time)
        for place, point in enumerate(points):
            point |= {"seconds": seconds[2 * place], "launching": seconds[2 * place + 1]}
        found.append({"family": family, "group": cls.group, "factor": factor, "points": points})
    return {"factors": found, "batch": BATCH}


def saturated(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """From the first point on behind which all take TIMES as long as launching."""
    points = one["points"]
    short = [place for place, point in enumerate(points) if point["seconds"] < TIMES * point["launching"]]
    return list(points[short[-1] + 1:] if short else points)


def fitted(one: Mapping[str, Any]) -> tuple[float, Mean | None]:
    """(exponent of what is counted, of what is measured where the machine is saturated: None where too few points are)."""
    macs = exponent([(point["value"], point["macs"]) for point in one["points"]]).value
    points = saturated(one)
    return macs, exponent([(point["value"], point["seconds"]) for point in points]) if len(points) >= LEAST else None


def judge(numbers: Numbers) -> Finding:
    """A factor agrees where cost grows with it and the measured exponent lies within NEAR of the counted one, both over saturated points."""
    agree, apart, unknown, gaps = [], [], [], []
    words = []
    for one in numbers["factors"]:
        name = f"{one['factor']} ({one['family']})"
        macs, seconds = fitted(one)
        if seconds is None:
            unknown.append(name)
            continue
        gaps.append(abs(seconds.value - macs))
        words.append(f"{name} {macs:.1f} and {seconds.value:.2f}")
        (agree if macs > GROWS and gaps[-1] <= NEAR else apart).append(name)
    sentence = f"Exponents, counted and measured: {', '.join(words)}." if words else "No factor could be varied where the machine is saturated."
    if unknown:
        sentence += f" Ruled by launching kernels over most of the range tried, and so not fitted: {', '.join(unknown)}."
    what = "largest difference between a measured and a counted exponent"
    value = (max(gaps), min(gaps), max(gaps)) if gaps else (None, None, None)
    if len(agree) + len(apart) <= len(unknown):
        return Finding("cannot tell", sentence, what, *value, condition="larger networks, or a machine on which launching costs less")
    if not apart and not unknown:
        return Finding("holds", sentence, what, *value)
    if agree:
        return Finding("holds if", sentence, what, *value, condition=f"the factor is one of these, and the machine has enough to do: {', '.join(agree)}")
    return Finding("does not hold", sentence, what, *value)


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Line, lines
    plots = []
    for family, sentence in (
            (CONV, "Solid: time measured; dashed: time if it followed the multiply-adds from the largest point down. Left, where the solid line lies "
                   "above the dashed one, launching kernels rules, and a smaller network saves nothing."),
            (LSTM, "The same for the recurrent network. It waits for every step, so small networks lose most here; length and depth count simply, the "
                   "hidden size squared.")):
        shown = [one for one in numbers["factors"] if one["family"] == family]
        drawn = []
        for one in shown:
            points = one["points"]
            first, last = points[0]["value"], points[-1]
            drawn.append(Line(one["factor"], one["group"], [(point["value"] / first, point["seconds"] * 1e3) for point in points]))
            drawn.append(Line(f"{one['factor']}, counted", one["group"],
                              [(point["value"] / first, last["seconds"] * 1e3 * point["macs"] / last["macs"]) for point in points], dashed=True))
        rows = []
        for one in shown:
            macs, seconds = fitted(one)
            edge = len(one["points"]) - len(saturated(one))
            low = local([(point["value"], point["seconds"]) for point in one["points"][:edge + 1]]) if edge else []
            rows.append([one["factor"], f"{one['points'][0]['value']:,} – {one['points'][-1]['value']:,}", f"{macs:.2f}",
                         "–" if seconds is None else f"{seconds.value:.2f} [{seconds.low:.2f}, {seconds.high:.2f}]",
                         f"from {one['points'][edge]['value']:,} on" if edge < len(one["points"]) else "nowhere",
                         f"{sum(low) / len(low):.2f}" if low else "–"])
        plots.append(Plot(f"Time against one factor at a time, {family}", sentence,
                          lines(drawn, across="factor, in multiples of its smallest value", upward="time of a pass, ms", log_across=True, log_upward=True),
                          ["factor", "varied", "counted", "measured, saturated", "saturated", "measured below that"], rows))
    return plots


CLAIM = Claim(
    id="operations",
    statement="The cost of a convolutional network grows with filter size, feature maps and size of the input, that of a recurrent one with hidden size, "
              "length and depth",
    asserted=(
        Said("A convolution costs filter size × feature maps × input size.", "a comparison article"),
        Said("A recurrent network costs hidden size × length × layers.", "a comparison article"),
        Said("A layer of n steps and d numbers costs k · n · d² if it convolves, n · d² if it is recurrent.", "a research paper and textbooks")),
    experiment=f"A convolutional (tcn, full convolutions) and a recurrent network (lstm, one way) with one factor varied at a time: multiply-adds are "
               f"counted, a forward pass on {BATCH} examples is timed on one thread (the computing time of this thread alone, the quickest of five "
               "rounds in turns). Beside each, the same kernels are timed on next to nothing: what launching costs.",
    rule=f"Exponents are fitted where a pass takes at least {TIMES:.0f} times as long as launching its kernels. A factor agrees if its counted exponent is "
         f"above {GROWS} and the measured one lies within {NEAR} of it. Holds if all factors agree, holds if … for those that do, does not hold if none "
         "does; cannot tell if most factors have fewer than three such points.",
    limits="One machine, one thread and forward passes; a training step costs about three times as much with the same exponents. Memory traffic, which "
           "counting leaves out, matters more on other machines.",
    measure=measure, judge=judge, draw=draw)
