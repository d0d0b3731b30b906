"""A whole run on music: what comes next is learnt, told in nats, shown as rolls, and gone on with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bakeoff
from bakeoff.data import midi
from bakeoff.data.rolls import Pieces
from bakeoff.errors import OptionError
from bakeoff.samples import write
from bakeoff.use.predict import Model, predict


@pytest.fixture(scope="module")
def canon(tmp_path_factory) -> Path:
    return write("canon", tmp_path_factory.mktemp("canon")) / "canon.json"


@pytest.fixture(scope="module")
def finished(canon, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run") / "whole"
    bakeoff.run(canon, slate="mingru", trials=1, examples=400, seeds=1, jobs=1, set={"width": 32, "dropout": 0.0}, out=out)
    return out


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> Path:
    """Two pieces of quarter notes, and one that cannot be read."""
    folder = tmp_path_factory.mktemp("songs")
    for number in range(2):
        roll = np.zeros((6 + number, 88), np.uint8)
        roll[np.arange(6 + number), 40 + number + 2 * np.arange(6 + number)] = 1
        midi.write(folder / f"song {number}.mid", roll, 1.0)
    (folder / "sand.mid").write_bytes(b"no music")
    return folder


def test_the_verdict_is_in_nats_per_step_and_baselines_stand_beside(finished) -> None:
    verdict = json.loads((finished / "verdict.json").read_text())
    assert (verdict["metric"], verdict["unit"]) == ("nll", "nats per step")
    assert "nats per step" in verdict["sentence"]
    assert "120 test pieces" in verdict["sentence"]
    with (finished / "leaderboard.csv").open() as file:
        value = {row["contender"]: float(row["value"]) for row in csv.DictReader(file)}
    assert set(value) == {"mingru", "last", "rate"}
    assert min(value, key=lambda name: value[name]) == "mingru"


def test_answers_are_what_the_steps_cost(finished, canon) -> None:
    table = pd.read_parquet(finished / "finals/mingru/seed-0/answers.parquet")
    pieces = json.loads(canon.read_text())["test"]
    assert table["key"].tolist() == [f"test {number}" for number in range(1, 121)]
    assert [int(answer["steps"]) for answer in table["answer"]] == [len(piece) - 1 for piece in pieces]
    total = sum(answer["nats"] for answer in table["answer"]) / sum(answer["steps"] for answer in table["answer"])
    with (finished / "leaderboard.csv").open() as file:
        value = {row["contender"]: float(row["value"]) for row in csv.DictReader(file)}
    assert total == pytest.approx(value["mingru"], rel=1e-6)


def test_the_report_shows_rolls(finished) -> None:
    page = (finished / "report.html").read_text()
    assert page.count("data:image/png") > 10
    assert "480 pieces" in page
    assert "Confusion" not in page
    assert "None" not in page


@pytest.mark.parametrize("contender", ["mingru", "last", "rate"])
def test_pieces_are_gone_on_with_the_same_for_the_same_seed(finished, songs, contender) -> None:
    table, problems = predict(finished, songs, None, contender, steps=5, seed=3)
    assert table["key"].tolist() == ["sand.mid", "song 0.mid", "song 1.mid"]
    assert problems == ["sand.mid: this is no MIDI file: MThd not found. Probably not a MIDI file"]
    assert table["answer"][0] is None
    for answer in table["answer"][1:]:
        assert len(answer) == 5
        assert all(21 <= pitch <= 108 for step in answer for pitch in step)
    alone = predict(finished, songs / "song 1.mid", None, contender, steps=5, seed=3)[0]
    assert alone["answer"][0] == table["answer"][2]                           # whatever stands beside it
    assert predict(finished, songs, None, contender, steps=40, seed=4)[0]["answer"][2][:5] != table["answer"][2]
    assert len(predict(finished, songs, None, contender)[0]["answer"][1]) == 32


def test_what_is_gone_on_with_can_be_heard(finished, songs, tmp_path) -> None:
    table, _ = predict(finished, songs, tmp_path / "heard", steps=9)
    assert sorted(file.name for file in (tmp_path / "heard").iterdir()) == ["song-0.mid", "song-1.mid"]
    roll = midi.roll_of((tmp_path / "heard" / "song-1.mid").read_bytes(), 1.0, Pieces())
    before = midi.roll_of((songs / "song 1.mid").read_bytes(), 1.0, Pieces())
    assert np.array_equal(roll[:7], before)
    said = [(np.flatnonzero(step) + 21).tolist() for step in roll[7:]]
    assert said == table["answer"][2][:len(said)]
    assert not any(table["answer"][2][len(said):])                            # silence at the end is not written
    predict(finished, songs / "song 0.mid", tmp_path / "one.mid")
    assert (tmp_path / "one.mid").read_bytes().startswith(b"MThd")
    predict(finished, songs, tmp_path / "answers.jsonl", steps=3)
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert [None if line["answer"] is None else len(line["answer"]) for line in lines] == [None, 3, 3]


def test_what_makes_no_sense_is_told(finished, songs, tmp_path) -> None:
    with pytest.raises(OptionError, match="one file"):
        predict(finished, songs, tmp_path / "all.mid")
    with pytest.raises(OptionError, match=r"\.mid, or name a folder"):
        predict(finished, songs, tmp_path / "all.wav")
    with pytest.raises(OptionError, match="at least 1"):
        predict(finished, songs, steps=0)
    assert Model(finished / "finals/last/seed-0").goes_on
