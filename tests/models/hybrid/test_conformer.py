"""The conformer against torch's attention and convolution."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.hybrid.conformer import Conformer
from bakeoff.nn.position import angles


def turned(x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """(B, L, heads, 8), each pair of numbers as a complex one times e^(i·angle)."""
    angle = angles(sizes, 4, x.device)[:, None]
    pairs = torch.complex(x[..., :4], x[..., 4:]) * torch.complex(angle.cos(), angle.sin())
    return torch.cat([pairs.real, pairs.imag], -1)


@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
@pytest.mark.parametrize("sizes", [(9,), (4, 3), (3, 2, 4)], ids=["one axis", "two", "three"])
def test_blocks_feed_attend_convolve_and_feed(doubled: Callable, assert_twins: Callable, sizes: tuple[int, ...], causal: bool) -> None:
    rank = len(sizes)
    encoder = doubled(Conformer(16, rank=rank, sizes=sizes, causal=causal, depth=2, kernel=7, heads=2, activation="silu"))
    kernel = 7 if rank == 1 else 3
    before = [kernel - 1 if causal and axis == 0 else kernel // 2 for axis in range(rank)]
    edges = [edge for start in reversed(before) for edge in (start, kernel - 1 - start)]
    step = torch.arange(sizes[0]).repeat_interleave(torch.Size(sizes[1:]).numel())
    later = step > step[:, None]

    def twin(x: Tensor) -> Tensor:
        for block in encoder.blocks:
            attend, near = block.attend, block.near
            x = x + 0.5 * block.first(x)
            q, k, v = attend.ask(attend.norm(x)).flatten(1, -2).unflatten(-1, (3, 2, 8)).unbind(2)                   # (B, L, heads, 8)
            score = torch.einsum("blhd,bmhd->bhlm", turned(q, sizes), turned(k, sizes)) / 8 ** 0.5
            score = score.masked_fill(later, -torch.inf) if causal else score
            x = x + attend.mix(torch.einsum("bhlm,bmhd->blhd", score.softmax(-1), v).flatten(2)).view(x.shape)
            value, gate = near.gate(near.norm(x)).chunk(2, -1)
            y = F.pad((value * gate.sigmoid()).movedim(-1, 1), edges)
            y = (F.conv1d, F.conv2d, F.conv3d)[rank - 1](y, near.conv.weight, groups=16)
            y = F.batch_norm(y, None, None, near.level.weight, near.level.bias, training=True).movedim(1, -1)
            x = x + near.mix(F.silu(y))
            x = block.norm(x + 0.5 * block.second(x))
        return x

    assert_twins(encoder, twin, torch.randn(2, *sizes, 16, generator=torch.Generator().manual_seed(1), dtype=torch.double))
