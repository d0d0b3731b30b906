"""Cells as columns."""

import numpy as np
import pytest

from bakeoff.baselines.flat import GRID, Flat


def test_columns_of_a_table_are_centred_and_scaled_one_by_one(made):
    x = np.random.default_rng(0).normal([5, -3], [10, 0.1], size=(50, 1, 2)).astype(np.float32)
    data, _ = made(x, ["a", "b"] * 25)
    rows = Flat(data.spec).fit(data)
    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(rows.std(0), 1, atol=1e-4)


def test_pixels_are_scaled_by_one_deviation_per_channel(made):
    x = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 2)).astype(np.uint8)
    x[:, 0, 0] = 7                                         # a pixel that never changes
    data, _ = made(x, ["a", "b"] * 15)
    reader = Flat(data.spec)
    rows = reader.fit(data).reshape(30, 4, 5, 2)
    assert np.abs(rows[:, 0, 0]).max() == 0
    np.testing.assert_allclose(np.square(rows).mean((0, 1, 2)), 1, rtol=1e-4)
    assert np.unique(reader.scale.reshape(20, 2), axis=0).shape == (1, 2)


def test_new_rows_are_read_as_the_training_rows_were(made):
    x = np.random.default_rng(0).normal(size=(30, 3, 3, 1)).astype(np.float32)
    data, _ = made(x, ["a", "b"] * 15)
    reader = Flat(data.spec)
    rows = reader.fit(data)
    np.testing.assert_array_equal(Flat.restore(*reader.state(), data.spec).read(data.subset([3, 1])), rows[[3, 1]])


def test_images_of_different_sizes_are_averaged_each_by_its_own_cells(made):
    rng = np.random.default_rng(0)
    images = [rng.normal(size=(height, width, 2)).astype(np.float32) for height, width in ((32, 40), (20, 16), (64, 48))]
    data, _ = made(images, ["a", "b", "a"])
    rows = Flat(data.spec).plain(data).reshape(3, GRID, GRID, 2)
    expected = images[2].reshape(GRID, 4, GRID, 3, 2).mean((1, 3))
    np.testing.assert_allclose(rows[2], expected, atol=1e-5)
    np.testing.assert_allclose(Flat(data.spec).plain(data.subset([1])).reshape(1, GRID, GRID, 2)[0], rows[1], atol=1e-6)


def test_an_empty_image_is_zero(made):
    data, _ = made([np.ones((4, 4, 1), np.float32), np.ones((0, 0, 1), np.float32), np.ones((5, 3, 1), np.float32)], ["a", "b", "a"])
    rows = Flat(data.spec).plain(data)
    assert rows[1] == pytest.approx(0)
    assert rows[2] == pytest.approx(1)
