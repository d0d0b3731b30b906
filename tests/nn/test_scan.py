"""The hand-made loops against their naive twins, for which autograd does the work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.nn.scan import complex_scan, gru_scan, mgu_scan, mixing_scan, peephole_scan, relu_scan, tanh_scan


def stepwise(step: Callable[[int, Tensor], Tensor], state: Tensor, steps: int, truncate: int) -> Tensor:
    """The naive twin: one step at a time, the state cut from its history at every `truncate`-th."""
    outputs = []
    for t in range(steps):
        state = step(t, state.detach() if truncate and t % truncate == 0 else state)
        outputs.append(state)
    return torch.stack(outputs)


def naive_mixing(z: Tensor, new: Tensor, truncate: int) -> Tensor:
    return stepwise(lambda t, h: (1 - z[t]) * h + z[t] * new[t], torch.zeros_like(new[0]), len(new), truncate)


def naive_tanh(x: Tensor, weight: Tensor, truncate: int) -> Tensor:
    return stepwise(lambda t, h: (x[t] + h @ weight).tanh(), torch.zeros_like(x[0]), len(x), truncate)


def naive_complex(turn: Tensor, x: Tensor, truncate: int) -> Tensor:
    size = turn.shape[-1] // 2

    def step(t: int, h: Tensor) -> Tensor:
        re, im = h.split(size, -1)
        return torch.cat([turn[..., :size] * re - turn[..., size:] * im, turn[..., :size] * im + turn[..., size:] * re], -1) + x[t]

    return stepwise(step, torch.zeros_like(x[0]), len(x), truncate)


def naive_relu(x: Tensor, weight: Tensor, truncate: int) -> Tensor:
    return stepwise(lambda t, h: (x[t] + h @ weight).relu(), torch.zeros_like(x[0]), len(x), truncate)


def leaky_scan(x: Tensor, weight: Tensor, truncate: int) -> Tensor:
    return relu_scan(x, weight, truncate, 0.1)


def naive_leaky(x: Tensor, weight: Tensor, truncate: int) -> Tensor:
    return stepwise(lambda t, h: torch.nn.functional.leaky_relu(x[t] + h @ weight, 0.1), torch.zeros_like(x[0]), len(x), truncate)


def naive_mgu(x: Tensor, weight: Tensor, truncate: int) -> Tensor:
    units = weight.shape[1]

    def step(t: int, h: Tensor) -> Tensor:
        f = (x[t, ..., :units] + h @ weight[..., :units]).sigmoid()
        return (1 - f) * h + f * (x[t, ..., units:] + (f * h) @ weight[..., units:]).tanh()

    return stepwise(step, torch.zeros_like(x[0, ..., :units]), len(x), truncate)


def naive_peephole(x: Tensor, weight: Tensor, peep: Tensor, truncate: int) -> Tensor:
    p = peep[:, :, None]

    def step(t: int, both: Tensor) -> Tensor:
        h, c = both
        i, f, n, o = (x[t] + h @ weight).chunk(4, -1)
        c = (f + p[:, 1] * c).sigmoid() * c + (i + p[:, 0] * c).sigmoid() * n.tanh()
        return torch.stack([(o + p[:, 2] * c).sigmoid() * c.tanh(), c])

    return stepwise(step, torch.zeros(2, *x.shape[1:-1], weight.shape[1], dtype=x.dtype), len(x), truncate)[:, 0]


def naive_gru(x: Tensor, weight: Tensor, bias: Tensor, truncate: int) -> Tensor:
    units = bias.shape[-1]

    def step(t: int, h: Tensor) -> Tensor:
        own, recalled = x[t].split(units, -1), (h @ weight).split(units, -1)
        r, z = (own[0] + recalled[0]).sigmoid(), (own[1] + recalled[1]).sigmoid()
        return (1 - z) * (own[2] + r * (recalled[2] + bias[:, None])).tanh() + z * h

    return stepwise(step, torch.zeros(*x.shape[1:-1], units, dtype=x.dtype), len(x), truncate)


@pytest.mark.parametrize("steps", [1, 2, 7, 71])
@pytest.mark.parametrize("truncate", [0, 1, 3, 50])
@pytest.mark.parametrize(("fast", "naive", "shapes"), [
    (mixing_scan, naive_mixing, lambda t: [(t, 3, 5), (t, 3, 5)]),
    (complex_scan, naive_complex, lambda t: [(2, 6), (t, 3, 2, 6)]),
    (tanh_scan, naive_tanh, lambda t: [(t, 2, 3, 4), (2, 4, 4)]),
    (relu_scan, naive_relu, lambda t: [(t, 2, 3, 4), (2, 4, 4)]),
    (leaky_scan, naive_leaky, lambda t: [(t, 2, 3, 4), (2, 4, 4)]),
    (mgu_scan, naive_mgu, lambda t: [(t, 2, 3, 8), (2, 4, 8)]),
    (peephole_scan, naive_peephole, lambda t: [(t, 2, 3, 16), (2, 4, 16), (2, 3, 4)]),
    (gru_scan, naive_gru, lambda t: [(t, 2, 3, 12), (2, 4, 12), (2, 4)]),
], ids=["mixing", "complex", "tanh", "relu", "leaky", "mgu", "peephole", "gru"])
def test_the_loop_equals_its_naive_twin_gradients_included(
        fast: Callable[..., Tensor], naive: Callable[..., Tensor], shapes: Callable[[int], list[tuple[int, ...]]],
        steps: int, truncate: int) -> None:
    torch.manual_seed(0)
    given = [(0.4 * torch.randn(shape, dtype=torch.double)).requires_grad_() for shape in shapes(steps)]
    ours, twin = fast(*given, truncate), naive(*given, truncate)
    torch.testing.assert_close(ours, twin)
    pull = torch.randn_like(twin)
    mine = torch.autograd.grad((ours * pull).sum(), given)
    theirs = torch.autograd.grad((twin * pull).sum(), given, allow_unused=True, materialize_grads=True)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_what_is_given_is_left_as_it_was() -> None:
    x, weight, bias = torch.randn(5, 1, 2, 9), torch.randn(1, 3, 9), torch.randn(1, 3)
    copies = [part.clone() for part in (x, weight, bias)]
    gru_scan(x.requires_grad_(), weight, bias).sum().backward()
    tanh_scan(x[..., :3], weight[..., :3])
    for part, copy in zip((x, weight, bias), copies, strict=True):
        assert torch.equal(part.detach(), copy)
