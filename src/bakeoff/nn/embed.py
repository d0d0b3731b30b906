"""What stands before every encoder: numbers scaled, then cells or ids turned into vectors of width D."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.masked import counts, zeroed
from bakeoff.types import Grid, Spec

SCALINGS = ("train", "example", "none")


class Scale(nn.Module):
    """Input scaling: by the training split's mean and deviation per channel, by each example's own, or not at all."""

    mean: Tensor
    gain: Tensor

    def __init__(self, spec: Spec, way: str) -> None:
        super().__init__()
        self.way = way
        channels = spec.channels or 0
        mean = torch.tensor(spec.mean or (0.0,) * channels, dtype=torch.float32)
        std = torch.tensor(spec.std or (1.0,) * channels, dtype=torch.float32)
        self.register_buffer("mean", mean, persistent=True)
        self.register_buffer("gain", 1.0 / torch.where(std > 1e-8, std, torch.ones_like(std)), persistent=True)

    def forward(self, grid: Grid) -> Grid:
        """(B, *S, C) of any number type → float32 of the same shape, zero where not valid."""
        x, valid = grid
        if x.dtype == torch.int64:
            return grid
        x = x.float()
        if self.way == "train":
            x = (x - self.mean) * self.gain
        elif self.way == "example":
            flat = x.flatten(1, -2)
            count = x.new_tensor(flat.shape[1]) if valid is None else counts(valid)[:, None].to(x.dtype)
            mean = flat.sum(1) / count                                       # x is zero where not valid
            power = (flat * flat).sum(1) / count - mean * mean
            shape = (-1, *(1,) * (x.dim() - 2), x.shape[-1])
            x = (x - mean.view(shape)) * torch.rsqrt(power.clamp(min=1e-8)).view(shape)
        else:
            return Grid(x, valid)
        return Grid(zeroed(x, valid), valid)


class Embed(nn.Module):
    """(B, *S, C) → (B, *S, D) by one linear map, or ids (B, *S) by a table; padding stays zero."""

    def __init__(self, channels: int | None, vocab: int | None, dim: int, dropout: float = 0.0, scale: float = 1.0) -> None:
        """scale: how large its weights begin, in multiples of what is common."""
        super().__init__()
        if channels is None:
            assert vocab is not None
            self.table: nn.Module = nn.Embedding(vocab, dim)
            nn.init.normal_(self.table.weight, std=0.5)
        else:
            self.table = nn.Linear(channels, dim)
        with torch.no_grad():
            for weight in self.table.parameters():
                weight.mul_(scale)
        self.drop = ChannelDrop(dropout)

    def forward(self, grid: Grid) -> Grid:
        x = self.table(grid.x)
        return Grid(zeroed(self.drop(x), grid.valid), grid.valid)
