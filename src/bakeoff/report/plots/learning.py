"""How they learnt: loss curves as small multiples on the same axes, and the best value so far against the budget spent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bakeoff.report.format import Score, quantity
from bakeoff.report.palette import mark
from bakeoff.report.plots.place import stacked
from bakeoff.report.plots.svg import SMALL, TEXT, Scale, chart, el, fitting, line, measured, path, steps, text, tick_text
from bakeoff.types import Point

TILE_WIDE, TILE_HIGH = 160.0, 130.0


@dataclass(frozen=True)
class Learnt:
    """The best trial's looks at validation. best: examples at the look whose weights were kept."""

    contender: str
    group: str
    curve: Sequence[Point]
    best: int


@dataclass(frozen=True)
class Progress:
    """Best value so far after so much budget, one point per trial that improved it; spent: in all."""

    contender: str
    group: str
    points: Sequence[tuple[float, float]]
    spent: float
    trials: int


def loss_axes(all_learnt: Sequence[Learnt]) -> tuple[float, tuple[float, float]]:
    """Most examples, and the losses shown: from the lowest to where most curves begin, so that no outlier flattens them."""
    most = max(point.examples for one in all_learnt for point in one.curve)
    losses = sorted(loss for one in all_learnt for point in one.curve for loss in (point.loss, point.train_loss) if math.isfinite(loss))
    if not losses:
        return most, (0.0, 1.0)
    begins = sorted(one.curve[0].loss for one in all_learnt if math.isfinite(one.curve[0].loss)) or [losses[-1]]
    ends = sorted(one.curve[-1].loss for one in all_learnt if math.isfinite(one.curve[-1].loss)) or [losses[-1]]
    top = min(losses[-1], max(1.25 * begins[len(begins) // 2], min(1.1 * ends[-1], 4 * ends[len(ends) // 2])))
    return most, (min(0.0, losses[0]), max(top, losses[0] + 1e-9, losses[len(losses) // 2] * 1.2))


def tile(one: Learnt, most: float, losses: tuple[float, float], label: str) -> Markup:
    """Validation in the group's colour, training thin and grey, a dot at the look that was kept."""
    left, top, right, bottom = 30.0, 24.0, TILE_WIDE - 8, TILE_HIGH - 20
    across, upward = Scale(0, most, left, right), Scale(*losses, bottom, top)
    levels = upward.ticks(4)
    write = tick_text(levels, True)
    parts = []
    for level in levels:
        parts += [
            line(left, upward(level), right, upward(level), "grid"),
            text(left - 5, upward(level), write(level), anchor="end", kind="soft small"),
        ]
    ends = quantity(most, 2)
    parts += [
        text(left, bottom + 12, "0", anchor="middle", kind="soft small"),
        text(right, bottom + 12, ends, anchor="end", kind="soft small"),
    ]
    for field, kind in (("train_loss", "training"), ("loss", "validation")):
        points = [(across(point.examples), upward(getattr(point, field))) for point in one.curve if math.isfinite(getattr(point, field))]
        if len(points) > 1:
            parts.append(path(points, kind))
    kept = min(one.curve, key=lambda point: abs(point.examples - one.best))
    if math.isfinite(kept.loss):
        parts.append(el("circle", cx=across(kept.examples), cy=upward(kept.loss), r=3.5, class_="dot"))
    parts.append(text(left, 9, fitting(one.contender, TILE_WIDE - left - 4), kind="name strong"))
    return chart(TILE_WIDE, TILE_HIGH, *parts, label=label, kind=f"tile {mark(one.group)}")


def best_so_far(
    all_progress: Sequence[Progress],
    write_spent: Callable[[float | None], str],
    spent_title: str,
    metric: str,
    high_is_good: bool,
    score: Score,
    width: float,
    height: float,
    label: str,
) -> Markup:
    """Staircases of the best validation value, named at their right end."""
    names_wide = min(max(measured(one.contender, TEXT) for one in all_progress) + 30, 130 if width > 500 else 92)
    left, top, right, bottom = 46.0, 34.0, width - names_wide - 20, height - 46
    finals = sorted((one.points[-1][1] for one in all_progress), reverse=high_is_good)
    shown = finals[:max(2, math.ceil(len(finals) * 0.8))]
    firsts = [one.points[0][1] for one in all_progress if one.points[-1][1] in shown]
    worst = (min if high_is_good else max)([*shown, sorted(firsts, reverse=high_is_good)[len(firsts) * 3 // 4]])
    room = abs(finals[0] - worst) * 0.04 or 0.05 * abs(worst) or 0.5
    upward = Scale(min(finals[0], worst) - room, max(finals[0], worst) + room, bottom, top)
    across = Scale(0, max(one.spent for one in all_progress) or 1.0, left, right)
    levels = upward.ticks(5)
    write = tick_text(levels, score.bare)
    parts = []
    for level in levels:
        parts += [
            line(left, upward(level), right, upward(level), "grid"),
            text(left - 8, upward(level), write(level), anchor="end", kind="soft small"),
        ]
    for tick in across.ticks(6 if width > 500 else 3):
        parts.append(text(across(tick), bottom + 15, write_spent(tick), anchor="middle" if tick else "start", kind="soft small"))
    parts += [line(left, bottom, right, bottom, "axis"),
              text(10, 10, f"best {metric} on validation so far", kind="soft small"),
              text(right, bottom + 34, fitting(f"{spent_title} →", right - 20, SMALL), anchor="end", kind="soft small")]
    ys = stacked([upward(one.points[-1][1]) for one in all_progress], 15.5, top, bottom - 4)
    for one, y in zip(all_progress, ys, strict=True):
        end = across(one.spent), upward(one.points[-1][1])
        stairs = [(across(spent), upward(value)) for spent, value in one.points]
        held = upward.holds(one.points[-1][1])
        drawn = [steps([*stairs, end], "stairs"), el("circle", cx=end[0], cy=end[1], r=3, class_="dot")] if held else []
        joined = [line(end[0] + 4, end[1], right, end[1], "rest"), line(right, end[1], right + 12, y, "leader")] if held else []
        words = one.contender if held else f"{one.contender} {score(one.points[-1][1])}"
        parts.append(
            el(
                "g",
                *joined,
                *drawn,
                text(right + 16, y, fitting(words, names_wide + 2), kind="name"),
                class_=f"one {mark(one.group)}",
                data_tip=f"{one.contender}: {metric} {score(one.points[-1][1])} on validation after {write_spent(one.spent)}",
            )
        )
    return chart(width, height, *parts, label=label, kind="progress")
