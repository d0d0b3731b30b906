"""What every brick must do about padding: set it to zero, count it out, shrink the mask with the axes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def zeroed(x: Tensor, valid: Tensor | None) -> Tensor:
    """x (B, *S, D) with zeros where not valid (B, *S). A product: masked_fill takes three times as long. Padding must be finite."""
    return x if valid is None else x * valid[..., None]


def counts(valid: Tensor) -> Tensor:
    """Valid cells per example, at least one: (B,) float."""
    return valid.flatten(1).sum(1).clamp(min=1)


def averaged(x: Tensor, valid: Tensor | None) -> Tensor:
    """(B, *S, D) → (B, D), the mean of the valid cells, zero where there are none. x must be zero where not valid."""
    cells = x.flatten(1, -2)
    return cells.mean(1) if valid is None else cells.sum(1) / counts(valid)[:, None].to(x.dtype)


def strided(valid: Tensor | None, stride: tuple[int, ...]) -> Tensor | None:
    """The mask after a step of `stride` cells: a cell is valid where the first cell it stands for was."""
    if valid is None:
        return None
    return valid[(slice(None), *(slice(None, None, s) for s in stride))]


def lengths(valid: Tensor) -> Tensor:
    """(B, T) prefix mask → (B,) int64 lengths."""
    return valid.sum(1)


def flip(x: Tensor, valid: Tensor | None, time: int = 1) -> Tensor:
    """x (B, T, …), or (T, B, …) for time=0, reversed by each example's own length: padding stays behind. valid (B, T)."""
    if valid is None:
        return x.flip(time)
    batch, steps = valid.shape
    step = torch.arange(steps, device=x.device)
    last = lengths(valid)[:, None] - 1
    source = torch.where(step <= last, last - step, step)                    # (B, T)
    example = torch.arange(batch, device=x.device)
    rows = source + example[:, None] * steps if time else source.t() * batch + example
    return _Swap.apply(x.flatten(0, 1), rows.flatten()).view(x.shape)


class _Swap(torch.autograd.Function):
    """Rows in another order that is its own inverse: the gradient takes the same way, where gather's would be a scatter."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        return x.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad.index_select(0, *ctx.saved_tensors), None


def pad_to_multiple(x: Tensor, valid: Tensor | None, sides: tuple[int, ...]) -> tuple[Tensor, Tensor | None]:
    """Zero cells appended on each axis after the first until its size is a multiple of its entry in `sides`."""
    short = [-size % side for size, side in zip(x.shape[1:], sides, strict=False)]
    if not any(short):
        return x, valid
    trail = [0, 0] * (x.dim() - 1 - len(sides))
    ends = [edge for extra in reversed(short) for edge in (0, extra)]
    if valid is None:
        return F.pad(x, trail + ends), None       # every merged cell holds at least one real one: still all valid
    return F.pad(x, trail + ends), F.pad(valid, ends)
