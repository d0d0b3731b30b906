"""The gated recurrent unit against its formula, one step at a time, in both directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bakeoff.models.recurrent.gru import GRU


def by_hand(kernel: nn.GRU, x: Tensor, truncate: int) -> Tensor:
    h, outputs = torch.zeros(len(x), kernel.hidden_size, dtype=x.dtype), []
    for t in range(x.shape[1]):
        h = h.detach() if truncate and t % truncate == 0 else h
        own = (x[:, t] @ kernel.weight_ih_l0.T + kernel.bias_ih_l0).chunk(3, -1)
        recalled = (h @ kernel.weight_hh_l0.T + kernel.bias_hh_l0).chunk(3, -1)
        r, z = (own[0] + recalled[0]).sigmoid(), (own[1] + recalled[1]).sigmoid()
        h = (1 - z) * (own[2] + r * recalled[2]).tanh() + z * h
        outputs.append(h)
    return torch.stack(outputs, 1)


@pytest.mark.parametrize("truncate", [0, 4])
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_two_gates_decide_what_is_kept(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int, causal: bool) -> None:
    encoder = doubled(GRU(8, rank=1, sizes=(None,), causal=causal, truncate=truncate, depth=2))
    kernels = list(encoder.layers.kernels)

    def twin(x: Tensor) -> Tensor:
        for layer in range(2):
            if causal:
                x = x + by_hand(kernels[layer], x, truncate)
            else:
                ahead, back = kernels[2 * layer], kernels[2 * layer + 1]
                x = x + torch.cat([by_hand(ahead, x, truncate), by_hand(back, x.flip(1), truncate).flip(1)], -1)
        return x

    assert_twins(encoder, twin, series)


def test_a_memory_starts_as_one_that_lasts() -> None:
    kernel = GRU(16, rank=1, sizes=(None,), causal=True).layers.kernels[0]
    assert kernel.bias_ih_l0[16:32].eq(1).all()                              # h ← (1 − z) ⊙ n + z ⊙ h
    torch.testing.assert_close(kernel.weight_hh_l0[:16] @ kernel.weight_hh_l0[:16].T, torch.eye(16), atol=1e-5, rtol=0)
