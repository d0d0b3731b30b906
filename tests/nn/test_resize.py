"""Averaging to a fixed grid against torch's adaptive pooling."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from bakeoff.nn.resize import fixed_grid
from bakeoff.types import Grid


def test_without_padding_it_is_adaptive_average_pooling() -> None:
    x = torch.randn(2, 11, 7, 3, requires_grad=True)
    for sizes in [(4, 3), (11, 7), (5, 7), (16, 9)]:
        expected = F.adaptive_avg_pool2d(x.movedim(-1, 1), sizes).movedim(1, -1)
        torch.testing.assert_close(fixed_grid(Grid(x, None), sizes), expected)


def test_each_example_is_stretched_by_its_own_size() -> None:
    x, valid = torch.zeros(3, 9, 8, 2), torch.zeros(3, 9, 8, dtype=torch.bool)
    shapes = [(9, 5), (4, 8), (0, 0)]
    for number, (height, width) in enumerate(shapes):
        x[number, :height, :width] = torch.randn(height, width, 2)
        valid[number, :height, :width] = True
    out = fixed_grid(Grid(x, valid), (4, 4))
    for number, (height, width) in enumerate(shapes[:2]):
        alone = fixed_grid(Grid(x[number:number + 1, :height, :width], None), (4, 4))
        torch.testing.assert_close(out[number], alone[0])
    assert not out[2].any()


def test_an_axis_that_is_not_shrunk_is_left_alone() -> None:
    x = torch.randn(2, 6, 3)
    assert torch.equal(fixed_grid(Grid(x, None), (6,)), x)
