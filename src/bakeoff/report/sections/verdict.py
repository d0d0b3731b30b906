"""First screen: the verdict word for word, set so that it can be scanned, and the one picture that carries the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup

from bakeoff.report import findings
from bakeoff.report.format import Cell, column, count, plain
from bakeoff.report.palette import mark
from bakeoff.report.plots.ranking import Ranking, ranking
from bakeoff.report.view import NARROW, Figure, Table, View, unbroken
from bakeoff.verdict import LIMITS

WIDE = 660.0


class Said(NamedTuple):
    """Sentences of the verdict about one topic; '' where it is none of the known ones."""

    topic: str
    words: list[Markup]


def build(view: View) -> dict[str, Any]:
    first, *others = view.run.verdict.get("said") or [{"topic": "", "text": view.run.verdict.get("sentence") or ""}]
    cuts = len(view.run.plan.get("cuts") or ())
    if cuts:
        others.append({"topic": LIMITS, "text": f"The clock cut the plan {'once' if cuts == 1 else f'{count(cuts)} times'}: see the ledger."})
    return {"headline": coloured(view, plain(first["text"])), "said": by_topic(view, others), "figure": figure(view)}


def by_topic(view: View, said: Sequence[Mapping[str, str]]) -> list[Said]:
    """In their order; neighbours about the same are put together."""
    return [Said(plain(topic), [coloured(view, plain(one["text"])) for one in some]) for topic, some in groupby(said, lambda one: one["topic"])]


def coloured(view: View, words: str) -> Markup:
    """The contenders that a sentence is about in their group's colour; of baselines only those that are, or may be, the best."""
    run = view.run
    first = {run.best, run.recommended, str(run.verdict.get("best_baseline")), *run.tied, *(row.contender for row in run.ranked[:2])}
    marks = {plain(row.contender): mark(row.group) for row in run.rows if row.group != "baseline" or row.contender in first}
    names = "|".join(sorted(map(re.escape, marks), key=len, reverse=True))
    pieces = re.split(rf"(?<![\w-])({names})(?![\w-])", words) if names else [words]
    return Markup("").join(Markup('<b class="name {}">{}</b>').format(marks[piece], piece) if k % 2 else unbroken(piece)
                           for k, piece in enumerate(pieces))


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
    return Figure(finding, how, ranking(shown, WIDE, False, finding), ranking(shown, NARROW, True, finding), table(view))


def table(view: View) -> Table:
    run, score = view.run, view.score
    values = column([score(row.value) for row in run.ranked])
    rows = [[count(row.rank or 0), plain(row.contender), row.group, value, score.interval(row.low, row.high),
             ", ".join(map(score, view.seeds.get(row.contender, ()))), "tied" if row.contender in run.tied else ""]
            for row, value in zip(run.ranked, values, strict=True)]
    lost: list[list[str | Cell]] = [["–", plain(name), run.group(name), "–", "", "", plain(why)] for name, why in view.failed.items()]
    return Table(["rank", "contender", "group", view.metric, "95 % interval", "seeds", ""], [*rows, *lost], "The numbers of this picture")
