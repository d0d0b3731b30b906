"""A whole run on sets of labels: several contenders, report, predicting."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bakeoff
from bakeoff.report.records import read
from bakeoff.use.predict import predict

LABELS = ("bar", "edge", "spot")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> bakeoff.Result:
    rng = np.random.default_rng(0)
    there = rng.random((400, 3)) < (0.5, 0.4, 0.2)
    x = rng.normal(0, 0.5, (400, 3)) + 2 * there
    folder = tmp_path_factory.mktemp("sets")
    with (folder / "t.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["x", "y", "z", *LABELS])
        table.writerows([*map("{:.4f}".format, row), *map(int, has)] for row, has in zip(x, there, strict=True))
    return bakeoff.run(folder / "t.csv", target="bar,edge,spot", slate="mlp,linear,nearest,majority", trials=1, examples=3000, seeds=2, jobs=1,
                       out=folder / "run")


def test_every_contender_that_enters_is_ranked_and_others_say_why(finished: bakeoff.Result) -> None:
    run = read(Path(finished.folder))
    assert {row.contender for row in run.ranked} == {"mlp", "linear", "nearest", "majority"}
    assert run.metric == "macro_f1"
    assert run.row["mlp"].value is not None
    assert run.row["mlp"].value > 0.85
    assert run.plan["absent"]["boosting"] == "it gives one label per example, and these have several"
    assert set(run.comparison["beside"]["linear"]) == {"mean_average_precision", "auc", "accuracy"}


def test_the_report_shows_each_label(finished: bakeoff.Result) -> None:
    page = (Path(finished.folder) / "report.html").read_text(encoding="utf-8")
    assert "average precision" in page
    assert "Every label" in page
    assert "taken for</span>" not in page, "sets have no confusion matrix"


def test_the_hardest_examples_have_the_lowest_chance_of_their_set(finished: bakeoff.Result) -> None:
    run = read(Path(finished.folder))
    scores = [float(np.mean([one["score"] for one in item["answers"].values()])) for item in run.shown["hardest"]]
    assert scores == sorted(scores)
    assert all(0 <= score <= 1 for score in scores)
    item = run.shown["hardest"][0]
    told = run.answers_to({item["key"]: item["target"]})[item["key"]]
    for name, one in item["answers"].items():
        assert told[name]["score"] == pytest.approx(one["score"], abs=1e-6)


def test_predict_joins_the_labels_and_scores_each(finished: bakeoff.Result, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("x,y,z\n2,0,0\n0,0,0\n2,2,2\n")
    table, problems = predict(finished.folder, tmp_path / "new.csv", tmp_path / "out.csv")
    assert not problems
    assert table["answer"].tolist() == ["bar", "", "bar;edge;spot"]
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == ["key", "answer", *(f"score:{label}" for label in LABELS)]
