"""The heads of tasks that give one answer per example."""

from __future__ import annotations

from torch import Tensor, nn

from bakeoff.nn.encoder import Encoder, ReadOut
from bakeoff.nn.pool import WAYS, Pool
from bakeoff.space import Param
from bakeoff.types import Batch, Grid, Params, Spec

MANY = 5000                   # training examples that fill a head of several means


def pool_choice(spec: Spec) -> Param:
    """Many frames of one size start from a grid of means, since where something is tells what it is (eleven core-seconds on
    Fashion-MNIST: .87 – .885, else .82 – .87); all else from one mean, whose head has fewer weights to fill (three core-seconds
    on 1,438 digits, FCN: 1.00, else .98; on 16 UCR problems .90, else .88)."""
    framed = spec.rank > 1 and None not in spec.sizes and spec.counts.get("train", 0) >= MANY
    return Param("pool", "grid" if framed else "mean", "how cells become one vector; grid: a few means, side by side", values=WAYS)


class PooledHead(nn.Module):
    """Grid (B, *S, D) → (B, outputs). exact: the answer is a number (see Pool)."""

    def __init__(self, encoder: Encoder, dim: int, outputs: int, params: Params, exact: bool = False) -> None:
        super().__init__()
        way = params.get("pool", "mean")
        self.pool = Pool(dim, "mean" if way == "grid" and encoder.pools else way, encoder.sizes, exact)    # one cell has no parts
        self.drop = nn.Dropout(params.get("dropout", 0.0))
        self.out = nn.Linear(self.pool.width, outputs)

    def forward(self, grid: Grid, batch: Batch) -> Tensor:
        return self.out(self.drop(self.pool(grid)))


class OwnHead(nn.Module):
    """Grid (B, *S', D) → (B, K) by the family's own way. Its loss is taken by `Network.loss`."""

    def __init__(self, read_out: ReadOut) -> None:
        super().__init__()
        self.read_out = read_out

    def forward(self, grid: Grid, batch: Batch) -> Tensor:
        return self.read_out(grid)
