"""Half a million random time steps through all families, forward and back: never NaN or infinite, whatever length, mask and precision."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import torch
from torch.utils._pytree import tree_leaves

from bakeoff.registry import every
from bakeoff.types import Grid

FAMILIES = every("family")
STEPS = 500_000                               # in all, shared out evenly
LONGEST, MOST = 4096, 16                      # steps of a series, series of a batch
SECONDS = 2.0                                 # of a family, at most, but for the longest series
DIM = 8
MASKS = ("none", "whole", "ragged", "some empty", "all empty")


class Draw(NamedTuple):
    """A batch: its sizes, its mask, how large its numbers are, and in which precision and way it is read."""

    length: int
    count: int
    mask: str
    size: float
    half: bool
    causal: bool
    training: bool


def draws(number: int, causal: bool) -> Iterator[Draw]:
    """Batches of one family until its steps are used up: a longest series, then any lengths, in equal measure on a log scale."""
    chance = torch.Generator().manual_seed(number)
    left, half = STEPS // len(FAMILIES), number % 2 == 0

    def coin() -> bool:
        return bool(torch.rand((), generator=chance) < 0.5)

    yield Draw(LONGEST, 1, "none", 1.0, half, causal, True)
    left -= LONGEST
    while left > 0:
        length = min(math.ceil(math.exp(float(torch.rand((), generator=chance)) * math.log(LONGEST))), left)
        count = max(1, min(MOST, left // (2 * length)))
        mask = MASKS[int(torch.randint(len(MASKS), (), generator=chance))]
        yield Draw(length, count, mask, 10 ** float(4 * torch.rand((), generator=chance) - 2), half, causal and coin(), coin())
        left, half = left - length * count, not half


def mask_of(draw: Draw, chance: torch.Generator) -> torch.Tensor | None:
    if draw.mask == "none":
        return None
    lengths = torch.full((draw.count,), draw.length)
    if draw.mask in ("ragged", "some empty"):
        lengths = torch.randint(1 if draw.mask == "ragged" else 0, draw.length + 1, (draw.count,), generator=chance)
    if draw.mask == "all empty":
        lengths = torch.zeros_like(lengths)
    return torch.arange(draw.length) < lengths[:, None]


@pytest.mark.parametrize("number", range(len(FAMILIES)), ids=list(FAMILIES))
def test_no_length_mask_or_precision_gives_anything_but_numbers(number: int) -> None:
    torch.set_num_threads(1)
    family, chance = list(FAMILIES.values())[number], torch.Generator().manual_seed(number)
    start = time.process_time()
    for draw in draws(number, family.can_be_causal):
        if time.process_time() - start > SECONDS:
            break                                                            # one of many operations per step: the rest is the others'
        torch.manual_seed(number)
        encoder = family(DIM, rank=1, sizes=(None,), causal=draw.causal).train(draw.training)
        valid = mask_of(draw, chance)
        x = draw.size * torch.randn(draw.count, draw.length, DIM * encoder.reads, generator=chance)
        x = (x if valid is None else x * valid[..., None]).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=draw.half):
            out = encoder(Grid(x, valid)).x
        assert out.isfinite().all(), draw
        out.float().square().mean().backward()
        parts = [x.grad, *(weight.grad for weight in encoder.parameters()), *encoder.buffers()]
        assert all(bool(part.isfinite().all()) for part in tree_leaves(parts) if part is not None), draw
