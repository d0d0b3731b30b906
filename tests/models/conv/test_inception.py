"""InceptionTime against torch's own layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.inception import Inception


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("rank", [1, 2])
def test_short_middle_and_long_kernels_stand_side_by_side(
        doubled: Callable, assert_twins: Callable, series: Tensor, picture: Tensor, rank: int, separable: bool) -> None:
    encoder = doubled(Inception(8, rank=rank, sizes=(None,) * rank, depth=3, separable=separable))
    convolve, pool = (F.conv1d, F.max_pool1d) if rank == 1 else (F.conv2d, F.max_pool2d)

    def twin(x: Tensor) -> Tensor:
        start = x = x.movedim(-1, 1)
        for block in encoder.blocks:
            narrow = torch.einsum("oi,bi...->bo...", block.narrow.weight, x)
            strongest = pool(F.pad(x, (1, 1) * rank), 3, 1)
            branches = [convolve(narrow, conv.weight, padding="same", groups=2 if separable else 1) for conv in block.convs]
            y = torch.cat([*branches, torch.einsum("oi,bi...->bo...", block.after_max.weight, strongest)], 1)
            x = F.batch_norm(y, None, None, block.norm.weight, block.norm.bias, training=True).relu()
        (around,) = encoder.shortcuts
        return (x + F.batch_norm(start, None, None, around.weight, around.bias, training=True)).relu().movedim(1, -1)

    assert [conv.weight.shape[-1] for conv in encoder.blocks[0].convs] == ([19, 9, 5] if rank == 1 else [7, 5, 3])
    assert_twins(encoder, twin, series if rank == 1 else picture)
