"""The head of tasks that give one answer per example."""

from __future__ import annotations

from torch import Tensor, nn

from bakeoff.nn.pool import Pool
from bakeoff.types import Batch, Grid, Params


class PooledHead(nn.Module):
    """Grid (B, *S, D) → (B, outputs)."""

    def __init__(self, dim: int, outputs: int, params: Params) -> None:
        super().__init__()
        self.pool = Pool(dim, params.get("pool", "mean"))
        self.drop = nn.Dropout(params.get("dropout", 0.0))
        self.out = nn.Linear(dim, outputs)

    def forward(self, grid: Grid, batch: Batch) -> Tensor:
        return self.out(self.drop(self.pool(grid)))
