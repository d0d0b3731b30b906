"""Where they fail: confusion and calibration, or errors along the target, and examples to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from bakeoff.report import findings
from bakeoff.report.errors import Mistake, along_target, calibration, confusion
from bakeoff.report.format import count, listing, percent, plain, short, significant
from bakeoff.report.palette import mark
from bakeoff.report.plots import regression
from bakeoff.report.plots.cards import Said, example, strip
from bakeoff.report.plots.confusion import MOST, matrix, reliability
from bakeoff.report.records import Answers
from bakeoff.report.view import NARROW, Figure, Table, View

MATRIX, SIDE = 520.0, 288.0              # px
CONTENDERS = 6                                # in the switch
LISTED, IN_TABLE = 7, 40                      # most frequent mistakes beside the matrix, and in the table behind it
CARDS, PICTURE_BYTES = 8, 1_200_000           # per row of examples; base64 of all pictures together


def asked(view: View) -> list[str]:
    """The best, the recommended, the best of every other group by rank, then whoever comes next."""
    run = view.run
    heads = [next(row.contender for row in run.ranked if row.group == group) for group in dict.fromkeys(row.group for row in run.ranked)]
    order = dict.fromkeys([run.best, run.recommended, *heads, *(row.contender for row in run.ranked)])
    return [name for name in order if name in run.row][:CONTENDERS]


def figures(view: View) -> list[Figure]:
    """One per contender of the switch whose answers were kept."""
    found = []
    for name in asked(view):
        answers = view.run.answers(name, scores=True)
        if answers is not None and len(answers.keys):
            found.append(classified(view, name, answers) if view.run.classes else measured(view, name, answers))
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
    rows = [[plain(one.true), plain(one.said), percent(one.share, 1), f"{percent(one.low)} – {percent(one.high)}", count(one.number)]
            for one in mistakes[:IN_TABLE]]
    more["recalls"] = Table(
        ["class", "right", "95 % interval", "test examples"],
        [
            [plain(one.name), percent(one.share, 1), f"{percent(one.low)} – {percent(one.high)}", count(one.number)]
            for one in found.recalls()
        ],
        "Every class",
    )
    return Figure(
        finding,
        how,
        matrix(part.classes, part.shares, part.numbers, MATRIX, finding),
        matrix(part.classes, part.shares, part.numbers, NARROW, finding),
        Table(["true class", "answered", "share", "95 % interval", "test examples"], rows, "The most frequent mistakes"),
        plain(name),
        more,
    )


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


@dataclass(frozen=True)
class Card:
    picture: Markup
    target: str
    key: str
    why: str
    strip: Markup
    said: list[tuple[str, bool, list[tuple[str, str]], int]]    # answer, whether right, (contender, mark) …, how many more
    table: Table


def cards(view: View, which: str) -> list[Card]:
    """Examples of shown.json as cards, as many as their pictures have room for."""
    found, room = [], PICTURE_BYTES
    items = (view.run.shown.get(which) or [])[:CARDS]
    same = len({item.get("why") for item in items}) == 1         # then the heading has said it
    for item in items:
        room -= len(str((item.get("shown") or {}).get("png", "")))
        if room < 0:
            break
        found.append(card(view, {**item, "why": ""} if same else item))
    return found


def card(view: View, item: Mapping[str, Any]) -> Card:
    target = item.get("target")
    answers: Mapping[str, Mapping[str, Any]] = item.get("answers") or {}
    order = {row.contender: row.rank or 0 for row in view.run.ranked}
    names = sorted(answers, key=lambda name: (order.get(name, len(order)), name))
    classify = bool(view.run.classes)
    rows = [[short(name, 40), short(worded(answers[name].get("answer")), 40), worded(answers[name].get("score"))] for name in names]
    last = "probability of the target" if classify else "error"
    return Card(
        example(item.get("shown") or {}, plain(item.get("key", ""))),
        short(worded(target), 60),
        plain(item.get("key", "")),
        plain(item.get("why") or ""),
        (probabilities if classify else numbers)(view, answers, target),
        grouped(view, names, answers, target) if classify else [],
        Table(["contender", "answer", last], rows, "All answers"),
    )


def worded(value: object) -> str:
    return significant(value, 3) if isinstance(value, float) else str(value)


def grouped(view: View, names: Sequence[str], answers: Mapping[str, Mapping[str, Any]],
            target: object) -> list[tuple[str, bool, list[tuple[str, str]], int]]:
    """Who says what: each answer with its contenders, the right answer first, then the most frequent."""
    says: dict[str, list[str]] = {}
    for name in names:
        says.setdefault(str(answers[name].get("answer")), []).append(name)
    order = sorted(says, key=lambda answer: (answer != str(target), -len(says[answer]), answer))
    return [
        (
            short(answer, 40),
            answer == str(target),
            [(short(name, 24), mark(view.run.group(name))) for name in says[answer][:4]],
            max(0, len(says[answer]) - 4),
        )
        for answer in order[:4]
    ]


def probabilities(view: View, answers: Mapping[str, Mapping[str, Any]], target: object) -> Markup:
    said = [Said(name, view.run.group(name), f"{one.get('answer')} ({percent(score)})", score, str(one.get("answer")) == str(target))
            for name, one in answers.items() if (score := finite(one.get("score"))) is not None]
    if not said:
        return Markup("")
    label = "Probability given to the target: " + ", ".join(f"{one.contender} {percent(one.position)}" for one in said)
    return strip(said, 0.0, 1.0, ("0", "1"), None, f"probability of {plain(target)}", label)


def numbers(view: View, answers: Mapping[str, Mapping[str, Any]], target: object) -> Markup:
    truth = finite(target)
    said = [Said(name, view.run.group(name), significant(value), value, None) for name, one in answers.items()
            if (value := finite(one.get("answer"))) is not None]
    if not said or truth is None:
        return Markup("")
    low, high = min(truth, *(one.position for one in said)), max(truth, *(one.position for one in said))
    room = (high - low) * 0.05 or abs(high) * 0.05 or 0.5
    label = f"Target {significant(truth)}; " + ", ".join(f"{one.contender} {one.answer}" for one in said)
    return strip(said, low - room, high + room, (significant(low), significant(high)), truth, "answers; line: the target", label)


def finite(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def disagreement(view: View, shown: Sequence[Card]) -> str:
    """The finding over the row of examples on which contenders disagree most: who is right how often."""
    run, items = view.run, (view.run.shown.get("disagree") or [])[:len(shown)]
    if not shown:
        return ""
    names = list(dict.fromkeys(name for item in items for name in item.get("answers") or {}))
    sides = {name: [name] for name in names} if len(names) == 2 else {
        f"{group} contenders": found for group in ("conv", "recurrent") if (found := [name for name in names if run.group(name) == group])}
    who = listing(sides) if len(sides) == 2 else "contenders"
    told = f"The {count(len(shown))} test examples on which {who} differ most"
    if len(sides) != 2 or not run.classes:
        return told + "."
    wins = dict.fromkeys(sides, 0)
    for item in items:
        share = {side: sum(right(item, name) for name in found) / len(found) for side, found in sides.items()}
        ahead = max(sides, key=lambda side: share[side])
        wins[ahead] += share[ahead] > min(share.values())
    (first, most), (second, fewest) = sorted(wins.items(), key=lambda one: -one[1])
    verb = "is" if len(names) == 2 else "are"
    if not fewest:
        return (
            f"{told}: {second} {verb} never nearer to the truth, {first} {verb} in {count(most)}."
            if most
            else f"{told}: neither is nearer to the truth."
        )
    return f"{told}: {first} {verb} nearer to the truth in {count(most)}, {second} in {count(fewest)}."


def right(item: Mapping[str, Any], name: str) -> bool:
    return str(((item.get("answers") or {}).get(name) or {}).get("answer")) == str(item.get("target"))


def hardest(view: View, shown: Sequence[Card]) -> str:
    if not shown:
        return ""
    if not view.run.classes:
        return "Where the best contenders miss by most: look for what these have in common."
    items = (view.run.shown.get("hardest") or [])[:len(shown)]
    nobody = sum(not any(right(item, name) for name in item.get("answers") or {}) for item in items)
    if not nobody:
        return f"Each of these {count(len(items))} is answered right by somebody: a mix of contenders might do better."
    which = "any" if nobody == len(items) else count(nobody)
    return f"Nobody gets {which} of these {count(len(items))} right: look whether the label itself is wrong."
