"""Does convolution suit spatial data and recurrence sequences? The best of each group on image, speech, text and series sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.runs import clear, gathered, skipped_words, spent
from bakeoff.claims.seeds import share_of

SORTS = {"image": ("images",), "audio": ("sound",), "text": ("text",), "story": ("text",), "series": ("series",), "music": ("series",)}
SPATIAL, SEQUENCES = "images", ("sound", "text", "series")
FEWEST = 3                                    # sets of a sort about which something is said


def measure(ask: Ask) -> Numbers:
    return gathered(ask)


def sets(numbers: Numbers) -> dict[str, list[Numbers]]:
    """Sort → its runs in which both groups took part."""
    found: dict[str, list[Numbers]] = {sort: [] for sort in (SPATIAL, *SEQUENCES)}
    for run in numbers["runs"]:
        if run["conv_recurrent"] is not None and run["kind"] in SORTS:
            found[SORTS[run["kind"]][0]].append(run)
    return {sort: runs for sort, runs in found.items() if runs}


def outcomes(sort: str, runs: Sequence[Numbers]) -> list[int]:
    """Per set 1 where the group that is said to suit it is better (p < .05), −1 where the other is, 0 for a tie."""
    turn = 1 if sort == SPATIAL else -1
    return [turn * clear(run["conv_recurrent"]) for run in runs]


def most(runs_by_sort: Mapping[str, Sequence[Numbers]]) -> bool | None:
    """Whether the group that is said to fit is better on most sets of these sorts; None: the interval of that share holds a half."""
    found = [score for sort, runs in runs_by_sort.items() for score in outcomes(sort, runs)]
    low, high = share_of(found.count(1), len(found))
    return True if low > 0.5 else False if high < 0.5 else None


def ahead(runs: Sequence[Numbers]) -> tuple[int, int]:
    """On how many of these sets convolution has the better value, on how many recurrence, however little."""
    signs = [run["conv_recurrent"]["difference"] for run in runs]
    return sum(sign > 0 for sign in signs), sum(sign < 0 for sign in signs)


def ahead_words(found: Mapping[str, Sequence[Numbers]]) -> str:
    """The same by sort, with the sign test's p: what ties hide."""
    from scipy.stats import binomtest
    words = []
    for sort, runs in found.items():
        conv, recurrent = ahead(runs)
        p = binomtest(conv, conv + recurrent).pvalue if conv + recurrent else 1.0
        words.append(f"{sort} {conv} and {recurrent} (p = {p:.2g})")
    return f" By value alone convolution and recurrence are ahead on: {', '.join(words)}."


def judge(numbers: Numbers) -> Finding:
    found = sets(numbers)
    count = sum(map(len, found.values()))
    halves = {"images": {sort: runs for sort, runs in found.items() if sort == SPATIAL},
              "sequences": {sort: runs for sort, runs in found.items() if sort != SPATIAL}}
    what = "share of the sets on which the group that is said to fit is better (p < .05)"
    if any(sum(map(len, half.values())) < FEWEST for half in halves.values()):
        few = f"Runs in which both a convolutional and a recurrent network took part: {count}.{skipped_words(numbers['skipped'])}"
        return Finding("cannot tell", few, what, condition=(
            f"{FEWEST} sets of images and {FEWEST} of sequences: --data FOLDER, of finished runs or of data sets"))
    scores = {sort: outcomes(sort, runs) for sort, runs in found.items()}
    words = [f"{sort}: better on {own.count(1)}, worse on {own.count(-1)}, not distinguishable on {own.count(0)}" for sort, own in scores.items()]
    sentence = (f"Convolution on images and recurrence on sequences, each against the other on {count} sets (p < .05, corrected): "
                + "; ".join(words) + ".")
    better, worse = (sum(own.count(way) for own in scores.values()) for way in (1, -1))
    if shown := better + worse:
        sentence += f" On the {shown} where one is shown to be better, it is {better} times the one that is said to fit."
    sentence += ahead_words(found) + skipped_words(numbers["skipped"])
    value = better / count, *share_of(better, count)
    judged = {name: most(half) for name, half in halves.items()}
    if all(judged.values()):
        return Finding("holds", sentence, what, *value)
    if any(judged.values()):
        return Finding("holds if", sentence, what, *value, condition=f"the data are {next(name for name, fits in judged.items() if fits)}")
    if False in judged.values():
        return Finding("does not hold", sentence, what, *value)
    return Finding("cannot tell", sentence, what, *value, condition="more sets: neither share is known to be above or below a half")


