"""Pictures and the boxes on them moved together: zoomed about a place of their own, and mirrored."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ZOOM = (0.6, 1.6)             # how many times as large things become
LEFT = 0.3                    # a box of which less is left in the picture is none any more


def moved(x: Tensor, boxes: Tensor, zoom: bool, mirror: bool, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Every picture (B, H, W, C) by itself, its boxes (B, M, 4) in shares of the picture → both, and which boxes are left, (B, M) bool.

    What comes in at the edges repeats them.
    """
    count = len(x)

    def chance(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator, device=x.device)

    low, high = ZOOM
    scale = low * (high / low) ** chance(1) * (0.85 + 0.3 * chance(2)) if zoom else x.new_ones(count, 2, dtype=torch.float32)       # across, down
    room = 1 - 1 / scale                                         # of the picture, what is cut off; below 0: what comes in
    start = room * chance(2)
    turned = (chance(1) < 0.5) if mirror else torch.zeros(count, 1, dtype=torch.bool, device=x.device)
    turn = torch.where(turned, -1.0, 1.0)
    span = 1 / scale
    middle = 2 * (start + span / 2) - 1
    zero = torch.zeros(count, device=x.device)
    matrix = torch.stack([torch.stack([span[:, 0] * turn[:, 0], zero, middle[:, 0]], -1), torch.stack([zero, span[:, 1], middle[:, 1]], -1)], 1)
    grid = F.affine_grid(matrix, [count, x.shape[-1], *x.shape[1:3]], align_corners=False)
    seen = F.grid_sample(x.movedim(-1, 1).float(), grid, padding_mode="border", align_corners=False).movedim(1, -1)
    placed = (boxes - start.repeat(1, 2)[:, None]) * scale.repeat(1, 2)[:, None]
    across = torch.where(turned[:, :, None], 1 - placed[..., [2, 0]], placed[..., [0, 2]])
    placed = torch.stack([across[..., 0], placed[..., 1], across[..., 1], placed[..., 3]], -1)
    inside = placed.clamp(0, 1)
    area = (placed[..., 2:] - placed[..., :2]).prod(-1)
    left = (inside[..., 2:] - inside[..., :2]).prod(-1) >= LEFT * area.clamp(min=1e-12)
    return seen, inside, left
