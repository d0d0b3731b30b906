"""The minimal GRU against its formula, one step at a time, in both directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.models.recurrent.mingru import MinGRU


@pytest.mark.parametrize("truncate", [0, 4])
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_the_memory_is_a_moving_mixture(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int, causal: bool) -> None:
    encoder = doubled(MinGRU(8, rank=1, sizes=(None,), causal=causal, truncate=truncate, depth=2))

    def remember(z: Tensor, new: Tensor) -> Tensor:
        h, outputs = torch.zeros_like(z[:, 0]), []
        for t in range(z.shape[1]):
            h = h.detach() if truncate and t % truncate == 0 else h
            h = (1 - z[:, t]) * h + z[:, t] * new[:, t]
            outputs.append(h)
        return torch.stack(outputs, 1)

    def by_hand(x: Tensor) -> Tensor:
        for layer in encoder.stack.layers:
            y = layer.norm(x)
            z, new = layer.gate(y).sigmoid(), layer.new(y)
            n = 8 if causal else 4                                           # numbers that are read forwards
            h = torch.cat([remember(z[..., :n], new[..., :n]), remember(z[..., n:].flip(1), new[..., n:].flip(1)).flip(1)], -1)
            x = x + layer.mix(h)
        return x

    assert_twins(encoder, by_hand, series)
