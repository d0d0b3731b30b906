"""How they learnt: the best trial's curves, and the best value so far against the budget spent."""

from __future__ import annotations

import math
from typing import NamedTuple

from markupsafe import Markup

from bakeoff.report import findings
from bakeoff.report.format import count, duration, percent, plain, quantity
from bakeoff.report.plots.learning import Learnt, Progress, best_so_far, loss_axes, tile
from bakeoff.report.view import NARROW, WIDE, Figure, Table, View


class Ration(NamedTuple):
    """What 'equal' meant: which field of Spend was given out."""

    field: str
    title: str


RATIONS = {
    "seconds": Ration("seconds", "computing time spent on trials"),
    "examples": Ration("examples", "training examples seen in trials"),
    "macs": Ration("macs", "operations spent on trials"),
}


def curves(view: View) -> Figure | None:
    """Small multiples of the loss; contenders that do not learn step by step have no curve."""
    run = view.run
    learnt = []
    for row in run.ranked:
        trial = run.best_trial(row.contender)
        if trial is not None and len(trial.curve) > 1 and any(math.isfinite(point.loss) for point in trial.curve):
            learnt.append(Learnt(row.contender, row.group, trial.curve, trial.best_examples))
    if not learnt:
        return None
    most, losses = loss_axes(learnt)
    finding = findings.on_curves(run, learnt, view.score)
    tiles = Markup("").join(Markup("<li>{}</li>").format(tile(one, most, losses, f"{one.contender}: {summary(one)}")) for one in learnt)
    rows = [[plain(one.contender), count(one.curve[-1].examples), count(one.best), number(one.curve[0].loss), number(lowest(one)),
             number(one.curve[-1].loss), number(one.curve[-1].train_loss)] for one in learnt]
    how = ("Best trial of each: validation loss in colour, training loss thin, over training examples seen; the same axes everywhere, so a "
           "short line is a contender that its share of the budget allowed fewer examples. Dot: the look whose weights were kept.")
    head = ["contender", "examples seen", "kept at", "first validation loss", "lowest", "last", "last training loss"]
    return Figure(finding, how, Markup('<ul class="tiles">{}</ul>').format(tiles), table=Table(head, rows))


def lowest(one: Learnt) -> float:
    return min((point.loss for point in one.curve if math.isfinite(point.loss)), default=math.nan)


def summary(one: Learnt) -> str:
    return f"validation loss from {number(one.curve[0].loss)} to {number(one.curve[-1].loss)} over {count(one.curve[-1].examples)} examples"


def number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def progress(view: View) -> Figure | None:
    run = view.run
    ration = RATIONS.get(str(run.plan.get("equal")), RATIONS["seconds"])
    write = duration if ration.field == "seconds" else quantity
    better = 1 if run.high_is_good else -1
    found, rows = [], []
    for row in run.ranked:
        spent, top, points = 0.0, -math.inf, []
        trials = [trial for trial in run.tuning.get(row.contender, ()) if trial.job.fold == 0]
        for trial in trials:
            spent += float(getattr(trial.spent, ration.field))
            if trial.value is not None and math.isfinite(trial.value) and better * trial.value > top:
                top = better * trial.value
                points.append((spent, trial.value))
        if not points:
            continue
        found.append(Progress(row.contender, row.group, points, spent, len(trials)))
        pruned = sum(trial.state == "pruned" for trial in trials)
        rows.append([plain(row.contender), count(len(trials)), count(pruned), view.score(points[0][1]), view.score(points[-1][1]),
                     percent(points[-1][0] / spent if spent else None), write(spent)])
    if not found:
        return None
    finding = findings.on_progress([one for one in found if one.group != "baseline"])
    how = ("Best validation value among the trials so far. It is the best of many noisy values, so it flatters; "
           "the verdict rests on the test examples alone.")
    high = max(380.0, 96 + 15.5 * len(found))
    charts = [best_so_far(found, write, ration.title, run.metric, run.high_is_good, view.score, width, high, finding) for width in (WIDE, NARROW)]
    head = ["contender", "trials", "pruned", "first value", "best value", "found after", "spent"]
    return Figure(finding, how, charts[0], charts[1], Table(head, rows))
