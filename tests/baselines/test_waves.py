"""Fixed convolutions of series against torch's convolution and plain counting."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bakeoff.baselines import waves
from bakeoff.baselines.waves import SHAPES, TAPS, Group, Waves


def drawn(data, kernels=500, differences=True, seed=0):
    return Waves.drawn(data, kernels, differences, np.random.default_rng(seed))


def series(count, channels, longest, ragged, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rng.integers(3, longest + 1) if ragged else longest, channels)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("dilation", [1, 3])
def test_a_group_is_torchs_dilated_convolution(dilation):
    x = torch.randn(4, 5, 30, generator=torch.Generator().manual_seed(0))
    channels, weights = waves.mixes(5, np.random.default_rng(0))
    out, _ = waves.convolved(Group(dilation, False, channels, weights, torch.zeros(SHAPES, 1)), x, torch.full((4,), 30))
    reference = F.conv1d(x[:, channels], weights.view(SHAPES, -1, TAPS), dilation=dilation, padding=4 * dilation)
    torch.testing.assert_close(out, reference, atol=1e-4, rtol=1e-4)


def test_kernels_sum_to_zero_and_three_of_nine_weights_are_raised():
    weights = waves.weights_of(torch.ones(SHAPES, 1, dtype=torch.bool))
    assert weights.sum(1).abs().max() == 0
    assert ((weights == 2).sum(1) == 3).all()
    assert len(torch.unique(weights, dim=0)) == SHAPES


@pytest.mark.parametrize(("length", "each"), [(1, 5), (8, 1), (24, 119), (150, 119), (5000, 29)])
def test_dilations_share_out_all_thresholds_and_never_pass_the_end(length, each):
    found = waves.dilations(length, each)
    assert sum(count for _, count in found) == each
    assert found[0][0] == 1
    assert len(found) == 1 or found[-1][0] * (TAPS - 1) < length


def test_a_feature_is_the_share_of_steps_above_its_threshold(made):
    data, _ = made(series(12, 3, 20, ragged=True), ["a", "b"] * 6)
    kernels = drawn(data)
    rows = kernels.features(data)
    for number in (0, 5):
        sources = kernels.scaled(data.subset([number]).take([0]).x)
        expected = []
        for group in kernels.groups:
            out, lengths = waves.convolved(group, *sources[group.change])
            inside = out[0, :, :int(lengths[0])]
            expected += [(inside > group.thresholds[:, place, None]).float().mean(1) for place in range(group.thresholds.shape[1])]
        assert np.abs(rows[number] - torch.cat(expected).numpy()).max() < 1e-5


def test_thresholds_split_the_training_series(made):
    data, _ = made(series(40, 1, 50, ragged=False), ["a", "b"] * 20)
    share = drawn(data, differences=False).features(data).mean(0)
    assert 0.4 < share.mean() < 0.6
    assert share.min() < 0.1
    assert share.max() > 0.9


def test_what_else_is_in_the_batch_changes_next_to_nothing(made):
    data, _ = made([*series(20, 2, 40, ragged=True), np.zeros((0, 2), np.float32), np.ones((1, 2), np.float32)], ["a", "b"] * 11)
    kernels = drawn(data)
    together = kernels.features(data)
    alone = np.concatenate([kernels.features(data.subset([number])) for number in range(22)])
    assert np.isfinite(together).all()
    assert (np.abs(alone - together) > 1e-6).mean() < 1e-3                 # a sum that meets its threshold may fall to either side


def test_what_is_kept_gives_the_same_features(made):
    data, _ = made(series(20, 12, 30, ragged=True), ["a", "b"] * 10)
    kernels = drawn(data)
    np.testing.assert_array_equal(Waves.restore(*kernels.state(), data.spec).features(data), kernels.features(data))
