"""WaveNet's gated layers against torch's dilated convolutions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.wavenet import WaveNet
from bakeoff.types import Grid


@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_gated_layers_hand_on_a_residue_and_speak_to_the_end(doubled: Callable, assert_twins: Callable, series: Tensor, causal: bool) -> None:
    encoder = doubled(WaveNet(8, rank=1, sizes=(None,), causal=causal, depth=3, separable=False))

    def twin(x: Tensor) -> Tensor:
        x, heard = x.transpose(1, 2), 0
        for number, layer in enumerate(encoder.layers):
            reach = 2 * 2 ** number
            y = F.conv1d(F.pad(x, (reach, 0) if causal else (reach // 2, reach // 2)), layer.conv.weight, layer.conv.bias, dilation=2 ** number)
            z = y[:, :8].tanh() * y[:, 8:].sigmoid()
            heard = heard + F.conv1d(z, layer.skip.weight[..., None])
            x = x if layer.on is None else x + F.conv1d(z, layer.on.weight[..., None])
        return encoder.mix(heard.relu().transpose(1, 2)).relu()

    assert encoder.layers[-1].on is None
    assert_twins(encoder, twin, series)


@pytest.mark.parametrize(("depth", "kernel", "separable"), [(1, 3, True), (3, 2, False), (3, 3, True)])
def test_the_receptive_field_is_the_one_it_says(doubled: Callable, depth: int, kernel: int, separable: bool) -> None:
    encoder = doubled(WaveNet(8, rank=1, sizes=(None,), causal=True, depth=depth, kernel=kernel, separable=separable, activation="silu"))
    field = 1 + (kernel - 1) * (2 ** depth - 1)
    x = torch.randn(1, field + 6, 8, dtype=torch.double, requires_grad=True)
    (grad,) = torch.autograd.grad(encoder(Grid(x, None)).x[:, -1].sum(), x)
    seen = grad[0].abs().sum(-1) > 0
    assert seen.sum() == field
    assert seen[-field:].all()
