"""Which group can do what? Each use on real data: a group can, where its best network is better than the plain baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.runs import clear, gathered, named, skipped_words, spent
from bakeoff.report.format import percent

GROUPS = ("recurrent", "conv", "hybrid", "attention", "memory", "dense")      # as columns; others stand where they took part
OTHER = {"recurrent": "conv", "conv": "recurrent"}
SHARE = 0.25                                  # of the uses that are settled: under it, "each use has its family" is no rule
WORDS = {"recurrent": "recurrent networks", "conv": "convolutional ones"}


class Use(NamedTuple):
    """said: the group that tables give it to. cells: (kind, task) that tell the use, a kind alone with task ''; none: only a use.json or
    the folder's name does, by `word`."""

    name: str
    said: Literal["recurrent", "conv"]
    cells: tuple[tuple[str, str], ...] = ()
    word: str = ""
    kinds: tuple[str, ...] = ()               # with `word`: of these kinds alone


USES = (
    Use("speech recognition", "recurrent", (("audio", "transcribe"),)),
    Use("translation", "recurrent", (("text", "translate"),)),
    Use("text generation", "recurrent", (("text", "generate"), ("text", "summarise"))),
    Use("forecasting", "recurrent", (("series", "forecast"),)),
    Use("financial forecasting", "recurrent", (), "financial", ("series", "table", "text")),
    Use("text classification and sentiment", "recurrent", (("text", "classify"),)),
    Use("image classification", "conv", (("image", "classify"),)),
    Use("medical images", "conv", (), "medical", ("image", "video")),
    Use("satellite images", "conv", (), "satellite", ("image", "video")),
    Use("detection", "conv", (("image", "detect"),)),
    Use("video", "conv", (("video", ""),)),
    Use("music", "recurrent", (("music", "predict"),)),
)

# the group and the uses that each asserted statement names, as far as they are among USES
NAMED = (
    ("conv", ("image classification", "video", "medical images", "satellite images", "detection")),
    ("recurrent", ("speech recognition", "translation", "text generation", "text classification and sentiment", "forecasting", "music")),
    ("conv", ("text classification and sentiment", "financial forecasting")),
    ("recurrent", ("video",)),
)


def measure(ask: Ask) -> Numbers:
    return gathered(ask)


def use_of(run: Numbers) -> str:
    """What use.json says; else the word in the folder's name; else what kind and task tell; '' where none does."""
    if run["use"]:
        return next((use.name for use in USES if use.name == run["use"]), "")
    for use in USES:
        if run["kind"] in use.kinds and use.word in run["name"].lower():
            return use.name
    return next((use.name for use in USES if (run["kind"], run["task"]) in use.cells or (run["kind"], "") in use.cells), "")


def table(numbers: Numbers) -> dict[str, list[Numbers]]:
    found: dict[str, list[Numbers]] = {use.name: [] for use in USES}
    for run in numbers["runs"]:
        if (name := use_of(run)) and run["plain"] is not None:
            found[name].append(run)
    return found


def can(group: str, runs: Sequence[Numbers], against: str = "against_plain") -> bool | None:
    """In at least half of the runs that the group took part in; None: it took part in none."""
    results = [clear(run[against][group]) > 0 for run in runs if group in run[against]]
    return None if not results else sum(results) >= len(results) / 2


Outcome = Literal["as said", "both", "other", "neither", "open"]


def outcome(use: Use, runs: Sequence[Numbers]) -> Outcome:
    """Of the group that tables name and the other of the two; open: one of them was not tried."""
    said, other = can(use.said, runs), can(OTHER[use.said], runs)
    if said is None or other is None:
        return "open"
    return "both" if said and other else "as said" if said else "other" if other else "neither"


def judge(numbers: Numbers) -> Finding:
    found = table(numbers)
    results: dict[str, list[str]] = {}
    for use in USES:
        results.setdefault(outcome(use, found[use.name]) if found[use.name] else "without data", []).append(use.name)
    settled = [name for way in ("as said", "both", "other", "neither") for name in results.get(way, [])]
    as_said = results.get("as said", [])
    what = "share of the settled uses that one of the two groups can do and the other cannot, as the tables say"
    words = [f"{words} {named(results[way])}" for way, words in (
        ("as said", "only the group that tables name can do"), ("both", "recurrent and convolutional networks can both do"),
        ("other", "only the other group can do"), ("neither", "neither is shown to do"), ("open", "one of the two was not tried on"),
        ("without data", "without data are")) if way in results]
    sentence, rest = f"Of {len(USES)} uses: {'; '.join(words)}.", unfit(numbers) + skipped_words(numbers["skipped"])
    open_uses = len(USES) - len(settled)
    if len(settled) < len(USES) / 2:
        return Finding("cannot tell", sentence + rest, what, condition="more uses: --data FOLDER, of finished runs or of data sets")
    # the uses are a list and no sample, so there is no interval: what is not known is how those that are open would come out
    value, most = len(as_said) / len(settled), (len(as_said) + open_uses) / len(USES)
    if open_uses:
        sentence += f" Even if the tables were right of all that are open, they would be of {percent(most)} of the uses."
    sentence += rest
    if len(as_said) == len(settled):
        return Finding("holds", sentence, what, value)
    if len(as_said) >= SHARE * len(settled):
        return Finding("holds if", sentence, what, value, condition=f"the use is {named(as_said)}")
    if most >= SHARE:
        left = [use for way in ("open", "without data") for use in results.get(way, [])]
        return Finding("cannot tell", sentence, what, value, condition=f"runs of {named(left)} in which both groups take part")
    return Finding("does not hold", sentence, what, value)


