"""Convolution over 1, 2 or 3 axes of a channels-last grid, without moving the grid in memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class Conv(nn.Module):
    """(B, *S, C) → (B, *S', C'), S' = ceil(S / stride). x must be zero where not valid; the result is not zeroed.

    Output i stands over input i·stride; beyond the edges lies zero. causal: along the first axis it sees no later cell.
    One axis runs as a 2-D convolution of height 1, which reads channels-last memory as it is: at batch 64, T = 128,
    D = 64 as fast as Conv1d on its own layout, and 1.2 – 2 times as fast as Conv1d with the transposes it would need.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, rank: int, stride: int = 1, dilation: int = 1,
                 causal: bool = False, groups: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.rank, self.stride, self.groups = rank, stride, groups
        before = [kernel - 1 if causal and axis == 0 else (kernel - 1) // 2 for axis in range(rank)]
        self.pads = [(start * dilation, (kernel - 1 - start) * dilation) for start in before]
        self.dilation = dilation
        alone = groups == inputs == outputs and not bias
        self.alone_and_dilated = alone and dilation > 1 and stride == 1
        self.frame_by_frame = alone and rank == 3 and kernel % 2 == 1
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, *(kernel,) * rank))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        by_hand = self.alone_and_dilated and x.device.type == "cpu" and not torch.compiler.is_exporting()
        even = not by_hand and all(start == end for start, end in self.pads)
        if not even:
            x = F.pad(x, (0, 0, *(edge for pair in reversed(self.pads) for edge in pair)))
        if by_hand:
            return _Taps.apply(x, self.weight.squeeze(1).movedim(0, -1).contiguous(), self.dilation)
        if self.frame_by_frame and x.device.type == "cpu" and not torch.compiler.is_exporting():
            return self.summed_frames(x if not even else F.pad(x, (0, 0, 0, 0, 0, 0, *self.pads[0])), even)
        padding = tuple(start if even else 0 for start, _ in self.pads)
        if self.rank == 1:
            y = F.conv2d(x.unsqueeze(1).permute(0, 3, 1, 2), self.weight.unsqueeze(2), self.bias, (1, self.stride),
                         (0, *padding), (1, self.dilation), self.groups)
            return y.permute(0, 2, 3, 1).squeeze(1)
        convolve = F.conv2d if self.rank == 2 else F.conv3d
        y = convolve(x.movedim(-1, 1), self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        return y.movedim(1, -1)

    def start(self, batch: int) -> Tensor:
        """(B, reach, C): the zeros that stand before the first cell of one axis."""
        return self.weight.new_zeros(batch, self.pads[0][0], self.weight.shape[1] * self.groups)

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C) → (B, C'), what `forward` gives next, causal and of stride 1, and the last cells that it reaches back to."""
        seen = torch.cat([past, x[:, None]], 1)
        taps = seen[:, ::self.dilation].transpose(1, 2)                      # (B, C, kernel)
        return F.conv1d(taps, self.weight, self.bias, groups=self.groups).squeeze(-1), seen[:, 1:]

    def summed_frames(self, x: Tensor, even: bool) -> Tensor:
        """Three axes as a 2-D convolution for each step of the kernel along the first. x is padded along that axis; even: not
        yet along the others.

        On CPU torch's own 3-D convolution per channel takes 4 – 6 times as long: 15 ms against 2.8, forward and backward, at
        batch 16, 10 × 4 × 4 cells of 64 channels, kernel 3.
        """
        kernel, step = self.weight.shape[2], self.stride
        length = (x.shape[1] - (kernel - 1) * self.dilation - 1) // step + 1
        padding = tuple(start if even else 0 for start, _ in self.pads[1:])
        out = None
        for place in range(kernel):
            first = place * self.dilation
            frames = x[:, first:first + (length - 1) * step + 1:step].flatten(0, 1).movedim(-1, 1)
            y = F.conv2d(frames, self.weight[:, :, place], None, step, padding, self.dilation, self.groups)
            out = y if out is None else out + y
        assert out is not None
        return out.movedim(1, -1).unflatten(0, (len(x), length))


class _Taps(torch.autograd.Function):
    """Each channel's own convolution as one shifted product per weight. padded (B, *S + reach, C), weight (*kernel, C).

    On CPU torch's dilated convolution per channel has a backward up to 20 times as slow: 10 ms against .5 at (16, 64, 64),
    kernel 5, dilation 4.
    """

    @staticmethod
    def forward(ctx: Any, padded: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(padded, weight)
        ctx.dilation = dilation
        out = None
        for own, place in taps(padded, weight, dilation):
            out = padded[place] * own if out is None else out.addcmul_(padded[place], own)
        assert out is not None
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        padded, weight = ctx.saved_tensors
        dpadded, dweight = torch.zeros_like(padded), []
        for own, place in taps(padded, weight, ctx.dilation):
            dpadded[place].addcmul_(grad, own)
            dweight.append((padded[place] * grad).flatten(0, -2).sum(0))
        return dpadded, torch.stack(dweight).view_as(weight), None


def taps(padded: Tensor, weight: Tensor, dilation: int) -> Iterator[tuple[Tensor, tuple[slice, ...]]]:
    """Each weight (C,) of the kernel and the part of the padded grid it meets."""
    kernel = weight.shape[:-1]
    sizes = [size - (k - 1) * dilation for size, k in zip(padded.shape[1:-1], kernel, strict=True)]
    for own, at in zip(weight.flatten(0, -2), product(*map(range, kernel)), strict=True):
        yield own, (slice(None), *(slice(n * dilation, n * dilation + size) for n, size in zip(at, sizes, strict=True)))


class Separable(nn.Module):
    """A Conv for each channel by itself, then a linear map between channels: (kernel + C) · C' products instead of kernel · C · C'.

    Howard et al. 2017, https://arxiv.org/abs/1704.04861
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, rank: int, stride: int = 1, dilation: int = 1,
                 causal: bool = False, bias: bool = True) -> None:
        super().__init__()
        self.each = Conv(inputs, inputs, kernel, rank=rank, stride=stride, dilation=dilation, causal=causal, groups=inputs, bias=False)
        self.mix = nn.Linear(inputs, outputs, bias=bias)
        nn.init.kaiming_normal_(self.each.weight, nonlinearity="linear")
        nn.init.kaiming_normal_(self.mix.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.each(x))

    def start(self, batch: int) -> Tensor:
        return self.each.start(batch)

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        y, past = self.each.step(x, past)
        return self.mix(y), past


def nested(kernel: int, rank: int) -> tuple[int, int, int]:
    """Long, middle and short odd kernels that stand side by side: `kernel`, halved, halved again; on more than one axis 7, 5, 3."""
    return (kernel, kernel // 4 * 2 + 1, kernel // 8 * 2 + 1) if rank == 1 else (7, 5, 3)
