"""The long short-term memory against its formula, one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.models.recurrent.lstm import LSTM


@pytest.mark.parametrize("peepholes", [False, True], ids=["plain", "peepholes"])
@pytest.mark.parametrize("truncate", [0, 4])
def test_three_gates_guard_a_cell(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int, peepholes: bool) -> None:
    encoder = doubled(LSTM(8, rank=1, sizes=(None,), causal=True, truncate=truncate, peepholes=peepholes))
    (kernel,) = encoder.layers.kernels
    p_i, p_f, p_o = kernel.peep if peepholes else torch.zeros(3, 8, dtype=torch.double)

    def by_hand(x: Tensor) -> Tensor:
        h = c = torch.zeros(2, 8, dtype=x.dtype)
        outputs = []
        for t in range(x.shape[1]):
            if truncate and t % truncate == 0:
                h, c = h.detach(), c.detach()
            gates = x[:, t] @ kernel.weight_ih_l0.T + kernel.bias_ih_l0 + h @ kernel.weight_hh_l0.T
            enter, forget, new, leave = (gates if peepholes else gates + kernel.bias_hh_l0).chunk(4, -1)
            c = (forget + p_f * c).sigmoid() * c + (enter + p_i * c).sigmoid() * new.tanh()
            h = (leave + p_o * c).sigmoid() * c.tanh()
            outputs.append(h)
        return x + torch.stack(outputs, 1)

    assert_twins(encoder, by_hand, series)


@pytest.mark.parametrize("peepholes", [False, True], ids=["plain", "peepholes"])
def test_the_forget_gate_starts_open(peepholes: bool) -> None:
    kernel = LSTM(16, rank=1, sizes=(None,), causal=True, peepholes=peepholes).layers.kernels[0]
    assert kernel.bias_ih_l0[16:32].eq(1).all()
