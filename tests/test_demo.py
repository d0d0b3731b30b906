from __future__ import annotations

import csv
import json

import pytest

from bakeoff import demo as touring
from bakeoff.cli import outcome
from bakeoff.demo import Problem, dearest, demo, simple, step_by_step
from bakeoff.errors import RunError
from bakeoff.result import Result
from bakeoff.run import run


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """The whole tour with the smallest budget."""
    def tiny(data, **options):
        return run(data, **{**options, "slate": "gru,fcn", "budget": None, "trials": 1, "examples": 200, "seeds": 1, "jobs": 2})
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(touring, "run", tiny)
        patch.setenv("COLUMNS", "80")
        return demo(3, folder / "tour")


def test_both_problems_stand_side_by_side_in_eighty_columns(tour, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = tour.lines()
    assert max(map(len, lines[:8])) <= 80
    assert "images: sample:digits" in lines[0]
    assert "sequences: sample:order" in lines[0]
    gru = next(line for line in lines if line.startswith("  gru"))
    assert sum(cell.startswith(".") for cell in gru.split()) == 2


def test_both_reports_are_there_and_named(tour):
    text = "\n".join(tour.lines())
    for problem in tour.problems:
        assert problem.result.report.exists()
        assert str(problem.result.report) in text


def test_the_seed_reaches_both_runs(tour):
    assert [problem.result.read("question.json")["options"]["seed"] for problem in tour.problems] == [3, 3]


def test_as_json_it_is_one_object_with_both_leaderboards(tour):
    found = json.loads(json.dumps(tour.record(), allow_nan=False))
    assert {row["contender"] for row in found["problems"]["images"]["leaderboard"]} >= {"gru", "fcn", "linear"}
    assert found["findings"]


def test_a_folder_that_exists_is_not_written_into(tmp_path, capsys):
    with pytest.raises(RunError, match="exists already"):
        demo(0, tmp_path)
    assert outcome(["demo", "--out", str(tmp_path)]) == 2


# ---------------------------------------------------------------------- sentences follow the measurements

@pytest.fixture
def problem(tmp_path):
    """A finished run with these values, operations and latencies."""
    def make(**rows: tuple[str, float, float, float]) -> Problem:
        with (tmp_path / "leaderboard.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["contender", "group", "value", "low", "high", "macs", "latency_ms_p50"])
            for name, (group, value, macs, latency) in sorted(rows.items(), key=lambda row: -row[1][1]):
                table.writerow([name, group, value, value - 0.02, value + 0.02, macs, latency])
        (tmp_path / "verdict.json").write_text(json.dumps({"metric": "accuracy", "unit": ""}))
        return Problem("texts", "sample:order", Result(tmp_path))
    return make


def test_baselines_at_chance_are_told_apart_from_baselines_that_work(problem):
    guess = {"majority": ("baseline", 0.5, 0, 0.1)}
    assert "no baseline is better than guessing" in simple(problem(gru=("recurrent", 0.99, 1e5, 1), linear=("baseline", 0.51, 100, 0.1), **guess))
    said = simple(problem(gru=("recurrent", 0.99, 1e5, 1), linear=("baseline", 0.9, 1e4, 0.1), **guess))
    assert "linear, a baseline, reaches .900; gru reaches .990, .090 more with 10 × the operations" in said
    assert ".090 less" in simple(problem(gru=("recurrent", 0.81, 1e5, 1), linear=("baseline", 0.9, 1e4, 0.1), **guess))


def test_what_going_step_by_step_costs_is_said_as_it_was_measured(problem, monkeypatch):
    monkeypatch.setattr(Problem, "steps", lambda self, name: 19)
    slow = step_by_step(problem(gru=("recurrent", 0.9, 1e5, 2.0), fcn=("conv", 0.9, 1e6, 1.0)))
    assert "50 M operations a second, fcn in 1 ms at 1 G: gru goes through 19 cells one after the other" in slow
    assert "costs gru nothing" in step_by_step(problem(gru=("recurrent", 0.9, 1e6, 1.0), fcn=("conv", 0.9, 1e5, 2.0)))


def test_what_the_most_work_bought_is_said(problem):
    assert "fcn works most, 10 × the operations of gru, and reaches .800 against .900" in dearest(
        problem(gru=("recurrent", 0.9, 1e5, 2.0), fcn=("conv", 0.8, 1e6, 1.0)))
    assert "gru is the best network and works most, 10 ×" in dearest(problem(gru=("recurrent", 0.9, 1e6, 2.0), fcn=("conv", 0.8, 1e5, 1.0)))
