"""The evaluator gives the figures in print: repeat-last on the exchange rates, the seasonal naive on ETTh1 and on M4's hourly series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bakeoff.data.load import Loaded
from bakeoff.registry import get

Check = Callable[..., Loaded]


def values(loaded: Loaded, baseline: str) -> dict[str, float]:
    """Every metric of a baseline that learns nothing, on the test split."""
    task, splits = loaded.make_task(), loaded.splits
    assert splits.test is not None
    answers = task.decode(get("baseline", baseline)().fit(splits.train.collate(task.collate), task, {}, 0).outputs(splits.test))
    return {metric.name: metric.value(metric.rows(answers, splits.test.targets)) for metric in task.metrics}


def test_repeating_the_last_exchange_rate(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "exchange-rate", horizon=96, split="0.7,0.1,0.2")
    assert loaded.record["counts"]["test"] == 7588 * 2 // 10 - 95
    found = values(loaded, "last")
    assert found["mse_scaled"] == pytest.approx(0.081, abs=0.001)             # Zeng et al. 2023, table 3
    assert found["mae_scaled"] == pytest.approx(0.196, abs=0.001)


def test_the_seasonal_naive_of_a_transformer(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "ett-h1", horizon=96, split="8640,2880,2880")
    assert loaded.record["counts"] == {"train": 8161, "val": 2785, "test": 2785}
    assert values(loaded, "seasonal")["mse_scaled"] == pytest.approx(0.512, abs=0.005)


def test_the_seasonal_naive_of_m4_hourly(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "m4-hourly", season=24)
    assert (loaded.task_name, loaded.record["counts"]["test"], loaded.record["facts"]["series"]) == ("forecast", 414, 414)
    found = values(loaded, "seasonal")
    assert found["smape"] == pytest.approx(13.912, abs=0.01)                  # the organisers' table of point forecasts
    assert found["mase"] == pytest.approx(1.193, abs=0.001)
    assert found["owa"] == pytest.approx(0.627, abs=0.002)
    splits = loaded.splits.test
    assert splits is not None
    assert np.mean([target["naive2"][0, 0] / 48 for target in splits.targets]) == pytest.approx(18.383, abs=0.01)


@pytest.mark.parametrize(("path", "season"), [("classic-series/airline-passengers.csv", 12), ("classic-series/daily-min-temperatures.csv", 7),
                                              ("classic-series/monthly-sunspots.csv", 12), ("sp500-monthly", 12)])
def test_a_file_with_time_stamps_needs_a_horizon_alone(shared_data: Path, check: Check, path: str, season: int) -> None:
    loaded = check(shared_data / path, horizon=6)
    assert (loaded.kind_name, loaded.task_name, loaded.record["facts"]["season"]) == ("series", "forecast", season)
