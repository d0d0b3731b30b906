"""First screen: the verdict, what it rests on, what it does not show, and the one picture that carries the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from bakeoff.report import findings
from bakeoff.report.format import Cell, column, count, listing, plain, probability, ratio
from bakeoff.report.palette import mark
from bakeoff.report.plots.ranking import Ranking, ranking
from bakeoff.report.records import Row
from bakeoff.report.view import END, NARROW, Figure, Table, View, unbroken

WIDE = 660.0
COST_COLUMNS = {
    "macs": "macs",
    "latency": "latency_ms_p50",
    "parameters": "parameters",
    "memory": "peak_infer_bytes",
    "seconds": "train_seconds",
}
COST_NAMES = {"macs": "operations", "latency": "latency", "parameters": "parameters", "memory": "memory", "seconds": "training time"}


@dataclass(frozen=True)
class Fact:
    """A line of the first screen. contender: None where it is about none."""

    name: str
    contender: str | None
    mark: str
    value: str
    interval: str
    note: str


def build(view: View) -> dict[str, Any]:
    run = view.run
    told = plain(run.verdict.get("sentence") or "")
    first, *rest = END.split(told, maxsplit=1)
    facts = [best(view), recommended(view), baseline(view)]
    if run.verdict.get("beats_baseline") is False and facts[2] is not None:
        facts = [facts[2], *facts[:2]]                           # a baseline that may be as good is said first
    return {"headline": coloured(view, first), "rest": coloured(view, rest[0]) if rest else "", "facts": [fact for fact in facts if fact],
            "limits": limits(view), "figure": figure(view)}


def coloured(view: View, words: str) -> Markup:
    """The sentence with the contenders it is about in their group's colour."""
    run = view.run
    about = {name for name in (run.best, run.recommended, run.verdict.get("best_baseline"), *run.tied) if name}
    words = unbroken(words)
    pattern = re.compile(rf"(?<![\w-])({'|'.join(sorted(map(re.escape, map(plain, about)), key=len, reverse=True))})(?![\w-])")
    marks = {plain(name): mark(run.group(name)) for name in about}
    return Markup("").join(Markup('<b class="name {}">{}</b>').format(marks[part], part) if k % 2 else escape(part)
                           for k, part in enumerate(pattern.split(words)))


def fact(view: View, name: str, row: Row | None, note: str) -> Fact | None:
    if row is None:
        return None
    return Fact(name, plain(row.contender), mark(row.group), view.score(row.value), view.score.interval(row.low, row.high), note)


def best(view: View) -> Fact | None:
    run = view.run
    note, margin, more = "", run.verdict.get("margin"), run.verdict.get("more_examples_to_separate")
    name = "Best, a baseline" if run.group(run.best) == "baseline" else "Best"
    if run.tied:
        others = count(len(run.tied)) + (" others" if len(run.tied) > 1 else " other")
        note = f"Not distinguishable from {others} with {findings.tests(run)}" + (
            f"; about {count(more)} more would tell the first two apart." if more else "."
        )
    elif len(run.ranked) > 1:
        note = "Distinguishable from every other contender."
    if run.group(run.best) == "baseline":
        note = f"{against_networks(view)} {note}"
    if run.best == run.recommended:
        name += ", and recommended"
        note += f" None that is cheaper is surely at most {view.score(margin)} worse." if len(run.ranked) > 1 and margin is not None else ""
    return fact(view, name, run.row.get(run.best), note)


def recommended(view: View) -> Fact | None:
    run = view.run
    row, top = run.row.get(run.recommended), run.row.get(run.best)
    margin = run.verdict.get("margin")
    within = f"at most {view.score(margin)} worse than the best" if margin is not None else "as good as the best"
    if row is None or top is None:
        return None
    if row is top:
        return None                                              # said with the best
    apart: Mapping[str, Any] = run.verdict.get("recommended_difference") or {}
    low, high = apart.get("low"), apart.get("high")
    end = low if run.high_is_good else high
    sure = f"at most {view.score(abs(end))} worse (95 %)" if end is not None else within
    return fact(
        view, "Recommended", row, f"The cheapest that is surely {within}: {sure}{cheaper(run.verdict.get('cost', 'macs'), row, top)}."
    )


