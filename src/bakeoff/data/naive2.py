"""Naive2 of the M4 competition: repeat the last value, its season taken off and put on again where there is one.
Makridakis, Spiliotis & Assimakopoulos 2020, https://doi.org/10.1016/j.ijforecast.2019.04.014
"""

from __future__ import annotations

import numpy as np

from bakeoff.data.panel import Values

SURE = 1.645                          # two-sided 90 %: from here on the autocorrelation at one season counts as a season


def seasonal_indices(known: Values, season: int) -> Values:
    """(T,) training steps of one channel without gaps → (season,): by which factor each step of a season is above the mean.

    Ones where the test of the competition finds no season, where there are fewer than three of them, and where a value is not
    positive: the decomposition is a product.
    """
    none = np.ones(max(1, season))
    if season < 2 or len(known) < 3 * season or not (known > 0).all() or not seasonal(known, season):
        return none
    even = season % 2 == 0
    weights = np.concatenate([[0.5], np.ones(season - 1), [0.5]]) if even else np.ones(season)
    trend = np.convolve(known, weights / season, mode="valid")
    side = len(weights) // 2
    share = known[side:len(known) - side] / trend
    place = np.arange(side, len(known) - side) % season
    means = np.bincount(place, share, season) / np.bincount(place, minlength=season)
    found: Values = means / means.mean()
    return found


def seasonal(known: Values, season: int) -> bool:
    """Whether the autocorrelation at one season is beyond what a shorter memory explains (Bartlett's formula), as in the
    competition's code; beyond R's longest lag, 10·log10(T), none is looked for."""
    if season > 10 * np.log10(len(known)):
        return False
    about = known - known.mean()
    whole = about @ about
    if not whole > 0:
        return False
    lags = np.array([about[lag:] @ about[:-lag] for lag in range(1, season + 1)]) / whole
    limit = SURE / np.sqrt(len(known)) * np.sqrt(1 + 2 * (lags[:-1] ** 2).sum())
    return bool(abs(lags[-1]) > limit)
