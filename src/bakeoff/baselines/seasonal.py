"""Repeats the last season: the seasonal naive."""

from __future__ import annotations

import numpy as np

from bakeoff.baselines.ahead import Rule, Window, ahead_of
from bakeoff.registry import baseline


@baseline("seasonal")
class Seasonal(Rule):
    """Every step ahead is as the one a whole number of seasons before it. Without a known season it is the last value."""

    def answer(self, window: Window) -> Window:
        ahead = ahead_of(self.spec)
        season = min(ahead.season, window.shape[1])
        return window[:, -season:][:, np.arange(ahead.horizon) % season]
