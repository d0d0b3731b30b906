"""Test examples to look at: those that contenders disagree on most, and the hardest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from bakeoff.report.format import count, in_row, listing, percent, plain, short, significant
from bakeoff.report.palette import mark
from bakeoff.report.plots.cards import Said, example, strip
from bakeoff.report.view import Table, View

CARDS, PICTURE_BYTES = 8, 700_000             # per row of examples; base64 of all pictures together
MOST_SAID = 160                               # letters of an answer that is a text
ANSWERS, NAMES = 4, 4                         # different answers on a card, and contenders named beside each

Item = Mapping[str, Any]                      # of shown.json
Given = Mapping[str, Mapping[str, Any]]       # contender → its answer, and its score


class Voice(NamedTuple):
    """An answer, whether it is right, who gave it (name, colour), and how many more."""

    answer: str
    right: bool
    names: list[tuple[str, str]]
    more: int


class Card(NamedTuple):
    picture: Markup
    target: str
    key: str
    why: str
    strip: Markup
    said: list[Voice]
    table: Table


class Row(NamedTuple):
    """A row of cards under what there is to see."""

    finding: str
    cards: list[Card]


def build(view: View) -> dict[str, Row]:
    """Both rows. What contenders that shown.json does not name have answered is added from their answers."""
    items = {which: chosen(view, which) for which in ("disagree", "hardest")}
    known = view.run.answers_to({str(item.get("key")): str(item.get("target")) for row in items.values() for item in row})
    heard = {which: [{**item, "all": {**known.get(str(item.get("key")), {}), **(item.get("answers") or {})}} for item in row]
             for which, row in items.items()}
    return {"disagree": Row(disagreement(view, heard["disagree"]), [card(view, item) for item in heard["disagree"]]),
            "hardest": Row(hardest(view, heard["hardest"]), [card(view, item) for item in heard["hardest"]])}


def chosen(view: View, which: str) -> list[Item]:
    """As many as their pictures have room for; a reason that is the same for all is said by the heading."""
    items, room = (view.run.shown.get(which) or [])[:CARDS], PICTURE_BYTES
    same = len({item.get("why") for item in items}) == 1
    found: list[Item] = []
    for item in items:
        room -= len(str((item.get("shown") or {}).get("png", "")))
        if room < 0:
            break
        found.append({**item, "why": ""} if same else item)
    return found


def card(view: View, item: Item) -> Card:
    target, answers = item.get("target"), item["all"]
    order = {row.contender: row.rank or 0 for row in view.run.ranked}
    names = sorted(answers, key=lambda name: (order.get(name, len(order)), name))
    classify = bool(view.run.classes)
    most = 120 if view.run.drawn else MOST_SAID if view.run.whole else 40
    rows = [[short(name, 40), short(worded(answers[name].get("answer")) if not view.run.forecasts else "drawn", most),
             worded(answers[name].get("score"))] for name in names]
    scored = str(view.run.shown.get("scored") or ("probability of the target" if classify else "error"))
    table = Table(["contender", "answer", scored], rows, "All answers")
    groups = {name: view.run.group(name) for name in answers}
    key = plain(item.get("key", ""))
    truth = "" if target is None else short(worded(target), max(60, most))
    return Card(example(item.get("shown") or {}, key, groups), truth, key, plain(item.get("why") or ""),
                (probabilities if classify else numbers)(view, answers, target),
                voices(view, names, answers, target) if classify or (isinstance(target, str | list) and not view.run.drawn) else [], table)


def worded(value: object) -> str:
    if isinstance(value, Mapping):            # of several numbers
        return ", ".join(f"{name} {worded(one)}" for name, one in value.items())
    return significant(value, 3) if isinstance(value, float) else "–" if value is None else str(in_row(value)) or "nothing"


def voices(view: View, names: Sequence[str], answers: Given, target: object) -> list[Voice]:
    """Who says what: the right answer first, then the most frequent."""
    says: dict[str, list[str]] = {}
    for name in names:
        says.setdefault(str(in_row(answers[name].get("answer"))), []).append(name)
    truth = str(in_row(target))
    order = sorted(says, key=lambda answer: (answer != truth, -len(says[answer]), answer))
    return [Voice(short(worded(answer), 40), answer == truth,
                  [(short(name, 24), mark(view.run.group(name))) for name in says[answer][:NAMES]],
                  max(0, len(says[answer]) - NAMES)) for answer in order[:ANSWERS]]


def probabilities(view: View, answers: Given, target: object) -> Markup:
    said = [Said(name, view.run.group(name), f"{one.get('answer')} ({percent(score)})", score, str(one.get("answer")) == str(target))
            for name, one in answers.items() if (score := finite(one.get("score"))) is not None]
    if not said:
        return Markup("")
    label = "Probability given to the target: " + ", ".join(f"{one.contender} {percent(one.position)}" for one in said)
    return strip(said, 0.0, 1.0, ("0", "1"), None, f"probability of {plain(target)}", label)


def numbers(view: View, answers: Given, target: object) -> Markup:
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


def disagreement(view: View, items: Sequence[Item]) -> str:
    """Who is right how often, of the two that shown.json sets against each other."""
    if not items:
        return ""
    names = list(dict.fromkeys(name for item in items for name in item.get("answers") or {}))
    sides = {plain(name): [name] for name in names} if len(names) == 2 else {
        f"{group} contenders": found for group in ("conv", "recurrent") if (found := [name for name in names if view.run.group(name) == group])}
    who = listing(sides) if len(sides) == 2 else "contenders"
    told = f"The {count(len(items))} test examples on which {who} differ most"
    if len(sides) != 2 or not view.run.classes:
        return told + "."
    wins = dict.fromkeys(sides, 0)
    for item in items:
        share = {side: sum(right(item, name) for name in found) / len(found) for side, found in sides.items()}
        ahead = max(sides, key=lambda side: share[side])
        wins[ahead] += share[ahead] > min(share.values())
    (first, most), (second, fewest) = sorted(wins.items(), key=lambda one: -one[1])
    if not most:
        return f"{told}: neither is right more often."
    how = "alone is right" if len(names) == 2 else "are right more often"
    return f"{told}: {first} {how} in {count(most)}, {second} in {count(fewest) if fewest else 'none'}."


def right(item: Item, name: str) -> bool:
    return str((item["all"].get(name) or {}).get("answer")) == str(item.get("target"))


def hardest(view: View, items: Sequence[Item]) -> str:
    if not items:
        return ""
    if view.run.forecasts:
        return ("Where the best contenders miss by most, one window of each block: in dark what came, dashed what was said, shaded where "
                "the best means the truth to lie.")
    if view.run.drawn:
        return "Where the best contenders find least: in white what is there, in colour the surest of what they said, a box more than there is."
    if not view.run.classes:
        return "Where the best contenders miss by most: look for what these have in common."
    nobody = sum(not any(right(item, name) for name in item["all"]) for item in items)
    if not nobody:
        return f"Each of these {count(len(items))} is answered right by somebody: a mix of contenders might do better."
    which = "any" if nobody == len(items) else count(nobody)
    return f"No contender gets {which} of these {count(len(items))} right: look whether the label itself is wrong."
