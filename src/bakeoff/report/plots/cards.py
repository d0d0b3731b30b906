"""Examples as they are: picture, curve, text or row, and what each contender said about them."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from bakeoff.report.format import HARMFUL, plain, short, significant
from bakeoff.report.palette import GROUPS, mark
from bakeoff.report.plots.boxes import boxed
from bakeoff.report.plots.forecast import forecast
from bakeoff.report.plots.svg import SMALL, Scale, chart, el, fitting, line, measured, path, text

WIDE = 236.0
MOST_TEXT, MOST_CELLS, MOST_CHANNELS, MOST_STEPS = 420, 10, 6, 240
SMALL_PICTURE = 96                            # px: what is smaller is enlarged without smoothing
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def example(shown: Mapping[str, Any], name: str, groups: Mapping[str, str] | None = None) -> Markup:
    """An example in its own form. name: what a screen reader says for a picture; groups: of contenders that a form names, for
    their colour. An unknown form is said, not guessed."""
    form = shown.get("form")
    if form == "picture":
        plainly = picture(str(shown.get("png", "")), name)
        return boxed(shown, str(shown["png"]), groups or {}, name) if "boxes" in shown and plainly.startswith("<img") else plainly
    if form == "curve":
        return curve(shown.get("channels") or [], [str(one) for one in shown.get("names") or []], name)
    if form == "forecast":
        return forecast(shown, groups or {}, name)
    if form == "text":
        return el("blockquote", passage(str(shown.get("text", ""))), class_="text", dir="auto")
    if form == "row":
        return row(shown.get("cells") or {})
    return el("p", f"This example cannot be shown ({plain(form)}).", class_="soft")


def picture(png: str, name: str) -> Markup:
    """Only what is a PNG file is let through."""
    try:
        head = base64.b64decode(png, validate=True)[:24]
    except (binascii.Error, ValueError):
        head = b""
    if not head.startswith(SIGNATURE) or len(head) < 24:
        return el("p", "The picture cannot be shown.", class_="soft")
    wide, high = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    kind = "picture small" if max(wide, high) <= SMALL_PICTURE else "picture"
    return Markup('<img class="{}" alt="{}" src="data:image/png;base64,{}" width="{}" height="{}">').format(
        kind, plain(name), png, wide, high
    )


def curve(channels: Sequence[Sequence[float | None]], names: Sequence[str], name: str) -> Markup:
    """Channels one below the other, each on its own scale; a gap where a value is missing."""
    drawn = channels[:MOST_CHANNELS]
    each = 104.0 if len(drawn) <= 1 else max(26.0, 120.0 / len(drawn))
    longest = max((len(channel) for channel in drawn), default=0)
    labels = min(max((measured(plain(one), SMALL) for one in names[:len(drawn)]), default=0) + 6, 64) if len(drawn) > 1 else 0.0
    parts = []
    for k, channel in enumerate(drawn):
        known = [float(value) for value in channel if value is not None and math.isfinite(value)]
        if not known:
            continue
        upward = Scale(min(known), max(known), each * (k + 1) - 4, each * k + 4)
        across = Scale(0, max(longest - 1, 1), labels + 2, WIDE - 2)
        parts += [path(piece, "wave") for piece in pieces(channel, across, upward)]
        if labels and k < len(names):
            parts.append(text(0, each * (k + 0.5), fitting(names[k], labels - 4, SMALL), kind="soft small"))
    more = len(channels) - len(drawn)
    note = el("p", f"{more} more channel{'s' if more > 1 else ''}", class_="soft small") if more > 0 else Markup("")
    return chart(WIDE, each * max(len(drawn), 1), *parts, label=name, kind="curve") + note


def pieces(channel: Sequence[float | None], across: Scale, upward: Scale) -> list[list[tuple[float, float]]]:
    """Unbroken stretches; of long ones the lowest and highest of every few steps, so that no spike is lost."""
    every = max(1, math.ceil(2 * len(channel) / MOST_STEPS))
    found: list[list[tuple[float, float]]] = [[]]
    for start in range(0, len(channel), every):
        part = [(k, float(value)) for k in range(start, min(start + every, len(channel)))
                if (value := channel[k]) is not None and math.isfinite(value)]
        if not part:
            found.append([])
            continue
        ends = sorted({min(part, key=lambda one: one[1]), max(part, key=lambda one: one[1])}) if every > 1 else part
        found[-1] += [(across(k), upward(value)) for k, value in ends]
    return [piece for piece in found if len(piece) > 1]


def passage(words: str) -> str:
    """Line breaks are kept; the middle of a long text is left out."""
    clean = HARMFUL.sub("�", words.strip().replace("\r\n", "\n"))
    return clean if len(clean) <= MOST_TEXT else f"{clean[:MOST_TEXT - 120].rstrip()} … {clean[-110:].lstrip()}"


def row(cells: Mapping[str, Any]) -> Markup:
    first = list(cells.items())[:MOST_CELLS]
    lines = [el("tr", el("th", short(name, 40), scope="row"), el("td", short(value_text(value), 40))) for name, value in first]
    more = len(cells) - len(first)
    note = el("p", f"{more} more column{'s' if more > 1 else ''}", class_="soft small") if more > 0 else Markup("")
    return el("table", *lines, class_="cells") + note


def value_text(value: Any) -> str:
    if isinstance(value, float):
        return significant(value, 4)
    return "missing" if value is None else str(value)


@dataclass(frozen=True)
class Said:
    """What a contender answered. position: on the strip's axis; right: the answer is the target (None: there is no right or wrong)."""

    contender: str
    group: str
    answer: str
    position: float
    right: bool | None


def strip(said: Sequence[Said], low: float, high: float, ends: tuple[str, str], target: float | None, title: str, label: str) -> Markup:
    """A line of dots per group: filled where right, hollow where wrong. target: a vertical line, where answers are numbers."""
    groups = sorted({one.group for one in said}, key=lambda group: (GROUPS.index(group) if group in GROUPS else len(GROUPS), group))
    left = min(max((measured(group, SMALL) for group in groups), default=0) + 8, 80)
    across = Scale(low, high, left + 8, WIDE - 8)
    top, step = 18.0, 19.0
    bottom = top + step * len(groups)
    parts = [text(left + 2, 7, fitting(title, WIDE - left, SMALL), kind="soft small")]
    parts += [line(x, top, x, bottom, "grid") for x in (across.start, across.end)]
    parts += [
        text(across.start - 6, bottom + 9, ends[0], kind="soft small"),
        text(across.end + 6, bottom + 9, ends[1], anchor="end", kind="soft small"),
    ]
    if target is not None:
        parts.append(line(across(target), top - 2, across(target), bottom, "target"))
    for k, group in enumerate(groups):
        y = top + step * (k + 0.5)
        parts += [text(0, y, fitting(group, left, SMALL), kind=f"name small {mark(group)}"), line(across.start, y, across.end, y, "grid")]
        for one in sorted((one for one in said if one.group == group), key=lambda one: one.position):
            kind = "dot open" if one.right is False else "dot"
            parts.append(
                el(
                    "circle",
                    el("title", f"{one.contender}: {plain(one.answer)}"),
                    cx=across(one.position),
                    cy=y,
                    r=4.5,
                    class_=f"{kind} {mark(group)}",
                )
            )
    return chart(WIDE, bottom + 18, *parts, label=label, kind="strip")
