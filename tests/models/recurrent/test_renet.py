"""Row and column sweeps against torch's GRU on every line by itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bakeoff.models.recurrent.gru import GRU
from bakeoff.models.recurrent.renet import ReNet
from bakeoff.types import Grid


def swept(kernels: nn.ModuleList, line: Tensor) -> Tensor:
    """(1, T, D) with what is read of it both ways."""
    ahead, back = kernels
    steps = line.transpose(0, 1)
    return line + torch.cat([ahead(steps)[0], back(steps.flip(0))[0].flip(0)], -1).transpose(0, 1)


def test_columns_are_read_down_and_up_then_rows_across(doubled: Callable, assert_twins: Callable, picture: Tensor) -> None:
    encoder = doubled(ReNet(8, rank=2, sizes=(None, None)))
    down, across = encoder.sweeps

    def by_hand(x: Tensor) -> Tensor:                                        # (B, H, W, D)
        x = torch.cat([torch.stack([swept(down.kernels, one[None, :, w])[0] for w in range(x.shape[2])], 1)[None] for one in x])
        return torch.cat([torch.stack([swept(across.kernels, one[None, h])[0] for h in range(x.shape[1])])[None] for one in x])

    assert_twins(encoder, by_hand, picture)


def test_each_line_is_read_by_its_own_length(doubled: Callable, picture: Tensor) -> None:
    encoder = doubled(ReNet(8, rank=2, sizes=(None, None), unit="lstm", depth=2))
    valid = torch.zeros(2, 6, 5, dtype=torch.bool)
    valid[0, :4, :3] = valid[1] = True
    together = encoder(Grid(picture * valid[..., None], valid)).x
    torch.testing.assert_close(together[:1, :4, :3], encoder(Grid(picture[:1, :4, :3], None)).x)
    torch.testing.assert_close(together[1:], encoder(Grid(picture[1:], None)).x)
    assert not together[0, 4:].any()
    assert not together[0, :, 3:].any()


def test_on_one_axis_it_is_the_gated_recurrent_unit(doubled: Callable, series: Tensor) -> None:
    encoder, other = doubled(ReNet(8, rank=1, sizes=(None,))), doubled(GRU(8, rank=1, sizes=(None,)))
    other.load_state_dict({name.replace("sweeps.0", "layers"): weight for name, weight in encoder.state_dict().items()})
    torch.testing.assert_close(encoder(Grid(series, None)).x, other(Grid(series, None)).x)
