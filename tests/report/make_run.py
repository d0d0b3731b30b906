"""Finished runs' folders out of thin air, as like to real ones as the report can tell: answers are simulated per example,
and everything else follows from them.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from planted import SLATE, Recipe, compare, simulate

from bakeoff.train.record import line_of
from bakeoff.types import Cost, Job, Point, Spend, Trial

COLUMNS = (
    "rank",
    "contender",
    "group",
    "metric",
    "value",
    "low",
    "high",
    "p_vs_best",
    "tied",
    "parameters",
    "macs",
    "train_seconds",
    "step_ms",
    "latency_ms_p50",
    "latency_ms_p95",
    "peak_train_bytes",
    "peak_infer_bytes",
    "trials",
    "examples",
    "seconds",
    "state",
    "why",
)


def make(folder: Path, recipe: Recipe) -> Path:
    """Writes the whole folder; answers are drawn once, everything else is computed from them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.RandomState(recipe.seed)
    alive = [name for name in recipe.slate if name not in recipe.failed]
    targets, answers, scores = simulate(rng, recipe, alive)
    keys = [
        recipe.keys[k % len(recipe.keys)] + (f"#{k}" if k >= len(recipe.keys) else "")
        if recipe.keys
        else f"{label_of(targets[k])}/{k:04d}.png"
        for k in range(recipe.n_test)
    ]
    comparison, verdict = compare(recipe, alive, targets, answers)
    trials = [trial for name in recipe.slate for trial in search(rng, recipe, name, comparison)]
    write_json(folder / "question.json", question(recipe))
    write_json(folder / "plan.json", plan(recipe))
    write_json(folder / "data.json", data_check(rng, recipe, targets, keys))
    write_json(folder / "comparison.json", comparison)
    write_json(folder / "verdict.json", verdict)
    write_json(folder / "shown.json", shown(rng, recipe, comparison, targets, answers, scores, keys))
    (folder / "trials.jsonl").write_text("".join(map(line_of, trials)), encoding="utf-8")
    (folder / "log.txt").write_text("made up\n", encoding="utf-8")
    leaderboard(folder, recipe, comparison, verdict, trials)
    for name in alive:
        for seed in range(recipe.seeds):
            table = pd.DataFrame({"key": keys, "target": targets, "answer": answers[name][seed]})
            if scores:
                given = pd.DataFrame(scores[name][seed], columns=[f"score:{label}" for label in recipe.classes])
                table = pd.concat([table, given], axis=1)
            place = folder / "finals" / name / f"seed-{seed}"
            place.mkdir(parents=True, exist_ok=True)
            table.to_parquet(place / "answers.parquet")
    return folder


def label_of(target: Any) -> str:
    return str(target) if isinstance(target, str) else "row"


