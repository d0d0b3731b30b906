"""Conditional convolution against a loop over the examples, each with torch's own convolution."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.dynamic.condconv import CondConv
from bakeoff.types import Grid


@pytest.mark.parametrize("separable", [False, True], ids=["dense", "separable"])
@pytest.mark.parametrize("sizes", [(24,), (12, 13), (12, 12, 12)], ids=["one axis", "two", "three"])
def test_each_example_has_its_own_kernels(doubled: Callable, assert_twins: Callable, sizes: tuple[int, ...], separable: bool) -> None:
    rank = len(sizes)
    encoder = doubled(CondConv(4, rank=rank, sizes=sizes, depth=2, experts=2, separable=separable))
    convolve = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
    assert encoder.stride == (2,) * rank

    def convolved(conv: torch.nn.Module, x: Tensor, kernel: int, stride: int) -> Tensor:
        outputs = []
        for example in x.split(1):
            shares = torch.sigmoid(conv.share.route(example.flatten(2).mean(-1)))[0]
            if separable:
                each, mix = (sum(share * expert for share, expert in zip(shares, kind, strict=True)) for kind in (conv.each, conv.mix))
                y = convolve(example, each.view(4, 1, *(kernel,) * rank), stride=stride, padding=kernel // 2, groups=4)
                outputs.append(convolve(y, mix.view(4, 4, *(1,) * rank)))
            else:
                weight = sum(share * expert for share, expert in zip(shares, conv.weight, strict=True))
                outputs.append(convolve(example, weight, stride=stride, padding=kernel // 2))
        return torch.cat(outputs)

    def twin(x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        for number, block in enumerate(encoder.blocks):
            y, stride = x, 1 + number
            for layer, kernel in enumerate((7, 5, 3) if rank == 1 else (3, 3)):
                norm = block.norms[layer]
                y = convolved(block.convs[layer], y.relu() if layer else y, kernel, 1 if layer else stride)
                y = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True)
            x = ((convolve(x, block.shortcut.weight, stride=2) if number else x) + y).relu()
        return x.movedim(1, -1)

    assert_twins(encoder, twin, torch.randn(3, *sizes, 4, generator=torch.Generator().manual_seed(1), dtype=torch.double))


def test_padding_takes_no_part_in_the_shares() -> None:
    share = CondConv(8, rank=1, sizes=(None,)).blocks[0].convs[0].share
    x, valid = torch.randn(1, 5, 8), torch.arange(9) < 5
    torch.testing.assert_close(share(F.pad(x, (0, 0, 0, 4)), valid[None]), share(*Grid(x, None)))
