"""The residual network against torch's own layers, strides included."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.resnet import ResNet
from bakeoff.types import Grid


@pytest.mark.parametrize(("sizes", "kernels"), [((24,), [7, 5, 3]), ((24, 26), [3, 3])])
def test_blocks_correct_what_they_are_given(doubled: Callable, assert_twins: Callable, sizes: tuple[int, ...], kernels: list[int]) -> None:
    encoder = doubled(ResNet(8, rank=len(sizes), sizes=sizes, depth=2, separable=False))
    convolve = F.conv1d if len(sizes) == 1 else F.conv2d
    assert encoder.stride == (2,) * len(sizes)

    def twin(x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        for number, block in enumerate(encoder.blocks):
            y, stride = x, 1 + number
            assert [conv.weight.shape[-1] for conv in block.convs] == kernels
            for layer, (conv, norm) in enumerate(zip(block.convs, block.norms, strict=True)):
                y = convolve(y.relu() if layer else y, conv.weight, stride=1 if layer else stride, padding=conv.weight.shape[-1] // 2)
                y = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True)
            x = ((convolve(x, block.shortcut.weight, stride=2) if number else x) + y).relu()
        return x.movedim(1, -1)

    assert_twins(encoder, twin, torch.randn(2, *sizes, 8, dtype=torch.double))


def test_a_small_grid_and_a_task_that_wants_every_cell_are_not_shrunk() -> None:
    assert ResNet(8, rank=1, sizes=(11,), depth=3).stride == (1,)
    assert ResNet(8, rank=1, sizes=(64,), depth=3, full=True).stride == (1,)
    assert ResNet(8, rank=1, sizes=(64,), depth=3).stride == (4,)


def test_a_grid_is_not_halved_where_that_is_asked() -> None:
    encoder = ResNet(8, rank=1, sizes=(64,), depth=3, halved=False)
    assert encoder.stride == (1,)
    assert encoder(Grid(torch.randn(2, 64, 8), None)).x.shape == (2, 64, 8)
