"""A whole run on pairs of texts: BLEU with its signature, what contenders wrote in the report, and the texts of new data."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bakeoff
from bakeoff.errors import OptionError
from bakeoff.report.render import render
from bakeoff.use.predict import predict
from bakeoff.words import check_lines, result_lines

SAYS = {"a": "ein", "man": "Mann", "dog": "Hund", "runs": "läuft", "sleeps": "schläft", "in": "in", "the": "dem", "park": "Park",
        "house": "Haus"}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    """Sentences word by word in two languages."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("pairs")
    for part, count in (("train", 200), ("val", 100), ("test", 30)):
        rows = [rng.choice(list(SAYS), rng.integers(4, 8)).tolist() for _ in range(count)]
        (folder / f"{part}.en").write_text("".join(" ".join(row) + "\n" for row in rows))
        (folder / f"{part}.de").write_text("".join(" ".join(SAYS[word] for word in row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(pairs, tmp_path_factory) -> bakeoff.Result:
    return bakeoff.run(pairs, inputs=("en",), target="de", slate="gru,fcn", trials=1, examples=400, seeds=1, jobs=1,
                       out=tmp_path_factory.mktemp("run") / "whole")


def test_the_records_tell_of_bleu_and_how_it_is_counted(finished) -> None:
    folder = Path(finished.folder)
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["metric"] == "bleu"
    assert "tok:13a" in verdict["signature"]
    assert any("tok:13a" in line for line in result_lines(folder, 80))
    with (folder / "leaderboard.csv").open() as file:
        assert {row["contender"] for row in csv.DictReader(file)} == {"gru", "first_k", "nearest"}
    assert "cannot write one piece after another" in json.loads((folder / "plan.json").read_text())["absent"]["fcn"]
    assert set(json.loads((folder / "comparison.json").read_text())["beside"]["gru"]) == {"chrf", "exact"}


def test_the_report_shows_what_was_written(finished) -> None:
    page = (Path(finished.folder) / "report.html").read_text(encoding="utf-8")
    shown = json.loads((Path(finished.folder) / "shown.json").read_text())
    assert shown["scored"] == "bleu"
    assert str(shown["hardest"][0]["target"]) in page
    assert "tok:13a" in page


def test_the_report_shows_where_they_looked_without_their_weights(finished, tmp_path) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(finished.folder, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    examples = json.loads((folder / "looked.json").read_text())["examples"]
    assert [one["key"] for one in examples] == ["test.en:1", "test.en:2", "test.en:3"]
    for one in examples:
        assert set(one["looks"]) == {"gru"}, "baselines do not look"
        look = one["looks"]["gru"]
        assert np.shape(look["shares"]) == (len(look["written"]), len(one["read"]))
        assert np.allclose(np.sum(look["shares"], 1), 1, atol=0.01)
    page = render(folder)
    assert page.count('<svg class="chart looks"') == 2 * len(examples)
    assert "Where they look when they write" in page


def test_the_check_shows_both_sides(finished) -> None:
    record = json.loads((Path(finished.folder) / "data.json").read_text())
    lines = check_lines(record, 80)
    assert f"      → {record['first'][0]['target']}" in lines


def test_new_lines_are_answered_by_texts_in_their_order(finished, tmp_path) -> None:
    (tmp_path / "new.en").write_text("a man runs\n\nthe dog sleeps in the house\n")
    table, problems = predict(finished.folder, tmp_path / "new.en", out=tmp_path / "answers.csv", contender="gru")
    assert table["key"].tolist() == ["new.en:1", "new.en:2", "new.en:3"]
    assert isinstance(table["answer"][0], str)
    assert pd.isna(table["answer"][1])
    assert len(problems) == 1
    assert len(pd.read_csv(tmp_path / "answers.csv")) == 3


def test_a_missing_extra_is_named(pairs, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("bakeoff.metrics.overlap.find_spec", lambda name: None)
    with pytest.raises(OptionError, match=r"pip install 'bakeoff\[text\]'"):
        bakeoff.run(pairs, task="summarise", slate="gru", trials=1, examples=100, seeds=1, jobs=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
