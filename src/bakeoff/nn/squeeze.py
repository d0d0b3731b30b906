"""Channels weighed by what the whole example holds. Hu et al. 2018, https://arxiv.org/abs/1709.01507"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bakeoff.nn.masked import counts


class Squeeze(nn.Module):
    """(B, *S, C) → the same, each channel times a number in (0, 1) that the means over the valid cells decide.

    strongest: the largest valid numbers are asked beside the means, by the same two maps (Woo et al. 2018, https://arxiv.org/abs/1807.06521).
    """

    def __init__(self, dim: int, reduce: int, strongest: bool = False) -> None:
        """reduce: how many times fewer numbers stand between the two maps; at least four remain."""
        super().__init__()
        few = max(dim // reduce, 4)
        self.strongest = strongest
        self.squeeze, self.spread = nn.Linear(dim, few), nn.Linear(few, dim)
        nn.init.kaiming_normal_(self.squeeze.weight, nonlinearity="relu")
        nn.init.zeros_(self.spread.bias)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        cells = x.flatten(1, -2)
        seen = cells.mean(1) if valid is None else cells.sum(1) / counts(valid)[:, None].to(x.dtype)
        score = self.spread(self.squeeze(seen).relu())                       # s = σ(W₂ max(0, W₁ z))
        if self.strongest:
            if valid is not None:
                cells = cells.masked_fill(~valid.flatten(1)[..., None], -torch.inf)
            most = cells.amax(1)
            if valid is not None:
                most = most.masked_fill(~valid.flatten(1).any(1, keepdim=True), 0.0)
            score = score + self.spread(self.squeeze(most).relu())
        return x * score.sigmoid().view(len(x), *(1,) * (x.dim() - 2), -1)
