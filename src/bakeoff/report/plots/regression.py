"""Answers against targets, and errors along the target: where a number is over- or underestimated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bakeoff.report.errors import Along
from bakeoff.report.format import Score, significant
from bakeoff.report.palette import mark
from bakeoff.report.plots.svg import SMALL, Scale, chart, el, fitting, line, measured, path, text

MOST_POINTS = 1200


def scatter(targets: NDArray[np.float64], answers: NDArray[np.float64], group: str, width: float, label: str) -> Markup:
    """One dot per test example; on the diagonal the answer is the target."""
    every = max(1, -(-len(targets) // MOST_POINTS))
    ends = (
        np.quantile(np.concatenate([targets, answers]), (0.001, 0.999))
        if len(targets) > 2000
        else np.array([min(targets.min(), answers.min()), max(targets.max(), answers.max())])
    )
    low, high = float(ends[0]), float(ends[1])
    room = (high - low) * 0.03 or abs(high) * 0.05 or 0.5
    left, top = edge(low, high), 30.0
    side = width - left - 16
    bottom = top + side * 0.86
    across, upward = Scale(low - room, high + room, left, left + side), Scale(low - room, high + room, bottom, top)
    parts = [*frame(across, upward, left, bottom, left + side), line(across(low), upward(low), across(high), upward(high), "zero"),
             text(10, 10, "answer", kind="soft small"), text(left + side, bottom + 34, "target →", anchor="end", kind="soft small")]
    order = np.argsort(targets, kind="stable")[::every]
    dots = "".join(f"M{across(float(targets[k])):.1f},{upward(float(answers[k])):.1f}h0" for k in order.tolist())
    parts.append(el("path", d=dots, class_="cloud"))
    return chart(width, bottom + 48, *parts, label=label, kind=f"scatter {mark(group)}")


def bands(along: Sequence[Along], group: str, score: Score, width: float, label: str) -> Markup:
    """Median error and the middle 80 % per tenth of the targets; at zero nothing is wrong on average."""
    low, high = min(0.0, *(one.low for one in along)), max(0.0, *(one.high for one in along))
    room = (high - low) * 0.06 or 0.5
    left, top = edge(low, high), 30.0
    side = width - left - 16
    bottom = top + side * 0.86
    across = Scale(along[0].start, along[-1].end, left + 8, left + side - 8)
    upward = Scale(low - room, high + room, bottom, top)
    parts = [
        *frame(across, upward, left, bottom, left + side),
        line(left, upward(0), left + side, upward(0), "zero"),
        text(10, 10, "answer − target", kind="soft small"),
        text(left + side, bottom + 34, "target →", anchor="end", kind="soft small"),
    ]
    middles = []
    for one in along:
        x = across((one.start + one.end) / 2)
        middles.append((x, upward(one.middle)))
        tip = (f"targets {significant(one.start)} – {significant(one.end)}: median error {score.signed(one.middle)}, "
               f"80 % within {score.signed_interval(one.low, one.high)}, {one.number:,} examples")
        parts.append(
            el(
                "g",
                line(x, upward(one.low), x, upward(one.high), "bar"),
                el("circle", cx=x, cy=upward(one.middle), r=4.5, class_="dot"),
                class_="one",
                data_tip=tip,
            )
        )
    parts.insert(0, path(middles, "trend"))
    return chart(width, bottom + 48, *parts, label=label, kind=f"bands {mark(group)}")


def edge(low: float, high: float) -> float:
    """Room on the left for the numbers of the axis."""
    return max(46.0, measured(significant(max(abs(low), abs(high)), 3), SMALL) + 18)


def frame(across: Scale, upward: Scale, left: float, bottom: float, right: float) -> list[Markup]:
    parts = []
    for level in upward.ticks(5):
        parts += [
            line(left, upward(level), right, upward(level), "grid"),
            text(left - 8, upward(level), significant(level), anchor="end", kind="soft small"),
        ]
    last = -1e9
    for tick in across.ticks(5):
        words = fitting(significant(tick), 90, SMALL)
        if across(tick) - measured(words, SMALL) / 2 > last + 8:
            parts.append(text(across(tick), bottom + 15, words, anchor="middle", kind="soft small"))
            last = across(tick) + measured(words, SMALL) / 2
    return [*parts, line(left, bottom, right, bottom, "axis")]
