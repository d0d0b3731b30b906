"""The long short-term memory against its formula, one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.models.recurrent.lstm import LSTM


@pytest.mark.parametrize("truncate", [0, 4])
def test_three_gates_guard_a_cell(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int) -> None:
    encoder = doubled(LSTM(8, rank=1, sizes=(None,), causal=True, truncate=truncate))
    (kernel,) = encoder.layers.kernels

    def by_hand(x: Tensor) -> Tensor:
        h = c = torch.zeros(2, 8, dtype=x.dtype)
        outputs = []
        for t in range(x.shape[1]):
            if truncate and t % truncate == 0:
                h, c = h.detach(), c.detach()
            gates = x[:, t] @ kernel.weight_ih_l0.T + kernel.bias_ih_l0 + h @ kernel.weight_hh_l0.T + kernel.bias_hh_l0
            enter, forget, new, leave = gates.chunk(4, -1)
            c = forget.sigmoid() * c + enter.sigmoid() * new.tanh()
            h = leave.sigmoid() * c.tanh()
            outputs.append(h)
        return x + torch.stack(outputs, 1)

    assert_twins(encoder, by_hand, series)


def test_the_forget_gate_starts_open() -> None:
    kernel = LSTM(16, rank=1, sizes=(None,), causal=True).layers.kernels[0]
    assert (kernel.bias_ih_l0 + kernel.bias_hh_l0)[16:32].eq(1).all()
