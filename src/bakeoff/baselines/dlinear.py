"""Two linear maps to the whole horizon, one of the trend of the window, one of the rest; the weights are those of a ridge
regression, the same for all channels. Zeng et al. 2023, https://arxiv.org/abs/2205.13504
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bakeoff.baselines.ahead import Window, ahead_of, answered, fan_of, futures, only_forecasts, windows
from bakeoff.data.base import Dataset
from bakeoff.registry import baseline
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.types import Params, Spec

KERNEL = 25                   # steps of the moving mean that is the trend, as in the paper
MOST = 100_000                # windows × channels that are read: beyond it, evenly drawn
AT_ONCE = 2048                # windows whose products are added up at a time


@baseline("dlinear")
class DLinear:
    """Departs from the paper: in closed form; what the window is counted from, its last value or its mean, is taken off before
    and added after, so that one map serves series of every size."""

    deterministic = True
    growth = 1.0

    def __init__(self) -> None:
        self.spec: Spec | None = None
        self.weights: NDArray[np.float64] = np.zeros((0, 0))                 # (2 · look-back, horizon)
        self.centre = "last"
        self.fan: NDArray[np.float64] = np.zeros((0, 0, 0))

    @classmethod
    def why_not(cls, spec: Spec, task: Task) -> str | None:
        return only_forecasts(spec, task)

    @classmethod
    def space(cls, spec: Spec, task: Task) -> Space:
        return Space({"dlinear.centre": Param("dlinear.centre", "last", "what a window is counted from", values=("last", "mean")),
                      "dlinear.alpha": Param("dlinear.alpha", 1e-1, "ridge penalty, as a share of the mean square of the inputs times the examples",
                                             values=(1.0, 1e-1, 1e-2, 1e-3))})

    def fit(self, data: Dataset, task: Task, params: Params, seed: int) -> Self:
        from scipy.linalg import cho_factor, cho_solve
        self.spec, self.centre = data.spec, str(params["dlinear.centre"])
        ahead = ahead_of(data.spec)
        channels = len(ahead.aimed)
        every = max(1, -(-len(data) * channels // MOST))
        square, product, count = np.zeros((0, 0)), np.zeros((0, 0)), 0
        for rows in np.array_split(np.arange(0, len(data), every), max(1, len(data) // every * channels // AT_ONCE)):
            window, y = windows(data, rows), futures(data, rows)
            features, centre = self.features(window)
            aim = y[..., :channels] - centre
            unit = y[:, :1, channels:]                                        # deviation of the series: all weigh alike
            x = (features / unit).transpose(0, 2, 1).reshape(-1, features.shape[1])
            t = (aim / unit).transpose(0, 2, 1).reshape(-1, ahead.horizon)
            known = ~np.isnan(t).any(1)
            x, t = x[known], t[known]
            square = x.T @ x + (square if square.size else 0)
            product = x.T @ t + (product if product.size else 0)
            count += len(x)
        penalty = float(params["dlinear.alpha"]) * max(float(np.trace(square)) / len(square), 1e-12)
        square[np.diag_indices_from(square)] += penalty
        self.weights = cho_solve(cho_factor(square, overwrite_a=True), product)
        self.fan = fan_of(data, self.answer)
        return self

    def features(self, window: Window) -> tuple[Window, Window]:
        """(B, L, A) → trend and rest, one behind the other (B, 2·L, A), and what the window is counted from (B, 1, A)."""
        centre = window[:, -1:] if self.centre == "last" else window.mean(1, keepdims=True)
        about = window - centre
        side = min(KERNEL, about.shape[1]) // 2
        wide = np.concatenate([np.repeat(about[:, :1], side + 1, 1), about, np.repeat(about[:, -1:], side, 1)], 1)
        sums = wide.cumsum(1)
        trend = (sums[:, 2 * side + 1:] - sums[:, :-2 * side - 1]) / (2 * side + 1)
        return np.concatenate([trend, about - trend], 1), centre

    def answer(self, window: Window) -> Window:
        features, centre = self.features(window)
        return np.einsum("bla,lh->bha", features, self.weights, optimize=True) + centre

    def outputs(self, data: Dataset) -> Tensor:
        return answered(data, self.answer, self.fan)

    def macs(self) -> float:
        """Twice the look-back times the horizon for every channel."""
        return float(self.weights.size * len(ahead_of(self.spec).aimed) + self.fan.size)

    def parameters(self) -> int:
        return int(self.weights.size + self.fan.size)

    def state(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]:
        return {"weights": self.weights, "fan": self.fan}, {"centre": self.centre}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec, task: Task) -> Self:
        self = cls()
        self.spec, self.weights, self.fan, self.centre = spec, arrays["weights"], arrays["fan"], record["centre"]
        return self
