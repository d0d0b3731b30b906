"""Goes on along the line from the first to the last value of the look-back."""

from __future__ import annotations

import numpy as np

from bakeoff.baselines.ahead import Rule, Window, ahead_of
from bakeoff.registry import baseline


@baseline("drift")
class Drift(Rule):
    """The mean change per step of the longest look-back on offer goes on."""

    def answer(self, window: Window) -> Window:
        ahead = ahead_of(self.spec)
        slope = (window[:, -1:] - window[:, :1]) / max(1, window.shape[1] - 1)
        return window[:, -1:] + slope * np.arange(1, ahead.horizon + 1)[:, None]

    def macs(self) -> float:
        ahead = ahead_of(self.spec)
        return float(ahead.horizon * len(ahead.aimed) + self.fan.size)
