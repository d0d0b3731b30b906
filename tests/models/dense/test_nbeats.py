"""N-BEATS against its equations with torch's functions, and what it owes to windows of any length."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.dense.nbeats import MOST, NBeats
from bakeoff.types import Grid


def test_blocks_take_away_what_they_explain_and_add_up_their_answers(doubled: Callable, assert_twins: Callable, series: Tensor) -> None:
    encoder = doubled(NBeats(8, rank=1, sizes=(9,), depth=3, layers=2, hidden=2, channels=2))

    def twin(x: Tensor) -> Tensor:
        left, answer = (x @ encoder.few.weight.T).reshape(len(x), 18), torch.zeros(len(x), 8, dtype=x.dtype)
        for block in encoder.blocks:
            h = left
            for layer, norm in zip(block.layers, block.norms, strict=True):
                h = F.batch_norm(h @ layer.weight.T, None, None, norm.weight, norm.bias, training=True).relu()
            answer = answer + h @ block.forecast.weight.T + block.forecast.bias
            if block.backcast is not None:
                left = left - (h @ block.backcast.weight.T + block.backcast.bias)
        return answer[:, None]

    assert_twins(encoder, twin, torch.cat([series, series.flip(1) ** 2]))


def test_every_weight_has_a_use_for_the_last_block_explains_nothing() -> None:
    encoder = NBeats(8, rank=1, sizes=(9,), depth=3)
    assert [block.backcast is None for block in encoder.blocks] == [False, False, True]


def test_long_windows_and_those_of_unknown_length_are_averaged_to_a_fixed_one() -> None:
    assert NBeats(8, rank=1, sizes=(96,)).grid == (96,)
    assert NBeats(8, rank=1, sizes=(5000,)).grid == NBeats(8, rank=1, sizes=(None,)).grid == (MOST[1],)
    assert NBeats(8, rank=2, sizes=(28, 5)).grid == (24, 5)


def test_an_example_without_cells_gives_zeros() -> None:
    encoder = NBeats(8, rank=1, sizes=(None,)).eval()
    valid = torch.tensor([[True, True], [False, False]])
    out = encoder(Grid(torch.randn(2, 2, 8) * valid[..., None], valid))
    assert out.x[0].any()
    assert not out.x[1].any()
