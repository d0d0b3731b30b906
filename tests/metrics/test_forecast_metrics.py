"""Every metric of forecasts equals its formula, passes over what is not known, and is a function of sums."""

from __future__ import annotations

import numpy as np
import pytest

from bakeoff.metrics.base import Metric, Summed
from bakeoff.metrics.forecast import FORECAST
from bakeoff.types import Answer

RNG = np.random.default_rng(0)
TRUE, SAID = RNG.normal(5, 2, (30, 2, 6)), RNG.normal(5, 2, (30, 2, 6))
RIVAL = RNG.normal(5, 2, (2, 1))
NAIVE, SPREAD = np.array([0.5, 2.0]), np.array([3.0, 4.0])
METRIC = {metric.name: metric for metric in FORECAST}


def targets(true: np.ndarray = TRUE) -> list[dict[str, np.ndarray]]:
    return [{"values": row, "naive": NAIVE, "spread": SPREAD, "naive2": np.stack([smape(RIVAL, row), np.nansum(np.abs(RIVAL - row), 1)])}
            for row in true]


def smape(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    return np.nansum(200 * np.abs(said - true) / (np.abs(said) + np.abs(true)), 1)


def answers(said: np.ndarray = SAID) -> list[Answer]:
    return [Answer(row, {"0.1": row - 1, "0.5": row, "0.9": row + 2}) for row in said]


def value(name: str, said: np.ndarray = SAID, true: np.ndarray = TRUE) -> float:
    metric = METRIC[name]
    return metric.value(metric.rows(answers(said), targets(true)))


def test_the_first_is_mase() -> None:
    assert [metric.name for metric in FORECAST] == ["mase", "mae", "rmse", "smape", "owa", "rse", "mse_scaled", "mae_scaled", "quantile_loss",
                                                     "coverage"]


def test_formulas() -> None:
    error = SAID - TRUE
    assert value("mae") == pytest.approx(np.abs(error).mean())
    assert value("rmse") == pytest.approx(np.sqrt((error ** 2).mean()))
    assert value("mase") == pytest.approx((np.abs(error) / NAIVE[:, None]).mean())
    assert value("smape") == pytest.approx((200 * np.abs(error) / (np.abs(SAID) + np.abs(TRUE))).mean())
    assert value("rse") == pytest.approx(np.sqrt((error ** 2).sum() / ((TRUE - TRUE.mean()) ** 2).sum()))
    assert value("mse_scaled") == pytest.approx(((error / SPREAD[:, None]) ** 2).mean())
    assert value("mae_scaled") == pytest.approx((np.abs(error) / SPREAD[:, None]).mean())
    assert value("smape", np.zeros((3, 2, 4)), np.zeros((3, 2, 4))) == 0.0
    naive2 = np.broadcast_to(RIVAL, TRUE.shape)
    assert value("owa") == pytest.approx((value("smape") / value("smape", naive2) + value("mase") / value("mase", naive2)) / 2)
    assert value("owa", naive2) == pytest.approx(1.0)
    above = [TRUE - SAID + 1, TRUE - SAID, TRUE - SAID - 2]
    losses = [np.where(one > 0, level * one, (level - 1) * one).mean() for level, one in zip((0.1, 0.5, 0.9), above, strict=True)]
    assert value("quantile_loss") == pytest.approx(np.mean(losses))
    assert value("coverage") == pytest.approx(((TRUE >= SAID - 1) & (TRUE <= SAID + 2)).mean())


@pytest.mark.parametrize("name", ["quantile_loss", "coverage", "owa"])
def test_without_quantiles_or_naive2_there_is_no_value(name: str) -> None:
    bare = [{"values": row, "naive": NAIVE, "spread": SPREAD} for row in TRUE]
    assert np.isnan(METRIC[name].value(METRIC[name].rows([Answer(row, {}) for row in SAID], bare)))


@pytest.mark.parametrize("name", METRIC)
def test_what_is_missing_does_not_count_and_an_answer_that_is_no_number_is_no_value(name: str) -> None:
    true = TRUE.copy()
    true[:, :, 4:] = np.nan
    assert value(name, true=true) == pytest.approx(value(name, SAID[:, :, :4], TRUE[:, :, :4]))
    said = SAID.copy()
    said[3, 0, 0] = np.nan
    assert not np.isfinite(value(name, said))


def test_a_channel_that_the_naive_hits_does_not_count_in_mase() -> None:
    metric = METRIC["mase"]
    some = [{"values": row, "naive": np.array([0.5, np.nan]), "spread": SPREAD} for row in TRUE]
    assert metric.value(metric.rows(answers(), some)) == pytest.approx((np.abs(SAID - TRUE)[:, 0] / 0.5).mean())


@pytest.mark.parametrize("metric", FORECAST, ids=lambda metric: metric.name)
def test_the_value_without_a_window_is_a_subtraction_of_sums(metric: Metric) -> None:
    rows = metric.rows(answers(), targets())
    assert isinstance(metric, Summed)
    totals = metric.totals(rows, np.arange(30), 30)
    assert metric.of(totals.sum(0) - totals) == pytest.approx([metric.value(np.delete(rows, i, axis=0)) for i in range(30)])


def test_one_channel_and_lists_as_a_file_has_them_are_read_alike() -> None:
    metric = METRIC["mae"]
    flat = metric.rows([Answer(row[0], {}) for row in SAID], [{"values": row[0].tolist()} for row in TRUE])
    assert metric.value(flat) == pytest.approx(np.abs(SAID - TRUE)[:, 0].mean())
    nested = metric.rows([Answer(np.array([*row, None], dtype=object)[:2], {}) for row in SAID], [{"values": row.tolist()} for row in TRUE])
    assert metric.value(nested) == pytest.approx(value("mae"))
