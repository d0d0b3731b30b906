"""The verdict in words and as records: one sentence for terminal, report, notebook and verdict.json. Pure: no files, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bakeoff.compare import Comparison

COLUMNS = ("rank", "contender", "group", "metric", "value", "low", "high", "p_vs_best", "tied", "parameters", "macs", "train_seconds", "step_ms",
           "latency_ms_p50", "latency_ms_p95", "peak_train_bytes", "peak_infer_bytes", "trials", "examples", "seconds", "state", "why")
LEAST_TRIALS = 4              # finished ones, without which a contender is called untuned
WORTH = {"macs": "of the operations", "parameters": "of the parameters", "latency": "of the waiting time", "memory": "of the memory",
         "seconds": "of the training time"}
KEY = {"macs": "macs", "parameters": "parameters", "latency": "latency_ms_p50", "memory": "peak_infer_bytes"}


@dataclass(frozen=True)
class Info:
    """A contender apart from its scores: how it ended, what it costs, what it was given and took."""

    name: str
    group: str
    state: str                                # done | failed
    why: str                                  # what went wrong, or a remark
    cost: Mapping[str, Any] = field(default_factory=dict)
    train_seconds: float | None = None        # of one final
    trials: int = 0
    finished: int = 0
    pruned: int = 0
    failed: int = 0
    examples: int = 0
    seconds: float = 0.0
    asked_seconds: float = 0.0
    tuned: bool = True


def leaderboard(comparison: Comparison, infos: Sequence[Info]) -> list[dict[str, Any]]:
    """A row per contender that entered, in the columns of leaderboard.csv; those without a value last, without rank."""
    known = {info.name: info for info in infos}
    rows = [row_of(known[name], comparison, rank) for rank, name in enumerate(comparison.contenders, 1)]
    return rows + [row_of(info, comparison, None) for info in infos if info.name not in comparison.values]


def row_of(info: Info, comparison: Comparison, rank: int | None) -> dict[str, Any]:
    value = comparison.values.get(info.name)
    against = comparison.against_best.get(info.name)
    cost = info.cost
    found: dict[str, Any] = {
        "rank": rank, "contender": info.name, "group": info.group, "metric": comparison.metric, "value": None if value is None else value.value,
        "low": None if value is None else value.low, "high": None if value is None else value.high, "p_vs_best": None if against is None else against.p,
        "tied": info.name in comparison.tied_with or rank == 1, "train_seconds": rounded(info.train_seconds), "trials": info.trials,
        "examples": info.examples, "seconds": rounded(info.seconds), "state": info.state if value is not None or info.state == "failed" else "failed",
        "why": info.why or comparison.without_value.get(info.name, "")}
    return {name: found[name] if name in found else cost.get(name) for name in COLUMNS}


def rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def verdict(comparison: Comparison, infos: Sequence[Info], plan: Mapping[str, Any], *, seeds: Mapping[str, int]) -> dict[str, Any]:
    """verdict.json. seeds: which seed's model of each contender is handed out."""
    known = {info.name: info for info in infos}
    best, recommended = comparison.best, comparison.recommended
    untuned = [info.name for info in infos if info.state == "done" and not info.tuned]
    failed = {info.name: info.why for info in infos if info.state == "failed" or info.name not in comparison.values}
    value = comparison.values[best]
    against = comparison.against_best.get(recommended)
    baseline = comparison.best_baseline
    return {
        "best": best, "recommended": recommended, "seed": seeds.get(recommended, 0), "group": known[best].group,
        "tied_with": list(comparison.tied_with), "metric": comparison.metric, "unit": comparison.unit, "value": value.value, "low": value.low,
        "high": value.high, "beats_baseline": comparison.beats_baseline, "p_baseline": comparison.p_baseline, "best_baseline": baseline,
        "baseline_value": None if baseline is None else comparison.values[baseline].value,
        "tuned": not untuned, "untuned": untuned, "failed": failed, "absent": dict(plan.get("absent", {})),
        "more_examples_to_separate": comparison.more_examples_to_separate,
        "recommended_difference": None if against is None else {"value": against.difference, "low": against.low, "high": against.high},
        "margin": comparison.margin, "cost": comparison.cost, "n_test": comparison.n_test, "seeds": comparison.seeds,
        "best_note": "The best is the maximum of noisy values, so its value is somewhat optimistic." if len(comparison.contenders) > 1 else "",
        "sentence": sentence(comparison, infos, untuned, failed),
        "ledger": [{"contender": info.name, "asked_seconds": rounded(info.asked_seconds), "seconds": rounded(info.seconds), "examples": info.examples,
                    "trials": info.trials, "finished": info.finished, "pruned": info.pruned, "failed": info.failed} for info in infos],
    }


