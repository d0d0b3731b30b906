"""The memory network against its formulas, a sum over words and a softmax over memories at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bakeoff.models.memory.memn2n import ROOM, MemN2N
from bakeoff.types import Grid

HOPS = 2


def summed(words: Tensor) -> Tensor:
    """(J, D) → Σⱼ 2 lⱼ ∘ xⱼ, number by number."""
    count, dim = words.shape
    return 2 * sum(words[j - 1] * torch.tensor([(1 - j / count) - k / dim * (1 - 2 * j / count) for k in range(1, dim + 1)], dtype=words.dtype)
               for j in range(1, count + 1))


def answer(encoder: MemN2N, rows: Tensor) -> Tensor:
    """One story (M, J, tables · D), the question first."""
    tables = rows.chunk(encoder.reads, -1)
    u = encoder.ask + summed(tables[2 if encoder.tying == "layerwise" else 0][0])
    for hop in range(HOPS):
        keys, values = [], []
        for age, row in enumerate(range(1, len(rows))):
            if encoder.tying == "key-value":                                 # a memory per word
                keys += [summed(tables[0][row]) + word + encoder.time[age, 0] for word in tables[1][row]]
                values += [word + encoder.time[age, 1] for word in tables[2][row]]
                continue
            first = hop if encoder.tying == "adjacent" else 0
            keys.append(summed(tables[first][row]) + encoder.time[age, first])
            values.append(summed(tables[first + 1][row]) + encoder.time[age, first + 1])
        scores = torch.stack(keys) @ u
        empty = ROOM - len(scores)                                           # what stands empty is zero, and may be looked at
        o = (torch.cat([scores, scores.new_zeros(empty)]).softmax(0)[:-empty] if encoder.plan else scores) @ torch.stack(values)
        match encoder.tying:
            case "adjacent":
                u = u + o
            case "layerwise":
                u = encoder.turns[0].weight @ u + o
            case "key-value":
                u = encoder.turns[hop].weight @ (u + o)
    return u


@pytest.mark.parametrize("linear", [False, True], ids=["softmax", "linear"])
@pytest.mark.parametrize("tying", ["adjacent", "layerwise", "key-value"])
def test_a_question_is_answered_from_memories(doubled: Callable, assert_twins: Callable, tying: str, linear: bool) -> None:
    encoder = doubled(MemN2N(6, rank=2, sizes=(None, None), hops=HOPS, tying=tying, noise=0.0))
    encoder.passed(0.0 if linear else 1.0)
    x = torch.randn(2, 4, 5, 6 * encoder.reads, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    assert_twins(encoder, lambda x: torch.stack([answer(encoder, rows) for rows in x])[:, None, None], x)


def test_softmax_is_put_in_by_plan_and_saved_with_the_weights() -> None:
    encoder = MemN2N(6, rank=1, sizes=(None,), linear=0.3)
    assert encoder.plan == 1, "as it is built it can answer"
    assert [(encoder.passed(share), bool(encoder.plan))[1] for share in (0.0, 0.29, 0.3, 1.0)] == [False, False, True, True]
    assert "plan" in encoder.state_dict()


def test_empty_memories_are_strewn_among_the_others_while_training() -> None:
    torch.manual_seed(0)
    encoder = MemN2N(6, rank=2, sizes=(None, None))
    place, known = torch.arange(20)[None], torch.arange(20) < torch.tensor([[20], [7]]).repeat(200, 1)
    ages, empty, there = encoder.strewn(place, known, len(known))
    for row in range(len(known)):
        taken = torch.cat([ages[row][known[row]], empty[row][there[row]]])
        assert sorted(taken.tolist()) == list(range(len(taken))), "each place in time is somebody's"
        assert (ages[row][known[row]].diff() > 0).all(), "their order stays"
    assert there.sum() / known.sum() == pytest.approx(0.1, abs=0.01)
    x = torch.randn(2, 9, 4, 6 * encoder.reads)
    assert not torch.equal(encoder.train()(Grid(x)).x, encoder(Grid(x)).x)
    assert torch.equal(encoder.eval()(Grid(x)).x, encoder(Grid(x)).x)
