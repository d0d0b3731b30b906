"""Warping and the search for neighbours against plain loops."""

import numpy as np
import pytest

from bakeoff.baselines import dtw


def stack(rng, count, channels, longest, ragged):
    lengths = rng.integers(1, longest + 1, count) if ragged else np.full(count, longest)
    x = rng.normal(size=(count, longest, channels)).astype(np.float32)
    x[np.arange(longest) >= lengths[:, None]] = 0
    return dtw.Stack(x, lengths.astype(np.int64))


def plain(a, b, band):
    """The textbook's double loop on two series (T, C)."""
    band += abs(len(a) - len(b))
    total = np.full((len(a) + 1, len(b) + 1), np.inf)
    total[0, 0] = 0
    for i in range(len(a)):
        for j in range(len(b)):
            if abs(i - j) <= band:
                total[i + 1, j + 1] = np.square(a[i] - b[j]).sum() + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return total[-1, -1]


def all_pairs(a, b, band):
    return np.array([[plain(x[:n], y[:m], band) for y, m in zip(b.x, b.lengths, strict=True)] for x, n in zip(a.x, a.lengths, strict=True)])


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("band", [0, 1, 4, 30])
def test_distances_are_those_of_the_double_loop(band, channels, ragged):
    rng = np.random.default_rng(band)
    a, b = stack(rng, 12, channels, 9, ragged), stack(rng, 12, channels, 11 if ragged else 9, ragged)
    np.testing.assert_allclose(dtw.warped(a, b, band), np.diagonal(all_pairs(a, b, band)), rtol=1e-4)


def test_without_a_band_it_is_the_euclidean_distance():
    rng = np.random.default_rng(0)
    a, b = stack(rng, 20, 2, 16, False), stack(rng, 20, 2, 16, False)
    np.testing.assert_allclose(dtw.warped(a, b, 0), np.square(a.x - b.x).sum((1, 2)), rtol=1e-4)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_neighbours_are_those_of_all_distances(count, ragged, monkeypatch):
    monkeypatch.setattr(dtw, "QUERIES", 5)
    monkeypatch.setattr(dtw, "PAIRS", 20)
    monkeypatch.setattr(dtw, "ROUND", 2)
    rng = np.random.default_rng(count)
    queries, stored = stack(rng, 11, 2, 24, ragged), stack(rng, 20, 2, 24, ragged)
    found = dtw.nearest(queries, stored, 3, count)
    np.testing.assert_array_equal(found, np.argsort(all_pairs(queries, stored, 3), axis=1)[:, :count])


@pytest.mark.parametrize("ragged", [False, True])
def test_no_bound_lies_above_the_distance(ragged):
    rng = np.random.default_rng(7)
    queries, stored = stack(rng, 10, 2, 12, ragged), stack(rng, 10, 2, 12, ragged)
    assert (dtw.bounds(queries, stored, 2) <= all_pairs(queries, stored, 2) * (1 + 1e-5)).all()


def test_a_pair_beyond_its_limit_is_given_up_and_the_others_are_not_touched():
    rng = np.random.default_rng(0)
    a, b = stack(rng, 40, 1, 64, False), stack(rng, 40, 1, 64, False)
    exact = dtw.warped(a, b, 5)
    limit = np.where(np.arange(40) < 30, exact * 0.3, exact * 1.1).astype(np.float32)
    found = dtw.warped(a, b, 5, limit)
    np.testing.assert_allclose(found[30:], exact[30:], rtol=1e-5)
    assert (found[:30] >= limit[:30]).all()
    assert np.isinf(found[:30]).any()


def test_an_example_can_be_kept_from_finding_itself():
    some = stack(np.random.default_rng(0), 9, 1, 10, False)
    assert (dtw.nearest(some, some, 1, 1)[:, 0] == np.arange(9)).all()
    assert (dtw.nearest(some, some, 1, 2, np.arange(9)) != np.arange(9)[:, None]).all()