def draw(numbers: Numbers) -> list[Plot]:
    from bakeoff.claims.draw import Bar, bars
    rows, shares = [], []
    for sort, runs in sets(numbers).items():
        for run in runs:
            pair, (conv, a), (recurrent, b) = run["conv_recurrent"], run["best"]["conv"], run["best"]["recurrent"]
            better = {1: "convolution", -1: "recurrence", 0: "–"}[clear(pair)]
            between = "–" if pair["low"] is None else f"[{pair['low']:.3f}, {pair['high']:.3f}]"
            rows.append([run["name"], sort, run["metric"], f"{conv} {a:.3f}", f"{recurrent} {b:.3f}", f"{pair['difference']:+.3f} {between}",
                         f"{pair['p']:.3f}", *spent(run), better])
        for group, sign, name in (("conv", 1, "conv"), ("recurrent", -1, "recurrent")):
            count = sum(clear(run["conv_recurrent"]) == sign for run in runs)
            shares.append(Bar(f"{sort} ({len(runs)}), {name}", group, 100 * count / len(runs)))
    if not rows:
        return []
    return [Plot("Where one of the two is better, by sort of data",
                 "What a pair of bars leaves to 100 % is not distinguishable: short bars say that on most sets neither group is shown to be "
                 "better. The table has every difference with its interval; a wide one does not mean that two groups are equal.",
                 bars(shares, across="% of the sets on which this group is better", end=100.0),
                 ["data", "sort", "metric", "best convolutional", "best recurrent", "difference, more is better for convolution", "p", "budget",
                  "seeds", "test examples", "better (p < .05)"], rows)]


def answers(numbers: Numbers) -> list[str]:
    found = sets(numbers)
    if not found:
        return []
    shown = {sort: outcomes(sort, runs) for sort, runs in found.items()}
    words = ", ".join(f"{scores.count(1)} of {len(scores)} sets of {sort}" for sort, scores in shown.items())
    conv, recurrent = ahead([run for sort, runs in found.items() if sort != SPATIAL for run in runs])
    other = sum(scores.count(-1) for sort, scores in shown.items() if sort != SPATIAL)
    return [f"The group named is shown to be better on {words}.", f"The same: {words}.",
            f"By value convolution is ahead on {conv} sets of sequences and recurrence on {recurrent}; shown to be better it is on {other}."]


CLAIM = Claim(
    id="data-fit",
    statement="Convolution suits spatial data, recurrence suits sequences.",
    asserted=(
        Said("Convolutional networks are for images and other grids, recurrent networks for text, speech and time series.", "a comparison article"),
        Said("CNNs for spatial data, RNNs for temporal data.", "a vendor's page"),
        Said("Convolutional networks should be regarded as a starting point for sequences.", "a research paper"),
    ),
    experiment="Runs of bakeoff on real data, each contender tuned under the same budget: the best convolutional and the best recurrent network "
               "of each run, compared on the same test examples. Finished runs below --data are read; where there are data sets instead, each "
               "is run quickly: the cheapest network of each group, one trial of 3,000 examples, two seeds.",
    rule="On a set one group is better where p < .05 in the run's own paired test, corrected for all pairs of its contenders; else they are "
         "not distinguishable, which is legal. Holds where the group that is said to fit is better on most sets of images, and on most of "
         f"sequences (text, sound, series; at least {FEWEST} sets each): the whole 95 % interval of that share above a half. Holds if: for one "
         "of the two. Does not hold where it is under a half for one of them, and above for neither.",
    limits="The sets at hand, and each run's budget; best of a group is the best of those that entered. The correction is for all pairs of a "
           "run, so small differences are not found, least of all on small test splits and where there is one seed; the sign of the differences, "
           "told beside the verdict, asks less of each set. Hybrids of both are not asked about here.",
    changed="That a half is the mark was settled with a first lot of runs in sight. The signs of the differences were added later; the rule does "
            "not look at them.",
    measure=measure, judge=judge, draw=draw, answers=answers, needs_data=True)