def sentence(comparison: Comparison, infos: Sequence[Info], untuned: Sequence[str], failed: Mapping[str, str]) -> str:
    """The verdict in plain words; a baseline that wins is said first."""
    known = {info.name: info for info in infos}
    best, many = comparison.best, len(comparison.contenders)
    value = comparison.values[best]
    examples = f"{comparison.n_test:,} test example{'s' if comparison.n_test != 1 else ''}"
    unit = f" {comparison.unit}" if comparison.unit else ""
    parts = []
    said = f"{comparison.metric} {number(value.value)}{unit} (95 % {number(value.low)} – {number(value.high)})" if value.low is not None else (
        f"{comparison.metric} {number(value.value)}{unit} (no interval can be given)")
    if known[best].group == "baseline":
        parts.append(f"A baseline wins: {best} is best of {many} on {examples}: {said}.")
    else:
        parts.append(f"{best} is best of {many} on {examples}: {said}." if many > 1 else f"{best} alone has a value on {examples}: {said}.")
    if comparison.tied_with:
        parts.append(f"{listed(comparison.tied_with)} {'is' if len(comparison.tied_with) == 1 else 'are'} not distinguishable from it with {examples}.")
    if comparison.recommended != best:
        parts.append(recommendation(comparison, known))
    elif many > 1:
        parts.append(f"It is also recommended: nothing cheaper is sure to be at most {number(comparison.margin)}{unit} worse.")
    parts.append(against_baseline(comparison, known[best].group == "baseline"))
    if comparison.more_examples_to_separate:
        second = comparison.contenders[1]
        parts.append(f"About {comparison.more_examples_to_separate:,} more test examples would tell {best} from {second}.")
    if comparison.seeds == 1:
        parts.append("With one seed this is about these trained models, not about training them again.")
    if untuned:
        parts.append(f"Untuned, with fewer than {LEAST_TRIALS} finished trials: {listed(untuned)}.")
    if failed:
        parts.append("Failed: " + "; ".join(f"{name} ({why})" for name, why in failed.items()) + ".")
    return " ".join(part for part in parts if part)


def recommendation(comparison: Comparison, known: Mapping[str, Info]) -> str:
    name, best, unit = comparison.recommended, comparison.best, f" {comparison.unit}" if comparison.unit else ""
    cheaper = ratio(cost_of(known[name], comparison.cost), cost_of(known[best], comparison.cost))
    price = f", {cheaper} {WORTH[comparison.cost]}" if cheaper else ""
    return f"{name} is recommended: at most {number(comparison.margin)}{unit} worse (95 %){price}."


def cost_of(info: Info, cost: str) -> float | None:
    return info.train_seconds if cost == "seconds" else info.cost.get(KEY[cost])


def ratio(a: float | None, b: float | None) -> str:
    """'1/6', '40 %' or '': how much less a is than b."""
    if not a or not b or a >= 0.95 * b:
        return ""
    return f"1/{b / a:,.0f}" if a <= b / 2.5 else f"{100 * a / b:.0f} %"


def against_baseline(comparison: Comparison, baseline_wins: bool) -> str:
    network, baseline, p = comparison.best_network, comparison.best_baseline, comparison.p_baseline
    if baseline is None or network is None or p is None:
        return ""
    value = f"{baseline} {number(comparison.values[baseline].value)}"
    if comparison.beats_baseline:
        return f"Best baseline ({value}): beaten, {probability(p)}."
    if baseline_wins:
        return f"The best network, {network} {number(comparison.values[network].value)}, does not beat it."
    return f"Best baseline ({value}): not shown to be beaten by {network} ({probability(p)})."


def probability(p: float) -> str:
    return "p < .001" if p < 0.001 else f"p = {number(p)}"


def number(value: float | None) -> str:
    """Three digits: .868 within 0 … 1, 12.3 or 1,230 beyond."""
    if value is None:
        return "?"
    if abs(value) < 1:
        text = f"{value:.3f}"
        return text.replace("0.", ".", 1) if text not in ("1.000", "-1.000") else text
    return f"{value:.3f}" if abs(value) < 2 else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def listed(names: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
