"""Do recurrent networks take any length and convolutional ones a fixed size? All families are trained at one length and asked at others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bakeoff import registry
from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.seeds import Mean, mean_of
from bakeoff.report.format import listing

LENGTH, FACTORS = 32, (0.5, 1, 2, 4)
WIDTH, BATCH, UPDATES, SEEDS = 32, 32, 100, 3
LEARNT, MARGIN = 0.85, 0.05
PLACED = " + places"        # behind the names of convolutional networks whose last layer sees places


def entries() -> tuple[list[Any], list[Any]]:
    """(every family that reads one axis, from a maximum over all cells; convolutional ones whose last layer has weights for each of the
    32 places, as a flattened one has)."""
    from bakeoff.claims.trained import Entry
    families = [name for name, family in registry.every("family").items() if 1 in family.ranks]
    return [Entry(name, name) for name in families], [Entry(name + PLACED, name, {"pool": "grid"}) for name in ("fcn", "tcn", "convnext")]


def measure(ask: Ask) -> Numbers:
    return measured(ask, seeds=SEEDS, updates=UPDATES, most=None)


def measured(ask: Ask, *, seeds: int, updates: int, most: int | None) -> dict[str, Any]:
    """most: so many of the families alone, for tests."""
    import numpy as np

    from bakeoff.claims.problems import toothed
    from bakeoff.claims.trained import fitted, made, setting
    from bakeoff.train import loop
    chance, task = np.random.default_rng(ask.seed), registry.get("task", "classify")()
    lengths = [round(LENGTH * factor) for factor in FACTORS]
    cells, answers = toothed(BATCH * 100, LENGTH, chance)
    asked = {length: toothed(300, length, chance) for length in lengths}
    padded = [one for length in lengths for one in asked[length][0][:8]]
    found = []
    for free, group in zip((True, False), entries(), strict=True):
        train = made(cells, answers, task, sizes=(None,) if free else None)
        tests = {length: made(*one, task, like=train) for length, one in asked.items()}
        together = made(padded, [answer for length in lengths for answer in asked[length][1][:8]], task, like=train)
        for entry in group[:most]:
            ask.say(entry.name)
            params = setting(entry, train.spec, task, fold="keep", batch=BATCH, width=WIDTH)
            if "pool" in params and free:
                params["pool"] = "max"
            accuracy: dict[str, list[float]] = {str(length): [] for length in lengths}
            apart = 0.0
            for seed in range(1000 * ask.seed, 1000 * ask.seed + seeds):
                network, _ = fitted(entry, train, task, params, steps=updates, seed=seed)
                for length, test in tests.items():
                    accuracy[str(length)].append(loop.evaluate(network, test, task)[0])
                alone = np.concatenate([loop.outputs(network, test.subset(range(8))).numpy() for test in tests.values()])
                apart = max(apart, float(np.abs(loop.outputs(network, together).numpy() - alone).max()))
            found.append({"name": entry.name, "group": entry.group, "accuracy": accuracy, "apart": apart})
    return {"length": LENGTH, "lengths": lengths, "networks": found}


def drops(one: Numbers, numbers: Numbers) -> list[float]:
    """Seed by seed: accuracy at the training length minus the lowest at another."""
    at = one["accuracy"]
    other = [at[str(length)] for length in numbers["lengths"] if length != numbers["length"]]
    return [known - min(rest) for known, *rest in zip(at[str(numbers["length"])], *other, strict=True)]


def learnt(one: Numbers, numbers: Numbers) -> bool:
    return mean_of(one["accuracy"][str(numbers["length"])]).value >= LEARNT


def keeps(one: Numbers, numbers: Numbers) -> bool | None:
    """Whether it takes the other lengths too; None: the interval says neither."""
    mean = mean_of(drops(one, numbers))
    return True if mean.high <= MARGIN else False if mean.low > MARGIN else None


def judge(numbers: Numbers) -> Finding:
    fit = [one for one in numbers["networks"] if learnt(one, numbers)]
    placed = [one for one in fit if one["name"].endswith(PLACED)]
    recurrent = [one for one in fit if one["group"] == "recurrent"]
    conv = [one for one in fit if one["group"] == "conv" and one not in placed]
    names = [int(length) for length in numbers["lengths"]]

    def kept(networks: Sequence[Numbers]) -> str:
        open_cases = sum(keeps(one, numbers) is None for one in networks)
        unknown = f" ({open_cases} not known)" if open_cases else ""
        return f"{sum(keeps(one, numbers) is True for one in networks)} of {len(networks)}{unknown}"
    others = [one for one in fit if one not in (*recurrent, *conv, *placed) and keeps(one, numbers) is False]
    sentence = (f"Trained at length {numbers['length']} and asked at {', '.join(map(str, names))}, {kept(recurrent)} recurrent networks keep their "
                f"accuracy, {kept(conv)} convolutional ones do, and {kept(placed)} of these with a weight per place in their last layer"
                + (f"; of other groups {', '.join(one['name'] for one in others)} lose it." if others else "."))
    value = mean_of([drop for one in conv for drop in drops(one, numbers)]) if conv else Mean(0.0, 0.0, 1.0)
    lost = mean_of([drop for one in placed for drop in drops(one, numbers)]) if placed else None
    what = "accuracy that convolutional networks lose at the worst of the other lengths"
    takes, free = most([keeps(one, numbers) for one in recurrent]), most([keeps(one, numbers) for one in conv])
    if not recurrent or not conv:
        return Finding("cannot tell", sentence, what, condition="networks of both groups must have learnt the problem first")
    if takes and free is False:
        return Finding("holds", sentence, what, *value)
    if takes and free and lost is not None and lost.low > MARGIN:
        return Finding("holds if", sentence, f"{what} with a weight per place ({value.value:.3f} without)", *lost,
                       condition="the convolutional network's last layer has a weight for every place (a flattened one)")
    if takes is False or free:
        return Finding("does not hold", sentence, what, *value)
    return Finding("cannot tell", sentence, what, *value, condition="more seeds: too many networks lie about at the margin")


def most(kept: Sequence[bool | None]) -> bool | None:
    """What more than half of them do."""
    return next((answer for answer in (True, False) if kept.count(answer) > len(kept) / 2), None)


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Bar, Line, bars, lines
    networks = [one for one in numbers["networks"] if learnt(one, numbers)]
    by_group: dict[str, list[Numbers]] = {}
    placed = f"conv{PLACED}"
    for one in networks:
        by_group.setdefault(placed if one["name"].endswith(PLACED) else one["group"], []).append(one)
    shown = [Line(name, members[0]["group"],
                  [(length, mean_of([mean_of(one["accuracy"][str(length)]).value for one in members]).value) for length in numbers["lengths"]],
                  dashed=name == placed) for name, members in by_group.items()]
    losing = [one["name"] for one in networks if keeps(one, numbers) is False]
    ordered = sorted(networks, key=lambda one: mean_of(drops(one, numbers)).value)
    rows = [[one["name"], one["group"], *(f"{mean_of(one['accuracy'][str(length)]).value:.3f}" for length in numbers["lengths"]),
             "{:.3f} [{:.3f}, {:.3f}]".format(*mean_of(drops(one, numbers))), f"{one['apart']:.1e}"] for one in numbers["networks"]]
    return [
        Plot("Accuracy by length, mean of each group",
             f"All were trained at length {numbers['length']}. A level line takes any length; one that falls to the right needs the length it "
             f"knows. {placed}: with a weight per place in the last layer.",
             lines(shown, across="length, steps", upward="accuracy", log_across=True, level=(0.5, "guessing")),
             ["group", *(f"length {length}" for length in numbers["lengths"])],
             [[one.name, *(f"{y:.3f}" for _, y in one.points)] for one in shown]),
        Plot("What the other lengths cost, by network",
             f"Dashed: the margin of {MARGIN:g}. A network whose whole interval lies left of it takes any length; wholly right of it "
             f"{'lies' if len(losing) == 1 else 'lie'} {listing(losing) if losing else 'none'}. A wide interval: it depends on the start. + places: "
             "with a weight per place in the last layer.",
             bars([Bar(one["name"], one["group"], *mean_of(drops(one, numbers))) for one in ordered],
                  across="accuracy lost at the worst of the other lengths", level=MARGIN),
             ["network", "group", *(f"length {length}" for length in numbers["lengths"]), "lost at the worst", "padding changes an answer by"], rows)]


def answers(numbers: Numbers) -> list[str]:
    fit = [one for one in numbers["networks"] if learnt(one, numbers) and not one["name"].endswith(PLACED)]

    def kept(group: str, names: Sequence[str] = ()) -> str:
        own = [one for one in fit if one["group"] == group and (not names or one["name"] in names)]
        return f"{sum(keeps(one, numbers) is True for one in own)} of {len(own)}"
    return [f"{kept('recurrent')} recurrent and {kept('conv')} convolutional networks take other lengths as well.",
            f"{kept('recurrent', ('lstm', 'gru', 'mgu', 'mingru', 'minlstm'))} gated networks take other lengths.",
            f"{kept('conv')} do, where the last layer has no weight per place."]


CLAIM = Claim(
    id="input-size",
    statement="Recurrent networks take any length; convolutional ones need a fixed size.",
    asserted=(
        Said("Recurrent networks handle inputs of any length, convolutional networks need inputs of one size.", "a comparison article"),
        Said("Gated units need inputs of a fixed size, too.", "a comparison article"),
        Said("A fully convolutional network takes inputs of any size.", "a textbook"),
    ),
    experiment=f"Every family that reads a sequence is trained at length {LENGTH} to tell two patterns of eight steps apart, which may stand "
               f"anywhere in noise ({UPDATES} updates, {SEEDS} networks each), and asked at lengths "
               f"{', '.join(f'{LENGTH * factor:g}' for factor in FACTORS)}; alone, and padded in one batch with all lengths. Answers come from a "
               "maximum over all cells; some convolutional networks also have a last layer with a weight for each of 32 places, longer inputs "
               "being averaged to as many.",
    rule=f"A network takes any length where its accuracy at the worst of the other lengths lies at most {MARGIN:g} under that at {LENGTH} (whole "
         "95 % interval over seeds). Holds where most recurrent networks do and most convolutional ones lose more; holds if the last layer has "
         "a weight for every place: where most of both do, but networks with such a layer, taken together, lose more; does not hold where most "
         "convolutional ones do and these too, or most recurrent ones do not.",
    limits="One local pattern: what must be counted or ordered over the whole length may fail at new lengths for other reasons. A last layer "
           f"that is not averaged to its places refuses another size outright. Networks under {LEARNT:g} at length {LENGTH} are left out of the "
           "verdict.",
    changed="That those with a weight per place are judged together was settled after a first measurement, with seed 0; this page has another seed "
            "unless it says 0.",
    measure=measure, judge=judge, draw=draw, answers=answers)
