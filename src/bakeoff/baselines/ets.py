"""Exponential smoothing with a damped trend and a season, all additive. Gardner & McKenzie 1985, https://doi.org/10.1287/mnsc.31.10.1237
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.ahead import Window, ahead_of, answered, fan_of, only_forecasts, windows
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec

MOST = 24                     # windows on which parameters are estimated, over all channels; at least EACH per channel
EACH = 3
NAMES = ("alpha", "beta", "gamma", "phi")     # of level, trend and season, and how far a trend goes on


@baseline("ets")
class ETS:
    """How quickly level, trend and season follow is estimated by statsmodels on some training windows, per channel the median; with
    it every window is smoothed from its own beginning."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.spec: Spec | None = None
        self.weights: NDArray[np.float64] = np.zeros((4, 0))                 # NAMES × channels
        self.fan: NDArray[np.float64] = np.zeros((0, 0, 0))

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        reason = only_forecasts(spec, task)
        if reason is None and find_spec("statsmodels") is None:
            return "it needs statsmodels, which is not there: pip install 'bakeoff[forecast]'"
        return reason

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space({"ets.trend": Param("ets.trend", "damped", "whether a trend goes on, ever less", values=("damped", "none"))})

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        self.spec = data.spec
        channels = len(ahead_of(data.spec).aimed)
        count = min(len(data), max(EACH, MOST // channels))
        some = windows(data, np.linspace(0, len(data) - 1, count).round().astype(np.int64))
        damped = params["ets.trend"] == "damped"
        self.weights = np.stack([np.median([estimated(window[:, channel], self.season, damped) for window in some], axis=0)
                                 for channel in range(channels)], 1)
        self.fan = fan_of(data, self.answer)
        return self

    @property
    def season(self) -> int:
        """1 where a window does not hold two seasons."""
        ahead = ahead_of(self.spec)
        return ahead.season if 2 * ahead.season <= ahead.lookbacks[-1] else 1

    def answer(self, window: Window) -> Window:
        return smoothed(window, self.weights, self.season, ahead_of(self.spec).horizon)

    def outputs(self, data: Dataset) -> Tensor:
        return answered(data, self.answer, self.fan)

    def macs(self) -> float:
        """Seven products per step of the window, one per step ahead."""
        ahead = ahead_of(self.spec)
        return float((7 * ahead.lookbacks[-1] + ahead.horizon) * len(ahead.aimed) + self.fan.size)

    def parameters(self) -> int:
        return int(self.weights.size + self.fan.size)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"weights": self.weights, "fan": self.fan}, {}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.spec, self.weights, self.fan = spec, arrays["weights"], arrays["fan"]
        return self


def estimated(values: NDArray[np.float64], season: int, damped: bool) -> list[float]:
    """NAMES for one stretch of one channel, by least squares. One that never varies needs none."""
    if not np.ptp(values):
        return [0.0, 0.0, 0.0, 1.0]
    from statsmodels.tsa.holtwinters import ExponentialSmoothing
    about = (values - values.mean()) / values.std()
    level, trend, pattern = begun(about[:, None], season)
    known: dict[str, Any] = {"initial_level": float(level[0])}
    if damped:
        known["initial_trend"] = float(trend[0])
    if season > 1:
        known["initial_seasonal"] = pattern[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")               # an optimum at the edge of what is allowed is no fault
        model = ExponentialSmoothing(about, trend="add" if damped else None, damped_trend=damped, seasonal="add" if season > 1 else None,
                                     seasonal_periods=season if season > 1 else None, initialization_method="known", **known)
        found = model.fit(optimized=True, use_brute=False).params
    names = ("smoothing_level", "smoothing_trend", "smoothing_seasonal", "damping_trend")
    return [0.0 if found.get(name) is None or not np.isfinite(found[name]) else float(found[name]) for name in names]


def begun(window: NDArray[np.float64], season: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(T, …) → level, trend and season (season, …) before the first step: mean and pattern of the first season, no trend."""
    first = window[:season]
    level = first.mean(0)
    return level, np.zeros_like(level), first - level


def smoothed(window: Window, weights: NDArray[np.float64], season: int, horizon: int) -> Window:
    """(B, L, A) → (B, horizon, A), all windows at once, step by step."""
    alpha, beta, gamma, phi = weights
    steps = window.transpose(1, 0, 2)                                        # (L, B, A)
    level, trend, pattern = begun(steps, season)
    pattern = pattern.copy()
    for number, value in enumerate(steps):
        before, place = level + phi * trend, number % season
        was = pattern[place]
        new = alpha * (value - was) + (1 - alpha) * before
        trend = beta * (new - level) + (1 - beta) * phi * trend
        if season > 1:
            pattern[place] = gamma * (value - before) + (1 - gamma) * was
        level = new
    out, along = np.empty((horizon, *level.shape)), np.zeros_like(phi)
    for ahead in range(horizon):
        along = along + phi ** (ahead + 1)
        out[ahead] = level + along * trend + pattern[(len(steps) + ahead) % season]
    return out.transpose(1, 0, 2)
