"""Batch normalisation over valid cells against nn.BatchNorm1d on those cells alone."""

from __future__ import annotations

import torch
from torch import nn

from bakeoff.nn.norm import BatchNorm


def test_padding_counts_for_nothing_in_value_gradient_and_running_statistics() -> None:
    ours, torchs = BatchNorm(4).double(), nn.BatchNorm1d(4, momentum=None).double()
    for layer in (ours, torchs):
        nn.init.uniform_(layer.weight, generator=torch.Generator().manual_seed(1))
    for seed in range(3):
        torch.manual_seed(seed)
        x = torch.randn(3, 5, 4, dtype=torch.double, requires_grad=True)
        valid = torch.arange(5) < torch.tensor([5, 2, 0])[:, None]
        out = ours(x, valid)
        expected = torchs(x[valid])
        torch.testing.assert_close(out[valid], expected)
        assert not out[~valid].any()
        pull = torch.randn_like(expected)
        one = torch.autograd.grad((out[valid] * pull).sum(), [x, *ours.parameters()])
        other = torch.autograd.grad((expected * pull).sum(), [x, *torchs.parameters()])
        for a, b in zip(one, other, strict=True):
            torch.testing.assert_close(a, b)
    torch.testing.assert_close(ours.mean, torchs.running_mean)               # both are plain averages so far
    torch.testing.assert_close(ours.var, torchs.running_var)
    ours.eval(), torchs.eval()
    torch.testing.assert_close(ours(x, valid)[valid], torchs(x[valid]))


def test_old_batches_fade_after_the_first_ten() -> None:
    norm = BatchNorm(2)
    for _batch in range(200):
        norm(torch.randn(64, 2), None)
    for _batch in range(100):
        norm(5 + torch.randn(64, 2), None)
    assert (norm.mean - 5).abs().max() < 0.3


def test_under_two_valid_cells_nothing_is_learnt_and_nothing_breaks() -> None:
    norm = BatchNorm(3)
    norm(torch.randn(8, 3), None)
    before = {name: tensor.clone() for name, tensor in norm.state_dict().items()}
    for x, valid in [(torch.randn(1, 3), None), (torch.randn(2, 4, 3), torch.zeros(2, 4, dtype=torch.bool)),
                     (torch.randn(1, 2, 3), torch.tensor([[True, False]]))]:
        assert norm(x, valid).isfinite().all()
    assert all(torch.equal(before[name], tensor) for name, tensor in norm.state_dict().items())
