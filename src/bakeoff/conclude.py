"""From finished finals to the verdict: answers are read back, compared, said in words, shown, and written down."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bakeoff import verdict as wording
from bakeoff.compare import Comparison, Entrant, compare
from bakeoff.data.base import Splits
from bakeoff.data.names import common_stem
from bakeoff.errors import Defect
from bakeoff.folder import finals_of, folder_of
from bakeoff.metrics.base import Metric, Rows, Summed, sign
from bakeoff.metrics.error import MAE, curves
from bakeoff.plan import FULL
from bakeoff.report.format import boxes_text
from bakeoff.train.record import listed, write_json, write_whole
from bakeoff.types import Answer, Trial, labels_of

if TYPE_CHECKING:
    from bakeoff.session import Session

SHOWN = 12                    # examples of either sort in the report
TOP = 4                       # contenders whose answers are shown beside an example
RESAMPLES, SPREADS = 200, 300                 # random sets of examples for the interval of a class, and most such intervals that are taken
WRITES = "generate"           # the task whose contenders write


class Answers:
    """What one final answered on the test split, outer folds one after the other."""

    def __init__(self, tables: Sequence[Any]) -> None:
        import pandas as pd
        table = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
        self.keys: list[str] = table["key"].tolist()
        self.targets: list[Any] = table["target"].tolist()
        names = [name for name in table.columns if name.startswith("score:")]
        labels = [name.removeprefix("score:") for name in names]
        scores = table[names].to_numpy() if names else np.zeros((len(table), 0))
        self.answers = [Answer(value, dict(zip(labels, row, strict=True)))
                        for value, row in zip(table["answer"].tolist(), scores.tolist(), strict=True)]

    def rightness(self, sort: str, metric: Metric, several: bool = False) -> np.ndarray:
        """(n,) what the report shows, more is better: probability of the true label, of sets of labels that of having or not having
        each, on average; or minus the absolute error, of forecasts its mean; of anything else the metric of each example by itself."""
        if several:
            return np.array([chance_of_set(answer.scores, target) for answer, target in zip(self.answers, self.targets, strict=True)])
        if sort == "label":
            return np.array([answer.scores.get(str(target), 0.0) for answer, target in zip(self.answers, self.targets, strict=True)])
        if sort == "number" or (isinstance(self.targets[0], Mapping) and "values" in self.targets[0]):
            return -np.abs(MAE().rows(self.answers, self.targets)[:, 1])
        rows = metric.rows(self.answers, self.targets)
        own = rows[:, 0].astype(np.int64)
        if hasattr(metric, "each"):           # its value is made for many examples together, and of one is something else
            return sign(metric) * np.nan_to_num(metric.each(rows))
        values = (metric.of(metric.totals(rows, own, len(self.answers))) if isinstance(metric, Summed)
                  else np.array([metric.value(rows[own == one]) for one in range(len(self.answers))]))
        known = np.isfinite(values)           # where an example by itself has no value, it stands in the middle
        return sign(metric) * np.where(known, values, values[known].mean() if known.any() else 0.0)


def chance_of_set(scores: Mapping[str, float], target: object) -> float:
    """Mean over labels of the probability given to what is true: that the set has the label, or that it has it not."""
    there = set(labels_of(target))
    return float(np.mean([chance if label in there else 1 - chance for label, chance in scores.items()]))


def conclude(session: Session) -> None:
    """Writes leaderboard.csv, comparison.json, shown.json, verdict.json and report.html of a session whose finals have ended."""
    answers = {name: read_answers(session, name) for name in session.plan.contenders}
    costs = {name: read_cost(session.folder, name) for name in session.plan.contenders}
    metric = session.task.metrics[0]
    some = next((one[0] for one in answers.values() if one), None)
    folder = session.folder
    if some is None:
        raise all_failed(session)
    groups = test_groups(session)
    entrants = [entrant(session, name, answers[name], costs[name], metric) for name in session.plan.contenders]
    comparison = compare(entrants, metric, len(some.keys), seeds=session.plan.seeds, groups=groups, margin=session.options.margin,
                         cost=session.options.cost)
    infos = [info(session, name, answers[name], costs[name]) for name in session.plan.contenders]
    valued = [*comparison.contenders, *comparison.outside]
    seeds = {name: shipped_seed(session, name) for name in valued}
    record = comparison.record()
    parts = session.loaded.record.get("facts", {}).get("parts", {})
    record["beside"] = {name: {**beside(session.task.metrics[1:], answers[name]), **of_parts(parts, metric, answers[name])}
                        for name in valued}
    if hasattr(metric, "by_class"):
        record["classes"] = of_classes(metric, {name: answers[name] for name in valued})
    record["without_shared"] = without_shared(session, answers, metric, comparison)
    plan = json.loads((folder / "plan.json").read_text())
    verdict = wording.verdict(comparison, infos, plan, seeds=seeds)
    verdict["seed_of"] = seeds
    if hasattr(metric, "signature"):
        verdict["signature"] = metric.signature
    write_json(folder / "comparison.json", record)
    write_json(folder / "shown.json", shown(session, comparison, answers, groups))
    if session.task.name == WRITES:
        write_json(folder / "written.json", written(session, list(comparison.contenders)[:TOP], seeds))
    if session.task.needs().writes:
        write_json(folder / "looked.json", looked(session, list(comparison.contenders)[:TOP], seeds))
    write_whole(folder / "leaderboard.csv", table_of(wording.leaderboard(comparison, infos)))
    write_json(folder / "verdict.json", verdict)
    from bakeoff.report.render import render
    write_whole(folder / "report.html", render(folder))


def read_answers(session: Session, name: str) -> list[Answers]:
    """One Answers per seed of which every outer fold has ended."""
    import pandas as pd
    found = []
    for number in range(session.plan.seeds):
        jobs = [session.final_job(name, fold, number) for fold in range(len(session.setup.folders))]
        if all(job is not None and session.is_done(("final", name, job.fold, number)) for job in jobs):
            found.append(Answers([pd.read_parquet(folder_of(session.folder, job) / "answers.parquet") for job in jobs if job is not None]))
    return found


def read_cost(folder: Path, name: str) -> dict[str, Any]:
    path = finals_of(folder, name) / "cost.json"
    cost: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return cost


def rows_of(metric: Metric, answers: Answers) -> Rows:
    return metric.rows(answers.answers, answers.targets)


def final_trials(session: Session, name: str) -> list[Trial]:
    return [trial for key, trial in sorted(session.trials.items()) if key[:2] == ("final", name)]


def entrant(session: Session, name: str, answers: Sequence[Answers], cost: Mapping[str, Any], metric: Metric) -> Entrant:
    share = session.plan.contenders[name]
    return Entrant(name, share.group, tuple(rows_of(metric, one) for one in answers), share.deterministic,
                   {**cost, "train_seconds": train_seconds(session, name)})


def train_seconds(session: Session, name: str) -> float | None:
    """Median seconds of one final."""
    seconds = [trial.spent.seconds for trial in final_trials(session, name) if trial.state == "done"]
    return float(np.median(seconds)) if seconds else None


def info(session: Session, name: str, answers: Sequence[Answers], cost: Mapping[str, Any]) -> wording.Info:
    """What a contender asked and spent, and how it ended."""
    share = session.plan.contenders[name]
    tried = [trial for key, trial in session.trials.items() if key[:2] == ("tune", name)]
    finals = final_trials(session, name)
    everything = [*tried, *finals]
    failures = [trial.why for trial in everything if trial.state == "failed"] + ([share.error] if share.error else [])
    why = share.note
    if not answers:
        why = failures[-1] if failures else "no trial finished"
    elif any(trial.state == "failed" for trial in finals):
        why = f"{sum(trial.state == 'failed' for trial in finals)} of {len(finals)} finals failed: {failures[-1]}"
    elif failures:
        why = f"{len(failures)} of {len(tried)} trials failed: {failures[-1]}"
    return wording.Info(
        name=name, group=share.group, state="done" if answers else "failed", why=why, cost=dict(cost), train_seconds=train_seconds(session, name),
        trials=len(tried), finished=sum(trial.state == "done" for trial in tried), pruned=sum(trial.state == "pruned" for trial in tried),
        failed=sum(trial.state == "failed" for trial in tried), examples=sum(trial.spent.examples for trial in everything),
        seconds=sum(trial.spent.seconds for trial in everything), asked_seconds=share.share_seconds,
        tuned=share.group == "baseline" or sum(trial.state == "done" for trial in tried) >= FULL * len(session.setup.folders))


def shipped_seed(session: Session, name: str) -> int:
    """The number of the middle seed by training loss; never chosen on test."""
    losses = {trial.job.number: trial.curve[-1].train_loss for trial in final_trials(session, name)
              if trial.state == "done" and trial.job.fold == 0 and trial.curve}
    return median_seed(losses) if losses else 0


def beside(metrics: Sequence[Metric], answers: Sequence[Answers]) -> dict[str, float]:
    """The task's other metrics, mean over seeds."""
    return {metric.name: float(np.mean([metric.value(rows_of(metric, one)) for one in answers])) for metric in metrics}


