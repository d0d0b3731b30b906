"""Where they fail: confusion and calibration, or errors along the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from bakeoff.report import findings
from bakeoff.report.errors import Confusion, Mistake, along_target, calibration, confusion, wilson
from bakeoff.report.format import count, percent, plain, short, significant
from bakeoff.report.palette import mark
from bakeoff.report.plots import ranks, regression
from bakeoff.report.plots.confusion import MOST, matrix, reliability
from bakeoff.report.ranks import Ranked, ranked
from bakeoff.report.records import Answers
from bakeoff.report.view import NARROW, Figure, Table, View
from bakeoff.types import labels_of

MATRIX, SIDE = 520.0, 288.0                   # px
CONTENDERS = 6                                # in the switch
RANKS = ("One class against the rest at every threshold, mean over seeds; in bold the one that is told apart worst. Left, ROC: what is "
         "found against false alarms, with a 95 % band; the line is chance. Right, precision and recall: the line is taking all for it.")
LISTED, IN_TABLE, CLASSES = 7, 40, 100        # most frequent mistakes beside the matrix, and in the table behind it; classes in theirs


def asked(view: View) -> list[str]:
    """The best, the recommended, the best of every other group by rank, then whoever comes next."""
    run = view.run
    heads = [next(row.contender for row in run.ranked if row.group == group) for group in dict.fromkeys(row.group for row in run.ranked)]
    order = dict.fromkeys([run.best, run.recommended, *heads, *(row.contender for row in run.ranked)])
    return [name for name in order if name in run.row][:CONTENDERS]


def figures(view: View) -> list[Figure]:
    """One per contender of the switch whose answers were kept; of boxes, of their classes alone, and none of any other answer that is
    neither a label nor one number."""
    found: list[Figure] = []
    if view.run.whole:
        return [found_boxes(view, name) for name in asked(view) if view.run.comparison.get("classes", {}).get(name)]
    for name in asked(view):
        answers = view.run.answers(name, scores=True)
        if answers is not None and len(answers.keys):
            found.append((labelled if view.run.several else classified if view.run.classes else measured)(view, name, answers))
    return found


class Bar(NamedTuple):
    """A frequent mistake: its share and interval in % of the bar's width."""

    true: str
    said: str
    share: str
    start: float
    wide: float
    at: float
    tip: str


def classified(view: View, name: str, answers: Answers) -> Figure:
    found = confusion(answers, view.run.classes)
    part = found.part(MOST)
    mistakes = found.mistakes()
    finding = findings.on_confusion(name, found, len(answers.keys))
    how = "In % of each true class, all seeds together; mistakes in blue, what is right in grey."
    if len(part.classes) < len(found.classes):
        how += f" Drawn: the {len(part.classes)} of {count(len(found.classes))} classes that take part in most mistakes."
    group = view.run.group(name)
    sure = calibration(answers)
    more: dict[str, object] = {"mistakes": bars(mistakes[:LISTED]), "mark": mark(group)}
    if sure is not None and sure[0]:
        told = findings.on_calibration(name, *sure)
        more |= {"calibration": reliability(sure[0], group, SIDE, told), "calibrated": told}
    classes = ranked(answers)
    if classes:
        more |= {"ranks": ranks.pair(classes, group, told := findings.on_ranks(name, classes, False)), "ranking": told,
                 "ranks_how": RANKS, "ranks_table": ranking(classes)}
    rows = [[plain(one.true), plain(one.said), percent(one.share, 1), f"{percent(one.low)} – {percent(one.high)}", count(one.number)]
            for one in mistakes[:IN_TABLE]]
    more["recalls"] = recalls(found)
    drawn = [matrix(part.classes, part.shares, part.numbers, width, finding) for width in (MATRIX, NARROW)]
    table = Table(["true class", "answered", "share", "95 % interval", "test examples"], rows, "The most frequent mistakes")
    return Figure(finding, how, drawn[0], drawn[1], table, plain(name), more)


def labelled(view: View, name: str, answers: Answers) -> Figure:
    """Sets of labels: each label for itself."""
    classes = ranked(answers)
    there, said = answers.members(), [[set(labels_of(one)) for one in seed] for seed in answers.answers.tolist()]
    rows = []
    for k, label in enumerate(answers.labels):
        answered = np.array([[label in one for one in seed] for seed in said])
        hit, number = float((answered & there[:, k]).sum()) / len(answered), int(there[:, k].sum())
        share, rate = (hit / number if number else 0.0), float(answered.sum()) / len(answered)
        low, high = wilson(share, number)
        rows.append([plain(label), percent(share, 1), f"{percent(low)} – {percent(high)}", percent(hit / rate, 1) if rate else "–",
                     count(number)])
    table = Table(["label", "found", "95 % interval", "right where answered", "test examples"], rows, "Every label")
    if not classes:
        return Figure(f"No label of {plain(name)}'s can be set against its absence.", "", Markup(""), Markup(""), table, plain(name))
    finding = findings.on_ranks(name, classes, True)
    chart = ranks.pair(classes, view.run.group(name), finding)
    return Figure(finding, RANKS, chart, chart, table, plain(name), {"recalls": ranking(classes)})


