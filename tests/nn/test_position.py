"""Positions on any number of axes."""

from __future__ import annotations

import pytest
import torch

from bakeoff.nn.position import angles, rotated, sinusoids

CPU = torch.device("cpu")


@pytest.mark.parametrize("sizes", [(9,), (4, 3), (3, 2, 4)])
def test_rotated_products_depend_on_the_distance_alone(sizes: tuple[int, ...]) -> None:
    angle = angles(sizes, 6, CPU).double()
    turn = angle.cos(), angle.sin()
    q, k = torch.randn(12, dtype=torch.double), torch.randn(12, dtype=torch.double)
    scores = (rotated(q.expand(len(angle), 12), *turn) @ rotated(k.expand(len(angle), 12), *turn).T)
    places = torch.cartesian_prod(*(torch.arange(size) for size in sizes)).view(len(angle), -1)
    seen: dict[tuple[int, ...], float] = {}
    for i in range(len(angle)):
        for j in range(len(angle)):
            step = tuple((places[i] - places[j]).tolist())
            assert seen.setdefault(step, scores[i, j].item()) == pytest.approx(scores[i, j].item(), rel=1e-4, abs=1e-5)


def test_every_axis_has_its_share_of_the_angles() -> None:
    for axis in range(3):
        moved = angles((2, 2, 2), 4, CPU).view(2, 2, 2, 4)
        assert (moved.select(axis, 1) - moved.select(axis, 0)).any()


def test_sinusoids_are_those_of_the_paper_in_another_order() -> None:
    table = sinusoids((5,), 8, CPU)
    rate = 1e4 ** (-2 * torch.arange(4) / 8)
    torch.testing.assert_close(table, torch.cat([(torch.arange(5)[:, None] * rate).sin(), (torch.arange(5)[:, None] * rate).cos()], -1))
