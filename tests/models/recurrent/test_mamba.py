"""The selective memory against its formula, one step at a time, in both directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.models.recurrent.mamba import Mamba


def by_hand(layer: nn.Module, way: int, u: Tensor, asked: Tensor, pace: Tensor, truncate: int) -> Tensor:
    """One direction of a layer: u (B, T, E) of its channels, what each cell asks (B, T, 2 N) and its pace (B, T, heads), as it reads them."""
    size, kernel = u.shape[-1], layer.conv.weight.shape[-1]
    own = slice(way * size, (way + 1) * size)
    u = F.conv1d(F.pad(u.transpose(1, 2), (kernel - 1, 0)), layer.conv.weight[own], groups=size).transpose(1, 2)
    u = u * u.sigmoid()
    delta, a = F.softplus(pace).repeat_interleave(layer.head, -1), -layer.decay[way].exp().repeat_interleave(layer.head)     # (…, E)
    b, c = asked.chunk(2, -1)
    h, outputs = torch.zeros(len(u), b.shape[-1], size, dtype=u.dtype), []
    for t in range(u.shape[1]):
        h = h.detach() if truncate and t % truncate == 0 else h
        h = (delta[:, t, None] * a).exp() * h + torch.einsum("be,bn->bne", delta[:, t] * u[:, t], b[:, t])
        outputs.append(torch.einsum("bn,bne->be", c[:, t], h) + layer.direct[own] * u[:, t])
    return torch.stack(outputs, 1)


@pytest.mark.parametrize("truncate", [0, 4])
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_cells_say_what_is_kept(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int, causal: bool) -> None:
    encoder = doubled(Mamba(8, rank=1, sizes=(None,), causal=causal, truncate=truncate, depth=2))

    def twin(x: Tensor) -> Tensor:
        for layer in encoder.stack.layers:
            u, gate, *said = layer.enter(layer.norm(x)).split(layer.parts, -1)
            (ahead, *back) = zip(*(part.chunk(layer.ways, -1) for part in (u, *said)), strict=True)
            y = torch.cat([by_hand(layer, 0, *ahead, truncate),
                           *(by_hand(layer, 1, *(part.flip(1) for part in one), truncate).flip(1) for one in back)], -1)
            x = x + layer.leave(y * gate * gate.sigmoid())
        return x

    assert_twins(encoder, twin, series)


def test_memories_start_as_lasting_from_ten_to_a_thousand_cells() -> None:
    (layer,) = Mamba(64, rank=1, sizes=(None,), causal=True, depth=1).stack.layers
    pace = F.softplus(layer.enter.bias[-layer.parts[-1]:])
    torch.testing.assert_close(pace, torch.tensor([0.001, 0.00464159, 0.0215443, 0.1]))
    assert layer.decay.eq(0).all()
