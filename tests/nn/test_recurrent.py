"""Both directions of a recurrence against torch's modules, example by example."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from bakeoff.nn.recurrent import WIDE, Recurrent, read, run

KERNELS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("truncate", [0, 2])
def test_each_example_is_read_forwards_and_backwards_by_its_own_length(name: str, truncate: int) -> None:
    torch.manual_seed(0)
    kernels = [KERNELS[name](4, 3).double() for _way in range(2)]
    x = torch.randn(5, 3, 4, dtype=torch.double, requires_grad=True)         # (T, B, C)
    sizes = [5, 3, 1]
    valid = torch.arange(5) < torch.tensor(sizes)[:, None]
    ours = read(kernels, x, valid, truncate)

    def alone(example: int) -> Tensor:
        own = x[:sizes[example], example:example + 1]
        return torch.cat([run(kernels[0], own, truncate), run(kernels[1], own.flip(0), truncate).flip(0)], -1)

    weights = [x, *kernels[0].parameters(), *kernels[1].parameters()]
    twins = [alone(example) for example in range(3)]
    pull = torch.randn(5, 3, 6, dtype=torch.double)
    mine, theirs = torch.zeros((), dtype=torch.double), torch.zeros((), dtype=torch.double)
    for example, twin in enumerate(twins):
        torch.testing.assert_close(ours[:sizes[example], example], twin[:, 0])
        mine = mine + (ours[:sizes[example], example] * pull[:sizes[example], example]).sum()
        theirs = theirs + (twin[:, 0] * pull[:sizes[example], example]).sum()
    for one, other in zip(torch.autograd.grad(mine, weights), torch.autograd.grad(theirs, weights), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", KERNELS)
def test_one_direction_is_torchs_own_module(name: str) -> None:
    kernel = KERNELS[name](4, 3).double()
    x = torch.randn(6, 2, 4, dtype=torch.double)
    torch.testing.assert_close(read([kernel], x, None), kernel(x)[0])


@pytest.mark.parametrize("name", KERNELS)
def test_many_examples_side_by_side_are_read_like_few(name: str) -> None:
    kernels = [KERNELS[name](4, 3).double() for _way in range(2)]
    x = torch.randn(5, WIDE, 4, dtype=torch.double)
    valid = torch.arange(5) < torch.randint(1, 6, (WIDE, 1))
    many, few = read(kernels, x, valid), torch.cat([read(kernels, part, mask) for part, mask in zip(x.split(7, 1), valid.split(7), strict=True)], 1)
    torch.testing.assert_close(many[valid.T], few[valid.T])


@pytest.mark.parametrize("name", KERNELS)
def test_truncation_cuts_the_gradient_and_keeps_the_value(name: str) -> None:
    def build(truncate: int) -> Recurrent:
        torch.manual_seed(1)
        return Recurrent(partial(_plain, KERNELS[name]), 4, 1, causal=True, truncate=truncate)

    x = torch.randn(1, 8, 4, requires_grad=True)
    whole, cut = build(0)(x, None), build(4)(x, None)
    torch.testing.assert_close(whole, cut)
    (through,) = torch.autograd.grad(whole[:, 7].sum(), x)
    (short,) = torch.autograd.grad(cut[:, 7].sum(), x)
    assert through[:, :4].any()
    assert not short[:, :4].any()
    torch.testing.assert_close(through[:, 4:], short[:, 4:])


def _plain(module: Callable[[int, int], nn.RNNBase], inputs: int, units: int) -> nn.RNNBase:
    return module(inputs, units)
