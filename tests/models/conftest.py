"""What the reference tests of families share: a comparison that takes the gradients along."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.nn.encoder import Encoder
from bakeoff.types import Grid

Function = Callable[[Tensor], Tensor]


@pytest.fixture
def doubled() -> Callable[[Encoder], Encoder]:
    """An encoder in double precision, its weights and running statistics away from their tidy start."""
    def shake(encoder: Encoder) -> Encoder:
        encoder = encoder.double()
        generator = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for tensor in encoder.state_dict().values():
                tensor += 0.1 * torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype)
        return encoder
    return shake


@pytest.fixture
def assert_twins() -> Callable[[Encoder, Function, Tensor], None]:
    """An encoder and a function of x give the same, and the same gradients to x and to every weight of the encoder."""
    def compare(encoder: Encoder, twin: Function, x: Tensor) -> None:
        x = x.clone().requires_grad_()
        one, other = encoder(Grid(x, None)).x, twin(x)
        torch.testing.assert_close(one, other)
        pull = torch.randn(one.shape, generator=torch.Generator().manual_seed(7), dtype=one.dtype)
        given = [x, *encoder.parameters()]
        mine, theirs = torch.autograd.grad((one * pull).sum(), given), torch.autograd.grad((other * pull).sum(), given)
        for a, b in zip(mine, theirs, strict=True):
            torch.testing.assert_close(a, b)
    return compare


@pytest.fixture
def series() -> Tensor:
    """(2, 9, 8) in double precision."""
    return torch.randn(2, 9, 8, generator=torch.Generator().manual_seed(1), dtype=torch.double)


@pytest.fixture
def picture() -> Tensor:
    """(2, 6, 5, 8) in double precision."""
    return torch.randn(2, 6, 5, 8, generator=torch.Generator().manual_seed(2), dtype=torch.double)
