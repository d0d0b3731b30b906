from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import bakeoff
from bakeoff import cli
from bakeoff.cli import outcome
from bakeoff.errors import DataError
from bakeoff.plan import Plan, Share
from bakeoff.train import record
from bakeoff.types import Job, Spend, Trial

COLUMNS = ("rank,contender,group,metric,value,low,high,p_vs_best,tied,parameters,macs,train_seconds,step_ms,latency_ms_p50,latency_ms_p95,"
           "peak_train_bytes,peak_infer_bytes,trials,examples,seconds,state,why")


@pytest.fixture
def finished(tmp_path) -> Path:
    """The records that are read when a finished run is shown."""
    folder = tmp_path / "runs" / "flowers-1"
    folder.mkdir(parents=True)
    (folder / "question.json").write_text(json.dumps({"data": "my flowers/", "options": {}, "fingerprint": "f", "version": "0.1.0"}))
    (folder / "leaderboard.csv").write_text("\n".join([
        COLUMNS,
        "1,resnet,conv,accuracy,0.868,0.842,0.891,,True,120000,12300000,9.1,3.2,1.2,1.4,5000000,900000,8,90000,70.5,done,",
        "2,rocket,baseline,accuracy,0.741,0.7,0.78,0.0004,False,9996,84000,2.1,,0.4,0.5,,100000,1,2202,4.0,done,",
        ",gru,recurrent,accuracy,,,,,False,,,,,,,,,3,100,9.0,failed,out of memory"]) + "\n")
    (folder / "verdict.json").write_text(json.dumps({
        "best": "resnet", "recommended": "resnet", "tied_with": [], "metric": "accuracy", "unit": "", "value": 0.868,
        "sentence": "resnet is best of 3 on 734 test images: accuracy .868 (95 % .842 – .891)."}))
    (folder / "report.html").write_text("<html></html>")
    return folder


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    return tuple(capsys.readouterr())


def test_every_command_is_listed_and_explained(capsys):
    assert outcome(["--help"]) == 0
    out = said(capsys)[0]
    for name in ("run", "check", "resume", "status", "report", "predict", "families", "samples", "demo", "claims"):
        assert f"\n  {name} " in out
    assert not any(line.endswith("...") for line in out.splitlines()[1:])          # no sentence is cut


@pytest.mark.parametrize("where", [["--version"], ["run", "--version"], ["status", "somewhere", "--version"]])
def test_the_version_is_told_everywhere(capsys, where):
    assert outcome(where) == 0
    assert said(capsys)[0] == f"bakeoff {bakeoff.__version__}\n"


@pytest.mark.parametrize(("line", "nearest"), [
    (["run", "x", "--bugdet", "3m"], "--budget"), (["run", "x", "--maxparams", "3"], "--max-params"), (["chek", "x"], "'check'"),
    (["famlies"], "'families'"), (["predict", "r", "d", "--contendr", "gru"], "--contender"), (["resume", "r", "--quite"], "--quiet")])
def test_an_unknown_option_or_command_is_answered_with_the_nearest(capsys, line, nearest):
    assert outcome(line) == 2
    out, err = said(capsys)
    assert out == ""
    assert nearest in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("line", ["run", "run x --trials many", "run x --margin wide", "run x y", "run x --out"])
def test_a_line_that_cannot_be_understood_ends_with_two_and_one_message(capsys, line):
    assert outcome(line.split()) == 2
    err = said(capsys)[1]
    assert len(err.splitlines()) == 1
    assert err.count(" – ") == 2


def test_a_fault_of_the_user_is_one_message_without_traceback(capsys, monkeypatch):
    def faulty(*args, **options):
        raise DataError("label 'rose ' is not among the classes", "labels.csv, line 214", "Did you mean 'rose'?")
    monkeypatch.setattr(cli, "run_data", faulty)
    assert outcome(["run", "flowers/"]) == 2
    assert said(capsys) == ("", "bakeoff: label 'rose ' is not among the classes – labels.csv, line 214 – Did you mean 'rose'?\n")


def test_a_defect_ends_with_one_and_leads_to_the_log(capsys, monkeypatch, tmp_path):
    (tmp_path / "log.txt").write_text("Traceback …")

    def broken(*args, watch, **options):
        watch.folder = tmp_path
        raise ZeroDivisionError("division by zero")
    monkeypatch.setattr(cli, "run_data", broken)
    assert outcome(["run", "flowers/"]) == 1
    err = said(capsys)[1]
    assert "ZeroDivisionError" in err
    assert str(tmp_path / "log.txt") in err
    assert "Traceback" not in err


