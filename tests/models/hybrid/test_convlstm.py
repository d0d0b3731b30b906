"""The convolutional LSTM against its formula, one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.hybrid.convlstm import ConvLSTM


@pytest.mark.parametrize("truncate", [0, 2])
@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("shape", [(2, 5, 6), (2, 5, 3, 4)], ids=str)
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_gates_see_the_places_around(
        doubled: Callable, assert_twins: Callable, shape: tuple[int, ...], causal: bool, separable: bool, truncate: int) -> None:
    encoder = doubled(ConvLSTM(8, rank=len(shape) - 1, sizes=(None,) * (len(shape) - 1), causal=causal, separable=separable, truncate=truncate))
    (layer,) = encoder.layers
    convolve, flat = (F.conv1d, 2) if len(shape) == 3 else (F.conv2d, 0)

    def recalled(h: Tensor, way: int) -> Tensor:
        """Of one direction, (B, U, *R)."""
        for weight in layer.weights:
            own = weight.chunk(1 if causal else 2)[way]
            h = convolve(h, own.squeeze(flat) if flat else own, padding="same", groups=h.shape[1] // own.shape[1])
        return h

    def read(x: Tensor, way: int) -> Tensor:
        h = c = None
        outputs = []
        for t, cell in enumerate(x.unbind(1)):
            if h is not None and truncate and t % truncate == 0:
                h, c = h.detach(), c.detach()
            gates = layer.enters[way](cell).movedim(-1, 1)
            new, enter, forget, leave = (gates if h is None else gates + recalled(h, way)).chunk(4, 1)
            c = enter.sigmoid() * new.tanh() + (0 if c is None else forget.sigmoid() * c)
            h = leave.sigmoid() * c.tanh()
            outputs.append(h.movedim(1, -1))
        return torch.stack(outputs, 1)

    def by_hand(x: Tensor) -> Tensor:
        back = [] if causal else [read(x.flip(1), 1).flip(1)]
        return x + torch.cat([read(x, 0), *back], -1)

    assert_twins(encoder, by_hand, torch.randn(*shape, 8, dtype=torch.double))


def test_with_time_alone_it_is_an_lstm(doubled: Callable, assert_twins: Callable, series: Tensor) -> None:
    encoder = doubled(ConvLSTM(8, rank=1, sizes=(None,), causal=True))
    ((kernel,),) = (layer.kernels for layer in encoder.layers)
    assert_twins(encoder, lambda x: x + kernel(x.transpose(0, 1))[0].transpose(0, 1), series)


def test_the_forget_gates_start_open() -> None:
    for separable in (False, True):
        (layer,) = ConvLSTM(16, rank=2, sizes=(None,) * 2, separable=separable).layers
        for enter in layer.enters:
            assert (enter.mix if separable else enter).bias.tolist() == [0.0] * 16 + [1.0] * 8 + [0.0] * 8
