"""Kim's text CNN against torch's convolutions and a maximum over time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bakeoff.models.conv.textcnn import TextCNN


@pytest.mark.parametrize("rank", [1, 2])
def test_only_the_strongest_response_counts(doubled: Callable, assert_twins: Callable, series: Tensor, picture: Tensor, rank: int) -> None:
    encoder = doubled(TextCNN(8, rank=rank, sizes=(None,) * rank))
    convolve = F.conv1d if rank == 1 else F.conv2d
    assert [conv.weight.shape[-1] for conv in encoder.convs] == ([3, 4, 5] if rank == 1 else [2, 3, 4])

    def twin(x: Tensor) -> Tensor:
        maps = []
        for conv in encoder.convs:
            before, after = (conv.weight.shape[-1] - 1) // 2, conv.weight.shape[-1] // 2
            maps.append(convolve(F.pad(x.movedim(-1, 1), (before, after) * rank), conv.weight, conv.bias).relu())
        strongest = torch.cat([one.flatten(2).amax(-1) for one in maps], -1)
        return encoder.mix(strongest).view(len(x), *(1,) * rank, -1)

    assert_twins(encoder, twin, series if rank == 1 else picture)
