"""A whole run on series to be forecast: baselines of its own, blocks of windows, a report of curves, and the next steps of new data."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bakeoff
from bakeoff.use.predict import predict


@pytest.fixture(scope="module")
def waves(tmp_path_factory) -> Path:
    """Two channels by the hour: a daily wave, and a random walk."""
    rng, count = np.random.default_rng(0), 900
    path = tmp_path_factory.mktemp("waves") / "waves.csv"
    pd.DataFrame({"date": pd.date_range("2024-01-01", periods=count, freq="h"),
                  "wave": 10 + 3 * np.sin(2 * np.pi * np.arange(count) / 24) + 0.3 * rng.normal(size=count),
                  "walk": rng.normal(size=count).cumsum()}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def finished(waves, tmp_path_factory) -> bakeoff.Result:
    return bakeoff.run(waves, horizon=6, slate="mlp", trials=1, examples=300, seeds=1, jobs=1, out=tmp_path_factory.mktemp("run") / "whole")


def test_the_records_tell_of_windows(finished) -> None:
    folder = Path(finished.folder)
    data = json.loads((folder / "data.json").read_text())
    assert (data["kind"], data["task"], data["facts"]["season"]) == ("series", "forecast", 24)
    assert any("blocks of 24 in a row" in note for note in data["notes"])
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["metric"] == "mase"
    assert f"on {data['counts']['test']} test windows" in verdict["sentence"]
    comparison = json.loads((folder / "comparison.json").read_text())
    assert any("whole groups are what is drawn" in note for note in comparison["notes"])
    assert set(comparison["beside"]["last"]) == {"mae", "rmse", "smape", "owa", "rse", "mse_scaled", "mae_scaled", "quantile_loss", "coverage"}
    assert 0.6 < comparison["beside"]["last"]["coverage"] < 0.95
    absent = json.loads((folder / "plan.json").read_text())["absent"]
    assert {"linear", "nearest", "rocket", "majority", "mean", "boosting"} <= set(absent)
    with (folder / "leaderboard.csv").open() as file:
        value = {row["contender"]: float(row["value"]) for row in csv.DictReader(file)}
    assert {"mlp", "last", "seasonal", "drift", "dlinear"} <= set(value)
    assert value["dlinear"] < value["seasonal"] < value["last"]


def test_answers_lie_in_lists_in_the_users_units(finished, waves) -> None:
    table = pd.read_parquet(Path(finished.folder) / "finals/last/seed-0/answers.parquet")
    truth = pd.read_csv(waves).set_index("date")
    key = table["key"][0]
    assert [list(one) for one in table["answer"][0]] == [pytest.approx([truth.loc[key, name]] * 6, rel=1e-6) for name in ("wave", "walk")]
    place = truth.index.get_loc(key)
    np.testing.assert_allclose(np.stack(table["target"][0]["values"]), truth.iloc[place + 1:place + 7].to_numpy().T)


def test_the_report_draws_forecasts_and_has_no_confusion(finished) -> None:
    page = (Path(finished.folder) / "report.html").read_text()
    assert 'class="chart curve forecast"' in page
    assert 'class="fan"' in page
    assert "Confusion" not in page
    assert "test windows" in page
    assert "--horizon 6 --plan" in page       # the command that repeats it


@pytest.mark.parametrize("contender", ["mlp", "seasonal"])
def test_predicting_gives_what_follows_the_end_of_each_series(finished, waves, tmp_path, contender) -> None:
    lines = waves.read_text().splitlines()
    part = tmp_path / "part.csv"
    part.write_text("\n".join(lines[:401]) + "\n")
    table, problems = predict(finished.folder, part, tmp_path / "out.parquet", contender)
    assert (table["key"].tolist(), problems) == (["part"], [])
    said, truth = np.array(table["answer"][0]), pd.read_csv(waves).iloc[400:406][["wave", "walk"]].to_numpy().T
    assert said.shape == (2, 6)
    assert np.abs(said[0] - truth[0]).mean() < 2.0
    if contender == "seasonal":
        np.testing.assert_allclose(said, pd.read_csv(waves).iloc[376:382][["wave", "walk"]].to_numpy().T, rtol=1e-5)
    written = pd.read_parquet(tmp_path / "out.parquet")
    assert len(written["answer"][0]) == 2
    low, high = (np.stack(written[f"score:{level}"][0]) for level in ("0.1", "0.9"))
    assert low.shape == (2, 6)
    assert (low < high).all()


def test_a_back_test_has_an_origin_per_fold(waves, tmp_path) -> None:
    result = bakeoff.run(waves, horizon=6, folds=2, slate="mlp", trials=1, examples=200, seeds=1, jobs=1, out=tmp_path / "folds")
    tables = [pd.read_parquet(file) for file in (f"{result.folder}/finals/last/{part}/answers.parquet" for part in ("seed-0", "fold-1/seed-0"))]
    keys = [key for table in tables for key in table["key"]]
    stamps = pd.read_csv(waves)["date"].tolist()
    assert keys == [*stamps[449:669], *stamps[674:894]]
    assert "on 440 test windows" in json.loads((Path(result.folder) / "verdict.json").read_text())["sentence"]
