"""Positions of cells on 1, 2 or 3 axes, for any length: turned into queries and keys, or added as sinusoids."""

from __future__ import annotations

import torch
from torch import Tensor


def angles(sizes: tuple[int, ...], pairs: int, device: torch.device, base: float = 1e4) -> Tensor:
    """(prod(sizes), pairs): the angle of each pair of numbers at each cell in raster order; axes share the pairs evenly."""
    parts = []
    for axis, size in enumerate(sizes):
        count = pairs // len(sizes) + (axis < pairs % len(sizes))
        rate = base ** (-torch.arange(count, device=device) / max(count, 1))
        shape = [1] * len(sizes)
        shape[axis] = size
        angle = (torch.arange(size, device=device)[:, None] * rate).view(*shape, count)
        parts.append(angle.expand(*sizes, count))
    return torch.cat(parts, -1).flatten(0, -2)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x (…, L, 2·pairs) with each pair turned by its angle; cos, sin (L, pairs). Su et al. 2021, https://arxiv.org/abs/2104.09864"""
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)


def sinusoids(sizes: tuple[int, ...], dim: int, device: torch.device) -> Tensor:
    """(prod(sizes), dim): sines, then cosines. Vaswani et al. 2017, https://arxiv.org/abs/1706.03762"""
    angle = angles(sizes, dim // 2, device)
    return torch.cat([angle.sin(), angle.cos()], -1)


def sinusoids_at(place: Tensor, dim: int) -> Tensor:
    """(B,) cells of one axis → (B, dim), the rows of `sinusoids` that stand there: for steps that only count."""
    pairs = dim // 2
    angle = place[:, None] * 1e4 ** (-torch.arange(pairs, device=place.device) / max(pairs, 1))
    return torch.cat([angle.sin(), angle.cos()], -1)
