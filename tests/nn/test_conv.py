"""The channels-last convolution against torch's own, gradients included."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from bakeoff.nn.conv import Conv, Separable


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 1, 1), (5, 2, 1), (3, 1, 2), (4, 1, 1), (1, 2, 1)])
@pytest.mark.parametrize("causal", [False, True])
def test_it_is_torchs_convolution_with_the_padding_it_says(rank: int, kernel: int, stride: int, dilation: int, causal: bool) -> None:
    conv = Conv(4, 6, kernel, rank=rank, stride=stride, dilation=dilation, causal=causal).double()
    x = torch.randn(2, *(7, 6, 5)[:rank], 4, dtype=torch.double, requires_grad=True)
    reach = (kernel - 1) * dilation
    starts = [reach if causal and axis == 0 else (kernel - 1) // 2 * dilation for axis in range(rank)]
    edges = [edge for start in reversed(starts) for edge in (start, reach - start)]
    native = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
    expected = native(F.pad(x.movedim(-1, 1), edges), conv.weight, conv.bias, stride, 0, dilation).movedim(1, -1)
    torch.testing.assert_close(conv(x), expected)
    assert conv(x).shape[1:-1] == tuple(-(-size // stride) for size in x.shape[1:-1])
    weights = [x, *conv.parameters()]
    pull = torch.randn_like(expected)
    for one, other in zip(torch.autograd.grad((conv(x) * pull).sum(), weights), torch.autograd.grad((expected * pull).sum(), weights),
                          strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("causal", [False, True])
def test_a_convolution_of_each_channel_reaches_as_far_when_it_is_dilated(rank: int, dilation: int, causal: bool) -> None:
    conv = Conv(4, 4, 3, rank=rank, dilation=dilation, causal=causal, groups=4, bias=False).double()
    dense = Conv(4, 4, 3, rank=rank, dilation=dilation, causal=causal, bias=False).double()
    with torch.no_grad():
        dense.weight.zero_()
        for channel in range(4):
            dense.weight[channel, channel] = conv.weight[channel, 0]
    x = torch.randn(2, *(7, 6, 5)[:rank], 4, dtype=torch.double)
    torch.testing.assert_close(conv(x), dense(x))


@pytest.mark.parametrize(("kernel", "stride", "causal"), [(3, 1, False), (3, 2, False), (5, 1, True), (1, 1, False), (7, 2, True)])
def test_frames_convolved_one_by_one_and_added_are_a_convolution_on_three_axes(kernel: int, stride: int, causal: bool) -> None:
    conv = Conv(4, 4, kernel, rank=3, stride=stride, causal=causal, groups=4, bias=False).double()
    assert conv.frame_by_frame
    x = torch.randn(2, 7, 6, 5, 4, dtype=torch.double, requires_grad=True)
    edges = [edge for start, end in reversed(conv.pads) for edge in (start, end)]
    expected = F.conv3d(F.pad(x.movedim(-1, 1), edges), conv.weight, None, stride, 0, 1, 4).movedim(1, -1)
    torch.testing.assert_close(conv(x), expected)
    pull = torch.randn_like(expected)
    for one, other in zip(torch.autograd.grad((conv(x) * pull).sum(), [x, conv.weight]),
                          torch.autograd.grad((expected * pull).sum(), [x, conv.weight]), strict=True):
        torch.testing.assert_close(one, other)


def test_a_separable_convolution_is_one_whose_weights_factor() -> None:
    separable = Separable(4, 6, 5, rank=1, dilation=2).double()
    dense = Conv(4, 6, 5, rank=1, dilation=2).double()
    with torch.no_grad():
        dense.weight.copy_(separable.mix.weight[:, :, None] * separable.each.weight.squeeze(1))
        dense.bias.copy_(separable.mix.bias)
    x = torch.randn(2, 9, 4, dtype=torch.double)
    torch.testing.assert_close(separable(x), dense(x))


def test_a_grid_is_not_moved_in_memory() -> None:
    for rank in (1, 2):
        y = Conv(8, 8, 3, rank=rank)(torch.randn(2, *(16, 16)[:rank], 8))
        assert y.is_contiguous()