def test_a_defect_before_there_is_a_log_shows_its_traceback(capsys, monkeypatch):
    monkeypatch.setattr(cli, "run_data", lambda *args, **options: 1 / 0)
    assert outcome(["run", "flowers/"]) == 1
    assert "Traceback" in said(capsys)[1]


def test_a_full_disk_is_the_users_to_mend(capsys, monkeypatch, tmp_path):
    def full(*args, watch, **options):
        watch.folder = tmp_path
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "trials.jsonl"))
    monkeypatch.setattr(cli, "run_data", full)
    assert outcome(["run", "flowers/"]) == 2
    assert f"bakeoff resume {tmp_path}" in said(capsys)[1]


def test_ctrl_c_ends_with_130_and_prints_the_line_that_resumes(capsys, monkeypatch, tmp_path):
    def stopped(*args, watch, **options):
        watch.folder = tmp_path
        raise KeyboardInterrupt
    monkeypatch.setattr(cli, "run_data", stopped)
    assert outcome(["run", "flowers/"]) == 130
    assert said(capsys)[1].splitlines()[-1] == f"  bakeoff resume {tmp_path}"


def test_options_reach_run_under_their_own_names_and_only_where_given(monkeypatch, finished, capsys):
    taken = {}

    def run(data, **options):
        taken.update(options, data=data)
        return bakeoff.load(finished)
    monkeypatch.setattr(cli, "run_data", run)
    line = "run flowers/ --budget 90s --max-params 1000 --set lr=1e-3 --set width=32,64 --margin .1 --folds 5 --quiet"
    assert outcome(line.split()) == 0
    assert {name: taken[name] for name in ("data", "budget", "max_params", "set", "margin", "folds")} == {
        "data": "flowers/", "budget": "90s", "max_params": 1000, "set": ["lr=1e-3", "width=32,64"], "margin": 0.1, "folds": "5"}
    assert taken["seeds"] == 3
    assert "trials" not in taken
    out, err = said(capsys)
    assert "resnet is best of 3" in out
    assert err == ""


