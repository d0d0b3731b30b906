"""Dynamic routing against the paper's procedure, every vote written down, and the margin loss against its formula."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.models.capsule.capsnet import DRAWN, LAST, CapsNet, Routed, squashed
from bakeoff.nn.encoder import Aim
from bakeoff.nn.masked import zeroed
from bakeoff.types import Grid

CLASSES = 3


def squash(s: Tensor) -> Tensor:
    power = s.square().sum(-1, keepdim=True)
    return power / (1 + power) * s / power.sqrt()


def routed(read_out: Routed, x: Tensor) -> Tensor:
    """x (H, W, D) of one example, regions 4 × 4 or fewer of equal cells → v (K, 16)."""
    high, wide = x.shape[:2]
    rows, columns = read_out.regions
    votes = []
    for i in range(high):
        for j in range(wide):
            region = i // (high // rows) * columns + j // (wide // columns)
            for kind, u in enumerate(x[i, j].chunk(read_out.kinds)):
                place = torch.tensor([(i + 0.5) / high - 0.5, (j + 0.5) / wide - 0.5], dtype=x.dtype)
                posed = torch.cat([u, u.square().sum() * place])
                votes.append(torch.einsum("p,kpe->ke", posed, read_out.gain * read_out.vote[region * read_out.kinds + kind]))
    said, b = torch.stack(votes), torch.zeros(len(votes), CLASSES, dtype=x.dtype)
    share = CLASSES * (rows * columns) ** 0.5 / (high * wide * read_out.kinds ** 0.5)
    v = said[0]
    for _ in range(read_out.rounds):
        v = squash((b.detach().softmax(1)[..., None] * said).sum(0) * share)     # the shares are taken as given
        b = b + (said * v).sum(-1)
    return v


@pytest.fixture
def capsules(doubled: Callable) -> tuple[CapsNet, Routed]:
    torch.manual_seed(0)
    encoder = CapsNet(16, rank=2, sizes=(8, 4))
    encoder.read_channels = 2
    return doubled(encoder), doubled(encoder.read_out(CLASSES))


def test_votes_that_agree_gain_weight(capsules: tuple[CapsNet, Routed]) -> None:
    read_out = capsules[1]
    x = squashed(torch.randn(2, 8, 4, 2, 8, dtype=torch.double)).flatten(-2).requires_grad_()
    mine, theirs = read_out.capsules(Grid(x)), torch.stack([routed(read_out, one) for one in x])
    torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-5)
    pull = torch.randn_like(mine)
    given = [x, read_out.vote]
    for one, other in zip(torch.autograd.grad((mine * pull).sum(), given), torch.autograd.grad((theirs * pull).sum(), given), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_votes_are_learnt_as_fast_as_other_weights(capsules: tuple[CapsNet, Routed]) -> None:
    read_out, ordinary = capsules[1], capsules[0].primary.mix.weight
    spread = read_out.vote.std() * (read_out.vote.numel() / CLASSES / LAST) ** 0.5
    assert 0.5 < spread < 2, "large weights are turned slowly by steps of one size"
    assert 0.3 < spread / (ordinary.std() * ordinary.shape[1] ** 0.5) < 3


def test_padding_has_no_vote(capsules: tuple[CapsNet, Routed]) -> None:
    torch.manual_seed(0)
    read_out = CapsNet(16, rank=2, sizes=(None, None)).read_out(CLASSES)
    x, valid = torch.randn(2, 6, 5, 16), torch.zeros(2, 6, 5, dtype=torch.bool)
    valid[0, :4, :3] = True
    out = read_out(Grid(zeroed(x, valid), valid))
    torch.testing.assert_close(out[:1], read_out(Grid(x[:1, :4, :3])))
    assert out[1].isfinite().all(), "nor has an empty example"


def test_the_loss_is_margins_and_a_drawing(capsules: tuple[CapsNet, Routed]) -> None:
    encoder, read_out = capsules
    assert read_out.draw is not None
    given, shares = Grid(torch.randn(2, 8, 4, 2, dtype=torch.double)), torch.eye(CLASSES, dtype=torch.double)[[2, 0]]
    weights = torch.tensor([[1.0, 1, 1], [3, 3, 3]], dtype=torch.double)
    grid = encoder(Grid(torch.randn(2, 8, 4, 16, dtype=torch.double)))
    loss = read_out.loss(grid, given, Aim(lambda out: out, shares, weights)).detach()
    v = read_out.capsules(grid).detach()
    for row, right in enumerate((2, 0)):
        margin = sum(max(0, 0.9 - float(v[row, k].norm())) ** 2 if k == right else 0.5 * max(0, float(v[row, k].norm()) - 0.1) ** 2
                     for k in range(CLASSES))
        seen = torch.zeros_like(v[row])
        seen[right] = v[row, right]
        missed = (read_out.draw(seen.flatten()) - given.x[row].flatten()).square().mean()
        assert float(loss[row]) == pytest.approx(float(weights[row, 0]) * margin + DRAWN * missed.item(), rel=1e-4)


def test_lengths_stay_numbers_in_half_precision() -> None:
    for size in (0.0, 1e-20, 1e4):
        s = torch.full((8,), size, dtype=torch.bfloat16, requires_grad=True)
        squashed(s).sum().backward()
        assert s.grad is not None
        assert s.grad.isfinite().all()
        assert squashed(s).float().norm() <= 1.01
