"""ConvNeXt against torch's own layers, strides and causality included."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.convnext import ConvNeXt


@pytest.mark.parametrize(("sizes", "causal"), [((24,), False), ((24,), True), ((14, 12), False)], ids=str)
def test_a_wide_convolution_per_channel_and_a_small_network_per_cell(
        doubled: Callable, assert_twins: Callable, sizes: tuple[int, ...], causal: bool) -> None:
    encoder = doubled(ConvNeXt(8, rank=len(sizes), sizes=sizes, causal=causal, depth=2, activation="gelu"))
    convolve = F.conv1d if len(sizes) == 1 else F.conv2d
    assert encoder.stride == ((1,) if causal else (2,) * len(sizes))

    def normed(x: Tensor, norm: torch.nn.LayerNorm) -> Tensor:
        return F.layer_norm(x.movedim(1, -1), (8,), norm.weight, norm.bias).movedim(-1, 1)

    def twin(x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        for block in encoder.blocks:
            if block.shrink is not None:
                x = convolve(normed(x, block.norm), block.shrink.weight, block.shrink.bias, stride=2)
            edges = (6, 0) if causal else (3, 3) * len(sizes)
            y = convolve(F.pad(x, edges), block.each.weight, block.each.bias, groups=8)
            norm, wide, _, narrow = block.feed
            y = F.gelu(torch.einsum("oc,bc...->bo...", wide.weight, normed(y, norm)) + wide.bias.view(-1, *(1,) * len(sizes)))
            x = x + torch.einsum("oc,bc...->bo...", narrow.weight, y) + narrow.bias.view(-1, *(1,) * len(sizes))
        return normed(x, encoder.norm).movedim(1, -1)

    assert_twins(encoder, twin, torch.randn(2, *sizes, 8, dtype=torch.double))