def found_boxes(view: View, name: str) -> Figure:
    """Boxes: how well each class is found."""
    classes: Sequence[Mapping[str, Any]] = view.run.comparison["classes"][name]
    sure = any(one["low"] is not None for one in classes)
    rows = [[plain(one["label"]), count(one["boxes"]), ranks.share(one["value"]),
             *([f"{ranks.share(one['low'])} – {ranks.share(one['high'])}" if one["low"] is not None else "–"] if sure else [])]
            for one in sorted(classes, key=lambda one: (-one["value"], one["label"]))]
    head = ["class", "boxes in test", "average precision", *(["95 % interval"] if sure else [])]
    how = "A box counts as found where half of what it or the true one covers is covered by both; mean over seeds."
    how += " Intervals by random sets of test images." if sure else ""
    return Figure(findings.on_boxes(name, classes), how, Markup(""), Markup(""), Table(head, rows, "Every class", shown=True), plain(name))


def ranking(classes: Sequence[Ranked]) -> Table:
    return Table(["class", "AUC", "95 % interval", "average precision", "false alarms where 95 % are found", "test examples"], [
        [plain(one.name), ranks.share(one.auc), f"{ranks.share(one.low)} – {ranks.share(one.high)}", ranks.share(one.precision),
         percent(one.alarms, 1), count(one.number)] for one in classes], "Every class against the rest")


def recalls(found: Confusion) -> Table:
    """Every class, or of many the weakest."""
    classes, title = found.recalls(), "Every class"
    if len(classes) > CLASSES:
        classes, title = sorted(classes, key=lambda one: one.share)[:CLASSES], f"The weakest {CLASSES} of {count(len(classes))} classes"
    return Table(["class", "right", "95 % interval", "test examples"], [
        [plain(one.name), percent(one.share, 1), f"{percent(one.low)} – {percent(one.high)}", count(one.number)] for one in classes], title)


def bars(mistakes: Sequence[Mistake]) -> list[Bar]:
    top = max((one.high for one in mistakes), default=1.0) or 1.0
    return [
        Bar(
            short(one.true, 24),
            short(one.said, 24),
            percent(one.share),
            100 * one.low / top,
            100 * (one.high - one.low) / top,
            100 * one.share / top,
            f"{percent(one.share, 1)} (95 % {percent(one.low)} – {percent(one.high)}) of {count(one.number)}",
        )
        for one in mistakes
    ]


def measured(view: View, name: str, answers: Answers) -> Figure:
    """A number is asked for: answers against targets, errors along the target."""
    truth, said = answers.targets.astype(float), answers.answers.astype(float).mean(0)
    along, group = along_target(answers), view.run.group(name)
    error = said - truth
    absolute = np.abs(error)
    low, high = along[0], along[-1]
    half, most = (float(q) for q in np.quantile(absolute, (0.5, 0.9)))
    finding = (f"Half of {plain(name)}'s answers are within {significant(half)} of the target, nine in ten within {significant(most)}. "
               f"{leaning(low.middle, high.middle, half)}")
    how = ("Left: a dot per test example, answers averaged over seeds; on the line answer and target agree. "
           "Right: median error and the middle 80 % for each tenth of the targets.")
    rows = [
        [
            f"{significant(one.start)} – {significant(one.end)}",
            view.score.signed(one.middle),
            view.score.signed_interval(one.low, one.high),
            count(one.number),
        ]
        for one in along
    ]
    charts = [
        Markup('<div class="pair">{}{}</div>').format(
            regression.scatter(truth, said, group, width, finding), regression.bands(along, group, view.score, width, finding)
        )
        for width in (410.0, NARROW)
    ]
    return Figure(
        finding, how, charts[0], charts[1], Table(["targets", "median error", "80 % of the errors", "test examples"], rows), plain(name)
    )


def leaning(low: float, high: float, half: float) -> str:
    """Errors at both ends of the targets, in a sentence."""
    if low > 0.25 * half and high < -0.25 * half:
        return "It leans to the middle: the smallest targets are answered too high, the largest too low."
    if low > 0.25 * half and high > 0.25 * half:
        return "It answers too high at both ends."
    if low < -0.25 * half and high < -0.25 * half:
        return "It answers too low at both ends."
    if abs(high) > 2 * abs(low) and abs(high) > 0.25 * half:
        return f"The largest targets are answered too {'high' if high > 0 else 'low'}."
    return "No part of the targets is missed in one direction much."
