"""The dynamic filter network against its weighted sums, window by window."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.dynamic.dfn import DFN


@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
@pytest.mark.parametrize("each", ["cell", "example"])
@pytest.mark.parametrize("sizes", [(7,), (4, 5), (3, 2, 4)], ids=["one axis", "two", "three"])
def test_what_is_read_makes_the_filters(doubled: Callable, assert_twins: Callable, sizes: tuple[int, ...], each: str, causal: bool) -> None:
    rank = len(sizes)
    encoder = doubled(DFN(8, rank=rank, sizes=sizes, causal=causal, depth=2, kernel=3, each=each, heads=2))
    before = [2 if causal and axis == 0 else 1 for axis in range(rank)]
    edges = [0, 0, *(edge for start in reversed(before) for edge in (start, 2 - start))]

    def normed(norm: torch.nn.Module, y: Tensor) -> Tensor:
        return F.batch_norm(y.flatten(0, -2), None, None, norm.weight, norm.bias, training=True).view(y.shape)

    def twin(x: Tensor) -> Tensor:
        for block in encoder.blocks:
            y = F.pad(x, edges).movedim(-1, 1)
            y = (F.conv1d, F.conv2d, F.conv3d)[rank - 1](y, block.look.each.weight, groups=8).movedim(1, -1)
            y = normed(block.looked, block.look.mix(y)).relu()
            padded, filtered = F.pad(x, edges), torch.zeros_like(x)
            for cell in product(*map(range, sizes)):
                seen = y[(slice(None), *cell)]
                if each == "example":
                    seen = (y[:, :cell[0] + 1] if causal else y).flatten(1, -2).mean(1)
                filters = block.make(seen).unflatten(-1, (8 if each == "example" else 2, 1, -1))         # (B, groups, 1, taps)
                window = padded[(slice(None), *(slice(i, i + 3) for i in cell))].flatten(1, -2).transpose(1, 2)
                filtered[(slice(None), *cell)] = (window.unflatten(1, (filters.shape[1], -1)) * filters).sum(-1).flatten(1)
            x = x + block.mix(normed(block.norm, filtered).relu())
        return x

    assert_twins(encoder, twin, torch.randn(2, *sizes, 8, generator=torch.Generator().manual_seed(1), dtype=torch.double))


@pytest.mark.parametrize("each", ["cell", "example"])
def test_it_starts_by_giving_each_cell_back(each: str) -> None:
    (block,) = DFN(8, rank=2, sizes=(None, None), depth=1, each=each).blocks
    filters = block.filters(torch.zeros(1, 8))
    assert filters[..., 4].eq(1).all()
    assert filters.sum() == filters[..., 4].sum()
