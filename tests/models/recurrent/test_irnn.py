"""The identity network against torch's ReLU recurrence, and what its start and its bound are for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.models.recurrent.irnn import IRNN
from bakeoff.types import Grid


@pytest.mark.parametrize("truncate", [0, 4])
def test_it_is_a_relu_of_the_cell_and_the_memory(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int) -> None:
    encoder = doubled(IRNN(8, rank=1, sizes=(None,), causal=True, truncate=truncate))
    (cell,) = encoder.layers.kernels

    def by_hand(x: Tensor) -> Tensor:
        h, outputs = torch.zeros(2, 8, dtype=x.dtype), []
        for t in range(x.shape[1]):
            h = h.detach() if truncate and t % truncate == 0 else h
            h = torch.relu(x[:, t] @ cell.weight_ih_l0.T + cell.bias_ih_l0 + h @ cell.weight_hh_l0.T)
            outputs.append(h)
        return x + torch.stack(outputs, 1)

    assert_twins(encoder, by_hand, series)


def test_a_new_memory_keeps_what_it_holds_and_passes_gradients_whole() -> None:
    encoder = IRNN(16, rank=1, sizes=(None,), causal=True)
    x = torch.zeros(1, 1000, 16)
    x[:, 0] = torch.randn(16, generator=torch.Generator().manual_seed(1))
    x.requires_grad_()
    h = encoder(Grid(x, None)).x - x
    torch.testing.assert_close(h[:, 0], h[:, -1])
    one, other = (torch.autograd.grad(h[:, t].sum(), x, retain_graph=True)[0][:, 0] for t in (0, 999))
    assert one.any()
    assert torch.equal(one, other)


def test_a_memory_that_grows_exponentially_stays_a_number() -> None:
    encoder = IRNN(16, rank=1, sizes=(None,), causal=True)
    with torch.no_grad():
        encoder.layers.kernels[0].weight_hh_l0 += 0.1
    x = torch.randn(2, 4096, 16, requires_grad=True)
    out = encoder(Grid(x, None)).x
    out.square().mean().backward()
    assert out.isfinite().all()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert all(weight.grad.isfinite().all() for weight in encoder.parameters())
