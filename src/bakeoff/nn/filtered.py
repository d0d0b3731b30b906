"""Filters that are not weights but were made from what is read: each example, step or cell has its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

Place = tuple[slice, ...]
HEARING: list[Callable[[int], None]] = []     # told of the multiply-adds of every pass, which torch sees as elementwise work (cost.count)


def filtered(x: Tensor, filters: Tensor, kernel: int, *, stride: int = 1, causal: bool = False) -> Tensor:
    """Σ over `kernel` cells per axis: x (B, *S, D), filters (B, *S', G, kernel^rank) → (B, *S', D), S' = ceil(S / stride).

    The axes of `filters` before G may be 1: then the cells along them share. Each of its G filters serves D / G numbers next to one
    another. Beyond the edges lies zero; causal: along the first axis no later cell is seen. One shifted product per tap: what it
    takes is 0.2 – 0.8 of unfolding all windows and summing them, at batch 16, T = 128, D = 64 and 3 … 31 taps.
    """
    rank, groups = x.dim() - 2, filters.shape[-2]
    before = [kernel - 1 if causal and axis == 0 else (kernel - 1) // 2 for axis in range(rank)]
    padded = F.pad(x, (0, 0, *(edge for start in reversed(before) for edge in (start, kernel - 1 - start))))
    places = [(slice(None), *(slice(n, n + size, stride) for n, size in zip(at, x.shape[1:-1], strict=True)))
              for at in product(range(kernel), repeat=rank)]
    taps = filters.movedim(-1, 0)
    if groups == x.shape[-1]:
        return products(padded, taps, places)
    return products(padded.unflatten(-1, (groups, -1)), taps.unsqueeze(-1), places).flatten(-2)


def products(padded: Tensor, taps: Tensor, places: list[Place]) -> Tensor:
    """Σ of padded at each place times its tap, which may be of size 1 where padded is not."""
    for hear in HEARING:
        hear(len(places) * padded[places[0]].numel())
    if torch.compiler.is_exporting():
        return torch.stack([padded[place] * own for own, place in zip(taps, places, strict=True)]).sum(0)
    return _Products.apply(padded, taps.contiguous(), places)


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, padded: Tensor, taps: Tensor, places: list[Place]) -> Tensor:
        ctx.save_for_backward(padded, taps)
        ctx.places = places
        out = padded[places[0]] * taps[0]
        for own, place in zip(taps[1:], places[1:], strict=True):
            out.addcmul_(padded[place], own)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        padded, taps = ctx.saved_tensors
        dpadded, dtaps = torch.zeros_like(padded), torch.empty_like(taps)
        for own, down, place in zip(taps, dtaps, ctx.places, strict=True):
            dpadded[place].addcmul_(grad, own)
            down.copy_((padded[place] * grad).sum_to_size(own.shape))
        return dpadded, dtaps, None
