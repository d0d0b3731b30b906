"""The minimal gated unit against its formula, one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.models.recurrent.mgu import MGU


def by_hand(cell: torch.nn.Module, x: Tensor, truncate: int) -> Tensor:
    h, outputs = torch.zeros(len(x), cell.hidden_size, dtype=x.dtype), []
    own_f, own_n = (x @ cell.weight_ih_l0.T + cell.bias_ih_l0).chunk(2, -1)
    weight_f, weight_n = cell.weight_hh_l0.chunk(2)
    for t in range(x.shape[1]):
        h = h.detach() if truncate and t % truncate == 0 else h
        f = (own_f[:, t] + h @ weight_f.T).sigmoid()
        h = (1 - f) * h + f * (own_n[:, t] + (f * h) @ weight_n.T).tanh()
        outputs.append(h)
    return torch.stack(outputs, 1)


@pytest.mark.parametrize("truncate", [0, 4])
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_one_gate_forgets_and_resets(doubled: Callable, assert_twins: Callable, series: Tensor, truncate: int, causal: bool) -> None:
    encoder = doubled(MGU(8, rank=1, sizes=(None,), causal=causal, truncate=truncate, depth=2))
    cells = list(encoder.layers.kernels)

    def twin(x: Tensor) -> Tensor:
        for layer in range(2):
            if causal:
                x = x + by_hand(cells[layer], x, truncate)
            else:
                ahead, back = cells[2 * layer], cells[2 * layer + 1]
                x = x + torch.cat([by_hand(ahead, x, truncate), by_hand(back, x.flip(1), truncate).flip(1)], -1)
        return x

    assert_twins(encoder, twin, series)


def test_a_memory_starts_as_one_that_lasts() -> None:
    cell = MGU(16, rank=1, sizes=(None,), causal=True).layers.kernels[0]
    assert cell.bias_ih_l0[:16].eq(-1).all()
    torch.testing.assert_close(cell.weight_hh_l0[:16] @ cell.weight_hh_l0[:16].T, torch.eye(16), atol=1e-5, rtol=0)