def cheaper(cost: str, row: Row, top: Row) -> str:
    """', 1/6 of the operations'."""
    here, there = (one.numbers.get(COST_COLUMNS.get(cost, cost)) for one in (row, top))
    if here is None or not there:
        return ""
    name = COST_NAMES.get(cost, cost)
    return (
        f", {ratio(here / there)} the {name}"
        if here / there >= 0.67
        else f", {ratio(here / there)} of the {name}"
        if here
        else f", no {name}"
    )


def baseline(view: View) -> Fact | None:
    row = view.best_baseline
    if row is None or row.contender == view.run.best:
        return None                                              # said with the best
    return fact(view, "Best baseline", row, against_networks(view))


def against_networks(view: View) -> str:
    """Whether the best baseline is beaten, in a sentence."""
    run, row, p = view.run, view.best_baseline, view.run.verdict.get("p_baseline")
    network = next((one for one in run.ranked if one.group not in ("baseline", "pretrained")), None)
    sure = f" ({probability(p)})" if p is not None else ""
    if network is None or row is None:
        return "No network has a value to set against it."
    if run.verdict.get("beats_baseline"):
        return f"Beaten by {plain(network.contender)}{sure}."
    if (row.rank or 0) < (network.rank or 0):
        return f"Ahead of every network; the best of them is {plain(network.contender)}, {view.score(network.value)}."
    return f"Not shown to be beaten by {plain(network.contender)}{sure}: the simple answer may be as good."


def limits(view: View) -> list[str]:
    """What the verdict does not show."""
    run = view.run
    told = []
    if view.untuned:
        trials = {name: sum(trial.state == "done" for trial in run.tuning.get(name, ())) for name in view.untuned}
        finished = ", ".join(f"{plain(name)} {count(number)}" for name, number in trials.items())
        told.append(
            f"Untuned, for want of finished trials ({finished}): with more time {'it' if len(trials) == 1 else 'they'} might do better."
        )
    told += [f"{plain(name)} failed: {plain(why).rstrip('.')}." for name, why in list(view.failed.items())[:3]]
    if len(view.failed) > 3:
        told.append(f"{count(len(view.failed) - 3)} more failed; their reasons stand in the ledger.")
    if view.absent:
        told.append(f"{listing(view.absent)} could not enter; the reasons stand at the end.")
    if int(run.verdict.get("seeds") or run.plan.get("seeds") or 0) == 1:
        told.append("One seed: this is about these trained models, not about training them again.")
    cuts = run.plan.get("cuts") or ()
    if cuts:
        told.append(f"The clock cut the plan {'once' if len(cuts) == 1 else f'{count(len(cuts))} times'}; see the ledger.")
    return told


def figure(view: View) -> Figure:
    run = view.run
    remarks = dict.fromkeys(view.untuned, "untuned")
    remarks[run.recommended] = "recommended" + (", untuned" if run.recommended in remarks else "")
    shown = Ranking(run.ranked, view.seeds, frozenset([run.best, *run.tied]), view.best_baseline, remarks, view.failed, view.metric,
                    run.high_is_good, view.score)
    finding = findings.on_ranking(run, view.score, view.against_best)
    how = "Dot: mean over seeds; bar: 95 % interval; fine ticks: single seeds."
    how += " Shaded: not distinguishable from the best." if run.tied else ""
    how += " Dashed: the best baseline." if view.best_baseline else ""
    how += f" {plain(run.verdict['best_note'])}" if run.verdict.get("best_note") else ""
    return Figure(finding, how, ranking(shown, WIDE, False, finding), ranking(shown, NARROW, True, finding), table(view))


def table(view: View) -> Table:
    run, score = view.run, view.score
    values = column([score(row.value) for row in run.ranked])
    rows = [[count(row.rank or 0), plain(row.contender), row.group, value, score.interval(row.low, row.high),
             ", ".join(map(score, view.seeds.get(row.contender, ()))), "tied" if row.contender in run.tied else ""]
            for row, value in zip(run.ranked, values, strict=True)]
    lost: list[list[str | Cell]] = [["–", plain(name), run.group(name), "–", "", "", plain(why)] for name, why in view.failed.items()]
    return Table(["rank", "contender", "group", view.metric, "95 % interval", "seeds", ""], [*rows, *lost], "The numbers of this picture")