def unfit(numbers: Numbers) -> str:
    """Runs that were read and say nothing of any of these uses."""
    none = [run["name"] for run in numbers["runs"] if not use_of(run)]
    return f" Runs that are of none of these uses: {len(none)} ({', '.join(none[:3])}{', …' if len(none) > 3 else ''})." if none else ""


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Bar, bars
    found = table(numbers)
    groups = [*GROUPS, *sorted({group for runs in found.values() for run in runs for group in run["against_plain"]} - set(GROUPS))]
    rows = []
    for use in USES:
        runs = found[use.name]
        cells = [{None: "not tried", True: "can", False: "not shown"}[can(group, runs)]
                 + (", better than every baseline" if can(group, runs, "against_best") else "") for group in groups]
        rows.append([use.name, use.said, *(cells if runs else ["cannot tell: no data"] * len(groups)), ", ".join(run["name"] for run in runs) or "–"])
    tried: Mapping[str, list[bool]] = {group: [bool(able) for use in USES if (able := can(group, found[use.name])) is not None] for group in groups}
    shares = [Bar(f"{group} ({sum(able)} of {len(able)} uses)", group, 100 * sum(able) / len(able)) for group, able in tried.items() if able]
    single = [[run["name"], use.name, run["metric"], run["plain"], group, run["best"][group][0], f"{run['best'][group][1]:.3f}",
               f"{pair['p']:.3f}", *spent(run), {1: "can", 0: "not shown", -1: "worse"}[clear(pair)]]
              for use in USES for run in found[use.name] for group, pair in run["against_plain"].items()]
    plots = [Plot("Uses that each group can do",
                  "Where bars are of nearly the same length, no group owns its uses. A group can, where its best network beats the baseline "
                  "that learns nothing of the input (p < .05) in at least half of the runs.",
                  bars(shares, across="% of the uses tried", end=100.0), ["use", "tables say", *groups, "runs"], rows)]
    if single:
        plots.append(Plot("Runs in which each group can",
                          "The same by run instead of by use, of the runs that a group took part in: longer bars for groups that beat the "
                          "plain baseline more often. The table has every run, with the best network of the group, its value and p.",
                          bars([Bar(f"{group} ({count} of {len(took)})", group, 100 * count / len(took)) for group in groups
                                if (took := [row for row in single if row[4] == group])
                                for count in [sum(row[-1] == "can" for row in took)]], across="% of its runs in which it can", end=100.0),
                          ["run", "use", "metric", "plain baseline", "group", "its best", "value", "p", "budget", "seeds", "test examples",
                           "verdict"], single))
    return plots


def answers(numbers: Numbers) -> list[str]:
    found = table(numbers)

    def done(group: str, uses: Sequence[str]) -> str:
        tried = [able for use in uses if (able := can(group, found[use])) is not None]
        return f"can do {sum(tried)} of the {len(tried)} tried here" if tried else "were not tried here"
    return [f"They {done(group, uses)}, {WORDS[OTHER[group]]} {done(OTHER[group], uses)}." for group, uses in NAMED] if numbers["runs"] else []


CLAIM = Claim(
    id="use-cases",
    statement="Each use has its family: recurrent networks for speech, translation, text, forecasts and music, convolutional ones for pictures, "
              "detection and video",
    asserted=(
        Said("Convolutional networks: image and video recognition, medical images, satellite images, object detection.", "a vendor's page"),
        Said("Recurrent networks: speech recognition, translation, text generation, sentiment, forecasting, music.", "a vendor's page"),
        Said("Convolutional networks: also text classification and financial forecasting.", "a comparison article"),
        Said("Recurrent networks: also video and image captions.", "a comparison article"),
    ),
    experiment="Runs of bakeoff on real data, as many per use as there are. Finished runs below --data are read; where there are data sets "
               "instead, each is run quickly: the cheapest network of each group, one trial of 3,000 examples, two seeds. Kind and task tell "
               "the use; what they do not tell (medical, satellite, financial) is said by a file use.json beside the run, or by its name.",
    rule="A group can do a use where its best network is better than the plain baseline (the best of those that learn nothing of the input: "
         "majority, mean, last, seasonal, drift, first k, mean box, rate; where there is none, the best baseline) with p < .05, corrected for "
         "all pairs, in at least half of its runs. Holds where in every settled use only the group that tables name can; holds if: for those "
         f"uses, where they are at least {percent(SHARE)}; does not hold where they would be under {percent(SHARE)} of all even if the tables were "
         "right of every use that is not settled. Settled is a use that both groups were tried on; under half of the uses settled, nothing can be "
         "told.",
    limits="To beat the plain baseline is little: the table says where the best baseline is beaten too, and text generation has only an n-gram model "
           "to be held against. Most uses rest on one small set, some of them toys (moving digits as video, joined digits as speech). Small budgets: "
           "what a group cannot do here it may do with more.",
    changed="The rule counted the settled uses alone and looked at an interval as if uses were drawn at random. They are a list: what stands open is "
            "now counted both ways.",
    measure=measure, judge=judge, draw=draw, answers=answers, needs_data=True)
