"""The multilayer perceptron against torch's adaptive pooling and linear layers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.dense.mlp import MLP


def test_it_weighs_every_number_of_the_averaged_grid(doubled: Callable, assert_twins: Callable, picture: Tensor) -> None:
    encoder = doubled(MLP(8, rank=2, sizes=(None, None), cells=16, depth=2))
    assert encoder.grid == (4, 4)

    def twin(x: Tensor) -> Tensor:
        y = F.adaptive_avg_pool2d(x.movedim(-1, 1), (4, 4)).movedim(1, -1).flatten(1)
        for layer, norm in zip(encoder.layers, encoder.norms, strict=True):
            y = F.batch_norm(y @ layer.weight.T, None, None, norm.weight, norm.bias, training=True).relu()
        return y.view(len(x), 1, 1, -1)

    assert_twins(encoder, twin, picture.repeat(2, 1, 1, 1) + torch.arange(4)[:, None, None, None])


def test_the_grid_is_never_finer_than_the_data() -> None:
    assert MLP(8, rank=1, sizes=(24,), cells=32).grid == (24,)
    assert MLP(8, rank=2, sizes=(7, 28), cells=64).grid == (7, 8)
    assert MLP(8, rank=1, sizes=(1,), cells=64).grid == (1,)
    assert MLP(8, rank=1, sizes=(None,), cells=32).grid == (32,)
