"""Patches of training images as kernels, against torch's convolution and plain means."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bakeoff.baselines import patches
from bakeoff.baselines.patches import Patches


def images(count, height, width, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, channels)).astype(np.uint8)


@pytest.mark.parametrize("size", [(3, 3), (5, 5), (7, 4), (1, 3)])
def test_a_bank_is_torchs_padded_convolution(size):
    generator = torch.Generator().manual_seed(0)
    x, kernels = torch.randn(3, 2, 9, 8, generator=generator), torch.randn(4, 2, *size, generator=generator)
    before, after = [(side - 1) // 2 for side in size], [side // 2 for side in size]
    reference = F.conv2d(F.pad(x, (before[1], after[1], before[0], after[0])), kernels)
    torch.testing.assert_close(patches.convolved(kernels, x), reference, atol=1e-4, rtol=1e-4)


def test_features_are_how_often_and_how_far_each_region_exceeds_the_threshold(made):
    data, _ = made(images(10, 8, 12, 1), ["a", "b"] * 5)
    kernels = Patches.drawn(data, 6, np.random.default_rng(0))
    rows = torch.from_numpy(kernels.features(data)).view(10, 6, 2, 4, 4)
    first = kernels.banks[0]
    over = patches.convolved(first.kernels, kernels.images(data, np.arange(10)))[:, 0] - first.thresholds[0]
    part = over[:, 2:4, 9:12]                              # region (1, 3) of 2 × 3 pixels
    torch.testing.assert_close(rows[:, 0, 0, 1, 3], (part > 0).float().mean((1, 2)))
    torch.testing.assert_close(rows[:, 0, 1, 1, 3], part.relu().mean((1, 2)))


def test_kernels_have_no_mean_and_length_one_even_from_flat_images(made):
    for cells in (images(10, 8, 8, 3), np.full((10, 8, 8, 3), 9, np.uint8)):
        data, _ = made(cells, ["a", "b"] * 5)
        for bank in Patches.drawn(data, 9, np.random.default_rng(0)).banks:
            torch.testing.assert_close(bank.kernels.flatten(1).norm(dim=1), torch.ones(len(bank.kernels)))
    data, _ = made(images(10, 8, 8, 3), ["a", "b"] * 5)
    means = torch.cat([bank.kernels.flatten(1).mean(1) for bank in Patches.drawn(data, 9, np.random.default_rng(0)).banks])
    assert means.abs().max() < 1e-5


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 9), (70, 33)])
def test_images_of_any_size_are_read(made, height, width):
    data, _ = made(images(6, height, width, 2), ["a", "b"] * 3)
    kernels = Patches.drawn(data, 5, np.random.default_rng(0))
    rows = kernels.features(data)
    assert rows.shape == (6, kernels.numbers)
    assert np.isfinite(rows).all()
    assert max(kernels.height, kernels.width) <= patches.LARGEST


def test_what_is_kept_gives_the_same_features(made):
    data, _ = made(images(12, 8, 8, 1), ["a", "b"] * 6)
    kernels = Patches.drawn(data, 10, np.random.default_rng(0))
    np.testing.assert_array_equal(Patches.restore(*kernels.state(), data.spec).features(data), kernels.features(data))
