"""Whole runs: the same plan gives the same table, whatever happens on the way; what a contender does wrong stays its own."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import bakeoff
from bakeoff.errors import BakeoffError

SCORES = ("rank", "contender", "value", "low", "high", "p_vs_best", "tied")
TINY = {"slate": "fcn,mlp", "trials": 5, "examples": 400, "seeds": 2, "jobs": 2}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Two classes of 8 × 8 pictures, told apart by which half is bright."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    x = rng.integers(0, 120, (600, 8, 8)).astype(np.uint8)
    x[labels == 1, :4] += 60
    x[labels == 0, 4:] += 60
    path = tmp_path_factory.mktemp("pictures") / "halves.npz"
    np.savez(path, x=x, y=np.where(labels == 1, "top", "bottom"))
    return path


@pytest.fixture(scope="module")
def finished(pictures, tmp_path_factory) -> bakeoff.Result:
    return bakeoff.run(pictures, out=tmp_path_factory.mktemp("run") / "whole", **TINY)


def scores(folder: Path) -> list[tuple[str, ...]]:
    with (folder / "leaderboard.csv").open() as file:
        return [tuple(row[name] for name in SCORES) for row in csv.DictReader(file)]


def begin(data: Path, out: Path, **more) -> subprocess.Popen:
    """A run in a process of its own, so that it can be killed."""
    options = {**TINY, **more}
    code = f"import bakeoff; bakeoff.run({str(data)!r}, out={str(out)!r}, **{options!r})"
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_when(process: subprocess.Popen, ready, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def lines(out: Path) -> list[str]:
    path = out / "trials.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def test_a_run_leaves_everything_that_the_contract_lists(finished):
    names = {path.name for path in finished.folder.iterdir()}
    assert names >= {"question.json", "plan.json", "data.json", "trials.jsonl", "finals", "leaderboard.csv", "verdict.json", "report.html", "log.txt"}
    for contender in finished.leaderboard.contender:
        final = finished.folder / "finals" / contender / "seed-0"
        assert {path.name for path in final.iterdir()} >= {"model.safetensors", "config.json", "answers.parquet"}
    assert finished.verdict["best"] in set(finished.leaderboard.contender)
    assert finished.verdict["sentence"]


def test_the_model_handed_back_answers_as_it_did_in_the_run(finished, pictures):
    import pandas as pd
    best = finished.best
    recorded = pd.read_parquet(best.folder / "answers.parquet")
    keys, answers, problems = best.answers(pictures)
    assert not problems
    assert len(keys) == 600
    by_key = dict(zip(keys, answers, strict=True))
    for _, row in recorded.iterrows():
        assert by_key[row["key"]].value == row["answer"]
        assert by_key[row["key"]].scores["top"] == pytest.approx(row["score:top"], abs=1e-5)


def test_a_run_again_gives_the_same_table_to_the_byte(finished, pictures, tmp_path):
    again = bakeoff.run(pictures, out=tmp_path / "again", plan=finished.folder, seeds=2)
    assert scores(again.folder) == scores(finished.folder)
    assert (again.verdict["best"], again.verdict["recommended"]) == (finished.verdict["best"], finished.verdict["recommended"])


@pytest.mark.parametrize("moment", ["before the plan", "while tuning", "while refitting"])
def test_a_run_killed_at_any_moment_resumes_to_the_same_table(finished, pictures, tmp_path, moment):
    out = tmp_path / "killed"
    ready = {"before the plan": lambda: (out / "question.json").exists(),
             "while tuning": lambda: len(lines(out)) >= 3,
             "while refitting": lambda: any('"stage": "final"' in line for line in lines(out))}[moment]
    kill_when(begin(pictures, out), ready)
    if moment == "while tuning":                          # and the record that was being written is cut in two
        path = out / "trials.jsonl"
        raw = path.read_bytes()
        path.write_bytes(raw + raw.splitlines()[0][:100])
    before = lines(out)
    bakeoff.resume(out)
    assert scores(out) == scores(finished.folder)
    after = lines(out)
    whole = [line for line in before if line.endswith("}}")]
    assert after[:len(whole)] == whole                    # what was finished stands and was not run again
    jobs = [json.dumps({key: json.loads(line)["trial"]["job"][key] for key in ("stage", "contender", "number")}) for line in after]
    assert len(jobs) == len(set(jobs))


def test_resuming_a_finished_run_changes_nothing(finished):
    before = {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()}
    bakeoff.resume(finished.folder)
    assert {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()} == before


def test_workers_die_with_the_run_that_asked_them(pictures, tmp_path):
    out = tmp_path / "orphans"
    process = begin(pictures, out, examples=50_000_000, trials=4)
    kill_when(process, lambda: (out / "plan.json").exists())
    time.sleep(1.0)
    left = subprocess.run(["pgrep", "-f", str(out)], capture_output=True, text=True).stdout.split()
    assert left == []


@pytest.fixture
def plugin(tmp_path) -> Path:
    """An installed plug-in with three families that go wrong, each in its own way."""
    folder = tmp_path / "site"
    marks = folder / "troubles-1.0.dist-info"
    marks.mkdir(parents=True)
    (marks / "METADATA").write_text("Metadata-Version: 2.1\nName: troubles\nVersion: 1.0\n")
    (marks / "entry_points.txt").write_text("[bakeoff]\ntroubles = troubles\n")
    (folder / "troubles.py").write_text(textwrap.dedent('''
        """Families that go wrong. Nobody 2026, https://example.org"""
        import os
        import torch
        from torch import nn
        from bakeoff import Encoder, family

        class Trouble(Encoder):
            ranks = frozenset({1, 2, 3})
            def __init__(self, dim, *, rank, sizes, causal=False, full=False):
                nn.Module.__init__(self)
                self.stride = (1,) * rank
                self.weight = nn.Parameter(torch.zeros(dim))
            def forward(self, grid):
                if self.training:
                    self.go_wrong()
                return type(grid)(grid.x + self.weight * self.factor, grid.valid)
            factor = 1.0
            def go_wrong(self):
                pass

        @family("diverging", group="conv")
        class Diverging(Trouble):
            factor = float("nan")

        @family("greedy", group="conv")
        class Greedy(Trouble):
            def go_wrong(self):
                torch.empty(1 << 60)

        @family("crashing", group="conv")
        class Crashing(Trouble):
            def go_wrong(self):
                os.kill(os.getpid(), 11)
        '''))
    return folder


def test_what_a_contender_does_wrong_is_its_own_failure_with_a_reason(plugin, pictures, tmp_path):
    out = tmp_path / "troubles"
    code = (f"import bakeoff; bakeoff.run({str(pictures)!r}, out={str(out)!r}, slate='mlp,diverging,greedy,crashing', trials=2, examples=200, "
            "seeds=1, jobs=2)")
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(plugin)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with (out / "leaderboard.csv").open() as file:
        rows = {row["contender"]: row for row in csv.DictReader(file)}
    assert rows["mlp"]["state"] == "done"
    for name, reason in (("diverging", "nan"), ("greedy", "memory"), ("crashing", "signal 11")):
        assert rows[name]["state"] == "failed"
        assert reason in rows[name]["why"].lower()
        assert rows[name]["value"] == rows[name]["rank"] == ""
    verdict = json.loads((out / "verdict.json").read_text())
    assert all(name in verdict["sentence"] for name in ("diverging", "greedy", "crashing"))


def test_two_processes_do_not_work_in_one_folder(finished, pictures, tmp_path):
    out = tmp_path / "one"
    process = begin(pictures, out, plan=str(finished.folder))
    try:
        deadline = time.monotonic() + 60
        while not (out / "question.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(BakeoffError, match="another process is at work"):
            bakeoff.resume(out)
    finally:
        process.kill()
        process.wait()
    assert scores(bakeoff.resume(out).folder) == scores(finished.folder)


def test_a_script_without_a_main_guard_is_not_run_again_by_workers(pictures, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"print('once')\nimport bakeoff\nbakeoff.run({str(pictures)!r}, out={str(tmp_path / 'guard')!r}, "
                      "slate='mlp', trials=1, examples=100, seeds=1, jobs=2)\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("once") == 1


@pytest.mark.parametrize(("options", "message"), [
    ({"slate": "fnc"}, "Did you mean 'fcn'"),
    ({"task": "clasify"}, "Did you mean 'classify'"),
    ({"metric": "acuracy"}, "Did you mean 'accuracy'"),
    ({"set": {"widht": 3}}, "Did you mean 'width'"),
    ({"set": {"width": -3}}, "width"),
    ({"search": "tqe"}, "Did you mean 'tpe'"),
    ({"budget": "soon"}, "10m"),
    ({"budget": "1s"}, "--budget"),
    ({"seeds": 0}, "--seeds"),
    ({"slate": "rocket", "task": "regress"}, "target"),
])
def test_bad_options_are_one_message_and_leave_no_folder(pictures, tmp_path, options, message):
    out = tmp_path / "none"
    with pytest.raises(BakeoffError, match=message):
        bakeoff.run(pictures, out=out, **{**({} if "budget" in options else TINY), **options})
    assert not out.exists()


def test_an_output_folder_that_exists_is_never_touched(pictures, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(BakeoffError, match="exists already"):
        bakeoff.run(pictures, out=tmp_path / "mine", **TINY)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_record_that_was_tampered_with_is_named(finished, tmp_path):
    import shutil
    copy = tmp_path / "copy"
    shutil.copytree(finished.folder, copy)
    (copy / "verdict.json").unlink()
    path = copy / "trials.jsonl"
    first, *rest = path.read_text().splitlines(keepends=True)
    path.write_text(first.replace('"seed": ', '"seed": 1') + "".join(rest))
    with pytest.raises(BakeoffError, match="line 1"):
        bakeoff.resume(copy)
