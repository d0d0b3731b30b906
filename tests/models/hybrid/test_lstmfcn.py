"""LSTM-FCN against torch's own LSTM and convolutions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.hybrid.lstmfcn import LSTMFCN


@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_an_lstm_reads_beside_three_convolutions(doubled: Callable, assert_twins: Callable, series: Tensor, causal: bool) -> None:
    encoder = doubled(LSTMFCN(8, rank=1, sizes=(None,), causal=causal, separable=False))
    assert [conv.weight.shape[-1] for conv in encoder.convs.convs] == [9, 5, 3]

    def twin(x: Tensor) -> Tensor:
        y = x.transpose(1, 2)
        for conv, norm in zip(encoder.convs.convs, encoder.convs.norms, strict=True):
            reach = conv.weight.shape[-1] - 1
            y = F.conv1d(F.pad(y, (reach, 0) if causal else (reach // 2, reach // 2)), conv.weight)
            y = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True).relu()
        steps, (ahead, *back) = x.transpose(0, 1), encoder.reader.kernels
        read = torch.cat([ahead(steps)[0], *(one(steps.flip(0))[0].flip(0) for one in back)], -1).transpose(0, 1)
        return torch.cat([y.transpose(1, 2), x + read], -1) @ encoder.mix.weight.T

    assert_twins(encoder, twin, series)
