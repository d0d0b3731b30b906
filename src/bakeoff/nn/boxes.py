"""Boxes as tensors, corners x0, y0, x1, y1: what both cover, and which answers say the same thing twice."""

from __future__ import annotations

import torch
from torch import Tensor


def shared(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Corners (…, 4), broadcast → (area of both over area of either, area of either), 0 … 1."""
    both = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    either = area(a) + area(b) - both
    return both / either.clamp(min=1e-9), either


def area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def generalised(a: Tensor, b: Tensor) -> Tensor:
    """Overlap less the share of the smallest box around both that neither covers, −1 … 1; boxes apart still have a slope.

    Rezatofighi et al. 2019, https://arxiv.org/abs/1902.09630
    """
    overlap, either = shared(a, b)
    around = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    return overlap - (around - either) / around.clamp(min=1e-9)


def surest(boxes: Tensor, labels: Tensor, scores: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    """(B, n, 4) in falling order of score, (B, n) classes and scores → (B, n), False where a surer box of the class that is kept overlaps it
    by more than `limit`; and the boxes, each the mean of those like it, weighted by their scores.

    Cells beside each other say the same box with errors of their own, which the mean is free of: box voting, Gidaris and Komodakis 2015,
    https://arxiv.org/abs/1505.01749
    """
    overlap = shared(boxes[:, :, None], boxes[:, None])[0]
    alike = (overlap > limit) & (labels[:, :, None] == labels[:, None])
    votes = alike * scores[:, None]
    keep = torch.ones(labels.shape, dtype=torch.bool, device=boxes.device)
    for place in range(labels.shape[1] - 1):
        keep[:, place + 1:] &= ~(alike[:, place, place + 1:] & keep[:, place, None])
    return keep, votes @ boxes / votes.sum(-1, keepdim=True).clamp(min=1e-9)
