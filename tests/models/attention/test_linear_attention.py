"""Linear attention against its weights written out, cell by cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.attention import linear_attention
from bakeoff.models.attention.linear_attention import LinearAttention
from bakeoff.nn.position import sinusoids


@pytest.mark.parametrize("chunk", [2, 4, 100])
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
@pytest.mark.parametrize("sizes", [(9,), (4, 3), (3, 2, 2)], ids=["one axis", "two", "three"])
def test_weights_are_products_of_features(doubled: Callable, assert_twins: Callable, monkeypatch: pytest.MonkeyPatch,
                                          sizes: tuple[int, ...], causal: bool, chunk: int) -> None:
    monkeypatch.setattr(linear_attention, "CHUNK", chunk)
    encoder = doubled(LinearAttention(16, rank=len(sizes), sizes=sizes, causal=causal, depth=2, heads=2))

    def twin(x: Tensor) -> Tensor:
        y = x.flatten(1, -2) + sinusoids(sizes, 16, x.device).to(x.dtype)
        each = y.shape[1] // sizes[0]
        for layer in encoder.layers:
            q, k, v = layer.attend.ask(layer.attend.norm(y)).unflatten(-1, (3, 2, 8)).unbind(2)          # (B, L, heads, 8)
            heard = []
            for i in range(y.shape[1]):
                last = (i // each + 1) * each if causal else y.shape[1]
                similar = ((F.elu(q[:, i:i + 1]) + 1) * (F.elu(k[:, :last]) + 1)).sum(-1, keepdim=True)
                heard.append(((similar * v[:, :last]).sum(1) / similar.sum(1)).flatten(1))
            y = y + layer.attend.mix(torch.stack(heard, 1))
            y = y + layer.feed(y)
        return encoder.norm(y).view(x.shape)

    assert_twins(encoder, twin, torch.randn(2, *sizes, 16, generator=torch.Generator().manual_seed(1), dtype=torch.double))


def test_a_step_keeps_as_much_after_many_cells_as_after_one() -> None:
    encoder = LinearAttention(16, rank=1, sizes=(None,), causal=True, depth=2).eval()
    x, state = torch.randn(2, 100, 16), encoder.start(2)
    whole = encoder((x, None)).x
    for place, cell in enumerate(x.unbind(1)):
        y, state = encoder.step(cell, state)
        torch.testing.assert_close(y, whole[:, place], rtol=1e-4, atol=1e-4)
        assert [tuple(total.shape) for total in state[1]] == [(2, 2, 8, 9)] * 2