def of_parts(parts: Iterable[str], metric: Metric, answers: Sequence[Answers]) -> dict[str, float]:
    """The first metric of each part of the data (files that have this name but for the split), mean over seeds."""
    of_key = {key: common_stem(key.rpartition(":")[0]) for key in answers[0].keys} if parts else {}
    values = {}
    for part in parts:
        keep = [row for row, key in enumerate(answers[0].keys) if of_key[key] == part]
        if keep:
            values[part] = float(np.mean([metric.value(metric.rows([one.answers[k] for k in keep], [one.targets[k] for k in keep]))
                                          for one in answers]))
    return values


def of_classes(metric: Any, answers: Mapping[str, Sequence[Answers]]) -> dict[str, list[dict[str, Any]]]:
    """The first metric of each class, of what each contender found; with intervals where there are few."""
    labels = {str(box["label"]) for boxes in next(iter(answers.values()))[0].targets for box in boxes}
    cheap = len(labels) * sum(map(len, answers.values())) <= SPREADS
    return {name: [found._asdict() for found in metric.by_class([one.answers for one in said], said[0].targets, RESAMPLES if cheap else 0)]
            for name, said in answers.items()}


def without_shared(session: Session, answers: Mapping[str, Sequence[Answers]], metric: Metric, comparison: Comparison) -> dict[str, float]:
    """Values without the test examples that also stand in train; empty where there are none."""
    shared = set(session.loaded.record.get("shared", {}).get("keys", []))
    if not shared:
        return {}
    values = {}
    for name in comparison.contenders:
        keep = [k for k, key in enumerate(answers[name][0].keys) if key not in shared]
        if keep:
            values[name] = float(np.mean([metric.value(metric.rows([one.answers[k] for k in keep], [one.targets[k] for k in keep]))
                                          for one in answers[name]]))
    return values