def search(rng: np.random.RandomState, recipe: Recipe, name: str, comparison: Mapping[str, Any]) -> list[Trial]:
    """The contender's trials, and its finals."""
    group, _, millions, thousands, seconds, fits = SLATE[name]
    if group == "baseline":
        return [
            trial_of(name, k, "tune", {f"{name}.choice": k}, [], 400, value_of(comparison, name, rng), seconds, millions) for k in range(3)
        ] + [trial_of(name, 0, "final", {f"{name}.choice": 1}, [], 400, None, seconds, millions)]
    found = []
    many = 2 if name in recipe.untuned else recipe.trials
    most = min(24_000, int(9_000 / seconds))
    for k in range(many):
        params = {
            "lr": round(10 ** rng.uniform(-4, -1.6), 6) if k else 0.003,
            "width": int([64, 32, 64, 128][k % 4]),
            "fold": ["keep", "raster 2", "raster 4"][k % 3],
            "dropout": round(rng.uniform(0, 0.5), 3) if k else 0.1,
            "optimizer": ["adamw", "adam", "sgd"][k % 3],
            f"{name}.depth": 1 + k % 3,
            "batch": 32,
        }
        luck = abs(math.log10(params["lr"]) + 2.2) * 0.09 + abs(rng.standard_normal()) * 0.02 + 0.05 * (k == 0) + 0.1 * math.exp(-k / 2)
        failed = name in recipe.failed or (k == 7 and name in ("lstm", "transformer"))
        pruned = not failed and k > 3 and luck > 0.12
        curve = learning_curve(rng, recipe, name, comparison, luck, most // 3 if pruned else most, fits)
        if failed:
            found.append(
                Trial(
                    Job(name, k, "tune", k, params, most),
                    "failed",
                    recipe.failed.get(name, "the loss became not a number at step 140"),
                    tuple(curve[:3]),
                    None,
                    None,
                    0,
                    Spend(most // 5, most // 160, most * millions * 1e6, most / 5000 * seconds, most),
                )
            )
            continue
        found.append(trial_of(name, k, "tune", params, curve, most, None, seconds, millions, "pruned" if pruned else "done", thousands))
    if name not in recipe.failed:
        found += [trial_of(name, k, "final", {"lr": 0.003}, [], most, None, seconds, millions) for k in range(recipe.seeds)]
    return found


def value_of(comparison: Mapping[str, Any], name: str, rng: np.random.RandomState) -> float:
    known = comparison["values"].get(name)
    return float((known["value"] if known else 0.5) + 0.008 * rng.standard_normal())


def learning_curve(
    rng: np.random.RandomState, recipe: Recipe, name: str, comparison: Mapping[str, Any], luck: float, most: int, fits: float
) -> list[Point]:
    end, better = value_of(comparison, name, rng), 1 if recipe.high else -1
    chance = 1 / max(len(recipe.classes), 2) if recipe.high else end * 2.2
    speed = {"recurrent": 2.4, "conv": 6.0, "hybrid": 4.5, "attention": 3.0, "dense": 6.5, "quantum": 4.0}[SLATE[name][0]]
    points = []
    for k in range(1, recipe.looks + 1):
        share = k / recipe.looks
        learnt = 1 - math.exp(-speed * share)
        value = chance + (end - better * luck - chance) * learnt + 0.004 * rng.standard_normal()
        start = math.log(max(len(recipe.classes), 2)) if recipe.high else 1.0
        overfit = max(0.0, share - fits) * 1.6
        floor = 0.25 + 1.2 * luck + (0.5 * (1 - end) if recipe.high else 0.1)
        loss = floor + (start - floor) * math.exp(-1.2 * speed * share) + overfit + 0.01 * rng.standard_normal()
        points.append(
            Point(int(most * share), float(value), float(loss), float(max(0.02, loss - overfit * 1.6 - 0.12 * share)), most * share * 1e-4)
        )
    return points


def trial_of(
    name: str,
    number: int,
    stage: Any,
    params: Mapping[str, Any],
    curve: Sequence[Point],
    asked: int,
    value: float | None,
    seconds: float,
    millions: float,
    state: Any = "done",
    thousands: float = 1.0,
) -> Trial:
    best = min(curve, key=lambda point: point.loss) if curve else None
    value = best.value if best else value
    seen = curve[-1].examples if curve else asked
    score = None if value is None else value
    cost = Cost(int(thousands * 1000), millions * 1e6)
    return Trial(
        Job(name, number, stage, number, params, asked),
        state,
        "behind the others at a third" if state == "pruned" else "",
        tuple(curve),
        value,
        score,
        best.examples if best else asked,
        Spend(seen, seen // 32, seen * millions * 3e6, seen / 1000 * seconds, asked),
        cost,
    )


def question(recipe: Recipe) -> dict[str, Any]:
    options = {
        "task": None,
        "target": None,
        "slate": "all",
        "budget": "5m",
        "seeds": recipe.seeds,
        "seed": 0,
        "set": {"image.size": 28} if recipe.kind == "image" else {},
        "cost": "macs",
        "split": None,
        "max_bad": "5%",
    }
    return {"data": recipe.data, "options": options, "fingerprint": f"{zlib.crc32(recipe.data.encode()):08x}", "version": "0.1.0"}


def plan(recipe: Recipe) -> dict[str, Any]:
    contenders = {}
    for name in recipe.slate:
        group, _, _, _, seconds, _ = SLATE[name]
        neural = group != "baseline"
        contenders[name] = {
            "group": group,
            "trials": recipe.trials if neural else 3,
            "examples": min(24_000, int(9_000 / seconds)),
            "start": {"lr": 0.003, "width": 64, "fold": "keep", "dropout": 0.1, "optimizer": "adamw", f"{name}.depth": 2, "batch": 32}
            if neural
            else {},
            "seconds_per_example": seconds / 1000,
            "share_seconds": 82.0 if neural else 9 * seconds,
            "deterministic": not neural,
            "note": "fitted on 4,000 of 12,000 training examples, which end within its share" if name == "nearest" else "",
        }
    return {
        "kind": recipe.kind,
        "kind_why": f"a folder of {recipe.kind} files per class",
        "task": recipe.task,
        "task_why": "the targets are words" if recipe.high else "the targets are real numbers",
        "metric": "accuracy" if recipe.high else "rmse",
        "metric_unit": "" if recipe.high else "target's unit",
        "metric_best": "high" if recipe.high else "low",
        "splits": {"train": 1078, "val": 359, "test": recipe.n_test, "how": ".6/.2/.2, stratified", "inner_folds": 0},
        "budget_seconds": 300.0,
        "equal": recipe.equal,
        "jobs": 4,
        "threads": 1,
        "seeds": recipe.seeds,
        "seed": 0,
        "search": "tpe",
        "contenders": contenders,
        "absent": dict(recipe.absent),
        "settings": {},
        "cuts": [
            {"when": "tuning", "why": "trainings took 1.21 × the predicted time", "what": {"trials": {"gru": "12 → 11", "lstm": "12 → 11"}}}
        ],
        "versions": {"bakeoff": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6"},
        "machine": {
            "cpu": "A processor of four cores at 3 GHz",
            "cores": 4,
            "memory_bytes": 16_500_000_000,
            "platform": "Linux-6.1-x86_64",
            "device": "cpu",
        },
    }


def data_check(rng: np.random.RandomState, recipe: Recipe, targets: Any, keys: Sequence[str]) -> dict[str, Any]:
    classes = None
    if recipe.high:
        classes = {
            label: {"train": int(3 * (number := sum(target == label for target in targets))) or 1, "val": int(number), "test": int(number)}
            for label in recipe.classes
        }
    numbers = np.array(targets, dtype=float) if not recipe.high else None
    lengths = {"image": {"height": {"min": 28, "median": 28, "max": 28}}, "series": {"time": {"min": 61, "median": 120, "max": 180}},
               "text": {"words": {"min": 3, "median": 14, "max": 61}}}.get(recipe.kind, {})
    problems = list(recipe.problems)
    return {
        "path": recipe.data,
        "kind": recipe.kind,
        "task": recipe.task,
        "seen": 1797 + len(problems),
        "kept": 1797,
        "set_aside": problems[:1],
        "problems": problems[1:],
        "notes": list(recipe.notes),
        "counts": {"train": 1078, "val": 359, "test": recipe.n_test},
        "classes": classes,
        "target": None
        if numbers is None
        else {"min": float(numbers.min()), "median": float(np.median(numbers)), "max": float(numbers.max())},
        "lengths": lengths,
        "facts": {},
        "shared": {"count": 0, "keys": []},
        "first": [
            {"key": keys[k], "target": as_json(targets[k]), "split": "train", "shown": picture(rng, recipe, targets[k])}
            for k in range(min(5, recipe.n_test))
        ],
    }


def as_json(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def shown(
    rng: np.random.RandomState,
    recipe: Recipe,
    comparison: Mapping[str, Any],
    targets: Any,
    answers: Mapping[str, list[Any]],
    scores: Mapping[str, list[Any]],
    keys: Sequence[str],
) -> dict[str, Any]:
    names = comparison["contenders"]
    if scores:
        number = {label: k for k, label in enumerate(recipe.classes)}
        at = np.array([number[target] for target in targets])
        given = {name: np.mean([one[np.arange(len(at)), at] for one in scores[name]], 0) for name in names}
    else:
        given = {name: -np.abs(np.mean(answers[name], 0) - np.array(targets)) for name in names}
    hard = np.argsort(np.mean([given[name] for name in names[:4]], 0), kind="stable")[:recipe.cards]
    mean = {
        group: np.mean([given[name] for name in names if SLATE[name][0] == group] or [np.zeros(recipe.n_test)], 0)
        for group in ("conv", "recurrent")
    }
    apart = np.argsort(-np.abs(mean["conv"] - mean["recurrent"]), kind="stable")[:recipe.cards]

    def item(k: int, why: str) -> dict[str, Any]:
        said = {name: {"answer": as_json(answers[name][0][k]), "score": abs(float(given[name][k]))} for name in names}
        return {"key": keys[k], "target": as_json(targets[k]), "shown": picture(rng, recipe, targets[k]), "answers": said, "why": why}

    return {
        "hardest": [item(int(k), "hardest for the first four") for k in hard],
        "disagree": [item(int(k), "conv and recurrent disagree most") for k in apart],
    }


def picture(rng: np.random.RandomState, recipe: Recipe, target: Any) -> dict[str, Any]:
    """An example in the kind's form."""
    if recipe.kind == "image":
        return {"form": "picture", "png": digit(rng, str(target))}
    if recipe.kind == "series":
        steps = np.arange(120)
        channels = [
            [
                None
                if 40 < step < 46 and channel == 1
                else round(float(np.sin(step / (6 + 3 * channel) + channel) + 0.25 * rng.standard_normal()), 3)
                for step in steps.tolist()
            ]
            for channel in range(3)
        ]
        return {"form": "curve", "channels": channels, "names": ["x", "y", "pressure of the left hand"]}
    if recipe.kind == "text":
        return {"form": "text", "text": recipe.text[rng.randint(len(recipe.text))]}
    return {
        "form": "row",
        "cells": {name: round(float(rng.gamma(3, 2)), 3) for name in recipe.columns}
        | {"colour": ["red", "white"][rng.randint(2)], "note": None},
    }


@cache
def digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits
    bunch = load_digits()
    return bunch.images, bunch.target


def digit(rng: np.random.RandomState, label: str) -> str:
    """A real handwritten digit where the label is one, else a patch of noise, as base64 PNG."""
    if label.isdigit() and len(label) == 1:
        images, targets = digits()
        found = images[targets == int(label)]
        array = (255 - found[rng.randint(len(found))] * 15.9).astype(np.uint8)
    else:
        array = rng.randint(0, 255, (24, 24, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def leaderboard(folder: Path, recipe: Recipe, comparison: Mapping[str, Any], verdict: Mapping[str, Any], trials: Sequence[Trial]) -> None:
    rows = []
    for rank, name in enumerate([*comparison["contenders"], *recipe.failed], 1):
        group, _, millions, thousands, seconds, _ = SLATE[name]
        own = [trial for trial in trials if trial.job.contender == name]
        one, against = comparison["values"].get(name), comparison["against_best"].get(name)
        rows.append(
            {
                "rank": rank if one else "",
                "contender": name,
                "group": group,
                "metric": comparison["metric"],
                "value": one["value"] if one else "",
                "low": one["low"] if one else "",
                "high": one["high"] if one else "",
                "p_vs_best": against["p"] if against else "",
                "tied": name in verdict["tied_with"] or name == verdict["best"],
                "parameters": int(thousands * 1000) if one else "",
                "macs": millions * 1e6 if one else "",
                "train_seconds": seconds * 9 if one else "",
                "step_ms": seconds * 32 if one and group != "baseline" else "",
                "latency_ms_p50": 0.2 + millions * 0.11 if one else "",
                "latency_ms_p95": 0.3 + millions * 0.16 if one else "",
                "peak_train_bytes": int(4e6 + millions * 9e6) if one and group != "baseline" else "",
                "peak_infer_bytes": int(2e5 + millions * 4e5) if one else "",
                "trials": sum(trial.job.stage == "tune" for trial in own),
                "examples": sum(trial.spent.examples for trial in own),
                "seconds": sum(trial.spent.seconds for trial in own),
                "state": "done" if one else "failed",
                "why": "" if one else recipe.failed[name],
            }
        )
    with (folder / "leaderboard.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def write_json(file: Path, record: Any) -> None:
    file.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")


