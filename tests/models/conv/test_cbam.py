"""Channel and spatial attention in a residual network against torch's own layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.cbam import CBAM


@pytest.mark.parametrize("rank", [1, 2])
def test_corrections_are_weighed_by_channel_and_then_by_cell(
        doubled: Callable, assert_twins: Callable, series: Tensor, picture: Tensor, rank: int) -> None:
    encoder = doubled(CBAM(8, rank=rank, sizes=(None,) * rank, depth=2, reduce=2, kernel=5, separable=False))
    convolve = F.conv1d if rank == 1 else F.conv2d

    def normed(y: Tensor, norm: object) -> Tensor:
        return F.batch_norm(y, None, None, norm.weight, norm.bias, training=True)    # type: ignore[attr-defined]

    def twin(x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        for block in encoder.blocks:
            y = x
            for layer, (conv, norm) in enumerate(zip(block.convs, block.norms, strict=True)):
                y = normed(convolve(y.relu() if layer else y, conv.weight, padding="same"), norm)
            share = block.weigh.channels
            mean, most = y.flatten(2).mean(-1), y.flatten(2).max(-1).values
            score = sum(F.linear(F.linear(z, share.squeeze.weight, share.squeeze.bias).relu(), share.spread.weight, share.spread.bias)
                        for z in (mean, most))
            y = y * score.sigmoid().view(*score.shape, *(1,) * rank)         # type: ignore[union-attr]
            mean, most = y.mean(1, keepdim=True), y.max(1, keepdim=True).values
            where = normed(convolve(mean, block.weigh.cells.weight[:, :1], padding="same")
                           + convolve(most, block.weigh.cells.weight[:, 1:], padding="same"), block.weigh.norm)
            x = (x + y * where.sigmoid()).relu()
        return x.movedim(1, -1)

    assert_twins(encoder, twin, series if rank == 1 else picture)
