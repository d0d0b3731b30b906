"""The convolutional recurrent network against torch's convolution and its bidirectional GRU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.models.hybrid.crnn import CRNN


def both_ways(kernels: nn.ModuleList, x: Tensor) -> Tensor:
    return x + torch.cat([kernels[0](x.transpose(0, 1))[0], kernels[1](x.transpose(0, 1).flip(0))[0].flip(0)], -1).transpose(0, 1)


def test_on_one_axis_a_gru_reads_what_a_strided_convolution_saw(doubled: Callable, assert_twins: Callable) -> None:
    encoder = doubled(CRNN(8, rank=1, sizes=(20,), separable=False))
    assert encoder.stride == (2,)

    def twin(x: Tensor) -> Tensor:
        norm = encoder.front.norms[0]
        y = F.conv1d(x.transpose(1, 2), encoder.front.convs[0].weight, stride=2, padding=2)
        y = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True).relu().transpose(1, 2)
        return both_ways(encoder.readers[0].kernels, y)

    assert_twins(encoder, twin, torch.randn(3, 20, 8, dtype=torch.double))


def test_on_two_axes_columns_are_read_and_then_rows(doubled: Callable, assert_twins: Callable, picture: Tensor) -> None:
    encoder = doubled(CRNN(8, rank=2, sizes=(6, 5), separable=False))

    def twin(x: Tensor) -> Tensor:
        norm = encoder.front.norms[0]
        y = F.conv2d(x.movedim(-1, 1), encoder.front.convs[0].weight, padding=1)
        y = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True).relu().movedim(1, -1)
        columns = [both_ways(encoder.readers[0].kernels, y[:, :, column]) for column in range(5)]
        y = torch.stack(columns, 2)
        return torch.stack([both_ways(encoder.readers[1].kernels, y[:, row]) for row in range(6)], 1)

    assert_twins(encoder, twin, picture)


def test_on_three_axes_frames_are_convolved_one_by_one_and_every_place_is_read_through_time(doubled: Callable, assert_twins: Callable) -> None:
    encoder = doubled(CRNN(8, rank=3, sizes=(None, 6, 16), separable=False))
    assert encoder.stride == (1, 1, 1), "a side of 6 is too small to be halved"
    assert CRNN(8, rank=3, sizes=(None, 16, 20)).stride == (1, 2, 2)
    encoder = doubled(CRNN(8, rank=3, sizes=(None, 16, 20), separable=False))

    def twin(x: Tensor) -> Tensor:
        norm = encoder.front.norms[0]
        y = torch.stack([F.conv2d(frame.movedim(-1, 1), encoder.front.convs[0].weight, stride=2, padding=1) for frame in x.unbind(1)], 1)
        y = F.batch_norm(y.movedim(2, 1), None, None, norm.weight, norm.bias, training=True).relu().movedim(1, -1)
        rows = [torch.stack([both_ways(encoder.readers[0].kernels, y[:, :, row, column]) for column in range(10)], 2) for row in range(8)]
        return torch.stack(rows, 2)

    assert_twins(encoder, twin, torch.randn(2, 4, 16, 20, 8, dtype=torch.double))
