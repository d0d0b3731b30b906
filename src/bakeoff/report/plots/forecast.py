"""A forecast against what came: the end of the past, the truth, and what each contender said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bakeoff.report.format import plain, significant
from bakeoff.report.palette import mark
from bakeoff.report.plots.svg import SMALL, Scale, chart, el, fitting, line, measured, path, text

WIDE, HIGH = 236.0, 132.0


def forecast(shown: Mapping[str, Any], groups: Mapping[str, str], name: str) -> Markup:
    """shown: history, future, said, contender → numbers, and of one of them the fan: whose, levels, edges (lowest and highest
    quantile). groups: contender → group, for the colour. A key names the lines."""
    history, future = shown.get("history") or [], shown.get("future") or []
    said: Mapping[str, Sequence[float]] = shown.get("said") or {}
    fan: Mapping[str, Any] = shown.get("fan") or {}
    edges: Sequence[Sequence[float]] = fan.get("edges") or []
    known = [float(value) for part in (history, future, *said.values(), *edges) for value in part if value is not None and math.isfinite(value)]
    if not known:
        return el("p", "There is nothing to draw.", class_="soft")
    across = Scale(0, max(len(history) + len(future) - 1, 1), 4, WIDE - 4)
    upward = Scale(min(known), max(known), HIGH - 6, 18)
    start = len(history)
    parts = [line(across(start - 0.5), 16, across(start - 0.5), HIGH - 4, "grid"),
             text(4, 7, fitting(f"{plain(shown.get('name', ''))}: {significant(min(known))} … {significant(max(known))}", WIDE - 8, SMALL),
                  kind="soft small")]
    if edges:
        low, high = ([(across(place), upward(float(value))) for place, value in enumerate(edge, start)] for edge in edges)
        share = round(100 * (fan["levels"][1] - fan["levels"][0]))
        parts.append(el("g", el("title", f"{plain(fan['whose'])}: {share} % are to lie in here"),
                        el("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in [*low, *reversed(high)]), class_="fan"),
                        class_=mark(groups.get(fan["whose"], ""))))
    for values, first, kind in ((history, 0, "wave past"), (future, start, "wave truth")):
        parts += [path(piece, kind) for piece in pieces(values, first, across, upward)]
    key, place = [], 0.0
    for contender, values in said.items():
        colour = mark(groups.get(contender, ""))
        parts += [el("g", el("title", plain(contender)), *(path(piece, "guess") for piece in pieces(values, start, across, upward)), class_=colour)]
        words = fitting(plain(contender), 80, SMALL)
        if place + measured(words, SMALL) < WIDE:
            key.append(text(place, HIGH + 9, words, kind=f"name small {colour}"))
            place += measured(words, SMALL) + 10
    return chart(WIDE, HIGH + 18, *parts, *key, label=name, kind="curve forecast")


def pieces(values: Sequence[float | None], first: int, across: Scale, upward: Scale) -> list[list[tuple[float, float]]]:
    """Unbroken stretches of at least two points."""
    found: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values, first):
        if value is None or not math.isfinite(value):
            found.append([])
        else:
            found[-1].append((across(place), upward(float(value))))
    return [piece for piece in found if len(piece) > 1]
