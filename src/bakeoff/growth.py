"""How a family's work grows with the length of what it reads and with its width: counted on small shapes, training nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bakeoff.cost import count
from bakeoff.nn.encoder import Encoder
from bakeoff.types import Batch, Grid

LENGTHS, WIDTHS = (96, 192, 384), (16, 32, 64)
SIDE = 8                      # cells along every axis but the first, where a family reads no single axis
TERMS = {"T·D²": (1, 2), "T²·D": (2, 1), "T·D": (1, 1), "D²": (0, 2), "D": (0, 1)}         # powers of length and width
LEAST = 0.01                  # a term that is never more than this part of the whole is left out
STEPS = (4, 12)               # after so many of them a state that does not grow has the same size


@dataclass(frozen=True)
class Growth:
    """macs: multiply-adds of a forward pass on T cells at width D, fitted; serial: with what the steps grow that wait for one another;
    state: of a step, or '' where it has none of its own."""

    macs: str
    serial: str
    state: str


def growth(family: type[Encoder]) -> Growth:
    """At the family's defaults, its own layers alone: neither embedding nor head."""
    counted = {(length, width): counts(family, length, width) for length in LENGTHS for width in WIDTHS}
    macs = {shape: found[0] for shape, found in counted.items()}
    return Growth(fitted(macs), waiting([counted[length, WIDTHS[0]][1] for length in LENGTHS]), state(family))


def built(family: type[Encoder], width: int, sizes: tuple[int, ...], causal: bool = False) -> Encoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return family(width, rank=len(sizes), sizes=sizes, causal=causal, full=causal).eval()


def counts(family: type[Encoder], length: int, width: int) -> tuple[float, int]:
    """(multiply-adds, kernels launched and steps inside them) of one forward pass."""
    sizes = (length, *(SIDE,) * (min(family.ranks) - 1))
    encoder = built(family, width, sizes)
    batch = Batch(Grid(torch.zeros(1, *sizes, width * encoder.reads)), None, [], {})
    found = count(encoder, batch, lambda one: encoder(one.x))
    return float(found.macs), found.calls + found.serial


def fitted(macs: dict[tuple[int, int], float]) -> str:
    """'3·T·D² + 2·T²·D', the non-negative terms that come nearest in relative squares."""
    from scipy.optimize import nnls
    shapes, total = np.array(list(macs)), np.array(list(macs.values()))
    if not total.any():
        return "0"
    terms = np.stack([shapes[:, 0].astype(float) ** length * shapes[:, 1].astype(float) ** width for length, width in TERMS.values()], 1)
    held = list(range(len(TERMS)))
    while True:
        factors, _ = nnls(terms[:, held] / total[:, None], np.ones(len(total)))
        shares = (terms[:, held] * factors / total[:, None]).max(0)
        if (shares >= LEAST).all():
            break
        held = [place for place, share in zip(held, shares, strict=True) if share >= LEAST]
    names = list(TERMS)
    return " + ".join(f"{factor:.3g}·{names[place]}" for place, factor in zip(held, factors, strict=True))


def waiting(calls: list[int]) -> str:
    """What a pass waits for one after the other, from its calls at lengths that double: 'T', 'log T' or 'nothing'."""
    first, second = calls[1] - calls[0], calls[2] - calls[1]
    if min(first, second) <= 0:
        return "nothing"
    return "T" if second > 1.5 * first else "log T"


def state(family: type[Encoder]) -> str:
    """Of a step where the past is not read again: 'constant', or 'grows'; '' where it is read again, or there are no steps."""
    if not family.can_be_causal or 1 not in family.ranks or family.step is Encoder.step:
        return ""
    encoder = built(family, WIDTHS[0], (LENGTHS[0],), causal=True)
    sizes, past = [], encoder.start(1)
    with torch.inference_mode():
        for step in range(1, STEPS[-1] + 1):
            _, past = encoder.step(torch.zeros(1, WIDTHS[0] * encoder.reads), past)
            if step in STEPS:
                sizes.append(numbers(past))
    return "constant" if len(set(sizes)) == 1 else "grows"


def numbers(held: Any) -> int:
    """In all tensors of a state, nested at will."""
    if isinstance(held, Tensor):
        return held.numel()
    if isinstance(held, dict):
        return sum(map(numbers, held.values()))
    return sum(map(numbers, held)) if isinstance(held, list | tuple) else 0
