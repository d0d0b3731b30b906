"""Dropout of whole channels."""

from __future__ import annotations

import torch

from bakeoff.nn.drop import ChannelDrop


def test_a_channel_is_dropped_in_all_cells_or_in_none_and_the_mean_stays() -> None:
    torch.manual_seed(0)
    out = ChannelDrop(0.25).train()(torch.ones(500, 6, 8))
    assert torch.equal(out, out[:, :1].expand_as(out))
    assert set(out.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs(out.mean() - 1) < 0.02


def test_outside_training_nothing_is_dropped() -> None:
    x = torch.randn(2, 3, 4)
    assert ChannelDrop(0.5).eval()(x) is x
    assert ChannelDrop(0.0).train()(x) is x
