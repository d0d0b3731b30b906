"""From any number of cells to a fixed grid, nothing cut off."""

from __future__ import annotations

import torch
from torch import Tensor

from bakeoff.types import Grid


def fixed_grid(grid: Grid, sizes: tuple[int, ...]) -> Tensor:
    """(B, *S, D) → (B, *sizes, D): every axis split into equal parts by each example's own length, and averaged.

    Part i of g covers cells floor(i·L/g) to ceil((i+1)·L/g), as adaptive average pooling does; where an axis is shorter
    than its grid, cells are repeated. An empty example gives zeros.
    """
    x, valid = grid
    for axis, parts in enumerate(sizes, 1):
        length = x.shape[axis]
        if parts == length and valid is None:
            continue
        if valid is None and length % parts == 0 and not torch.compiler.is_exporting():              # an exported length may vary
            x = x.unflatten(axis, (parts, -1)).mean(axis + 1)
            continue
        own = torch.tensor([length], device=x.device) if valid is None else longest(valid, axis)
        part = torch.arange(parts, device=x.device)
        first, last = part * own[:, None] // parts, -(-(part + 1) * own[:, None] // parts)          # (B or 1, parts)
        cell = torch.arange(length, device=x.device)
        share = ((cell >= first[..., None]) & (cell < last[..., None])).to(x.dtype)                  # (B or 1, parts, length)
        share = share / (last - first).clamp(min=1)[..., None]
        moved = x.movedim(axis, -1)                                                                  # (B, …, D, length)
        moved = moved @ share[0].T if len(share) == 1 else torch.einsum("b...l,bpl->b...p", moved, share)
        x = moved.movedim(-1, axis)
    return x


def longest(valid: Tensor, axis: int) -> Tensor:
    """(B,) valid cells along one axis."""
    others = [a for a in range(1, valid.dim()) if a != axis]
    return (valid.any(dim=others) if others else valid).sum(1)
