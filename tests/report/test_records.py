from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bakeoff.errors import RunError
from bakeoff.report.records import read


@pytest.fixture
def copied(run_folder, tmp_path) -> Path:
    return Path(shutil.copytree(run_folder("golden"), tmp_path / "run"))


def test_a_run_is_read_whole(run_folder):
    run = read(run_folder("golden"))
    assert [row.rank for row in run.ranked] == list(range(1, len(run.ranked) + 1))
    assert run.best == run.ranked[0].contender
    assert {row.contender for row in run.rows if not row.ranked} == {"mlp"}
    assert [trial.job.number for trial in run.tuning["resnet"]] == [0, 1, 2, 3]
    assert len(run.finals["resnet"]) == 2
    assert run.tests == 60
    assert run.classes == ["left", "right", "none"]


def test_the_best_trial_is_the_finished_one_with_the_best_score(run_folder):
    run = read(run_folder("golden"))
    best = run.best_trial("resnet")
    assert best is not None
    assert best.score == max(trial.score for trial in run.tuning["resnet"] if trial.state == "done")
    assert run.best_trial("mlp") is None


def test_answers_of_all_seeds_stand_side_by_side(run_folder):
    answers = read(run_folder("golden")).answers("gru", scores=True)
    assert answers.answers.shape == (2, 60)
    assert answers.scores.shape == (2, 60, 3)
    assert answers.labels == ["left", "right", "none"]
    np.testing.assert_allclose(answers.scores.sum(-1), 1)
    assert read(run_folder("golden")).answers("mlp") is None


def test_answers_to_some_examples_are_those_that_the_run_has_shown(run_folder):
    run = read(run_folder("golden"))
    item = run.shown["hardest"][0]
    found = run.answers_to({item["key"]: item["target"], "nobody's": "left"})
    assert found["nobody's"] == {}
    for name, one in item["answers"].items():
        assert found[item["key"]][name]["answer"] == one["answer"]
        assert found[item["key"]][name]["score"] == pytest.approx(one["score"])


def test_numbers_are_scored_by_their_error(run_folder):
    run = read(run_folder("wine"))
    item = run.shown["hardest"][0]
    one = run.answers_to({item["key"]: str(item["target"])})[item["key"]]["resnet"]
    assert one["answer"] == pytest.approx(item["answers"]["resnet"]["answer"])
    assert one["score"] > 0


def test_outer_folds_are_put_one_after_the_other(copied):
    base = copied / "finals" / "gru"
    for seed in range(2):
        second = base / "fold-1" / f"seed-{seed}" / "answers.parquet"
        second.parent.mkdir(parents=True)
        pd.read_parquet(base / f"seed-{seed}" / "answers.parquet").assign(key=[f"other {k}" for k in range(60)]).to_parquet(second)
    answers = read(copied).answers("gru")
    assert answers.answers.shape == (2, 120)
    assert answers.keys[60] == "other 0"


def test_seeds_that_do_not_belong_together_give_no_answers(copied):
    file = copied / "finals" / "gru" / "seed-1" / "answers.parquet"
    pd.read_parquet(file).iloc[::-1].to_parquet(file)
    assert read(copied).answers("gru") is None


def test_a_line_cut_short_by_a_crash_is_passed_over_and_left_as_it_is(copied):
    file = copied / "trials.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    damaged = lines[0].replace('"contender": "', '"contender": "x', 1)
    file.write_text(damaged + "".join(lines[1:]) + lines[2][:80])
    before = file.read_bytes()
    assert len(read(copied).trials) == len(lines) - 1
    assert file.read_bytes() == before


def test_a_folder_that_is_no_run_is_said_so(tmp_path):
    with pytest.raises(RunError, match=r"not a run's folder.*question\.json"):
        read(tmp_path)


def test_a_run_that_has_not_ended_is_said_so(copied):
    (copied / "verdict.json").unlink()
    with pytest.raises(RunError, match=r"has not ended.*bakeoff resume"):
        read(copied)


def test_what_is_not_recorded_is_empty(copied):
    for name in ("shown.json", "data.json", "trials.jsonl"):
        (copied / name).unlink()
    run = read(copied)
    assert (run.shown, run.trials, run.tests) == ({}, [], 60)


def test_numbers_that_are_none_are_none(copied):
    verdict = json.loads((copied / "verdict.json").read_text())
    rows = read(copied).row
    assert rows["mlp"].value is None
    assert rows["mlp"].why == verdict["failed"]["mlp"]
    assert rows["majority"].numbers["step_ms"] is None
    assert rows["resnet"].numbers["macs"] == 24e6