def test_the_table_stands_in_eighty_columns_with_the_failed_below(finished, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert outcome(["status", str(finished)]) == 0
    lines = said(capsys)[0].splitlines()
    assert max(map(len, lines[1:4])) <= 80
    table = "\n".join(lines)
    assert "1  resnet         .868  .842 – .891      12.3 M   1.2 ms  recommended" in table
    assert "gru failed: out of memory" in table
    assert "bakeoff run 'my flowers/' --plan" in table


def test_json_is_one_object_with_numbers_as_numbers(finished, capsys, monkeypatch):
    monkeypatch.setattr(cli, "run_data", lambda *args, **options: bakeoff.load(finished))
    assert outcome(["run", "flowers/", "--json", "--quiet"]) == 0
    found = json.loads(said(capsys)[0])
    assert found["best"] == "resnet"
    assert found["leaderboard"][0]["macs"] == 12_300_000
    assert found["leaderboard"][0]["tied"] is True
    assert found["leaderboard"][2]["value"] is None
    assert found["folder"] == str(finished)


# ---------------------------------------------------------------------- status

def share(trials: int = 4) -> Share:
    return Share("recurrent", trials, 1000, {"lr": 3e-3}, 1e-3, 10.0, 1.0, 1.0)


def running(folder: Path, trials: int, finals: int = 0) -> Path:
    """A run's folder in the middle of its work."""
    folder.mkdir()
    record.write_json(folder / "question.json", {"data": "flowers", "options": {}, "fingerprint": "f", "version": "0.1.0"})
    plan = Plan("image", "", "classify", "", "accuracy", "", "high", {"train": 100}, 60.0, "seconds", 2, 1, 3, 0, "tpe", {"gru": share()},
                {}, {}, False, True, 1, {}, {}, "f")
    record.write_json(folder / "plan.json", plan.record())
    for number in range(trials + finals):
        stage = "tune" if number < trials else "final"
        job = Job("gru", number if stage == "tune" else number - trials, stage, 0, {"lr": 1e-3 * (1 + number)}, 1000)
        value = 0.5 + number / 10
        record.append(folder / "trials.jsonl", Trial(job, "done", "", (), value, value, 10, Spend(1000, 10, 0.0, 1.0, 1000)))
    (folder / "log.txt").write_text("")
    return folder


@pytest.mark.parametrize(("trials", "finals", "phase"), [
    (0, 0, "tuning"), (2, 0, "tuning"), (4, 0, "finals"), (4, 1, "finals"), (4, 3, "measuring")])
def test_status_tells_from_records_alone_where_a_run_stands(tmp_path, capsys, trials, finals, phase):
    folder = running(tmp_path / "run", trials, finals)
    assert outcome(["status", str(folder), "--json"]) == 0
    found = json.loads(said(capsys)[0])
    assert found["phase"] == phase
    assert found["contenders"]["gru"]["trials"] == trials
    assert found["ends"] is not None
    assert outcome(["status", str(folder)]) == 0
    assert "it ends at about" in said(capsys)[0]


def test_status_says_when_nothing_has_been_recorded_for_long(tmp_path, capsys):
    folder = running(tmp_path / "run", 2)
    for path in folder.iterdir():
        os.utime(path, (time.time() - 3600,) * 2)
    assert outcome(["status", str(folder)]) == 0
    out = said(capsys)[0]
    assert f"bakeoff resume {folder}" in out
    assert "it ends" not in out


def test_status_does_not_touch_a_record_that_is_being_written(tmp_path, capsys):
    folder = running(tmp_path / "run", 2)
    path = folder / "trials.jsonl"
    half = path.read_bytes() + b'{"sum": "0000'
    path.write_bytes(half)
    assert outcome(["status", str(folder)]) == 0
    assert path.read_bytes() == half
    assert "2/4" in said(capsys)[0]


def test_status_of_something_else_is_the_users_to_mend(tmp_path, capsys):
    assert outcome(["status", str(tmp_path)]) == 2
    assert "no run's folder" in said(capsys)[1]


# ---------------------------------------------------------------------- families, samples

def test_families_are_one_plain_line_each_off_a_terminal(capsys):
    assert outcome(["families"]) == 0
    lines = said(capsys)[0].splitlines()
    assert all(line.count("\t") == 4 for line in lines)
    gru = next(line.split("\t") for line in lines if line.startswith("gru\t"))
    assert gru[:4] == ["gru", "recurrent", "Cho et al. 2014, https://arxiv.org/abs/1406.1078", "1"]
    assert {"classify", "forecast", "regress"} <= set(gru[4].split(","))
    wanted = "rnn lstm gru mingru tcn textcnn inception resnet fcn crnn transformer mlp majority mean linear nearest rocket boosting"
    assert set(wanted.split()) <= {line.split("\t")[0] for line in lines}


def test_every_neural_contender_names_its_paper(capsys):
    assert outcome(["families", "--json"]) == 0
    found = json.loads(said(capsys)[0])["contenders"]
    assert [one["name"] for one in found if one["group"] != "baseline" and "http" not in one["paper"]] == []
    assert [one["name"] for one in found if not one["what"] or not one["tasks"] or not one["ranks"]] == []


def test_the_whole_space_of_a_family_is_told_with_ranges_and_meanings(capsys):
    assert outcome(["families", "tcn", "--space"]) == 0
    out = said(capsys)[0]
    for word in ("lr", " (log) ", "weight_decay", "tcn.depth", "optimizer", "adamw | adam | sgd | rmsprop", "fold"):
        assert word in out
    assert outcome(["families", "linear", "--space", "--json"]) == 0
    assert "space" in json.loads(said(capsys)[0])


def test_an_unknown_family_is_answered_with_the_nearest(capsys):
    assert outcome(["families", "lsmt", "--space"]) == 2
    assert "'lstm'" in said(capsys)[1]


def test_samples_are_listed_with_their_licence_and_the_cache_can_be_emptied(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    assert outcome(["samples"]) == 0
    out = said(capsys)[0]
    for word in ("digits", "vowels", "shakespeare", "adding", "motif", "order", "noise", "CC BY 4.0", str(tmp_path)):
        assert word in out
    assert outcome(["samples", "--clear-cache"]) == 0
    assert str(tmp_path) in said(capsys)[0]


# ---------------------------------------------------------------------- as a process

def test_a_reader_that_has_read_enough_is_no_defect():
    done = subprocess.run(f"'{sys.executable}' -m bakeoff families | head -1", shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_ctrl_c_in_the_middle_of_a_run_ends_it_soon_and_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-m", "bakeoff", "run", "sample:digits", "--slate", "mlp", "--jobs", "1", "--out", str(tmp_path / "run")]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)             # a shell's background jobs are started deaf to it
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heard)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "run" / "question.json").exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == f"  bakeoff resume {tmp_path / 'run'}"
    assert "Traceback" not in err
