"""Answers out of thin air, and what a comparison makes of them: the numbers of a simulated run.

Random numbers come from RandomState, whose stream is frozen: the golden page rests on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from bakeoff.report.format import listing, noun

# group, skill, millions of operations, thousands of parameters, seconds per 1000 examples, epochs that help before it overfits
SLATE: dict[str, tuple[str, float, float, float, float, float]] = {
    "resnet": ("conv", 2.62, 24.0, 412.0, 0.62, 1.0),
    "inception": ("conv", 2.55, 18.5, 283.0, 0.71, 1.0),
    "tcn": ("conv", 2.2, 4.4, 96.0, 0.25, 1.0),
    "fcn": ("conv", 2.42, 9.1, 268.0, 0.33, 1.0),
    "crnn": ("hybrid", 2.5, 3.9, 61.0, 0.4, 1.0),
    "transformer": ("attention", 2.0, 7.2, 149.0, 0.52, 0.8),
    "lstm": ("recurrent", 1.85, 2.6, 67.0, 1.15, 0.9),
    "gru": ("recurrent", 2.12, 2.0, 51.0, 0.95, 1.0),
    "mingru": ("recurrent", 1.7, 0.42, 14.0, 0.3, 1.0),
    "rnn": ("recurrent", 1.25, 0.66, 17.0, 0.55, 1.0),
    "mlp": ("dense", 1.5, 0.083, 83.0, 0.06, 0.45),
    "rocket": ("baseline", 1.6, 1.3, 20.0, 0.1, 1.0),
    "linear": ("baseline", 0.95, 0.00065, 0.65, 0.01, 1.0),
    "nearest": ("baseline", 1.3, 0.069, 69.0, 0.01, 1.0),
    "majority": ("baseline", -9.0, 0.0, 0.01, 0.001, 1.0),
    "<img src=x onerror=alert(6)>": ("quantum", 1.9, 3.0, 30.0, 0.4, 1.0),       # a plug-in's, in a group of its own
}


@dataclass
class Recipe:
    """What a simulated run is about."""

    kind: str
    task: str
    data: str
    classes: Sequence[str] = ()
    n_test: int = 360
    skill: Mapping[str, float] = field(default_factory=dict)    # instead of the slate's
    slate: Sequence[str] = tuple(SLATE)[:-1]
    seeds: int = 3
    hard: float = 0.0                                           # taken off every skill
    failed: Mapping[str, str] = field(default_factory=dict)
    untuned: Sequence[str] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    trials: int = 11
    cards: int = 8
    equal: str = "seconds"
    keys: Sequence[str] = ()
    notes: Sequence[str] = ()
    problems: Sequence[Mapping[str, str]] = ()
    text: Sequence[str] = ()
    columns: Sequence[str] = ("alcohol", "acidity", "sugar", "sulphates", "pH")
    looks: int = 12

    @property
    def high(self) -> bool:
        return self.task == "classify"


def skill_of(recipe: Recipe, name: str) -> float:
    return recipe.skill.get(name, SLATE[name][1]) - recipe.hard


def simulate(rng: np.random.RandomState, recipe: Recipe, alive: Sequence[str]) -> tuple[Any, dict[str, list[Any]], dict[str, list[Any]]]:
    """Targets, answers per contender and seed, class probabilities likewise (none for numbers)."""
    if recipe.task == "regress":
        truth = np.round(rng.gamma(5.0, 2.4, recipe.n_test), 2)
        answers = {}
        for name in alive:
            size = 3.2 / (1 + math.exp(skill_of(recipe, name))) + 0.5
            shrunk = truth.mean() + (truth - truth.mean()) * (1 - 0.25 * size / 3) + size * 0.6 * rng.standard_normal(recipe.n_test)
            if SLATE[name][1] < -5:
                answers[name] = [np.full(recipe.n_test, truth.mean())] * recipe.seeds
            else:
                answers[name] = [shrunk + size * 0.5 * rng.standard_normal(recipe.n_test) for _ in range(recipe.seeds)]
        return truth, answers, {}
    count = len(recipe.classes)
    weights = 1 / (1 + 0.15 * np.arange(count)) if count > 12 else np.ones(count)
    truth = rng.choice(count, recipe.n_test, p=weights / weights.sum())
    alike = rng.gamma(0.35, 1.0, (count, count))
    np.fill_diagonal(alike, 0)
    ease = rng.standard_normal(recipe.n_test) * 1.5
    by_group = {
        group: 0.95 * rng.standard_normal((recipe.n_test, count))
        for group in ("recurrent", "conv", "hybrid", "attention", "dense", "baseline", "quantum")
    }
    common = 0.8 * rng.standard_normal((recipe.n_test, count))
    answers, scores = {}, {}
    names = np.array(recipe.classes, dtype=object)
    for name in alive:
        group, own = SLATE[name][0], 0.5 * rng.standard_normal((recipe.n_test, count))
        answers[name], scores[name] = [], []
        for _ in range(recipe.seeds):
            logits = (
                alike[truth] + common + by_group[group] + own + 0.45 * rng.standard_normal((recipe.n_test, count)) * (group != "baseline")
            )
            logits[np.arange(recipe.n_test), truth] += 2.1 * skill_of(recipe, name) + ease
            if SLATE[name][1] < -5:
                logits = np.zeros((recipe.n_test, count)) + (np.arange(count) == 0)
            chances = np.exp(1.15 * (logits - logits.max(1, keepdims=True)))
            chances /= chances.sum(1, keepdims=True)
            answers[name].append(names[chances.argmax(1)].tolist())
            scores[name].append(chances)
    return names[truth].tolist(), answers, scores


def compare(recipe: Recipe, alive: Sequence[str], targets: Any, answers: Mapping[str, list[Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """comparison.json and verdict.json by plain normal theory: the report only reads them."""
    truth = np.array(targets)
    better = 1 if recipe.high else -1
    if recipe.task == "regress":
        loss = {name: np.stack([(np.asarray(one) - truth) ** 2 for one in answers[name]]) for name in alive}
        value = {name: np.sqrt(loss[name].mean(1)) for name in alive}
        parts = {name: loss[name].mean(0) / (2 * value[name].mean()) for name in alive}
    else:
        right = {
            name: np.stack([np.array(one, dtype=object) == truth.astype(object) for one in answers[name]]).astype(float) for name in alive
        }
        value, parts = {name: right[name].mean(1) for name in alive}, {name: right[name].mean(0) for name in alive}
    mean = {name: float(value[name].mean()) for name in alive}
    order = sorted(alive, key=lambda name: (-better * mean[name], SLATE[name][2]))
    values = {}
    for name in order:
        seeds = value[name].std(ddof=1) / math.sqrt(recipe.seeds) if recipe.seeds > 1 else 0.0
        half = 1.96 * math.hypot(parts[name].std() / math.sqrt(recipe.n_test), seeds) + 0.4 / recipe.n_test
        low, high = mean[name] - half, mean[name] + half
        values[name] = {
            "value": mean[name],
            "low": max(0.0, low),
            "high": min(1.0, high) if recipe.high else high,
            "seeds": value[name].tolist(),
        }
    pairs, raw = [], []
    for a, b in combinations(order, 2):
        half = math.hypot((parts[a] - parts[b]).std() / math.sqrt(recipe.n_test), 0.003) + 1e-9
        difference = mean[a] - mean[b]
        pairs.append({"a": a, "b": b, "difference": difference, "low": difference - 2.6 * half, "high": difference + 2.6 * half})
        raw.append(math.erfc(abs(difference / half) / math.sqrt(2)))
    so_far = 0.0
    for rank, place in enumerate(np.argsort(raw, kind="stable").tolist()):
        so_far = max(so_far, min(1.0, raw[place] * (len(raw) - rank)))
        pairs[place]["p"] = so_far
    against = {
        pair["b"]: {"difference": -pair["difference"], "low": -pair["high"], "high": -pair["low"], "p": pair["p"]}
        for pair in pairs
        if pair["a"] == order[0]
    }
    best = order[0]
    tied = [name for name in order[1:] if against[name]["p"] >= 0.05]
    margin = 0.02 if recipe.high else 0.05 * mean[best]
    good = [best, *(name for name in order[1:] if (against[name]["low"] if recipe.high else -against[name]["high"]) > -margin)]
    recommended = min(good, key=lambda name: SLATE[name][2])
    baseline = next((name for name in order if SLATE[name][0] == "baseline"), None)
    network = next((name for name in order if SLATE[name][0] != "baseline"), None)
    p = next((pair["p"] for pair in pairs if {pair["a"], pair["b"]} == {network, baseline}), None)
    beaten = bool(baseline and network and p is not None and p < 0.05 and better * (mean[network] - mean[baseline]) > 0)
    metric, unit = ("accuracy", "") if recipe.high else ("rmse", "target's unit")
    apart = {"value": 0.0, "low": 0.0, "high": 0.0} if recommended == best else {
        "value": against[recommended]["difference"], "low": against[recommended]["low"], "high": against[recommended]["high"]}
    notes = [
        f"A value is the mean over {recipe.seeds} training seeds. Its 95 % interval is of the value on unseen examples like these.",
        f"Differences are paired on the same {recipe.n_test:,} test examples; among all pairs, p by Holm.",
    ]
    comparison = {
        "metric": metric,
        "unit": unit,
        "best": "high" if recipe.high else "low",
        "level": 0.95,
        "contenders": order,
        "values": values,
        "against_best": against,
        "pairs": pairs,
        "notes": notes,
        "without_shared": {},
        "beside": {
            name: {"macro_f1": mean[name] * 0.99, "log_loss": 2.1 * (1.02 - mean[name])} if recipe.high else {"r2": 1 - mean[name] / 8}
            for name in order
        },
    }
    verdict = {
        "best": best,
        "recommended": recommended,
        "seed": 1 % recipe.seeds,
        "group": SLATE[best][0],
        "tied_with": tied,
        "metric": metric,
        "unit": unit,
        "value": mean[best],
        "low": values[best]["low"],
        "high": values[best]["high"],
        "beats_baseline": beaten,
        "tuned": not recipe.untuned,
        "more_examples_to_separate": 1900 if tied else None,
        "ledger": {},
        "best_note": f"The best is the maximum of {len(order)} noisy values, so a little optimistic." if recipe.high else "",
        "untuned": list(recipe.untuned),
        "failed": dict(recipe.failed),
        "absent": dict(recipe.absent),
        "p_baseline": p,
        "best_baseline": baseline,
        "baseline_value": mean[baseline] if baseline else None,
        "recommended_difference": apart,
        "margin": margin,
        "cost": "macs",
        "n_test": recipe.n_test,
        "seeds": recipe.seeds,
    }
    verdict["said"] = [{"topic": topic, "text": text} for topic, text in said_of(recipe, verdict, mean)]
    verdict["sentence"] = " ".join(one["text"] for one in verdict["said"])
    return comparison, verdict


def said_of(recipe: Recipe, verdict: Mapping[str, Any], mean: Mapping[str, float]) -> list[tuple[str, str]]:
    """In the words of a real verdict, each part under what it is about."""
    def said(number: float) -> str:
        return f"{number:.3f}".removeprefix("0") if recipe.high else f"{number:.2f}"
    best, baseline, tied = verdict["best"], verdict["best_baseline"], verdict["tied_with"]
    tests = f"test {noun(recipe.kind, 2).split()[1]}"
    words = [("Best", f"{best} is best of {len(mean)} on {recipe.n_test:,} {tests}: {verdict['metric']} {said(verdict['value'])} "
                      f"(95 % {said(verdict['low'])} – {said(verdict['high'])}).")]
    if tied:
        words.append(("The others", f"{listing(tied)} {'are' if len(tied) > 1 else 'is'} not distinguishable from it with "
                                    f"{recipe.n_test:,} examples."))
    if verdict["recommended"] != best:
        fewer = SLATE[best][2] / SLATE[verdict["recommended"]][2]
        words.append(("Recommended", f"{verdict['recommended']} is recommended: at most {said(verdict['margin'])} worse (95 %), "
                                     f"1/{fewer:.0f} of the operations."))
    else:
        words.append(("Recommended", "It is also recommended."))
    if baseline and verdict["p_baseline"] is not None:
        p = verdict["p_baseline"]
        words.append(("Baseline", f"Best baseline ({baseline}) {said(mean[baseline])}: "
                                  f"{'beaten' if verdict['beats_baseline'] else 'not shown to be beaten'}, "
                                  f"{'p < .001' if p < 0.001 else f'p = {p:.2f}'}."))
    if verdict["more_examples_to_separate"]:
        words.append(("More examples", f"About {verdict['more_examples_to_separate']:,} more {tests} would tell {best} from {tied[0]}, "
                                       "if they differ as much as seen."))
    lost = "; ".join(f"{name} ({why})" for name, why in verdict["failed"].items())
    limits = [verdict["best_note"], f"Untuned, with fewer than 4 finished trials: {listing(verdict['untuned'])}." if verdict["untuned"] else "",
              f"Failed: {lost}." if lost else "", f"Absent: {listing(verdict['absent'])}." if verdict["absent"] else ""]
    return [*words, *(("Limits", text) for text in limits if text)]
