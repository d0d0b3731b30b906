"""The temporal convolutional network against torch's dilated convolutions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.tcn import TCN
from bakeoff.nn.fold import LONGEST
from bakeoff.space import from_signature
from bakeoff.types import Grid


@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_blocks_are_dilated_convolutions_with_a_path_around(doubled: Callable, assert_twins: Callable, series: Tensor, causal: bool) -> None:
    encoder = doubled(TCN(8, rank=1, sizes=(None,), causal=causal, depth=3, separable=False))

    def twin(x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        for layer, block in enumerate(encoder.blocks):
            y, reach = x, 2 * 2 ** layer
            for conv, norm in zip(block.convs, block.norms, strict=True):
                y = F.conv1d(F.pad(y, (reach, 0) if causal else (reach // 2, reach // 2)), conv.weight, dilation=2 ** layer)
                y = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True).relu()
            x = (x + y).relu()
        return x.transpose(1, 2)

    assert_twins(encoder, twin, series)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize(("depth", "kernel"), [(1, 3), (1, 5), (3, 3), (2, 7)])
def test_the_receptive_field_is_the_one_it_says(doubled: Callable, depth: int, kernel: int, separable: bool) -> None:
    encoder = doubled(TCN(8, rank=1, sizes=(None,), causal=True, depth=depth, kernel=kernel, separable=separable, activation="silu")).eval()
    field = 1 + 2 * (kernel - 1) * (2 ** depth - 1)
    x = torch.randn(1, field + 6, 8, dtype=torch.double, requires_grad=True)
    (grad,) = torch.autograd.grad(encoder(Grid(x, None)).x[:, -1].sum(), x)
    seen = grad[0].abs().sum(-1) > 0
    assert seen.sum() == field
    assert seen[-field:].all()


def test_there_is_a_setting_that_sees_all_that_a_fold_leaves() -> None:
    space = from_signature(TCN.__init__, "tcn")
    depth, kernel = space["tcn.depth"].high, max(space["tcn.kernel"].values)
    assert 1 + 2 * (kernel - 1) * (2 ** depth - 1) >= LONGEST


def test_once_settled_an_example_is_read_alike_in_training_and_in_answers() -> None:
    encoder = TCN(8, rank=1, sizes=(None,), depth=2, settled=0.2)
    x = torch.randn(4, 20, 8)
    for share, settled in ((0.0, False), (0.5, False), (0.85, True), (0.9, True)):
        encoder.train()                                                      # as after a look at validation
        encoder.passed(share)
        known = encoder.blocks[0].norms[0].mean.clone()
        alone, together = encoder(Grid(x[:1])).x, encoder(Grid(x)).x[:1]
        assert torch.allclose(alone, together, atol=1e-6) == settled
        assert torch.equal(known, encoder.blocks[0].norms[0].mean) == settled


def test_unless_asked_it_never_settles() -> None:
    encoder = TCN(8, rank=1, sizes=(None,), depth=2)
    encoder.passed(0.999)
    assert all(norm.training for block in encoder.blocks for norm in block.norms)
