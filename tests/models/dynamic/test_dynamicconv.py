"""Dynamic convolution against its weighted sum, cell by cell, padding included."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.dynamic.dynamicconv import DynamicConv
from bakeoff.types import Grid


def by_hand(encoder: DynamicConv, x: Tensor, causal: bool) -> Tensor:
    for layer, kernel in zip(encoder.layers, (3, 7), strict=True):
        y = F.glu(layer.ask(layer.norm(x)))
        score = layer.weigh(y).unflatten(-1, (2, kernel))
        heard = []
        for t in range(x.shape[1]):
            first = t - (kernel - 1 if causal else kernel // 2)
            cells = [i for i in range(first, first + kernel) if 0 <= i < x.shape[1]]
            weights = score[:, t, :, [i - first for i in cells]].softmax(-1)                             # (B, heads, cells)
            heard.append(torch.einsum("bhk,bkhr->bhr", weights, y[:, cells].unflatten(-1, (2, 8))).flatten(1))
        x = x + layer.mix(torch.stack(heard, 1))
        x = x + layer.feed(x)
    return encoder.norm(x)


@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_kernels_are_shares_of_the_cells_that_there_are(doubled: Callable, assert_twins: Callable, causal: bool) -> None:
    encoder = doubled(DynamicConv(16, rank=1, sizes=(None,), causal=causal, kernel=3, heads=2))
    x = torch.randn(2, 9, 16, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    assert_twins(encoder, lambda x: by_hand(encoder, x, causal), x)
    valid = torch.ones(2, 9, dtype=torch.bool)
    valid[1, 5:] = False
    padded = encoder(Grid(x * valid[..., None], valid)).x
    torch.testing.assert_close(padded[1:, :5], by_hand(encoder, x[1:, :5], causal))


def test_a_step_keeps_as_much_after_many_cells_as_after_one() -> None:
    encoder = DynamicConv(16, rank=1, sizes=(None,), causal=True, kernel=15, heads=2).eval()
    x, state = torch.randn(2, 40, 16), encoder.start(2)
    whole = encoder((x, None)).x
    for place, cell in enumerate(x.unbind(1)):
        y, state = encoder.step(cell, state)
        torch.testing.assert_close(y, whole[:, place], rtol=1e-4, atol=1e-5)
        assert [tuple(past.shape) for past, _ in state] == [(2, 14, 16)] * 2
