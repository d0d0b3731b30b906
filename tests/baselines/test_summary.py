"""A series as one row of numbers."""

import numpy as np
import pytest

from bakeoff.baselines.summary import BANDS, LAGS, PARTS, PER_CHANNEL, QUANTILES, Summary, features


def one(x, size=None):
    """The features of one channel's numbers, without the length."""
    x = np.asarray(x, dtype=np.float32)
    return features(x[None, :, None], np.array([len(x)]), size or 1 << int(np.ceil(np.log2(max(1, len(x))))))[0, :-1]


def test_level_spread_and_slope_are_the_known_ones():
    x = np.random.default_rng(0).normal(size=50) + np.linspace(0, 3, 50)
    found = one(x)
    assert found[:4] == pytest.approx([x.mean(), x.std(), x.min(), x.max()], abs=1e-5)
    assert found[6:8] == pytest.approx([x[0], x[-1]], abs=1e-5)
    assert found[8] == pytest.approx(np.polyfit(np.arange(50) / 50, x, 1)[0], abs=1e-4)
    assert found[9] == pytest.approx(np.abs(np.diff(x)).mean(), abs=1e-5)


def test_quantiles_and_repetition_are_the_known_ones():
    x = np.random.default_rng(1).normal(size=61)
    found = one(x)[11:]
    assert found[:len(QUANTILES)] == pytest.approx(np.quantile(x, QUANTILES, method="nearest"), abs=1e-5)
    unit = (x - x.mean()) / x.std()
    assert found[len(QUANTILES):][:len(LAGS)] == pytest.approx([(unit[lag:] * unit[:-lag]).sum() / 61 for lag in LAGS], abs=1e-4)


def test_parts_are_means_of_equal_stretches():
    x = np.arange(4 * PARTS)
    begin = 11 + len(QUANTILES) + len(LAGS)
    assert one(x)[begin:begin + PARTS] == pytest.approx(x.reshape(PARTS, 4).mean(1), rel=1e-5)


def test_a_slow_wave_fills_a_low_band_and_a_fast_one_the_highest():
    time = np.arange(256)
    slow, fast = (one(np.sin(2 * np.pi * time * cycles / 256))[-BANDS:] for cycles in (2, 100))
    assert slow.argmax() < BANDS / 2
    assert fast.argmax() == BANDS - 1
    assert np.square(slow).sum() == pytest.approx(1, abs=1e-4)


def test_what_else_is_in_the_batch_changes_nothing(made):
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(length, 2)).astype(np.float32) for length in (17, 32, 1, 0, 20, 33, 2)]
    data, _ = made(series, ["a", "b", "a", "b", "a", "b", "a"])
    together = Summary(data.spec).plain(data)
    assert together.shape == (7, 2 * PER_CHANNEL + 1)
    assert np.isfinite(together).all()
    for number in range(7):
        np.testing.assert_allclose(Summary(data.spec).plain(data.subset([number]))[0], together[number], atol=1e-5)


def test_features_that_never_change_are_zero_and_far_ones_are_cut(made):
    series = np.random.default_rng(0).normal(size=(40, 16, 1)).astype(np.float32)
    data, _ = made(series, ["a", "b"] * 20)
    reader = Summary(data.spec)
    rows = reader.fit(data)
    assert np.abs(rows[:, -1]).max() == 0                  # the length
    far, _ = made(1000 * series, ["a", "b"] * 20)
    far.spec = data.spec
    assert np.abs(reader.read(far)).max() == pytest.approx(8)
