"""The fully convolutional network against torch's own layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.fcn import FCN


@pytest.mark.parametrize("rank", [1, 2])
def test_it_is_three_convolutions_each_normalised(doubled: Callable, assert_twins: Callable, series: Tensor, picture: Tensor, rank: int) -> None:
    encoder = doubled(FCN(8, rank=rank, sizes=(None,) * rank, separable=False))
    convolve = F.conv1d if rank == 1 else F.conv2d
    assert [conv.weight.shape[-1] for conv in encoder.layers.convs] == ([9, 5, 3] if rank == 1 else [3, 3, 3])

    def twin(x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        for conv, norm in zip(encoder.layers.convs, encoder.layers.norms, strict=True):
            x = convolve(x, conv.weight, padding="same")
            x = F.batch_norm(x, None, None, norm.weight, norm.bias, training=True).relu()
        return x.movedim(1, -1)

    assert_twins(encoder, twin, series if rank == 1 else picture)
