"""Boxes on the image they lie on: the true ones, and those that each contender told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bakeoff.report.format import boxes_text, plain, short
from bakeoff.report.palette import mark
from bakeoff.report.plots.svg import SMALL, chart, el, fitting, measured, text

WIDE, HIGH = 236.0, 128.0
MOST_TRUE, MOST_SAID = 60, 8                  # boxes drawn: true ones, and of each contender


def boxed(shown: Mapping[str, Any], png: str, groups: Mapping[str, str], name: str) -> Markup:
    """shown: size (width, height), boxes, and said, contender → boxes with scores. A key names the contenders by colour."""
    across, down = (float(side) for side in shown["size"])
    scale = min(WIDE / across, HIGH / down)
    width, height = across * scale, down * scale
    said: Mapping[str, Sequence[Any]] = shown.get("said") or {}
    true = usable(shown.get("boxes") or [])[:MOST_TRUE]
    parts = [el("image", href=f"data:image/png;base64,{png}", width=width, height=height, preserveAspectRatio="none")]
    parts += [rectangle(one, scale, "true") for one in true]
    key, place = [], 0.0
    for contender, boxes in said.items():
        colour = mark(groups.get(contender, ""))
        parts.append(el("g", *(rectangle(one, scale, "guess") for one in usable(boxes)[:MOST_SAID]), class_=colour))
        words = fitting(plain(contender), 80, SMALL)
        if place + measured(words, SMALL) < WIDE:
            key.append(text(place, height + 9, words, kind=f"name small {colour}"))
            place += measured(words, SMALL) + 10
    told = f"{name}: {boxes_text(true)}" + "".join(f"; {contender}: {boxes_text(usable(boxes))}" for contender, boxes in said.items())
    return chart(WIDE if key else width, height + (18 if key else 0), *parts, *key, label=short(told, 400), kind="boxes")


def usable(boxes: Sequence[Any]) -> list[Mapping[str, Any]]:
    """What has four finite sides."""
    return [one for one in boxes if isinstance(one, Mapping) and len(one.get("box") or ()) == 4
            and all(isinstance(side, int | float) and math.isfinite(side) for side in one["box"])]


def rectangle(one: Mapping[str, Any], scale: float, kind: str) -> Markup:
    """Its class, and where there is one its score, when pointed at."""
    x0, y0, x1, y1 = (float(side) * scale for side in one["box"])
    return el("rect", el("title", boxes_text([one])), x=x0, y=y0, width=max(x1 - x0, 0.5), height=max(y1 - y0, 0.5), class_=kind)
