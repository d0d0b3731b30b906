"""A recurrence over time in every place of a grid, whose gates convolve over the places: one loop forwards and one backwards.

What the weights are owed is summed over all steps at once, and a step backwards is one convolution and a few products.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from bakeoff.nn.scan import before

Link = tuple[Tensor, int]     # a convolution (O, C / groups, h, w) of odd sides, and its groups


def conv_lstm_scan(x: Tensor, there: Tensor | None, weights: Sequence[Tensor], truncate: int = 0) -> Tensor:
    """n = tanh(x_n + W ∗ h), (i, f, o) = σ(x + W ∗ h); c ← f ⊙ c + i ⊙ n; h = o ⊙ tanh(c), zero where `there` is.

    x (T, B, H, W, G, 4, U) in the order n, i, f, o, of G independent groups; there (T, B, H, W, G), 0 or 1. W is the convolutions
    `weights` one after the other, G·U channels to G·4·U. → h (T, B, H, W, G, U). truncate: as in mixing_scan.
    """
    return _Scan.apply(x, there, truncate, *weights)


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Tensor | None, truncate: int, *weights: Tensor) -> Tensor:
        gates = x.clone(memory_format=torch.contiguous_format)
        h, c = torch.empty_like(gates[..., 0, :]), torch.empty_like(gates[..., 0, :])
        links = linked(weights, h.shape[-2:].numel())
        for t in range(len(gates)):
            step = gates[t]                                                  # torch.export wants neither unbind nor out= where cells are changed
            if t:
                step += convolved(h[t - 1].flatten(-2), links).view(step.shape)
            step[..., 0, :].tanh_()
            step[..., 1:, :].sigmoid_()
            if there is not None:
                step[..., 3, :].mul_(there[t][..., None])
            new, enter, forget, leave = step.unbind(-2)
            state = enter * new if not t else torch.addcmul(enter * new, forget, c[t - 1])
            c[t], h[t] = state, leave * state.tanh()
        ctx.save_for_backward(gates, h, c, *weights)
        ctx.truncate = truncate
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        gates, h, c, *weights = ctx.saved_tensors
        new, enter, forget, leave = gates.unbind(-2)
        seen, slopes = c.tanh(), gates * (1 - gates)
        slopes[..., 0, :] = (1 - new * new) * enter                          # ∂c/∂(what is under n, i, f), and ∂h/∂(under o):
        slopes[..., 1, :] *= new                                             # each then times what c or h is owed, step by step
        slopes[..., 2, :] *= before(c)
        slopes[..., 3, :] *= seen
        peak, dh, dc = (1 - seen * seen) * leave, grad.clone(memory_format=torch.contiguous_format), torch.zeros_like(c[0])
        links = linked(weights, h.shape[-2:].numel())
        back = [(turned(weight, groups), groups) for weight, groups in reversed(links)]
        for t in range(len(h) - 1, -1, -1):
            dc.addcmul_(dh[t], peak[t])
            slopes[t][..., :3, :].mul_(dc[..., None, :])
            slopes[t][..., 3, :].mul_(dh[t])
            if t and ctx.truncate and t % ctx.truncate == 0:
                dc.zero_()
            elif t:
                dc *= forget[t]
                dh[t - 1] += convolved(slopes[t].flatten(-3), back).view(dc.shape)
        return slopes, None, None, *owed(before(h).flatten(0, 1).flatten(-2), slopes.flatten(0, 1).flatten(-3), links, back)


def linked(weights: Sequence[Tensor], channels: int) -> list[Link]:
    """Each with its groups, which its shape and the channels that it is given decide."""
    given = [channels, *(len(weight) for weight in weights)]
    return [(weight, inputs // weight.shape[1]) for weight, inputs in zip(weights, given, strict=False)]


def convolve(x: Tensor, link: Link) -> Tensor:
    weight, groups = link
    return F.conv2d(x, weight, padding=reach(weight), groups=groups)


def convolved(x: Tensor, links: Sequence[Link]) -> Tensor:
    """(N, H, W, C) through one after the other."""
    x = x.movedim(-1, 1)
    for link in links:
        x = convolve(x, link)
    return x.movedim(1, -1).contiguous()


def owed(x: Tensor, grad: Tensor, links: Sequence[Link], back: Sequence[Link]) -> list[Tensor]:
    """The gradient of every weight, of x (N, H, W, C) and of what the last gave (N, H, W, C')."""
    given, grads = [x.movedim(-1, 1)], [grad.movedim(-1, 1)]
    for ahead, behind in zip(links[:-1], back[:-1], strict=True):
        given.append(convolve(given[-1], ahead))
        grads.append(convolve(grads[-1], behind))
    return [conv2d_weight(cells, weight.shape, pull, padding=reach(weight), groups=groups)
            for (weight, groups), cells, pull in zip(links, given, reversed(grads), strict=True)]


def turned(weight: Tensor, groups: int) -> Tensor:
    """The convolution that takes gradients back."""
    return weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1).flip(-1, -2).contiguous()


def reach(weight: Tensor) -> tuple[int, int]:
    """Cells of padding that keep the grid."""
    return weight.shape[2] // 2, weight.shape[3] // 2
