"""A whole run on recordings with what is said in them: table, report, answers for new recordings, and a stream of a causal one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import bakeoff
from bakeoff.data.load import load_new
from bakeoff.errors import OptionError
from bakeoff.use.predict import Model, predict
from bakeoff.use.stream import Stream

RATE, TONES = 4000, {"low": 300, "mid": 700, "high": 1300}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> Path:
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("spoken")
    rows = []
    for number in range(80):
        words = rng.choice(list(TONES), rng.integers(1, 4)).tolist()
        parts = [np.zeros(200)]
        for word in words:
            parts += [0.3 * np.sin(2 * np.pi * TONES[word] * np.arange(240) / RATE), np.zeros(rng.integers(160, 400))]
        x = np.concatenate(parts)
        soundfile.write(folder / f"{number:02}.wav", x + rng.normal(0, 0.003, len(x)), RATE)
        rows.append((f"{number:02}.wav", " ".join(words), "test" if number >= 60 else "train"))
    pd.DataFrame(rows, columns=["path", "text", "split"]).to_csv(folder / "manifest.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def finished(spoken, tmp_path_factory) -> bakeoff.Result:
    return bakeoff.run(spoken, slate="gru,textcnn", trials=1, examples=500, seeds=1, jobs=1, set={"causal": "true", "scaling": "train", "lr": "0.01"},
                       out=tmp_path_factory.mktemp("run") / "whole")


def test_the_records_tell_of_words(finished) -> None:
    folder = Path(finished.folder)
    data, verdict = (json.loads((folder / name).read_text()) for name in ("data.json", "verdict.json"))
    assert (data["kind"], data["task"]) == ("audio", "transcribe")
    assert verdict["metric"] == "wer"
    absent = json.loads((folder / "plan.json").read_text())["absent"]
    assert {"linear", "nearest", "rocket", "mean", "boosting", "last", "textcnn"} <= set(absent)
    assert all(len(why.split()) > 5 for why in absent.values())
    beside = json.loads((folder / "comparison.json").read_text())["beside"]
    assert set(beside["gru"]) == {"cer"}
    answers = pd.read_parquet(folder / "finals/gru/seed-0/answers.parquet")
    assert list(answers.columns) == ["key", "target", "answer"]
    assert len(answers) == 20


def test_the_report_shows_what_was_said(finished) -> None:
    page = (Path(finished.folder) / "report.html").read_text()
    shown = json.loads((Path(finished.folder) / "shown.json").read_text())
    assert shown["scored"] == "wer"
    assert shown["hardest"][0]["shown"]["form"] == "picture"
    assert shown["hardest"][0]["target"] in page
    assert "No answers were kept" not in page


def test_data_without_time_are_refused_before_any_training(tmp_path) -> None:
    with pytest.raises(OptionError, match="no time along which something is said"):
        bakeoff.run("sample:digits", task="transcribe", trials=1, examples=50, out=tmp_path / "none")


def test_new_recordings_are_answered_in_their_order_and_as_they_are_heard(finished, spoken) -> None:
    table, problems = predict(finished.folder, spoken / "manifest.csv", contender="gru")
    assert (len(table), problems) == (80, [])
    folder = Path(finished.folder) / "finals/gru/seed-0"
    new = load_new(spoken, "audio", Model(folder).config["kind_state"])
    for row in (0, 61):
        stream = Stream.of(folder)
        assert stream.feed(new.dataset.take([row]).x.x[0]) == table["answer"][row]
