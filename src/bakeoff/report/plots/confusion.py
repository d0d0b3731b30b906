"""Which class is taken for which, and whether a probability can be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bakeoff.report.errors import Bin
from bakeoff.report.format import percent, plain
from bakeoff.report.palette import mark
from bakeoff.report.plots.svg import SMALL, Scale, chart, el, fitting, line, measured, text

MOST = 16                                     # classes side by side; with more, those that take part in most mistakes


def matrix(classes: Sequence[str], shares: NDArray[np.float64], numbers: Sequence[int], width: float, label: str) -> Markup:
    """Rows: the true class; columns: the answer; shares (K, K) of the row's examples. Mistakes shaded, what is right outlined."""
    count = len(classes)
    narrow = width < 500
    left = min(max(measured(plain(name), SMALL) for name in classes) + 10, 70 if narrow else 150)
    room = min(max(measured(plain(name), SMALL) for name in classes), 110)
    size = min(84.0 if count < 5 else 60.0 if count < 8 else 46.0, (width - left - (10 if narrow else 40)) / count)
    flat = room <= size - 4                                        # short names stand level over their columns, long ones slant
    top = 40.0 if flat else 34 + room * 0.72
    wrong = np.array(shares)
    np.fill_diagonal(wrong, 0)
    largest = float(wrong.max()) or 1.0
    parts = [text(0, 8, "true ↓   answered →", kind="soft small")]
    for k, name in enumerate(classes):
        x, y = left + size * k + size / 2, top + size * k + size / 2
        shown = fitting(name, room, SMALL)
        if flat:
            parts.append(text(x, top - 9, shown, anchor="middle", kind="small"))
        else:
            parts.append(text(x, top - 7, shown, kind="small", transform=f"rotate(-45 {x:.1f} {top - 7:.1f})"))
        parts.append(text(left - 8, y, fitting(name, left - 8, SMALL), anchor="end", kind="small"))
        parts += [square(classes, shares, numbers, k, other, left + size * other, top + size * k, size, largest) for other in range(count)]
    return chart(width, top + size * count + 6, *parts, label=label, kind="confusion")


def square(
    classes: Sequence[str],
    shares: NDArray[np.float64],
    numbers: Sequence[int],
    true: int,
    said: int,
    x: float,
    y: float,
    size: float,
    largest: float,
) -> Markup:
    share = float(shares[true, said])
    right = true == said
    parts = []
    if right:
        parts.append(el("rect", x=x + 1.5, y=y + 1.5, width=size - 3, height=size - 3, class_="right"))
    elif share > 0:
        parts.append(
            el(
                "rect",
                x=x + 0.5,
                y=y + 0.5,
                width=size - 1,
                height=size - 1,
                class_="tint",
                fill_opacity=f"{0.12 + 0.88 * share / largest:.2f}",
            )
        )
    else:
        parts.append(el("rect", x=x + size / 2 - 0.75, y=y + size / 2 - 0.75, width=1.5, height=1.5, class_="speck"))
    words = f"{share * 100:.0f}" if share >= 0.005 or right else ""
    if words and measured("88", SMALL) <= size - 3:               # all that are not nothing, or none
        parts.append(text(x + size / 2, y + size / 2, words, anchor="middle", kind="small strong" if right else "small"))
    if share <= 0 and not right:
        return parts[0]
    tip = f"{percent(share, 1)} of the {numbers[true]:,} {plain(classes[true])} are answered {plain(classes[said])}"
    return el("g", *parts, class_="one", data_tip=tip)


def reliability(bins: Sequence[Bin], group: str, width: float, label: str) -> Markup:
    """Probability given to the answer against the share that is right, an interval each; on the diagonal both agree."""
    left, top, side = 46.0, 30.0, width - 46 - 16
    bottom = top + side * 0.86
    across, upward = Scale(0, 1, left, left + side), Scale(0, 1, bottom, top)
    most = max((one.number for one in bins), default=1)
    parts = []
    for tick, words in ((0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1")):
        parts += [
            line(left, upward(tick), left + side, upward(tick), "grid"),
            text(left - 8, upward(tick), words, anchor="end", kind="soft small"),
            text(across(tick), bottom + 15, words, anchor="middle", kind="soft small"),
        ]
    parts += [line(across(0), upward(0), across(1), upward(1), "zero"), text(10, 10, "share that is right", kind="soft small"),
              text(left + side, bottom + 34, "probability the model gave its answer →", anchor="end", kind="soft small")]
    for one in bins:
        x, y = across(one.said), upward(one.seen)
        tip = (f"said {percent(one.said)}, right {percent(one.seen)} (95 % {percent(one.low)} – {percent(one.high)}), "
               f"{one.number:,} answers")
        parts.append(el("g", line(x, upward(one.low), x, upward(one.high), "bar"),
                        el("circle", cx=x, cy=y, r=2.5 + 4.5 * (one.number / most) ** 0.5, class_="dot"), class_=f"one {mark(group)}", data_tip=tip))
    return chart(width, bottom + 48, *parts, label=label, kind="reliability")
