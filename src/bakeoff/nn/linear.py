"""Layers whose memory is a linear recurrence: a residual path around each, and both directions side by side in one scan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.masked import flip, zeroed
from bakeoff.nn.scan import mixing_scan


class Residual(nn.Module):
    """(B, T, D) → (B, T, D), zero where not valid: x ← x + layer(x) for each layer, which has `start` and `step` too."""

    def __init__(self, layers: Iterable[nn.Module], dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.drop = ChannelDrop(dropout)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        for layer in self.layers:
            x = x + zeroed(self.drop(layer(x, valid)), valid)
        return x

    def start(self, batch: int) -> list[Any]:
        layers: list[Any] = list(self.layers)
        return [layer.start(batch) for layer in layers]

    def step(self, x: Tensor, state: list[Any]) -> tuple[Tensor, list[Any]]:
        """(B, D) → (B, D), what `forward` gives next; of one direction only."""
        layers: list[Any] = list(self.layers)
        after = []
        for layer, memory in zip(layers, state, strict=True):
            new, memory = layer.step(x, memory)
            after.append(memory)
            x = x + self.drop(new)
        return x, after


class Mixture(nn.Module):
    """A layer of half forward, half backward memory (all forward when causal), normalised before and mixed after.

    Its memory moves towards what is new by a share z that only the cell decides, which a family gives in `share`:
    h ← (1 − z) ⊙ h + z ⊙ W_h x.
    """

    def __init__(self, dim: int, causal: bool, truncate: int) -> None:
        super().__init__()
        self.truncate, self.backwards = truncate, 0 if causal else dim // 2
        self.norm = nn.LayerNorm(dim)
        self.new, self.mix = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def share(self, x: Tensor) -> Tensor:
        """(…, D) → z (…, D), each from 0 to 1."""
        raise NotImplementedError

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        x = self.norm(x).transpose(0, 1).contiguous()                        # (T, B, D): a step is one piece of memory
        z, new = (turned(part, valid, self.backwards) for part in (self.share(x), self.new(x)))
        return self.mix(turned(mixing_scan(z, new, self.truncate), valid, self.backwards)).transpose(0, 1)

    def start(self, batch: int) -> Tensor:
        return self.mix.weight.new_zeros(batch, self.mix.in_features)

    def step(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(x)
        h = torch.lerp(h, self.new(x), self.share(x))
        return self.mix(h), h


def turned(x: Tensor, valid: Tensor | None, backwards: int, time: int = 0) -> Tensor:
    """x (T, B, C), or (B, T, C) for time=1, with its last `backwards` numbers in the other direction of time, by each example's own
    length."""
    if not backwards:
        return x
    ahead, back = x.split([x.shape[-1] - backwards, backwards], -1)
    return torch.cat([ahead, flip(back, valid, time)], -1)
