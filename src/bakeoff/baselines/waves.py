"""Fixed convolutions along time, dilated from one step to the whole series, each kept as the share of steps above a threshold.

Dempster, Schmidt & Webb 2021, MiniRocket, https://arxiv.org/abs/2012.08791. Departs from it: every kernel is padded.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from bakeoff.data.base import Dataset
from bakeoff.types import Grid, Spec

TAPS = 9
SHAPES = len(list(combinations(range(TAPS), 3)))          # 84 kernels of nine weights −1, three of them raised to 2
CHANNELS = 9                  # most channels that one group of kernels sees
THRESHOLDS = 4                # of a group before other channels are drawn, where there are several
DILATIONS = 32                # most dilations; a kernel then has several thresholds at each
NUMBERS = 1 << 18             # convolved numbers at a time: they stay in the processor's cache while thresholds are taken


class Group(NamedTuple):
    """84 kernels at one dilation."""

    dilation: int
    change: bool              # of the steps' differences
    channels: Tensor          # (M,) which are read
    weights: Tensor           # (84, M · 9)
    thresholds: Tensor        # (84, J)


class Waves:
    """Series → shares of steps, (N, 84 × thresholds). Padding and missing steps at the end do not count."""

    def __init__(self, spec: Spec, groups: list[Group]) -> None:
        self.spec, self.groups = spec, groups

    @classmethod
    def drawn(cls, data: Dataset, kernels: int, differences: bool, generator: np.random.Generator) -> Self:
        """Dilations from the training split's typical length, thresholds from quantiles of single training series."""
        spec = data.spec
        groups: list[Group] = []
        self = cls(spec, groups)
        lengths = np.flatnonzero(data.lengths() > 1)
        choice = lengths if len(lengths) else np.arange(len(data))
        quantile = 0
        for change in (False, True)[:1 + differences]:
            for dilation, count in dilations(max(1, spec.typical[0] - change), max(1, kernels // (1 + differences) // SHAPES)):
                for part in parts(count, THRESHOLDS if (spec.channels or 1) > 1 else count):
                    channels, weights = mixes(spec.channels or 1, generator)
                    group = Group(dilation, change, channels, weights, torch.zeros(SHAPES, part))
                    source = data.take(generator.choice(choice, min(SHAPES, len(choice)), replace=False)).x
                    groups.append(group._replace(thresholds=self.quantiles(group, source, quantile)))
                    quantile += SHAPES * part
        return self

    @property
    def numbers(self) -> int:
        return sum(group.thresholds.numel() for group in self.groups)

    def quantiles(self, group: Group, source: Grid, first: int) -> Tensor:
        """(84, J): kernel k's thresholds are quantiles of what it makes of one series; the golden ratio spreads them evenly."""
        out, lengths = convolved(group, *self.scaled(source)[1 if group.change else 0])
        count = group.thresholds.shape[1]
        golden = (5 ** 0.5 + 1) / 2
        shares = ((first + torch.arange(1, SHAPES * count + 1, dtype=torch.float64)) * golden % 1).view(SHAPES, count)
        kernel = torch.arange(SHAPES)
        which = kernel % len(out)
        most = lengths[which, None].clamp(min=1)                             # (84, 1) steps of the series that a kernel is shown
        steps = out[which, kernel].masked_fill(torch.arange(out.shape[2]) >= most, torch.inf).sort(1).values
        at = shares * (most - 1)
        low, high = (steps.gather(1, place.clamp(max=most - 1)) for place in (at.long(), at.long() + 1))
        return torch.lerp(low, high, (at % 1).float())

    def scaled(self, grid: Grid) -> list[tuple[Tensor, Tensor]]:
        """(B, C, T) with zeros after the end and lengths (B,), of the series and of its differences."""
        x, valid = grid
        channels = self.spec.channels or 1
        std = torch.tensor(self.spec.std or (1.0,) * channels)
        x = (x.float() - torch.tensor(self.spec.mean or (0.0,) * channels)) / torch.where(std > 1e-8, std, torch.ones_like(std))
        lengths = torch.full((len(x),), x.shape[1]) if valid is None else valid.sum(1)
        if valid is not None:
            x = x.masked_fill(~valid[..., None], 0)
        x = x.transpose(1, 2).contiguous()
        change = x.diff(dim=2) if x.shape[2] > 1 else torch.zeros_like(x)
        fewer = (lengths - 1).clamp(min=0)
        if valid is not None:
            change = change.masked_fill((torch.arange(change.shape[2]) >= fewer[:, None])[:, None], 0)
        return [(x, lengths), (change, fewer)]

    def features(self, data: Dataset) -> NDArray[np.float32]:
        """(N, numbers) float32, in the view's order; series of like length are convolved together."""
        rows = np.empty((len(data), self.numbers), dtype=np.float32)
        lengths = data.lengths()
        order = np.argsort(lengths, kind="stable")
        start = 0
        while start < len(order):
            longest = max(1, int(lengths[order[start]]))
            size = max(1, NUMBERS // (SHAPES * longest))
            some = order[start:start + size]
            rows[some] = self.shares(data.take(some).x)
            start += size
        return rows

    def shares(self, grid: Grid) -> NDArray[np.float32]:
        sources = self.scaled(grid)
        counts = []                                                          # (B, T, 1) or (T, 1): product with it is the mean over steps
        for x, lengths in sources:
            inside = torch.arange(x.shape[2]) < lengths[:, None]
            share = inside / lengths.clamp(min=1)[:, None]
            counts.append((share[0] if bool(inside.all()) else share).unsqueeze(-1))
        found = []
        for group in self.groups:
            out, _ = convolved(group, *sources[group.change])
            above = torch.empty_like(out)
            for number in range(group.thresholds.shape[1]):
                torch.gt(out, group.thresholds[:, number, None], out=above)
                found.append((above @ counts[group.change]).squeeze(-1))
        return torch.cat(found, 1).numpy()

    def macs(self) -> float:
        """Of one series of the typical length: convolution, then one comparison and one addition per threshold."""
        return float(sum(group.weights.numel() + 2 * group.thresholds.numel() for group in self.groups)) * max(1, self.spec.typical[0])

    def parameters(self) -> int:
        return sum(group.thresholds.numel() for group in self.groups)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        most = max(len(group.channels) for group in self.groups)
        mixed = [group.weights.view(SHAPES, -1, TAPS).abs().sum(-1) > 0 for group in self.groups]
        return {
            "channels": torch.stack([F.pad(group.channels, (0, most - len(group.channels)), value=-1) for group in self.groups]).numpy(),
            "mixed": torch.stack([F.pad(some, (0, most - some.shape[1])) for some in mixed]).numpy(),
            "thresholds": torch.cat([group.thresholds for group in self.groups], 1).numpy(),
        }, {"groups": [[group.dilation, group.change, group.thresholds.shape[1]] for group in self.groups]}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        groups, begin = [], 0
        for number, (dilation, change, count) in enumerate(record["groups"]):
            channels = torch.from_numpy(arrays["channels"][number])
            channels = channels[channels >= 0]
            some = torch.from_numpy(arrays["mixed"][number])[:, :len(channels)]
            thresholds = torch.from_numpy(arrays["thresholds"][:, begin:begin + count])
            groups.append(Group(dilation, change, channels, weights_of(some), thresholds))
            begin += count
        return cls(spec, groups)


def dilations(length: int, each: int) -> list[tuple[int, int]]:
    """(dilation, thresholds) of a kernel with `each` thresholds in all: spread by ratio up to where nine taps span the series."""
    highest = np.log2(max((length - 1) / (TAPS - 1), 1))
    steps, count = np.unique((2 ** np.linspace(0, highest, min(each, DILATIONS))).astype(np.int64), return_counts=True)
    share = count * each // count.sum()
    share[:each - share.sum()] += 1
    return [(int(step), int(many)) for step, many in zip(steps, share, strict=True)]


def parts(count: int, most: int) -> list[int]:
    return [min(most, count - start) for start in range(0, count, most)]


def mixes(channels: int, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Channels (M,) that a group sees, and weights (84, M · 9) in which each kernel adds up some of them."""
    some = np.sort(generator.choice(channels, min(channels, CHANNELS), replace=False))
    count = (2 ** generator.uniform(0, np.log2(len(some) + 1), SHAPES)).astype(np.int64)
    rank = generator.random((SHAPES, len(some))).argsort(1)
    return torch.from_numpy(some), weights_of(torch.from_numpy(rank < count[:, None]))


def weights_of(mixed: Tensor) -> Tensor:
    """mixed: (84, M) bool → (84, M · 9)."""
    taps = torch.full((SHAPES, TAPS), -1.0)
    for number, raised in enumerate(combinations(range(TAPS), 3)):
        taps[number, list(raised)] = 2.0
    return (mixed[:, :, None] * taps[:, None]).flatten(1)


def convolved(group: Group, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """x: (B, C, T) → (B, 84, T): as many outputs as steps, zeros beyond both ends."""
    reach = group.dilation * (TAPS - 1) // 2
    padded = F.pad(x if len(group.channels) == x.shape[1] else x[:, group.channels], (reach, reach))
    batch, channels, _ = padded.shape
    steps = padded.stride()
    taps = padded.as_strided((batch, channels, TAPS, x.shape[2]), (steps[0], steps[1], group.dilation * steps[2], steps[2]))
    return torch.matmul(group.weights, taps.reshape(batch, channels * TAPS, x.shape[2])), lengths
