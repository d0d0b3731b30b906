"""One class against the rest at every threshold: what is found against false alarms, and what is right of what is found."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bakeoff.report.format import percent, plain
from bakeoff.report.palette import mark
from bakeoff.report.plots.svg import SMALL, Scale, chart, el, fitting, line, path, text
from bakeoff.report.ranks import GRID, Curve, Ranked

SIDE = 320.0                                  # px
TICKS = ((0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1"))


def pair(classes: Sequence[Ranked], group: str, label: str) -> Markup:
    """ROC and precision–recall side by side, the first class in bold with its interval."""
    return Markup('<div class="pair side">{}{}</div>').format(roc(classes, group, label), recall(classes, group, label))


def roc(classes: Sequence[Ranked], group: str, label: str) -> Markup:
    across, upward, parts = frame("share of the class that is found", "share of the others taken for it →")
    first = classes[0]
    edge = [*zip(GRID, first.found_low, strict=True), *reversed(list(zip(GRID, first.found_high, strict=True)))]
    parts += [line(across(0), upward(0), across(1), upward(1), "zero"),
              path([(across(x), upward(y)) for x, y in edge], "interval"),
              *(drawn(one, one.found, group, across, upward, bold=one is first) for one in reversed(classes))]
    words = fitting(f"{first.name}: AUC {share(first.auc)}", 190, SMALL)
    parts.append(text(across(1) - 6, upward(0) - 12, words, anchor="end", kind="small strong"))
    return chart(SIDE, upward(0) + 48, *parts, label=label, kind=f"ranks {mark(group)}")


def recall(classes: Sequence[Ranked], group: str, label: str) -> Markup:
    across, upward, parts = frame("share of these that is right", "share of the class that is found →")
    first = classes[0]
    chance = first.number / (first.number + first.others)
    parts += [line(across(0), upward(chance), across(1), upward(chance), "zero"),
              *(drawn(one, one.right, group, across, upward, bold=one is first) for one in reversed(classes))]
    words = fitting(f"{first.name}: average precision {share(first.precision)}", 240, SMALL)
    parts.append(text(across(0) + 6, upward(0) - 12, words, kind="small strong"))
    return chart(SIDE, upward(0) + 48, *parts, label=label, kind=f"ranks {mark(group)}")


def frame(up: str, right: str) -> tuple[Scale, Scale, list[Markup]]:
    left, top, side = 46.0, 30.0, SIDE - 46 - 16
    across, upward = Scale(0, 1, left, left + side), Scale(0, 1, top + side * 0.86, top)
    parts = [text(10, 10, up, kind="soft small"), text(left + side, upward(0) + 34, right, anchor="end", kind="soft small")]
    for tick, words in TICKS:
        parts += [line(left, upward(tick), left + side, upward(tick), "grid"),
                  text(left - 8, upward(tick), words, anchor="end", kind="soft small"),
                  text(across(tick), upward(0) + 15, words, anchor="middle", kind="soft small")]
    return across, upward, parts


def drawn(one: Ranked, curve: Curve, group: str, across: Scale, upward: Scale, bold: bool) -> Markup:
    tip = (f"{plain(one.name)}: AUC {share(one.auc)} (95 % {share(one.low)} – {share(one.high)}), average precision "
           f"{share(one.precision)}; {percent(one.alarms)} false alarms where 95 % are found; {one.number:,} test examples")
    points = [(across(x), upward(y)) for k, (x, y) in enumerate(zip(GRID, curve, strict=True))
              if not 0 < k < len(curve) - 1 or not curve[k - 1] == y == curve[k + 1]]
    return el("g", path(points, "stairs" if bold else "trend"), class_=f"one {mark(group)}", data_tip=tip)


def share(value: float) -> str:
    """'.962'."""
    return f"{value:.3f}".removeprefix("0")
