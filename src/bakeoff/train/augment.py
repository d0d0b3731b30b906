"""Examples changed anew each time they are trained on, so that what must not matter cannot be learnt by heart.

What is on offer depends on the axes alone and on what the task's targets bear, never on a data set: pictures and clips are
moved and mirrored (Krizhevsky et al. 2012, https://papers.nips.cc/paper/4824), spectrograms masked (Park et al. 2019, SpecAugment,
https://arxiv.org/abs/1904.08779), series scaled (Um et al. 2017, https://arxiv.org/abs/1706.00527), words dropped (Iyyer et al.
2015, https://aclanthology.org/P15-1162). All begin with none: that a mirrored digit is no digit shows on validation alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bakeoff.nn.masked import counts, zeroed
from bakeoff.tasks.base import Task
from bakeoff.types import Batch, Grid, Spec

NONE = "none"
MOVED = 8                     # a frame is moved by up to this part of its height and width; what comes in repeats the edge
LOUD = 0.1                    # deviation of noise, in that of the example's own channel; also of the factors of "scale"
STEPS, BANDS = 5, 4           # a mask hides up to 1/5 of the steps and 1/4 of the bands
DROPPED = 0.1                 # share of ids that become unknown
UNKNOWN = 1                   # its id; 0 is padding


def on_offer(spec: Spec, task: Task) -> tuple[str, ...]:
    """The values of the choice "augment", with + between what is done together; none alone where nothing fits."""
    ways: tuple[str, ...]
    if spec.channels is None:
        ways = ("drop",)
    elif spec.one_cell:                                      # a table's row: its words are numbers too, and noise on them is none
        ways = ()
    elif {"height", "width"} <= set(spec.axes):
        ways = ("shift", "flip", "shift+flip", "noise")
    elif spec.rank > 1:
        ways = ("mask", "noise", "mask+noise")
    else:
        ways = ("noise", "scale", "noise+scale")
    borne: frozenset[str] = getattr(task, "bears", frozenset())
    return (NONE, *(way for way in ways if borne.issuperset(way.split("+"))))


def augment(batch: Batch, how: str, spec: Spec, generator: torch.Generator) -> Batch:
    """The batch, on its device and as stored, with each example changed by itself; padding stays zero, masks stay as they are.

    how: a value of `on_offer`. generator: on the batch's device; what it draws decides everything.
    """
    x, valid = batch.x
    for change in how.split("+"):
        match change:
            case "shift":
                x = moved(x, valid, spec, generator)
            case "flip":
                x = mirrored(x, valid, spec, generator)
            case "mask":
                x = masked(x, valid, spec, generator)
            case "noise":
                x = noisy(x, valid, spec, generator)
            case "scale":
                factors = torch.randn(len(x), *(1,) * (x.dim() - 2), x.shape[-1], generator=generator, device=x.device)
                x = x * (1 + LOUD * factors)
            case "drop":
                lost = torch.rand(x.shape, generator=generator, device=x.device) < DROPPED
                x = x.masked_fill(lost if valid is None else lost & valid, UNKNOWN)
    return batch._replace(x=Grid(x, valid))


def own_size(x: Tensor, valid: Tensor | None, axis: int) -> Tensor:
    """(B,) int64: how many positions of an axis (0: the first after the examples) an example has itself."""
    if valid is None:
        return torch.full((len(x),), x.shape[axis + 1], device=x.device)
    others = [other for other in range(1, valid.dim()) if other != axis + 1]
    return (valid.amax(others) if others else valid).sum(1)


def placed(x: Tensor, index: Tensor, axis: int) -> Tensor:
    """x with the positions of one axis in another order: index (B, size)."""
    shape = [1] * x.dim()
    shape[0], shape[axis + 1] = index.shape
    return x.gather(axis + 1, index.view(shape).expand_as(x))


def drawn(most: Tensor, generator: torch.Generator) -> Tensor:
    """A whole number of 0 … most for each example: (B,) int64."""
    return (torch.rand(len(most), generator=generator, device=most.device) * (most + 1)).long()


def moved(x: Tensor, valid: Tensor | None, spec: Spec, generator: torch.Generator) -> Tensor:
    """Up or down, left or right; all frames of a clip alike."""
    for axis in (spec.axes.index("height"), spec.axes.index("width")):
        own = own_size(x, valid, axis)
        most = (own // MOVED).clamp(min=1)
        by = drawn(2 * most, generator) - most
        position = torch.arange(x.shape[axis + 1], device=x.device)
        source = (position + by[:, None]).clamp(min=0).minimum((own - 1).clamp(min=0)[:, None])
        x = placed(x, torch.where(position < own[:, None], source, position), axis)
    return x


def mirrored(x: Tensor, valid: Tensor | None, spec: Spec, generator: torch.Generator) -> Tensor:
    """Every second example, by chance, with left and right exchanged; all frames of a clip alike."""
    axis = spec.axes.index("width")
    own = own_size(x, valid, axis)[:, None]
    turned = torch.rand(len(x), 1, generator=generator, device=x.device) < 0.5
    position = torch.arange(x.shape[axis + 1], device=x.device)
    return placed(x, torch.where(turned & (position < own), own - 1 - position, position), axis)


def masked(x: Tensor, valid: Tensor | None, spec: Spec, generator: torch.Generator) -> Tensor:
    """One stretch of steps and one of bands is as in the mean of the training split."""
    hidden = torch.zeros(x.shape[:-1], dtype=torch.bool, device=x.device)
    for axis, part in ((0, STEPS), (1, BANDS)):
        own = own_size(x, valid, axis)
        wide = drawn(own // part, generator)
        start = drawn(own - wide, generator)
        position = torch.arange(x.shape[axis + 1], device=x.device)
        inside = (position >= start[:, None]) & (position < (start + wide)[:, None])
        shape = [1] * hidden.dim()
        shape[0], shape[axis + 1] = inside.shape
        hidden |= inside.view(shape)
    if valid is not None:
        hidden &= valid
    mean = torch.tensor(spec.mean or (0.0,) * x.shape[-1], device=x.device)
    return torch.where(hidden[..., None], mean if x.is_floating_point() else mean.round().to(x.dtype), x)


def noisy(x: Tensor, valid: Tensor | None, spec: Spec, generator: torch.Generator) -> Tensor:
    """Noise in proportion to what each channel of the example does itself: one that is silent stays so."""
    x = x.float()
    cells = tuple(range(1, x.dim() - 1))
    count = counts(torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device) if valid is None else valid)
    count = count.view(-1, *(1,) * (x.dim() - 1))
    apart = zeroed(x - x.sum(cells, keepdim=True) / count, valid)            # x is zero where not valid
    spread = (apart.square().sum(cells, keepdim=True) / count).sqrt()
    if spec.ahead is not None:
        spread[..., len(spec.ahead.names):] = 0                              # marks of what was missing are no measurements
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    return x + zeroed(noise, valid) * (LOUD * spread)
