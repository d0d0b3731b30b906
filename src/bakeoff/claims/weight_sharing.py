"""Who shares weights, and over what? Weights are counted while the input grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.powers import exponent
from bakeoff.report.format import listing

LENGTHS, SIDES = (32, 64, 128, 256, 512), (16, 24, 32, 48, 64)
FEW, MOST = 0.05, 0.9                         # exponents below the one: shared; above the other: a weight of its own for every cell
JUDGED = ("conv", "recurrent")
SERIES, PICTURES, ROWS = "series step by step", "pictures cell by cell", "pictures row by row"
# name on the page, family, settings; 'all' stands for every cell of the input
Entries = list[tuple[str, str, Mapping[str, Any]]]
CONV: Entries = [("fcn", "fcn", {}), ("resnet", "resnet", {}), ("tcn", "tcn", {}), ("convnext", "convnext", {})]
RECURRENT: Entries = [("rnn", "rnn", {}), ("lstm", "lstm", {}), ("gru", "gru", {}), ("mingru", "mingru", {})]
OTHERS: Entries = [("transformer", "transformer", {}), ("mlp by cell", "mlp", {"mlp.cells": "all"})]
READINGS: Mapping[str, tuple[Sequence[tuple[int, ...]], Mapping[str, str], Entries]] = {
    SERIES: ([(length,) for length in LENGTHS], {}, [*CONV, *RECURRENT, *OTHERS]),
    PICTURES: ([(side, side) for side in SIDES], {"recurrent": "raster"}, [*CONV, *RECURRENT, *OTHERS]),
    ROWS: ([(side, side) for side in SIDES], {"recurrent": "leading"}, RECURRENT),
}
OTHER_ROWS = {f"{name}, by rows" for name, _, _ in RECURRENT[:1] + RECURRENT[2:]}      # in the table alone: one line says it


def measure(ask: Ask) -> Numbers:
    from math import prod

    from bakeoff import registry
    from bakeoff.claims.counting import counted
    found = []
    for reading, (shapes, folds, entries) in READINGS.items():
        ask.say(reading)
        for name, family, params in entries:
            group = registry.get("family", family).group
            points = []
            for sizes in shapes:
                set_to = {key: prod(sizes) if value == "all" else value for key, value in params.items()}
                one = counted(family, sizes, 3, {"fold": folds.get(group, "keep"), "width": 32, **set_to})
                points.append({"cells": prod(sizes), "parameters": one["parameters"], "macs": one["macs"]})
            found.append({"reading": reading, "name": name, "group": group, "points": points})
    return {"networks": found}


def growth(one: Mapping[str, Any]) -> float:
    """The exponent of weights against cells of the input."""
    return exponent([(point["cells"], point["parameters"]) for point in one["points"]]).value


def judge(numbers: Numbers) -> Finding:
    """Per group and reading: shared where every family's exponent is below FEW; a family that grows refutes that reading."""
    shared: list[tuple[str, str, list[tuple[float, str]]]] = []
    grown: list[tuple[str, str, list[tuple[float, str]]]] = []
    for reading in dict.fromkeys(one["reading"] for one in numbers["networks"]):
        for group in JUDGED:
            own = [(growth(one), one["name"]) for one in numbers["networks"] if (one["reading"], one["group"]) == (reading, group)]
            if own:
                (shared if max(own)[0] < FEW else grown).append((group, reading, own))
    rates = [growth(one) for one in numbers["networks"] if one["group"] in JUDGED]
    value = sum(rate < FEW for rate in rates) / len(rates)
    dense = [(one["name"], growth(one)) for one in numbers["networks"] if one["group"] == "dense"]
    sentence = (f"In {sum(rate < FEW for rate in rates)} of {len(rates)} counts a convolutional or recurrent network needs no more weights for a "
                "larger input")
    if dense:
        sentence += f", while those of the {dense[0][0]}, which shares nothing, grow with exponent {dense[0][1]:.2f}"
    what = "share of the counts, networks by readings, in which weights are shared"
    if not grown:
        return Finding("holds", f"{sentence}.", what, value)
    if not shared or any(all(group != one for one, _, _ in shared) for group in {group for group, _, _ in grown}):
        return Finding("does not hold", f"{sentence}.", what, value)
    cases = ", ".join(f"{group} on {reading} ({', '.join(f'{name} {rate:.2f}' for rate, name in sorted(own))})" for group, reading, own in grown)
    kept = [reading for reading in dict.fromkeys(reading for _, reading, _ in shared) if all(reading != one for _, one, _ in grown)]
    return Finding("holds if", f"{sentence}. Not shared: {cases}.", what, value, condition=f"the network reads {' or '.join(kept)}")


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Line, lines
    plots = []
    for reading, sentence in (
            (SERIES, "Level lines: the same weights at every step, in convolutional and recurrent networks alike. Only the network that gives every "
                     "cell its own weights rises."),
            (PICTURES, "The same over a picture: however large, the weights stay. A recurrent network that reads cell after cell shares over space "
                       "too.")):
        shown = [one for one in numbers["networks"] if one["reading"] == reading]
        if reading == PICTURES:
            shown += [{**one, "name": f"{one['name']}, by rows"} for one in numbers["networks"] if one["reading"] == ROWS]
            sentence += " Reading a whole row as one step does not share along the row: there its weights rise."
        plots.append(Plot(f"Weights for {reading}", sentence, lines(
            [Line(one["name"], one["group"], [(point["cells"], point["parameters"]) for point in one["points"]])
             for one in shown if one["name"] not in OTHER_ROWS],
            across="cells of the input", upward="weights", log_across=True, log_upward=True),
            ["network", *(f"{point['cells']:,} cells" for point in shown[0]["points"]), "exponent"],
            [[one["name"], *(f"{point['parameters']:,}" for point in one["points"]), f"{growth(one):.2f}"] for one in shown]))
    shown = [one for one in numbers["networks"] if one["reading"] == SERIES]
    plots.append(Plot(
        "How often a weight is used", "Sharing seen from the other side: for one example each weight is used once per step, again by "
        "convolutional and recurrent networks alike, and only once where every cell has weights of its own. The transformer's line is steeper: "
        "its further multiply-adds are between cells and use no weights.",
        lines([Line(one["name"], one["group"], [(point["cells"], point["macs"] / point["parameters"]) for point in one["points"]]) for one in shown],
              across="steps of the series", upward="multiply-adds per weight", log_across=True, log_upward=True),
        ["network", *(f"{point['cells']:,} steps" for point in shown[0]["points"])],
        [[one["name"], *(f"{point['macs'] / point['parameters']:.3g}" for point in one["points"])] for one in shown]))
    return plots


