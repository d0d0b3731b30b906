"""The linear recurrent unit against complex arithmetic, one step at a time, in both directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.recurrent.lru import LRU


@pytest.mark.parametrize("truncate", [0, 4])
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_complex_memories_shrink_and_turn(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int, causal: bool) -> None:
    encoder = doubled(LRU(8, rank=1, sizes=(None,), causal=causal, truncate=truncate, depth=2))

    def remember(turn: Tensor, pull: Tensor) -> Tensor:
        h, outputs = torch.zeros_like(pull[:, 0]), []
        for t in range(pull.shape[1]):
            h = turn * (h.detach() if truncate and t % truncate == 0 else h) + pull[:, t]
            outputs.append(h)
        return torch.stack(outputs, 1)

    def by_hand(x: Tensor) -> Tensor:
        for layer in encoder.stack.layers:
            u = layer.norm(x)
            y = layer.direct * u
            blocks = zip(layer.enter.weight.chunk(layer.ways), layer.leave.weight.chunk(layer.ways, 1), strict=True)
            for way, (enter, leave) in enumerate(blocks):
                turn = torch.exp(torch.complex(-layer.decay[way].exp(), layer.angle[way].exp()))
                inward, outward = torch.complex(*enter.chunk(2)), torch.complex(*leave.chunk(2, 1))
                pull = layer.gain[way].exp() * (u.to(inward.dtype) @ inward.T)
                h = remember(turn, pull.flip(1)).flip(1) if way else remember(turn, pull)
                y = y + (h @ outward.conj().T).real                          # Re(C h): the second part of C has its sign inside
            x = x + F.glu(layer.mix(F.gelu(y)), -1)
        return x

    assert_twins(encoder, by_hand, series)


def test_memories_start_on_a_ring_and_all_as_large() -> None:
    (layer,) = LRU(256, rank=1, sizes=(None,), causal=True, depth=1).stack.layers
    size = layer.turns().view(2, 128).norm(dim=0)
    assert size.min() > 0.4
    assert size.max() < 0.99
    torch.testing.assert_close(layer.gain.exp().squeeze(), (1 - size.square()).sqrt(), atol=1e-4, rtol=1e-4)