def test_sets(session: Session) -> list[Splits]:
    return [session.loaded.folds[fold].splits for fold in range(len(session.setup.folders))]


def test_groups(session: Session) -> list[Any] | None:
    """Which test examples belong together, or None."""
    groups: list[Any] = []
    for splits in test_sets(session):
        if splits.test is None or splits.test.groups is None:
            return None
        groups.extend(splits.test.groups)
    return groups


def shown(session: Session, comparison: Comparison, answers: Mapping[str, Sequence[Answers]], groups: Sequence[Any] | None) -> dict[str, Any]:
    """The hardest examples of the top contenders, and those on which groups disagree most, as they can be looked at. Windows
    overlap: of each block of them one is shown."""
    names = list(comparison.contenders)
    sort, metric = session.task.sort, session.task.metrics[0]
    several = session.spec.several
    mean = {name: np.mean([one.rightness(sort, metric, several) for one in answers[name]], 0) for name in names}
    top = names[:TOP]
    apart = groups if session.spec.ahead is not None else None
    hardest = first_of_each(np.argsort(np.mean([mean[name] for name in top], 0), kind="stable"), apart)
    best_of_group: dict[str, str] = {}
    for name in names:
        best_of_group.setdefault(session.plan.contenders[name].group, name)
    rivals = [best_of_group[group] for group in ("conv", "recurrent") if group in best_of_group]
    if len(rivals) < 2:
        rivals = [name for group, name in best_of_group.items() if group != "baseline"][:2]
    disagree: Sequence[int] = []
    if len(rivals) == 2:
        disagree = first_of_each(np.argsort(-np.abs(mean[rivals[0]] - mean[rivals[1]]), kind="stable"), apart)
    some = answers[names[0]][0]

    def fan(name: str, row: int) -> dict[str, Any]:
        """Between which numbers the truth is to lie, as the first of the named says."""
        quantiles = answers[name][0].answers[row].scores
        levels = sorted(quantiles, key=float)
        return {} if not levels else {"fan": {"whose": name, "levels": [float(levels[0]), float(levels[-1])], "edges": [
            [float(f"{value:.5g}") for value in curves(quantiles[level])[0].tolist()] for level in (levels[0], levels[-1])]}}

    def item(row: int, whose: Sequence[str], why: str) -> dict[str, Any]:
        said = {name: {"answer": answers[name][0].answers[row].value, "score": abs(float(mean[name][row]))} for name in whose}
        picture, target = session.picture(row), some.targets[row]
        if picture["form"] == "forecast":     # what was said is drawn beside what came, of the channel that is shown
            drawn = {name: [float(f"{value:.5g}") for value in curves(one["answer"])[0].tolist()] for name, one in said.items()}
            picture, target = {**picture, "said": drawn, **fan(whose[0], row)}, f"the next {len(picture['future'])} steps"
            said = {name: {"answer": None, "score": one["score"]} for name, one in said.items()}
        elif "size" in picture:               # boxes lie on the picture
            drawn_boxes = {name: told_surely(listed(one["answer"]), len(target) + 1) for name, one in said.items()}
            picture, target = {**picture, "boxes": listed(target), "said": drawn_boxes}, boxes_text(listed(target))
            said = {name: {"answer": boxes_text(drawn_boxes[name]), "score": one["score"]} for name, one in said.items()}
        if sort == "itself":                  # an answer is how well the example was foreseen: nothing to be read beside it
            target, said = None, {name: {"answer": None, "score": one["score"]} for name, one in said.items()}
        return {"key": some.keys[row], "target": target, "shown": picture, "answers": said, "why": why}

    scored = {"label": "probability of the target", "number": "error"}.get(sort, "error" if session.spec.ahead else metric.name)
    return {"scored": scored, "hardest": [item(int(row), top, f"hardest for {', '.join(top)}") for row in hardest],
            "disagree": [item(int(row), rivals, f"{rivals[0]} and {rivals[1]} disagree most") for row in disagree]}


