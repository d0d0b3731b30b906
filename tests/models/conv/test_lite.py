"""LITE against torch's own layers, and its hand-made filters against the numbers they are to be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.lite import LITE, hand_made


@pytest.mark.parametrize("rank", [1, 2])
def test_learned_and_hand_made_filters_stand_side_by_side(
        doubled: Callable, assert_twins: Callable, series: Tensor, picture: Tensor, rank: int) -> None:
    encoder = doubled(LITE(8, rank=rank, sizes=(None,) * rank, longest=8))
    convolve = F.conv1d if rank == 1 else F.conv2d
    made = [row[row != 0] for row in hand_made(8 if rank == 1 else 4).double()]

    def looked(x: Tensor) -> Tensor:
        looks, seen = torch.einsum("oi,bi...->bo...", encoder.made.looks.weight, x), []
        for number, look in enumerate(looks.unbind(1)):
            axis, one = number // len(made), made[number % len(made)]
            shape, edges = [1] * rank, [0, 0] * rank
            shape[axis], at = len(one), 2 * (rank - 1 - axis)                # F.pad counts axes from the last
            edges[at:at + 2] = (len(one) - 1) // 2, len(one) // 2
            seen.append(convolve(F.pad(look[:, None], edges), one.view(1, 1, *shape)))
        return torch.cat(seen, 1)

    def twin(x: Tensor) -> Tensor:
        x = x.movedim(-1, 1)
        branches = [convolve(part, conv.weight, padding="same", groups=part.shape[1])
                    for part, conv in zip(x.split([2, 2, 4], 1), encoder.convs, strict=True)]
        x = F.batch_norm(torch.cat([*branches, looked(x)], 1), None, None, encoder.norm.weight, encoder.norm.bias, training=True).relu()
        for conv, norm, dilation in zip(encoder.stack.convs, encoder.stack.norms, (2, 4), strict=True):
            y = convolve(x, conv.each.weight, padding="same", dilation=dilation, groups=x.shape[1])
            y = torch.einsum("oi,bi...->bo...", conv.mix.weight, y)
            x = F.batch_norm(y, None, None, norm.weight, norm.bias, training=True).relu()
        return x.movedim(1, -1)

    assert torch.equal(encoder.made.each.weight.squeeze(1), hand_made(8 if rank == 1 else 4).double()), "they are not to be learned"
    assert_twins(encoder, twin, series if rank == 1 else picture)


def test_the_filters_are_the_papers() -> None:
    assert len(hand_made(64)) == 17
    rises, falls, *_, peak = (row[row != 0].tolist() for row in hand_made(8))
    assert rises == [-1, 1]
    assert falls == [1, -1]
    assert peak == [-0.25, -1, -1, -0.25, 0.5, 2, 2, 0.5, -0.25, -1, -1, -0.25]
    for row in hand_made(64):                                                # flat lines are not seen
        assert row.sum().abs() < 1e-5
