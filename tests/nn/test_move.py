"""A picture and its boxes go the same way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bakeoff.nn.move import moved


@pytest.mark.parametrize(("zoom", "mirror"), [(True, False), (False, True), (True, True), (False, False)])
def test_a_bright_rectangle_stays_in_its_box(zoom: bool, mirror: bool) -> None:
    x = torch.zeros(24, 64, 48, 1, dtype=torch.uint8)
    x[:, 20:40, 14:30] = 255
    boxes = torch.tensor([14 / 48, 20 / 64, 30 / 48, 40 / 64]).expand(24, 1, 4)
    seen, placed, left = moved(x, boxes, zoom, mirror, torch.Generator().manual_seed(0))
    assert seen.shape == x.shape
    different = set()
    for picture, box, there in zip(seen[..., 0].numpy(), placed[:, 0].numpy(), left[:, 0].tolist(), strict=True):
        rows, columns = np.nonzero(picture > 127)
        if not there:
            continue
        found = columns.min() / 48, rows.min() / 64, (columns.max() + 1) / 48, (rows.max() + 1) / 64
        np.testing.assert_allclose(box, found, atol=1.2 / 48)
        different.add(tuple(np.round(box, 3).tolist()))
    assert len(different) == (1 if not zoom and not mirror else 2 if not zoom else int(left.sum()))


def test_a_box_that_leaves_the_picture_is_none_any_more() -> None:
    corner = torch.tensor([0.0, 0.0, 0.05, 0.05]).expand(64, 1, 4)
    _, placed, left = moved(torch.zeros(64, 16, 16, 1), corner, True, False, torch.Generator().manual_seed(0))
    assert 0 < int(left.sum()) < 64
    assert (placed[left][:, 2:] > placed[left][:, :2]).all()
