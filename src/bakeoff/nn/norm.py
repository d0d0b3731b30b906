"""Batch normalisation that padding does not move. Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.masked import zeroed


class BatchNorm(nn.Module):
    """(B, *S, C) → the same, zero where not valid; statistics are taken over the valid cells of the batch.

    Running statistics start as the first batch's (a plain average over the first ten batches, then exponential), so
    that they do not lag on short runs; batches of fewer than two valid cells leave them alone.
    """

    mean: Tensor
    var: Tensor
    batches: Tensor

    def __init__(self, dim: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("var", torch.ones(dim))
        self.register_buffer("batches", torch.zeros(()))
        self.seen: int | None = None                                         # the same number where Python can read it

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        if not self.training:
            flat = F.batch_norm(x.reshape(-1, x.shape[-1]), self.mean, self.var, self.weight, self.bias, eps=self.eps)
            return zeroed(flat.view(x.shape), valid)
        if valid is None:
            return self.normalised(x.reshape(-1, x.shape[-1])).view(x.shape)
        rows = valid.reshape(-1).nonzero().squeeze(1)                        # valid cells only, in one gather
        flat = self.normalised(x.reshape(-1, x.shape[-1]).index_select(0, rows))
        return torch.zeros_like(x).view(-1, x.shape[-1]).index_copy(0, rows, flat).view(x.shape)

    def normalised(self, cells: Tensor) -> Tensor:
        """(n, C) in training. Under two cells there is no deviation: they are normalised by what is known so far."""
        count = cells.shape[0]
        if count < 2:
            return F.batch_norm(cells, self.mean, self.var, self.weight, self.bias, eps=self.eps)
        if self.seen is None:
            self.seen = int(self.batches)                                    # waits for the device, once
        self.seen += 1
        self.batches.fill_(self.seen)
        return F.batch_norm(cells, self.mean, self.var, self.weight, self.bias, True, max(1 / self.seen, self.momentum), self.eps)

    def train(self, mode: bool = True) -> Self:
        self.seen = None                                                     # weights may have been loaded meanwhile
        return super().train(mode)
