"""What is done about padding."""

from __future__ import annotations

import torch

from bakeoff.nn.masked import flip, pad_to_multiple, strided, zeroed


def test_each_example_is_reversed_by_its_own_length_and_padding_stays_behind() -> None:
    x = torch.tensor([[1.0, 2, 3, 0], [4, 0, 0, 0], [0, 0, 0, 0]])[..., None].requires_grad_()
    valid = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]).bool()
    once = flip(x, valid)
    assert once[..., 0].tolist() == [[3, 2, 1, 0], [4, 0, 0, 0], [0, 0, 0, 0]]
    assert torch.equal(flip(once, valid), x)
    assert torch.equal(flip(x.transpose(0, 1), valid, 0), once.transpose(0, 1))
    pull = torch.randn_like(once)
    (grad,) = torch.autograd.grad((once * pull).sum(), x)
    assert torch.equal(grad, flip(pull, valid))


def test_padding_is_set_to_zero_and_gives_no_gradient() -> None:
    x = torch.ones(1, 2, 3, requires_grad=True)
    out = zeroed(x, torch.tensor([[True, False]]))
    assert out.sum(-1).tolist() == [[3, 0]]
    (grad,) = torch.autograd.grad(out.sum(), x)
    assert grad.sum(-1).tolist() == [[3, 0]]


def test_a_mask_shrinks_with_the_axes() -> None:
    valid = torch.arange(7) < torch.tensor([7, 4, 3, 0])[:, None]
    assert strided(valid, (2,)).sum(1).tolist() == [4, 2, 2, 0]              # type: ignore[union-attr]
    assert strided(None, (2,)) is None


def test_cells_are_appended_up_to_a_multiple() -> None:
    x, valid = pad_to_multiple(torch.ones(1, 3, 4, 2), torch.ones(1, 3, 4, dtype=torch.bool), (4, 4))
    assert x.shape == (1, 4, 4, 2)
    assert valid is not None
    assert valid.sum() == 12
    assert pad_to_multiple(torch.ones(1, 3, 4, 2), None, (4, 4))[1] is None
    assert pad_to_multiple(torch.ones(1, 3, 4, 5, 2), None, (2, 1, 4))[0].shape == (1, 4, 4, 8, 2)
