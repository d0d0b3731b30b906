"""Finished runs below a folder, told as claims need them; where there are none but data sets, these are run, quickly."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.claims.base import Ask
from bakeoff.report.format import duration

QUICK: Mapping[str, Any] = {"slate": "quick", "trials": 1, "examples": 3000, "seeds": 2}      # of a data set that is run here; no clock
RECORDS = ("verdict.json", "comparison.json", "plan.json")
PLAIN = ("majority", "mean", "last", "seasonal", "drift", "mean_box", "first_k", "rate")      # baselines that learn nothing of the input
USE = "use.json"              # {"use": "medical images"}: what neither kind nor task tell
_run: dict[tuple[str, int], Path] = {}                     # data set and seed → its run, for the second claim that asks


def gathered(ask: Ask) -> dict[str, Any]:
    """{"runs": one record per finished run, "made": how many were run here, "skipped": {name: why}}; no runs without --data."""
    if ask.data is None:
        return {"runs": [], "made": 0, "skipped": {}}
    folders, made = list(finished(ask.data)), 0
    skipped: dict[str, str] = {}
    if not folders:
        folders, skipped = run_all(ask)
        made = len(folders)
    told = []
    for folder, name in folders:
        ask.say(name)
        try:
            told.append(told_of(folder, name, ask.data))
        except (KeyError, ValueError, OSError) as error:
            skipped[name] = f"its records cannot be read ({type(error).__name__}: {error})"
    return {"runs": told, "made": made, "skipped": skipped}


def finished(data: Path) -> Iterator[tuple[Path, str]]:
    """(folder, name) of every finished run, however deep, in the order of their names."""
    for place, inside, files in os.walk(data):
        inside.sort()
        if set(files).issuperset(RECORDS):
            inside.clear()                                                   # its finals are no runs
            folder = Path(place)
            yield folder, str(folder.relative_to(data)) if folder != data else data.name


def run_all(ask: Ask) -> tuple[list[tuple[Path, str]], dict[str, str]]:
    """Every data set in the folder (or the folder itself, where nothing in it is one) is run, quickly."""
    import tempfile

    from bakeoff.errors import BakeoffError
    from bakeoff.run import check, run
    assert ask.data is not None
    found: list[tuple[Path, str]] = []
    skipped: dict[str, str] = {}
    inside = sorted(ask.data.iterdir()) if ask.data.is_dir() else []
    for path in [*(one for one in inside if not one.name.startswith(".")), ask.data]:
        if path == ask.data and found:
            break
        key = str(path.resolve()), ask.seed
        try:
            if key not in _run:
                check(str(path))
                ask.say(f"{path.name}: a quick run")
                out = Path(tempfile.mkdtemp()) / path.name
                run(path, seed=ask.seed, jobs=1, out=out, **QUICK)
                _run[key] = out
            found.append((_run[key], path.name))
        except BakeoffError as error:
            skipped[path.name] = str(error).splitlines()[0]
    return found, skipped


def told_of(folder: Path, name: str, data: Path) -> dict[str, Any]:
    """One run. Differences are signed so that more is better for the first that is named; p are those of comparison.json, corrected for
    all pairs of contenders."""
    plan, comparison = (json.loads((folder / record).read_text(encoding="utf-8")) for record in ("plan.json", "comparison.json"))
    groups = {contender: one["group"] for contender, one in plan["contenders"].items()}
    sign = 1 if comparison["best"] == "high" else -1
    pairs = {(pair["a"], pair["b"]): pair for pair in comparison["pairs"]}
    ranked = [contender for contender in comparison["contenders"] if contender in groups]
    best: dict[str, str] = {}
    for contender in ranked:
        best.setdefault(groups[contender], contender)

    def between(one: str, other: str) -> dict[str, Any]:
        pair, turn = (pairs[one, other], sign) if (one, other) in pairs else (pairs[other, one], -sign)
        ends = [None if pair[end] is None else turn * pair[end] for end in ("low", "high")]
        return {"difference": turn * pair["difference"], "p": pair["p"], "low": ends[turn < 0], "high": ends[turn > 0]}
    plain = next((contender for contender in ranked if contender in PLAIN), None) or best.get("baseline")
    networks = {group: contender for group, contender in best.items() if group not in ("baseline", "pretrained")}
    against = {group: between(contender, plain) for group, contender in networks.items()} if plain else {}
    strongest = {group: between(contender, best["baseline"]) for group, contender in networks.items()} if "baseline" in best else {}
    values = {group: [contender, comparison["values"][contender]["value"]] for group, contender in networks.items()}
    return {"name": name, "kind": plan["kind"], "task": plan["task"], "metric": comparison["metric"], "use": use_of(folder, data),
            "seeds": plan["seeds"], "test": plan["splits"]["test"], "budget": plan.get("budget_seconds"), "best": values, "plain": plain,
            "against_plain": against, "baseline": best.get("baseline"), "against_best": strongest,
            "conv_recurrent": between(networks["conv"], networks["recurrent"]) if {"conv", "recurrent"} <= set(networks) else None}


def use_of(folder: Path, data: Path) -> str:
    """What a `use.json` in the run's folder, or above it up to the one that was given, says; '' where there is none."""
    for place in (folder, *folder.parents):
        if (place / USE).is_file():
            return str(json.loads((place / USE).read_text(encoding="utf-8")).get("use", ""))
        if place == data:
            break
    return ""


def clear(pair: Mapping[str, Any] | None) -> int:
    """1: better, −1: worse, each with p < .05; 0: neither."""
    return 0 if pair is None or pair["p"] >= 0.05 else 1 if pair["difference"] > 0 else -1


def skipped_words(skipped: Mapping[str, str]) -> str:
    return "" if not skipped else " Left out: " + "; ".join(f"{name} ({why})" for name, why in skipped.items()) + "."


def spent(run: Mapping[str, Any]) -> list[str]:
    """What a run's values rest on, for a table: budget, seeds, test examples."""
    return [duration(run["budget"]) if run["budget"] else "–", f"{run['seeds']}", f"{run['test']:,}"]


def named(names: Sequence[str]) -> str:
    """'a, b and c'"""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "none"
