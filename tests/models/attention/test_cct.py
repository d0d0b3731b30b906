"""The compact convolutional transformer against torch's convolution and its encoder layer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.attention.cct import CCT
from bakeoff.nn.position import sinusoids


@pytest.mark.parametrize("sizes", [(20,), (9, 8), (4, 8, 9)], ids=["one axis", "two", "three"])
def test_a_transformer_layer_reads_what_convolutions_saw(doubled: Callable, assert_twins: Callable, sizes: tuple[int, ...]) -> None:
    rank = len(sizes)
    encoder = doubled(CCT(16, rank=rank, sizes=sizes, heads=2, separable=False))
    stride = 2 if min(sizes) >= 8 else 1
    assert encoder.stride == (stride,) * rank
    (layer,), (norm,), (conv,) = encoder.body.layers, encoder.front.norms, encoder.front.convs
    ask, mix = layer.attend.ask, layer.attend.mix

    def twin(x: Tensor) -> Tensor:
        y = (F.conv1d, F.conv2d, F.conv3d)[rank - 1](x.movedim(-1, 1), conv.weight, stride=stride, padding=1)
        y = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True).relu().movedim(1, -1)
        shape = y.shape
        y = y.flatten(1, -2) + sinusoids(tuple(shape[1:-1]), 16, x.device).to(x.dtype)
        heard, _ = F.multi_head_attention_forward(
            *(layer.attend.norm(y).transpose(0, 1),) * 3, 16, 2, ask.weight, ask.bias, None, None, False, 0.0, mix.weight, mix.bias)
        y = y + heard.transpose(0, 1)
        return encoder.body.norm(y + layer.feed(y)).view(shape)

    assert_twins(encoder, twin, torch.randn(2, *sizes, 16, dtype=torch.double))


def test_every_cell_is_kept_where_the_task_wants_them() -> None:
    assert CCT(16, rank=2, sizes=(32, 32), convs=2).stride == (4, 4)
    assert CCT(16, rank=2, sizes=(32, 32), convs=2, full=True).stride == (1, 1)
    assert CCT(16, rank=2, sizes=(32, None), convs=2).stride == (1, 1)
