"""What there is to see, in sentences computed from the records: a caption never says only what is plotted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.report.errors import Bin, Confusion
from bakeoff.report.format import Score, count, duration, listing, noun, percent, plain, probability, ratio, thing
from bakeoff.report.plots.cost import Axis, front, priced
from bakeoff.report.plots.learning import Learnt, Progress
from bakeoff.report.plots.pairs import Difference
from bakeoff.report.plots.ranks import share
from bakeoff.report.ranks import FOUND, Ranked
from bakeoff.report.records import Row, Run

GAP = 0.25                                    # validation loss above its lowest by so much of it: a contender overfits
LATE, EARLY = 0.85, 0.5                       # share of its budget at which a contender last improved
ENOUGH = 4                                    # trials, from which on the course of a search says something
SLOWER = 1.5                                  # times the examples from which on it is worth a sentence
EVEN = 1.5                                    # times the smallest class up to which classes are called balanced


def sentences(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def tests(run: Run) -> str:
    """'734 test images'."""
    words = noun(thing(str(run.data.get("kind", "")), str(run.data.get("task", ""))), run.tests).split(" ", 1)
    return f"{words[0]} test {words[1]}"


def on_ranking(run: Run, score: Score, against: Mapping[str, Difference]) -> str:
    ranked = run.ranked
    if len(ranked) == 1:
        return f"{plain(run.best)} is the only contender with a value: there is nothing to compare it with."
    behind = [row for row in ranked[1:] if row.contender not in run.tied]
    if run.tied:
        simple = next((row.contender for row in ranked if row.group == "baseline" and row.contender in run.tied), None)
        among = f", {plain(simple)}, a baseline, among them" if simple and run.group(run.best) != "baseline" else ""
        first = against.get(behind[0].contender) if behind else None
        return sentences(
            f"The shaded {count(len(run.tied) + 1)} cannot be told from the best with {tests(run)}{among}.",
            f"{plain(first.row)} is the first that is surely worse, by {score(abs(first.value))} ({probability(first.p)})."
            if first
            else None,
        )
    one = against.get(ranked[1].contender)
    told = f"{plain(run.best)} stands alone: all others are worse"
    if one is None:
        return told + "."
    return f"{told}, the next ({plain(one.row)}) by {score(abs(one.value))} ({probability(one.p)})."


def on_cost(run: Run, axis: Axis, score: Score, pairs: Mapping[tuple[str, str], Difference]) -> str:
    """Which contenders nothing beats, and what the dearest step of that front buys."""
    points = priced(run.ranked, axis)
    if not points:
        return f"No contender's {axis.name} was measured."
    best = front(run.ranked, axis, run.high_is_good)
    cost = {row.contender: price for row, price, _ in points}
    if len(best) == 1:
        return f"{plain(best[0].contender)} is both the best and the cheapest: nothing is gained by paying more."
    together = [row for row in run.ranked if row.contender in cost and row.contender in (run.best, *run.tied)]
    least = min(together, key=lambda row: cost[row.contender], default=best[-1])
    told = None
    if least.contender != run.best and cost.get(run.best):
        share = cost[least.contender] / cost[run.best]
        told = (f"{plain(least.contender)} is the cheapest of those that cannot be told from {plain(run.best)}: "
                f"{f'{ratio(share)} of its' if share else 'it takes no'} {axis.name}.")
    cheap, dear = best[-2], best[-1]
    assert cheap.value is not None
    assert dear.value is not None
    one = pairs.get((dear.contender, cheap.contender))
    gain = score.signed(dear.value - cheap.value)
    sure = f" (95 % {score.signed_interval(one.low, one.high)})" if one is not None and one.low is not None else ""
    times = cost[dear.contender] / cost[cheap.contender] if cost[cheap.contender] else math.inf
    more = (
        f"{ratio(times)} the {axis.name} of {plain(cheap.contender)}"
        if math.isfinite(times)
        else f"{axis.write(cost[dear.contender])} instead of nothing"
    )
    doubt = ", which is not distinguishable from no gain" if one is not None and not one.distinct else ""
    return sentences(
        told, f"{plain(dear.contender)} takes {more} for {gain} {plain(run.metric)}{sure}{doubt}.", dearest(run, axis, best, cost)
    )


def dearest(run: Run, axis: Axis, best: Sequence[Row], cost: Mapping[str, float]) -> str | None:
    """The contender that pays most for least: off the front and dearer than the best by far."""
    top = best[-1]
    off = [row for row in run.ranked if row.contender in cost and row not in best and row.contender not in run.tied]
    worst = max(off, key=lambda row: cost[row.contender], default=None)
    if worst is None or not cost[top.contender] or cost[worst.contender] < 2 * cost[top.contender]:
        return None
    times = ratio(cost[worst.contender] / cost[top.contender])
    return f"{plain(worst.contender)} costs {times} as much as {plain(top.contender)} and is worse."


def on_leaderboard(run: Run) -> str:
    together = [run.best, *run.tied]
    lost = [row.contender for row in run.rows if not row.ranked]
    order = (f"The order among the first {count(len(together))} is not certain: they are tied." if len(together) > 1 else
             f"{plain(run.best)} is first beyond doubt." if len(run.ranked) > 1 else None)
    return sentences(order, str(run.verdict.get("best_note") or "") or None,
                     f"{listing(lost)} entered but ended without a value." if lost else None)


def on_pairs(run: Run, score: Score, differences: Mapping[tuple[str, str], Difference]) -> str:
    names = [row.contender for row in run.ranked]
    once = [differences[a, b] for i, b in enumerate(names) for a in names[i + 1:] if (a, b) in differences]
    if not once:
        return "There is no pair to compare."
    apart = [one for one in once if one.distinct]
    told = f"{count(len(apart))} of {count(len(once))} pairs differ at p < .05, corrected for their number."
    if not apart:
        return f"{told} With {tests(run)} nobody can be told from anybody."
    finest = min(apart, key=lambda one: abs(one.value))
    shows = f"The smallest difference that shows is {score(abs(finest.value))} ({plain(finest.column)} over {plain(finest.row)})"
    widest = max((one for one in once if not one.distinct), key=lambda one: abs(one.value), default=None)
    if widest is None:
        return f"{told} {shows}; every pair differs."
    return f"{told} {shows}; the largest that does not is {score(abs(widest.value))} ({plain(widest.row)} against {plain(widest.column)})."


def needed(curve: Sequence[tuple[int, float]], level: float, better: int) -> int | None:
    """Examples until the validation value first reached `level`."""
    return next((examples for examples, value in curve if better * value >= better * level), None)


def on_curves(run: Run, learnt: Sequence[Learnt], score: Score) -> str:
    """Who needs how many times the examples for the same score, and who overfits."""
    overfit = [one.contender for one in learnt if overfits(one)]
    fits = "No contender's validation loss had begun to rise much when its training ended."
    if overfit:
        fits = f"{listing(overfit)} overfit{'s' if len(overfit) == 1 else ''}: validation loss rises again while training loss still falls."
    return sentences(speeds(run, learnt, score), fits)


def speeds(run: Run, learnt: Sequence[Learnt], score: Score) -> str | None:
    """Examples needed for a score that half of the contenders reach."""
    better = 1 if run.high_is_good else -1
    curves = {one.contender: [(point.examples, point.value) for point in one.curve if math.isfinite(point.value)] for one in learnt}
    reached = sorted((max(better * value for _, value in curve) for curve in curves.values() if curve), reverse=True)
    if len(reached) < 2:
        return None
    middle = reached[(len(reached) - 1) // 2]
    level = better * (middle - 0.02 * abs(middle))
    times = sorted((examples, name) for name, curve in curves.items() if (examples := needed(curve, level, better)))
    if len(times) < 2:
        return None
    mark, arrived = f"{plain(run.metric)} {score(level)} on validation", {name for _, name in times}
    (few, quick), (many, slow) = times[0], times[-1]
    never = [name for name, curve in curves.items() if curve and name not in arrived]
    behind = f"; {listing(never)} never got there." if never else "."
    if many < SLOWER * few:
        return f"{listing(name for _, name in times)} reach {mark} after about as many examples{behind}"
    return (f"{plain(slow)} needed {ratio(many / few)} the examples of {plain(quick)} to reach {mark} "
            f"({count(many)} against {count(few)}){behind}")


def overfits(one: Learnt) -> bool:
    losses = [point.loss for point in one.curve if math.isfinite(point.loss)]
    if len(losses) < 3 or losses[-1] <= (1 + GAP) * min(losses):
        return False
    lowest = min((point for point in one.curve if math.isfinite(point.loss)), key=lambda point: point.loss)
    return one.curve[-1].train_loss <= lowest.train_loss


def on_progress(all_progress: Sequence[Progress]) -> str:
    """Who was still gaining when the budget ended, and who had settled early."""
    several = [one for one in all_progress if one.spent > 0 and one.trials >= ENOUGH]
    if not several:
        return "With so few trials each it cannot be told whether more time would help."
    late = [one.contender for one in several if one.points[-1][0] >= LATE * one.spent]
    early = [one.contender for one in several if one.points[-1][0] <= EARLY * one.spent]
    gaining = "No contender was still improving when its budget ended: more time is unlikely to change the order much."
    if late:
        gaining = f"{listing(late)} {'was' if len(late) == 1 else 'were'} still improving when the budget ended: more time may change their place."
    settled = f"{listing(early)} found {'its' if len(early) == 1 else 'their'} best setting within the first half." if early else None
    return sentences(gaining, settled)


def on_confusion(contender: str, found: Confusion, total: int) -> str:
    mistakes = found.mistakes()
    if not mistakes:
        return f"{plain(contender)} makes no mistake on the {count(total)} test examples: they cannot tell how it fails."
    top, weakest = mistakes[0], min(found.recalls(), key=lambda one: one.share)
    return (f"{plain(contender)} most often answers {plain(top.said)} where {plain(top.true)} is right: "
            f"{percent(top.share)} of {count(top.number)} (95 % {percent(top.low)} – {percent(top.high)}). "
            f"Weakest class: {plain(weakest.name)}, {percent(weakest.share)} right (95 % {percent(weakest.low)} – {percent(weakest.high)}).")


def on_calibration(contender: str, bins: Sequence[Bin], error: float) -> str:
    leaning = sum((one.said - one.seen) * one.number for one in bins)
    off = [one for one in bins if not one.low <= one.said <= one.high and (one.said - one.seen) * leaning > 0]
    if not off:
        return (f"{plain(contender)}'s probabilities can be taken at their word: they miss by {percent(error)} on average (expected "
                "calibration error), within chance.")
    way = "promises more than it keeps" if leaning > 0 else "is better than it says"
    widest = max(off, key=lambda one: abs(one.said - one.seen))
    fine = int(percent(widest.said) == percent(widest.seen) or widest.said > 0.98)
    return (f"{plain(contender)} {way}: where it says {percent(widest.said, fine)} it is right in {percent(widest.seen, fine)}; "
            f"on average it misses by {percent(error)} (expected calibration error).")


def on_ranks(contender: str, classes: Sequence[Ranked], several: bool) -> str:
    """Which class is told apart worst, and what finding nearly all of it costs."""
    worst, best = classes[0], classes[-1]
    price = (f"to find {percent(FOUND)} of them, {percent(worst.alarms)} of the others are taken for it too" if worst.alarms < 1
             else f"{percent(FOUND)} of them are found only by taking all others for it too")
    interval = f"AUC {worst.auc:.3f}, 95 % {worst.low:.3f} – {worst.high:.3f}".replace(" 0.", " .")
    if len(classes) == 1 and not several:
        return (f"In {percent(worst.auc)} of all pairs {plain(contender)} scores an example of {plain(worst.name)} above one of the other class "
                f"({interval}); {price}.")
    easy = f", {plain(best.name)} best (AUC {best.auc:.3f})".replace(" 0.", " .") if len(classes) > 1 else ""
    return f"{plain(contender)} tells {plain(worst.name)} worst from the rest ({interval}){easy}; {price}."


def on_ledger(run: Run, spent: Mapping[str, float]) -> str:
    """Who got less than asked, and what pruning saved."""
    shares = run.shares
    less = [name for name, share in shares.items() if share > 0 and run.group(name) != "baseline" and spent.get(name, 0) < 0.6 * share]
    more = [name for name, share in shares.items() if share > 0 and spent.get(name, 0) > 1.15 * share + 1]
    searched = [trial.spent for trials in run.tuning.values() for trial in trials if trial.spent.asked]
    asked = sum(one.asked for one in searched)
    saved = 1 - sum(min(one.examples, one.asked) for one in searched) / asked if asked else 0.0
    even = "All contenders spent about what they were given." if shares and not less and not more else None
    return sentences(even, f"{listing(less)} spent less than 60 % of the time given." if less else None,
                     f"{listing(more)} took more than {'its' if len(more) == 1 else 'their'} share." if more else None,
                     f"Pruning and early stopping saved {percent(saved)} of the training examples asked for." if saved >= 0.01 else None,
                     f"In all {duration(sum(spent.values()))} of computing.")


def on_data(run: Run) -> str:
    aside, problems = len(run.data.get("set_aside") or ()), len(run.data.get("problems") or ())
    found = f"{noun('', aside)} set aside." if aside else None if problems else "Nothing was set aside."
    opened = f"All numbers in this report are from the {tests(run)}, opened once." if run.tests else None
    return sentences(on_classes(run), found, opened)


def on_classes(run: Run) -> str | None:
    """How even the classes are."""
    sizes = {name: int(one.get("train") or 0) for name, one in (run.data.get("classes") or {}).items()}
    if not sizes:
        return None
    least, most = min(sizes, key=lambda name: sizes[name]), max(sizes, key=lambda name: sizes[name])
    times = sizes[most] / max(sizes[least], 1)
    if times < EVEN:
        return f"The {count(len(sizes))} classes are balanced: {count(sizes[least])} to {count(sizes[most])} training examples each."
    return (f"The largest class ({plain(most)}) has {ratio(times)} the training examples of the smallest "
            f"({plain(least)}, {count(sizes[least])}).")


def on_boxes(name: str, classes: Sequence[Mapping[str, Any]]) -> str:
    """classes: label, boxes and average precision (value) of each."""
    order = sorted(classes, key=lambda one: (-one["value"], one["label"]))
    best, worst = order[0], order[-1]
    if len(order) == 1:
        return f"{plain(name)} finds {plain(best['label'])} with an average precision of {share(best['value'])}."
    if best["value"] - worst["value"] < 0.005:
        return f"{plain(name)} finds all {count(len(order))} classes alike."
    few = " It is also the rarest." if worst["boxes"] == min(one["boxes"] for one in order) < best["boxes"] else ""
    return (f"{plain(name)} finds {plain(best['label'])} best (average precision {share(best['value'])}) and "
            f"{plain(worst['label'])} worst ({share(worst['value'])}).{few}")
