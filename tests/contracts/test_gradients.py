"""Gradients of every family by small differences in double precision: what is written by hand or masked must be right to the last weight."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bakeoff.registry import every
from bakeoff.types import Grid

FAMILIES = every("family")
DIM, STEPS = 8, 5
VALID = torch.arange(STEPS) < torch.tensor([[5], [3], [0]])


CASES = [(name, causal) for name, family in FAMILIES.items() for causal in (False, True)[:1 + family.can_be_causal]]


@pytest.mark.parametrize(("name", "causal"), CASES, ids=[name + "-causal" * causal for name, causal in CASES])
def test_gradients_are_those_of_small_differences(name: str, causal: bool) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    encoder = FAMILIES[name](DIM, rank=1, sizes=(None,), causal=causal).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in encoder.parameters():
            weight += 0.1 * torch.rand(weight.shape, generator=generator, dtype=torch.double)
    x = torch.randn(len(VALID), STEPS, DIM * encoder.reads, generator=generator, dtype=torch.double, requires_grad=True)

    def given(x: Tensor, *_weights: Tensor) -> Tensor:                       # which are moved in place
        torch.manual_seed(1)                                                 # what is drawn in training is drawn alike
        return encoder(Grid(x * VALID[..., None], VALID)).x

    assert torch.autograd.gradcheck(given, (x, *encoder.parameters()), fast_mode=True)