def told_surely(boxes: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """The surest boxes, of those that are at least half as sure as the first: more would hide the picture."""
    return [box for box in boxes[:most] if box["score"] >= boxes[0]["score"] / 2]


def written(session: Session, names: Sequence[str], seeds: Mapping[str, int]) -> dict[str, Any]:
    """What the first contenders write behind the beginning of the test split: sampled once, so that the report only reads it."""
    from bakeoff.use.sample import specimen
    test = session.loaded.folds[0].splits.test
    assert test is not None
    return specimen(session.folder, names, seeds, test)


def looked(session: Session, names: Sequence[str], seeds: Mapping[str, int]) -> dict[str, Any]:
    """Where the first contenders looked when they wrote the first test examples, for the same reason."""
    from bakeoff.use.look import looks
    test = session.loaded.folds[0].splits.test
    assert test is not None
    return looks(session.folder, names, seeds, test)


def first_of_each(order: np.ndarray, groups: Sequence[Any] | None) -> list[int]:
    """The first SHOWN rows of an order, where there are groups the first of each group alone."""
    chosen: dict[Any, int] = {}
    for row in order.tolist():
        chosen.setdefault(row if groups is None else groups[row], row)
    return list(chosen.values())[:SHOWN]


def table_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """CSV, with numbers as Python prints them: the same bytes for the same values."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if value is None or (isinstance(value, float) and math.isnan(value)) else value for name, value in row.items()})
    return file.getvalue()


def all_failed(session: Session) -> Exception:
    """No contender has an answer: said with the reasons."""
    from bakeoff.errors import RunError
    reasons = {trial.job.contender: trial.why for trial in session.trials.values() if trial.state == "failed"}
    if not reasons:
        return Defect("no final ended and none failed")
    said = "; ".join(f"{name}: {why}" for name, why in sorted(reasons.items()))
    return RunError(f"every contender failed: {said}", str(session.folder / "log.txt"), "Give more memory or time, or another --slate.")


def median_seed(losses: Mapping[int, float]) -> int:
    """The number of the seed whose training loss is the middle one: never chosen on test."""
    order = sorted(losses, key=lambda number: (losses[number] if np.isfinite(losses[number]) else math.inf, number))
    return order[(len(order) - 1) // 2]
