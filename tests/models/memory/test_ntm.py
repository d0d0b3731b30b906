"""The neural Turing machine against the paper's equations, one head and one quantity at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.models.memory.ntm import EMPTY, NTM
from bakeoff.types import Grid


def by_hand(encoder: NTM, x: Tensor) -> Tensor:
    """x (B, T, D) in double precision."""
    cell, outputs = encoder.cell, []
    heads, width, count = cell.heads, cell.slot, cell.slots
    memory = torch.full((len(x), count, width), EMPTY, dtype=x.dtype)
    h = c = torch.zeros(len(x), x.shape[-1], dtype=x.dtype)
    reads, places = cell.reading.tanh().expand(len(x), -1), [place.softmax(-1).expand(len(x), -1) for place in cell.place]
    for step in x.unbind(1):
        if cell.lstm:
            gates = step @ cell.own.weight.T + cell.own.bias + torch.cat([reads, h], -1) @ cell.back.weight.T
            i, f, g, o = gates.chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        else:
            h = (step @ cell.own.weight.T + cell.own.bias + reads @ cell.back.weight.T).tanh()
        k, e, a, strength, gate, sharp, shift = (h @ cell.ask.weight.T + cell.ask.bias).split(cell.parts, -1)
        for head in range(2 * heads):
            key = k[:, head * width:(head + 1) * width]
            content = (F.softplus(strength[:, head:head + 1]) * F.cosine_similarity(key[:, None], memory, dim=-1)).softmax(-1)
            g = gate[:, head:head + 1].sigmoid()
            w, s = g * content + (1 - g) * places[head], shift[:, 3 * head:3 * head + 3].softmax(-1)
            w = sum(s[:, j:j + 1] * w.roll(1 - j, -1) for j in range(3))
            w = w ** (1 + F.softplus(sharp[:, head:head + 1]))
            places[head] = w / w.sum(-1, keepdim=True)
        reads = torch.cat([(places[head][:, None] @ memory)[:, 0] for head in range(heads)], -1)
        kept, added = torch.ones_like(memory), torch.zeros_like(memory)
        for head in range(heads):
            part, w = slice(head * width, (head + 1) * width), places[heads + head][:, :, None]
            kept, added = kept * (1 - w * e[:, None, part].sigmoid()), added + w * a[:, None, part].tanh()
        memory = memory * kept + added
        outputs.append(torch.cat([h, reads], -1) @ cell.out.weight.T + cell.out.bias)
    return x + torch.stack(outputs, 1)


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_heads_read_and_write_by_content_and_place(doubled: Callable, assert_twins: Callable, series: Tensor, controller: str, heads: int,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakeoff.models.memory.ntm.SMALL", 1e-16)            # the paper has none
    encoder = doubled(NTM(8, rank=1, sizes=(None,), causal=True, controller=controller, heads=heads, slots=16, slot=8))
    assert_twins(encoder, lambda x: by_hand(encoder, x), series)


def test_gradients_end_where_they_are_cut() -> None:
    encoder, x = NTM(8, rank=1, sizes=(None,), truncate=4), torch.randn(1, 9, 8, requires_grad=True)
    (grad,) = torch.autograd.grad(encoder(Grid(x)).x[:, 7].sum(), x)
    assert not grad[:, :4].any()
    assert grad[:, 4:8].any(-1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_thousands_of_steps_stay_numbers(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    encoder = NTM(8, rank=1, sizes=(None,), heads=2, slots=16).to(dtype)
    with torch.no_grad():
        for weight in encoder.parameters():
            weight *= 8                                                      # gates, places and strengths at their ends
    x = 3 * torch.randn(2, 2000, 8, dtype=dtype)
    with torch.inference_mode():
        assert encoder(Grid(x)).x.isfinite().all()
    grads = torch.autograd.grad(encoder(Grid(x[:, :100])).x.square().mean(), list(encoder.parameters()))
    assert all(grad.isfinite().all() for grad in grads)


def test_heads_begin_at_the_first_row() -> None:
    """From one row there is a next; strewn over all of them, copies of twenty steps were not learnt in three thousand steps."""
    places = NTM(16, rank=1, sizes=(None,), slots=128).cell.place.softmax(-1)
    assert (places.argmax(-1) == 0).all()
    assert (places[:, 0] > 0.7).all()


def test_a_few_bits_are_copied() -> None:
    """Two vectors of three bits, then a mark, then said again: what the paper began with."""
    torch.manual_seed(0)
    encoder, embed, head = NTM(16, rank=1, sizes=(None,), causal=True, slots=16, slot=8), nn.Linear(4, 16), nn.Linear(16, 3)
    weights = [*encoder.parameters(), *embed.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-2)
    for _ in range(250):
        bits = (torch.rand(16, 2, 3) < 0.5).float()
        x = torch.zeros(16, 5, 4)
        x[:, :2, :3], x[:, 2, 3] = bits, 1
        loss = F.binary_cross_entropy_with_logits(head(encoder(Grid(embed(x))).x)[:, 3:], bits)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
    assert loss < 0.1
