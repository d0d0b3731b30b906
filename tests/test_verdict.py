"""The verdict's words in the situations that occur, its records, and that both are the same for the same input."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bakeoff.compare import Comparison, Difference, Entrant, Value, compare
from bakeoff.metrics.accuracy import Accuracy
from bakeoff.metrics.error import RMSE
from bakeoff.report.format import NO_TIME
from bakeoff.verdict import COLUMNS, Info, leaderboard, sentences, verdict

MACS = {"resnet": 6e6, "convnext": 9e6, "crnn": 1e6, "rocket": 2e6, "gru": 8e6, "majority": 0.0, "lstm": 8e6, "vit": 9e7}
GROUPS = {"resnet": "conv", "convnext": "conv", "crnn": "hybrid", "rocket": "baseline", "gru": "recurrent", "majority": "baseline",
          "lstm": "recurrent", "vit": "pretrained"}


def judged(values: Mapping[str, float], *, tied: Sequence[str] = (), recommended: str = "", p: Mapping[str, float] | None = None,
           p_baseline: float | None = 0.0001, more: int | None = None, seeds: int = 3, half: float = 0.02, n_test: int = 734) -> Comparison:
    """A comparison of accuracies by rank; every interval is ± half, lower ends of differences end .01 below them."""
    names = list(values)
    top = values[names[0]]
    networks = [name for name in names if GROUPS[name] not in ("baseline", "pretrained")]
    baselines = [name for name in names if GROUPS[name] == "baseline"]
    against = {name: Difference(round(values[name] - top, 6), round(values[name] - top - 0.01, 6), round(values[name] - top + 0.01, 6),
                                (p or {}).get(name, 0.4 if name in tied else 0.0004)) for name in names[1:]}
    return Comparison(
        metric="accuracy", unit="", direction="high", contenders=tuple(names),
        values={name: Value(value, round(value - half, 6), round(value + half, 6), (value,) * seeds) for name, value in values.items()},
        against_best=against, pairs=(), notes=(), tied_with=tuple(tied), recommended=recommended or names[0], margin=0.02, cost="macs",
        best_network=networks[0] if networks else None, best_baseline=baselines[0] if baselines else None,
        p_baseline=p_baseline if networks and baselines else None, more_examples_to_separate=more, without_value={}, seeds=seeds, n_test=n_test)


def infos(names: Sequence[str], **changes: Mapping[str, Any]) -> list[Info]:
    """changes: name → fields that differ."""
    return [replace(Info(name, GROUPS[name], "done", "", {"macs": MACS[name], "parameters": 1000}, 2.5, 8, 6, 2, 0, 90_000, 100.0, 120.0),
                    **changes.get(name, {})) for name in names]


def sentence(*judged: Any) -> str:
    return " ".join(text for _, text in sentences(*judged))


def said(comparison: Comparison, kind: str = "image", absent: Mapping[str, str] | None = None, **changes: Mapping[str, Any]) -> str:
    return sentence(comparison, infos([*comparison.contenders, *(name for name in changes if name not in comparison.values)], **changes), kind,
                    absent)


# Golden sentences

def test_a_tie_with_a_cheaper_recommended_one() -> None:
    comparison = judged({"resnet": 0.868, "convnext": 0.861, "crnn": 0.858, "gru": 0.8, "rocket": 0.741}, tied=["convnext"], recommended="crnn",
                        more=1900)
    assert said(comparison) == (
        "resnet is best of 5 on 734 test images: accuracy .868 (95 % .848 – .888). convnext is not distinguishable from it with 734 examples. "
        "crnn is recommended: at most .020 worse (95 %), 1/6 of the operations. Best baseline (rocket) .741: beaten, p < .001. "
        "About 1,900 more test images would tell resnet from convnext, if they differ as much as seen. "
        "The best is the maximum of 5 noisy values: its .868 is somewhat optimistic.")


def test_who_is_tied_only_because_its_seeds_differ_is_named_with_them() -> None:
    comparison = judged({"resnet": 0.9, "gru": 0.6, "crnn": 0.895, "rocket": 0.4}, tied=["gru", "crnn"])
    spread = {"gru": Value(0.6, 0.2, 0.9, (0.3, 0.6, 0.9)), "crnn": Value(0.895, 0.8, 0.9, (0.8, 0.9, 0.95))}
    wide = replace(comparison, values={**comparison.values, **spread})
    assert "are not distinguishable from it with 734 examples. Seeds decide too much to say more of gru (.300 – .900). " in said(wide)
    assert "Seeds decide" not in said(comparison)


def test_a_clear_winner_is_told_with_effect_interval_and_p() -> None:
    comparison = judged({"resnet": 0.9, "gru": 0.8, "rocket": 0.7}, p={"gru": 0.0123}, n_test=3670)
    assert said(comparison, "text") == (
        "resnet is best of 3 on 3,670 test texts: accuracy .900 (95 % .880 – .920). All others are worse, the next, gru, by .100 "
        "(95 % .090 – .110, p = .012). resnet is also recommended: nothing cheaper is surely at most .020 worse. "
        "Best baseline (rocket) .700: beaten, p < .001. The best is the maximum of 3 noisy values: its .900 is somewhat optimistic.")


def test_a_baseline_that_wins_is_said_first() -> None:
    behind = judged({"rocket": 0.9, "resnet": 0.8}, p_baseline=1.0, p={"resnet": 0.002})
    assert said(behind) == (
        "A baseline wins: rocket is the better of 2 on 734 test images: accuracy .900 (95 % .880 – .920). resnet is worse by .100 "
        "(95 % .090 – .110, p = .002). rocket is also recommended. The best network, resnet .800, is worse, p = .002. "
        "The best is the maximum of 2 noisy values: its .900 is somewhat optimistic.")
    alike = judged({"rocket": 0.9, "resnet": 0.895, "gru": 0.89}, tied=["resnet", "gru"], p_baseline=1.0)
    assert said(alike).startswith("A baseline wins: rocket is best of 3")
    assert "None of the other 2 is distinguishable from it with 734 examples." in said(alike)
    assert "The best network, resnet .895, is not distinguishable from it." in said(alike)


def test_a_baseline_that_is_not_beaten_is_told_with_its_p() -> None:
    comparison = judged({"resnet": 0.87, "rocket": 0.865}, tied=["rocket"], p_baseline=0.412, recommended="rocket")
    assert said(comparison) == (
        "resnet is the better of 2 on 734 test images: accuracy .870 (95 % .850 – .890). rocket is not distinguishable from it with 734 "
        "examples. rocket is recommended: at most .015 worse (95 %), 1/3 of the operations. Best baseline (rocket) .865: not shown to be "
        "beaten, p = .41. The best is the maximum of 2 noisy values: its .870 is somewhat optimistic.")


def test_one_seed_untuned_short_failed_and_absent_are_told() -> None:
    comparison = judged({"resnet": 0.9, "gru": 0.8, "crnn": 0.7}, seeds=1)
    text = said(comparison, "series", {"textcnn": "it reads ids only", "boosting": "it reads tables", "mgu": f"in 5m {NO_TIME}"},
                gru={"tuned": False}, crnn={"seconds": 30.0}, lstm={"state": "failed", "why": "the loss became nan"})
    assert text.endswith(
        "The best is the maximum of 3 noisy values: its .900 is somewhat optimistic. With one seed this is about these trained models, "
        "not about training them again. Untuned, with fewer than 4 finished trials: gru. Got less than half of the time that the others "
        "got: crnn. Failed: lstm (the loss became nan). Absent: textcnn and boosting. The time was "
        "too short for one more network.")
    assert "on 734 test series" in text
    assert "No baseline has a value to set against it." in text


def test_a_number_is_told_in_its_unit_and_its_own_digits() -> None:
    generator = np.random.default_rng(0)
    rows = [tuple(np.column_stack([np.arange(400), size * generator.normal(size=400)]) for _ in range(3)) for size in (30, 60)]
    comparison = compare([Entrant(name, GROUPS[name], one, cost={"macs": MACS[name], "parameters": 1})
                          for name, one in zip(("gru", "majority"), rows, strict=True)], RMSE(), 400, seeds=3)
    text = sentence(comparison, infos(["gru", "majority"]), "table")
    assert re.match(r"gru is the better of 2 on 400 test rows: rmse \d\d\.\d \(95 % \d\d\.\d – \d\d\.\d, target's unit\)\. majority is worse by "
                    r"\d\d\.\d \(95 % \d\d\.\d – \d\d\.\d, p < \.001\)\. gru is also recommended: nothing cheaper is surely at most 1\.\d worse\. "
                    r"Best baseline \(majority\) \d\d\.\d: beaten, p < \.001\.", text), text


@pytest.mark.parametrize(("better", "told"), [(0.0, True), (0.3, False)])
def test_that_nothing_beats_repeating_the_last_value_is_said(better: float, told: bool) -> None:
    errors = np.random.default_rng(0).normal(size=300)
    made = {"last": errors, "gru": errors * (1 - better) + 0.01 * np.random.default_rng(1).normal(size=300), "drift": errors * 1.2}
    entrants = [Entrant(name, "recurrent" if name == "gru" else "baseline", (np.column_stack([np.arange(300), error]),),
                        cost={"macs": 1.0, "parameters": 1.0}) for name, error in made.items()]
    known = [Info(one.name, one.group, "done", "", {"macs": 1.0}) for one in entrants]
    text = sentence(compare(entrants, RMSE(), 300, seeds=1), known, "forecast")
    assert ("Nothing here is shown to beat repeating the last value" in text) == told
    assert "300 test windows" in text


def test_a_recommended_one_that_needs_no_operations_or_a_few_less() -> None:
    free = judged({"resnet": 0.9, "majority": 0.9}, tied=["majority"], recommended="majority")
    assert "majority is recommended: at most .010 worse (95 %), no operations." in said(free)
    few = judged({"convnext": 0.9, "gru": 0.9}, tied=["gru"], recommended="gru")
    assert "gru is recommended: at most .010 worse (95 %), 0.89 × the operations." in said(few)
    by_time = replace(few, cost="seconds")
    assert "at most .010 worse (95 %), 1/5 of the training time." in said(by_time, gru={"train_seconds": 0.5})
    assert "gru is recommended: at most .010 worse (95 %)." in said(replace(few, cost="latency"))


def test_a_pretrained_best_leaves_the_network_to_be_set_against_the_baseline() -> None:
    comparison = judged({"vit": 0.95, "resnet": 0.9, "rocket": 0.8})
    assert "Best baseline (rocket) .800: beaten by resnet, p < .001." in said(comparison)


def test_one_contender_alone_is_the_best_of_nobody() -> None:
    alone = judged({"resnet": 0.9}, n_test=1)
    assert said(alone) == ("resnet alone has a value on 1 test image: accuracy .900 (95 % .880 – .920). No baseline has a value to set against it.")


def test_names_from_outside_cannot_act_on_the_terminal() -> None:
    comparison = judged({"resnet": 0.9, "rocket": 0.8})
    text = said(comparison, lstm={"state": "failed", "why": "\x1b[31mred\u202e" + "long " * 60})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text) < 600


def test_p_is_never_called_significant_and_an_unknown_kind_has_examples() -> None:
    text = said(judged({"resnet": 0.9, "rocket": 0.8}), "hologram")
    assert "734 test examples" in text
    assert "significant" not in text


# Records

def test_the_verdict_holds_all_fields() -> None:
    comparison = judged({"resnet": 0.868, "crnn": 0.86, "gru": 0.8, "rocket": 0.741}, tied=["crnn"], recommended="crnn", more=1900)
    entered = infos(["resnet", "crnn", "gru", "rocket", "lstm"], lstm={"state": "failed", "why": "out of memory"}, gru={"tuned": False})
    record = verdict(comparison, entered, {"kind": "image", "absent": {"boosting": "tables only"}}, seeds={"crnn": 2, "resnet": 1})
    expected = {
        "best": "resnet", "recommended": "crnn", "seed": 2, "group": "conv", "tied_with": ["crnn"], "metric": "accuracy", "unit": "",
        "value": 0.868, "low": 0.848, "high": 0.888, "beats_baseline": True, "p_baseline": 0.0001, "best_baseline": "rocket",
        "baseline_value": 0.741, "tuned": False, "untuned": ["gru"], "short": [], "failed": {"lstm": "out of memory"},
        "absent": {"boosting": "tables only"}, "more_examples_to_separate": 1900,
        "recommended_difference": {"value": -0.008, "low": -0.018, "high": 0.002}, "margin": 0.02, "cost": "macs", "n_test": 734, "seeds": 3,
        "best_note": "The best is the maximum of 4 noisy values: its .868 is somewhat optimistic."}
    assert {name: record[name] for name in expected} == expected
    assert record["best_note"] in record["sentence"]
    assert [row["contender"] for row in record["ledger"]] == ["resnet", "crnn", "gru", "rocket", "lstm"]
    assert set(record["ledger"][0]) == {"contender", "asked_seconds", "seconds", "examples", "trials", "finished", "pruned", "failed"}


def test_the_leaderboard_has_a_row_for_all_who_entered_in_the_order_of_its_columns() -> None:
    comparison = replace(judged({"resnet": 0.9, "gru": 0.89, "rocket": 0.8}, tied=["gru"]), without_value={"lstm": "accuracy is not a number"})
    rows = leaderboard(comparison, infos(["gru", "crnn", "lstm", "rocket", "resnet"], crnn={"state": "failed", "why": "out of memory"}))
    assert all(tuple(row) == COLUMNS for row in rows)
    assert [(row["rank"], row["contender"], row["state"]) for row in rows] == [
        (1, "resnet", "done"), (2, "gru", "done"), (3, "rocket", "done"), (None, "crnn", "failed"), (None, "lstm", "failed")]
    first, second, third, failed, without = rows
    assert (first["p_vs_best"], first["tied"], first["value"], first["low"], first["high"]) == (None, True, 0.9, 0.88, 0.92)
    assert (second["p_vs_best"], second["tied"], third["tied"]) == (0.4, True, False)
    assert (first["macs"], first["parameters"], first["train_seconds"], first["latency_ms_p50"]) == (6e6, 1000, 2.5, None)
    assert (failed["value"], failed["tied"], failed["why"], failed["seconds"]) == (None, None, "out of memory", 100.0)
    assert without["why"] == "accuracy is not a number"


def test_baselines_that_need_little_are_not_said_to_have_got_little() -> None:
    comparison = judged({"resnet": 0.9, "gru": 0.8, "rocket": 0.7})
    assert "less than half" not in said(comparison, rocket={"seconds": 1.0})
    assert "less than half" not in said(comparison, gru={"asked_seconds": 0.0, "seconds": 1.0})
    assert "Got less than half of the time that the others got: gru." in said(comparison, gru={"seconds": 30.0})


def test_the_same_input_gives_the_same_bytes_and_is_left_as_it_was() -> None:
    generator = np.random.default_rng(1)
    rows = [tuple(np.column_stack([np.arange(200), generator.random(200) < skill]).astype(np.float64) for _ in range(3))
            for skill in (0.9, 0.85, 0.5)]
    entered = [Entrant(name, GROUPS[name], one, cost={"macs": MACS[name], "parameters": 1})
               for name, one in zip(("resnet", "gru", "rocket"), rows, strict=True)]
    plan = {"kind": "series", "absent": {}}
    before = copy.deepcopy(plan)

    def written() -> str:
        comparison = compare(entered, Accuracy(), 200, seeds=3)
        told = infos(["resnet", "gru", "rocket"])
        return json.dumps([verdict(comparison, told, plan, seeds={}), leaderboard(comparison, told)], allow_nan=False)

    assert written() == written()
    assert plan == before


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_compared_can_be_said(seed: int) -> None:
    """Of every sort of contender some: no part of the text is empty, doubled or unfinished."""
    generator = np.random.default_rng(seed)
    names = [name for name in GROUPS if generator.random() < 0.6] or ["gru"]
    skills = generator.uniform(0.5, 1.0, len(names)) if seed % 2 else np.full(len(names), 0.8)
    rows = [tuple(np.column_stack([np.arange(120), generator.random(120) < skill]).astype(np.float64) for _ in range(2)) for skill in skills]
    comparison = compare([Entrant(name, GROUPS[name], one, cost={"macs": MACS[name], "parameters": 1})
                          for name, one in zip(names, rows, strict=True)], Accuracy(), 120, seeds=2)
    text = sentence(comparison, infos(names), "text")
    assert comparison.best in text.split(".")[0]
    assert not re.search(r"  |\.\.|\( |None(?! of)|\bnan\b|^ | $", text), text
    assert text.endswith(".")