def answers(numbers: Numbers) -> list[str]:
    own = {group: [one for one in numbers["networks"] if one["group"] == group and one["reading"] == SERIES] for group in JUDGED}
    most = {group: max(growth(one) for one in networks) for group, networks in own.items()}
    alone = sorted({one["name"] for one in numbers["networks"] if growth(one) > MOST})
    return [f"For series: exponent {most['conv']:.2f} in convolutional, {most['recurrent']:.2f} in recurrent networks.",
            f"Exponent {most['recurrent']:.2f} in recurrent networks, over the steps of a series.",
            f"Of the networks here only {listing(alone)} {'has' if len(alone) == 1 else 'have'} a weight for every cell."]


CLAIM = Claim(
    id="weight-sharing",
    statement="Convolutional networks share their weights over space and recurrent networks over time, so a larger input needs no more of them",
    asserted=(
        Said("A filter's weights are used at every place of a picture; a recurrent network's are the same at every step.", "textbooks"),
        Said("Convolutional networks share parameters, recurrent ones do not.", "a comparison article"),
        Said("Recurrent networks share parameters across steps, other networks have different weights in every node.", "a vendor's page")),
    experiment="The weights of ready networks (embedding, layers, answer) are counted while a series grows from 32 to 512 steps and a picture from "
               "16 × 16 to 64 × 64 cells, all else the same. Recurrent networks read pictures cell by cell, and once more with a row as a step.",
    rule="A network shares if the exponent of its weights against cells of the input is below .05. The claim holds if every convolutional and "
         "recurrent network shares in every reading, holds if … for the readings in which all of a group do, and does not hold if a group shares "
         "in no reading.",
    limits="Counting says nothing about what is learnt. A convolutional network that flattens its last map into a dense layer, as older ones do, "
           "does not share there; the ones here average. Position codes here are computed, not "
           "learnt. Pictures begin at 16 × 16, since convnext takes smaller filters below that.",
    measure=measure, judge=judge, draw=draw, answers=answers)
