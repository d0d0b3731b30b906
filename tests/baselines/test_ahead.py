"""The forecasters by hand: repeat, repeat a season, go on along a line, and a linear map that finds a planted one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bakeoff.data.base import Dataset
from bakeoff.data.windows import Windows
from bakeoff.registry import get
from bakeoff.tasks.forecast import Forecast
from bakeoff.types import Ahead, Spec

LENGTH, HORIZON = 12, 5


def data_of(truth: np.ndarray, season: int = 4, aimed: tuple[int, ...] | None = None, lookback: int = LENGTH) -> tuple[Dataset, Forecast]:
    """All windows of one series (T, C)."""
    aimed = tuple(range(truth.shape[1])) if aimed is None else aimed
    ahead = Ahead(HORIZON, season, (lookback,), tuple(map(str, range(truth.shape[1]))), aimed)
    spec = Spec("made", ("time",), (lookback,), truth.shape[1], None, None, {"train": len(truth)}, "", (), (), (lookback,), (lookback,), ahead)
    arrays = Windows(truth.astype(np.float32), truth[:, list(aimed)], np.zeros(len(truth), np.int32), np.ones((1, len(aimed))),
                     np.ones((1, len(aimed))), lookback, HORIZON)
    whole = Dataset(spec, arrays, arrays.targets, [str(number) for number in range(len(arrays))])
    task = Forecast().fit([], spec)
    return whole.view(np.arange(len(truth) - lookback - HORIZON + 1)).collate(task.collate), task


def answers(name: str, data: Dataset, task: Forecast) -> np.ndarray:
    """(N, horizon, A)."""
    cls = get("baseline", name)
    fitted = cls().fit(data, task, cls.space(data.spec, task).defaults(), 0)
    arrays, record = fitted.state()
    again = cls.restore({key: np.asarray(value) for key, value in arrays.items()}, record, data.spec, task)
    torch.testing.assert_close(again.outputs(data), fitted.outputs(data))
    assert fitted.macs() >= 0
    assert fitted.parameters() >= 0
    out = fitted.outputs(data).numpy()
    assert (np.diff(out[..., 1:], axis=-1) >= -1e-6).all()
    return out[..., 0]


def test_last_season_and_line() -> None:
    truth = np.random.default_rng(0).normal(size=(60, 3))
    data, task = data_of(truth, aimed=(0, 2))
    window = truth[:LENGTH][:, [0, 2]]
    np.testing.assert_allclose(answers("last", data, task)[0], np.repeat(window[-1:], HORIZON, 0), rtol=1e-5)
    np.testing.assert_allclose(answers("seasonal", data, task)[0], window[[-4, -3, -2, -1, -4]], rtol=1e-5)
    slope = (window[-1] - window[0]) / (LENGTH - 1)
    np.testing.assert_allclose(answers("drift", data, task)[0], window[-1] + slope * np.arange(1, HORIZON + 1)[:, None], rtol=1e-5)


def test_without_a_season_the_last_value_is_repeated() -> None:
    data, task = data_of(np.random.default_rng(1).normal(size=(40, 1)), season=1)
    np.testing.assert_array_equal(answers("seasonal", data, task), answers("last", data, task))


@pytest.mark.parametrize("name", ["last", "seasonal", "drift", "dlinear"])
def test_four_of_five_lie_inside_the_fan(name: str) -> None:
    walk = np.random.default_rng(2).normal(size=(4000, 2)).cumsum(0) * [1.0, 50.0]
    learnt, task = data_of(walk[:3000])
    later, _ = data_of(walk[3000:])
    cls = get("baseline", name)
    out = cls().fit(learnt, task, cls.space(learnt.spec, task).defaults(), 0).outputs(later).numpy()
    true = np.stack([target["values"].T for target in later.targets])
    assert ((out[..., 1] <= true) & (true <= out[..., 3])).mean() == pytest.approx(0.8, abs=0.05)


def test_a_step_that_is_never_known_has_a_fan_of_no_width() -> None:
    data, task = data_of(np.random.default_rng(2).normal(size=(60, 1)))
    data.y = data.y.clone()
    data.y[:, 2] = np.nan
    out = get("baseline", "last")().fit(data, task, {}, 0).outputs(data).numpy()
    assert (out[:, 2, :, 1:] == out[:, 2, :, :1]).all()
    assert (out[:, 1, :, 1] < out[:, 1, :, 3]).all()


@pytest.mark.parametrize("level", [0.0, 1e4])
def test_dlinear_finds_waves_of_any_level(level: float) -> None:
    time = np.arange(400)
    truth = level + np.stack([np.sin(2 * np.pi * time / 7), 5 * np.cos(2 * np.pi * time / 5) + 0.02 * time], 1)
    data, task = data_of(truth, lookback=24)
    cls = get("baseline", "dlinear")
    out = cls().fit(data, task, {"dlinear.centre": "last", "dlinear.alpha": 1e-6}, 0).outputs(data).numpy()[..., 0]
    true = np.stack([target["values"].T for target in data.targets])
    assert np.abs(out - true).mean() < 0.05 * np.abs(true - true.mean((0, 1))).mean()


def test_dlinear_passes_over_windows_whose_truth_is_missing() -> None:
    truth = np.sin(np.arange(300) / 3)[:, None]
    holes = truth.copy()
    holes[100:110] = np.nan
    data, task = data_of(truth)
    whole = answers("dlinear", data, task)
    data, task = data_of(holes)
    data.arrays.steps[:] = truth                                              # type: ignore[attr-defined]
    assert np.abs(answers("dlinear", data, task) - whole).max() < 0.05


def test_ets_smooths_as_statsmodels_does() -> None:
    holtwinters = pytest.importorskip("statsmodels.tsa.holtwinters", reason="the extra 'forecast' is not installed")
    from bakeoff.baselines.ets import begun, smoothed
    window = 20 + np.random.default_rng(0).normal(size=(40, 1)).cumsum(0) + np.tile([[1.0], [5.0], [-3.0], [0.0]], (10, 1))
    weights = np.array([[0.4], [0.2], [0.3], [0.9]])
    level, trend, pattern = begun(window, 4)
    model = holtwinters.ExponentialSmoothing(window[:, 0], trend="add", damped_trend=True, seasonal="add", seasonal_periods=4,
                                             initialization_method="known", initial_level=level[0], initial_trend=trend[0],
                                             initial_seasonal=pattern[:, 0])
    known = model.fit(smoothing_level=0.4, smoothing_trend=0.2, smoothing_seasonal=0.3, damping_trend=0.9, optimized=False)
    others = [0, 1, 2, 4, 5]              # statsmodels leaves unused what the last step tells of its own place in the season
    np.testing.assert_allclose(smoothed(window[None], weights, 4, 6)[0, others, 0], known.forecast(6)[others], rtol=1e-6)


def test_ets_follows_a_season_better_than_repeating_it() -> None:
    pytest.importorskip("statsmodels", reason="the extra 'forecast' is not installed")
    time, rng = np.arange(300), np.random.default_rng(0)
    truth = (50 + 4 * np.sin(2 * np.pi * time / 4 + 1) + rng.normal(size=300))[:, None]
    data, task = data_of(truth, lookback=24)
    true = np.stack([target["values"].T for target in data.targets])
    assert np.abs(answers("ets", data, task) - true).mean() < 0.9 * np.abs(answers("seasonal", data, task) - true).mean()
    flat, task = data_of(np.full((60, 1), 3.0), lookback=24)
    np.testing.assert_allclose(answers("ets", flat, task), 3.0)


def test_without_statsmodels_ets_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import bakeoff.baselines.ets as ets
    data, task = data_of(np.zeros((60, 1)))
    monkeypatch.setattr(ets, "find_spec", lambda name: None)
    assert "pip install 'bakeoff[forecast]'" in str(ets.ETS.why_not(data.spec, task))
