"""Squeeze-and-excitation against torch's own layers, example by example where some are shorter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.senet import SENet
from bakeoff.nn.squeeze import Squeeze


@pytest.mark.parametrize(("sizes", "kernels"), [((24,), 3), ((24, 26), 2)])
def test_each_correction_is_weighed_channel_by_channel(doubled: Callable, assert_twins: Callable, sizes: tuple[int, ...], kernels: int) -> None:
    encoder = doubled(SENet(8, rank=len(sizes), sizes=sizes, depth=2, reduce=2, separable=False))
    convolve = F.conv1d if len(sizes) == 1 else F.conv2d
    assert encoder.stride == (2,) * len(sizes)

    def twin(x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        for number, block in enumerate(encoder.blocks):
            y, stride = x, 1 + number
            for layer in range(kernels):
                conv, norm = block.convs[layer], block.norms[layer]
                y = convolve(y.relu() if layer else y, conv.weight, stride=1 if layer else stride, padding=conv.weight.shape[-1] // 2)
                y = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True)
            few = (y.flatten(2).mean(-1) @ block.weigh.squeeze.weight.T + block.weigh.squeeze.bias).clamp(min=0)
            score = 1 / (1 + (-few @ block.weigh.spread.weight.T - block.weigh.spread.bias).exp())
            y = y * score.view(*score.shape, *(1,) * len(sizes))
            x = ((convolve(x, block.shortcut.weight, stride=2) if number else x) + y).relu()
        return x.movedim(1, -1)

    assert_twins(encoder, twin, torch.randn(2, *sizes, 8, dtype=torch.double))


@pytest.mark.parametrize("strongest", [False, True])
def test_padding_is_neither_averaged_nor_the_strongest(strongest: bool) -> None:
    torch.manual_seed(0)
    squeeze = Squeeze(8, 2, strongest).double()
    x = -torch.rand(2, 9, 8, dtype=torch.double)                             # the zeros of padding would be the largest
    valid = torch.arange(9) < torch.tensor([[9], [4]])
    together = squeeze(x * valid[..., None], valid)
    torch.testing.assert_close(together[:1], squeeze(x[:1], None))
    torch.testing.assert_close(together[1:, :4], squeeze(x[1:, :4], None))
    assert not together[1, 4:].any()
