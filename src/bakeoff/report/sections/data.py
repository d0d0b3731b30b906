"""The data check: what was read, how it was split, what was found wrong, the first examples as they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from bakeoff.report import findings
from bakeoff.report.format import boxes_text, count, plain, short, significant
from bakeoff.report.plots.cards import example
from bakeoff.report.sections.examples import worded
from bakeoff.report.view import Table, View, parted

PROBLEMS, CLASSES = 40, 24                    # listed; the rest stands in data.json
PICTURE_BYTES = 300_000                       # base64 of all first examples together
SPLITS = ("train", "val", "test")


class Balance(NamedTuple):
    """A class of the data: its training examples in % of the largest, and how many each split has."""

    name: str
    wide: float
    train: str
    val: str
    test: str


class First(NamedTuple):
    """One of the first examples, as it was read."""

    picture: Markup
    target: str
    key: str
    split: str


def build(view: View) -> dict[str, Any]:
    data = view.run.data
    classes: Mapping[str, Mapping[str, int]] = data.get("classes") or {}
    balance = balanced(classes)
    largest = sorted(balance, key=lambda one: -one.wide)
    every = [[plain(name), one.train, one.val, one.test] for name, one in zip(classes, balance, strict=True)]
    many = len(balance) > CLASSES
    found = [[kind, short(one.get("what", ""), 300), short(one.get("where", ""), 200), short(one.get("fix") or "", 200)]
             for kind, key in (("set aside", "set_aside"), ("problem", "problems")) for one in data.get(key) or ()]
    return {
        "finding": parted(findings.on_data(view.run)), "lines": facts(view), "notes": [plain(note) for note in data.get("notes") or ()],
        "balance": [*largest[:CLASSES // 2], *largest[-CLASSES // 2:]] if many else balance, "left_out": max(0, len(balance) - CLASSES),
        "classes": Table(["class", *SPLITS], every, "Every class") if many else None,
        "problems": Table(["", "what", "where", "how to fix"], found[:PROBLEMS], "Problems") if found else None,
        "more_problems": max(0, len(found) - PROBLEMS), "first": firsts(data.get("first") or ())}


def balanced(classes: Mapping[str, Mapping[str, int]]) -> list[Balance]:
    most = max((int(one.get("train") or 0) for one in classes.values()), default=1) or 1
    return [Balance(short(name, 48), 100 * int(one.get("train") or 0) / most, *(count(int(one.get(split) or 0)) for split in SPLITS))
            for name, one in classes.items()]


def facts(view: View) -> list[tuple[str, str]]:
    """Name and value of what is known of the data, line by line."""
    data, plan = view.run.data, view.run.plan
    counts: Mapping[str, Any] = data.get("counts") or {}
    kept = data.get("kept") or sum(int(number or 0) for number in counts.values())
    shared, target = data.get("shared") or {}, data.get("target")
    lines = [
        ("files", plain(data.get("path", ""))),
        ("read as", f"{plain(data.get('kind', ''))} → {plain(data.get('task', ''))}"),
        ("because", "; ".join(plain(why) for why in (plan.get("kind_why"), plan.get("task_why")) if why)),
        ("examples", f"{count(kept)} kept of {count(data.get('seen') or kept)} found"),
        ("splits", ", ".join(f"{name} {count(int(number or 0))}" for name, number in counts.items())),
        ("split how", plain((plan.get("splits") or {}).get("how", ""))),
        ("shared", f"{count(shared['count'])} test examples also stand in train" if shared.get("count") else "")]
    if target:
        lines.append(("target", f"{spread(target)} (lowest, median, highest)"))
    for axis, one in (data.get("lengths") or {}).items():
        varies = one["min"] != one["max"]
        lines.append((plain(axis), f"{spread(one)} (shortest, median, longest)" if varies else significant(one["min"], 4)))
    return [line for line in lines if line[1]]


def spread(one: Mapping[str, float]) -> str:
    return " … ".join(significant(one[name], 4) for name in ("min", "median", "max") if name in one)


def firsts(items: Sequence[Mapping[str, Any]]) -> list[First]:
    """Pictures as long as there is room for them."""
    found, room = [], PICTURE_BYTES
    for one in items:
        shown = one.get("shown") or {}
        room -= len(str(shown.get("png", "")))
        if room < 0:
            break
        target = boxes_text(one["target"]) if "boxes" in shown else worded(one.get("target"))
        found.append(First(example(shown, plain(one.get("key", ""))), short(target, 60), plain(one.get("key", "")), plain(one.get("split", ""))))
    return found
