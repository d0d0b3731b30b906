"""The Elman network against its formula, one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.models.recurrent.rnn import RNN


@pytest.mark.parametrize("unit", ["relu", "leaky_relu"])
@pytest.mark.parametrize("truncate", [0, 4])
def test_or_a_relu_of_them(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int, unit: str) -> None:
    encoder = doubled(RNN(8, rank=1, sizes=(None,), causal=True, truncate=truncate, unit=unit))
    (cell,) = encoder.layers.kernels

    def by_hand(x: Tensor) -> Tensor:
        h, outputs = torch.zeros(2, 8, dtype=x.dtype), []
        for t in range(x.shape[1]):
            h = h.detach() if truncate and t % truncate == 0 else h
            whole = x[:, t] @ cell.weight_ih_l0.T + cell.bias_ih_l0 + h @ cell.weight_hh_l0.T
            h = torch.where(whole > 0, whole, whole * (0.01 if unit == "leaky_relu" else 0.0))
            outputs.append(h)
        return x + torch.stack(outputs, 1)

    assert_twins(encoder, by_hand, series)


@pytest.mark.parametrize("truncate", [0, 4])
def test_it_is_a_tanh_of_the_cell_and_the_memory(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int) -> None:
    encoder = doubled(RNN(8, rank=1, sizes=(None,), causal=True, truncate=truncate))
    (kernel,) = encoder.layers.kernels

    def by_hand(x: Tensor) -> Tensor:
        h, outputs = torch.zeros(2, 8, dtype=x.dtype), []
        for t in range(x.shape[1]):
            h = h.detach() if truncate and t % truncate == 0 else h
            h = torch.tanh(x[:, t] @ kernel.weight_ih_l0.T + kernel.bias_ih_l0 + h @ kernel.weight_hh_l0.T + kernel.bias_hh_l0)
            outputs.append(h)
        return x + torch.stack(outputs, 1)

    assert_twins(encoder, by_hand, series)
