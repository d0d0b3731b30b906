"""Groups of fixed kernels that compete: at every cell the best and the worst of a group are noted, and how often is what is kept.

Dempster, Schmidt & Webb 2023, Hydra, https://arxiv.org/abs/2203.13652: random kernels on series and on their differences, dilated
from one step to the whole series. Departs from it: shares of the steps instead of counts, so that lengths may differ; a stretch
where nothing changes votes for no kernel. On images the kernels are patches of training images, and votes are kept per region.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from bakeoff.baselines import patches
from bakeoff.baselines.patches import Patches
from bakeoff.data.base import Dataset
from bakeoff.types import Grid, Spec

TAPS = 9
RIVALS = 8                    # kernels of a group
CHANNELS = 8                  # most channels that a group adds up
STILL = 1e-5                  # a worst answer above its negative is no answer: the kernels sum to zero, and nothing changes there
NUMBERS = 1 << 18             # convolved numbers at a time: they stay in the processor's cache while votes are taken


class Bank(NamedTuple):
    """G groups of RIVALS kernels at one dilation."""

    dilation: int
    change: bool              # of the steps' differences
    mixed: Tensor             # (G, C) float: 1 where a group reads the channel
    weights: Tensor           # (G, RIVALS, TAPS)


class Dictionary:
    """Series → votes, (N, 2 × kernels): the sum of the winning answers of each kernel, and how often it came last, per step."""

    def __init__(self, spec: Spec, banks: list[Bank]) -> None:
        self.spec, self.banks = spec, banks

    @classmethod
    def drawn(cls, data: Dataset, groups: int, generator: np.random.Generator) -> Self:
        """Half of a dilation's groups read the series, half its differences."""
        spec, banks = data.spec, []
        length, channels = max(1, spec.typical[0]), spec.channels or 1
        for power in range(1 + int(np.log2(max(1, (length - 1) / (TAPS - 1))))):
            for change in (False, True):
                count = max(1, (groups + change) // 2)
                weights = generator.normal(size=(count, RIVALS, TAPS))
                weights -= weights.mean(-1, keepdims=True)
                weights /= np.abs(weights).sum(-1, keepdims=True)
                rank = generator.random((count, channels)).argsort(1)
                mixed = rank < min(channels, CHANNELS)
                banks.append(Bank(2 ** power, change, torch.from_numpy(mixed).float(), torch.from_numpy(weights).float()))
        return cls(spec, banks)

    @property
    def numbers(self) -> int:
        return 2 * sum(bank.weights[..., 0].numel() for bank in self.banks)

    def scaled(self, grid: Grid) -> list[tuple[Tensor, Tensor]]:
        """(B, C, T) with zeros after the end, and which steps count (B, T), of the series and of its differences."""
        x, valid = grid
        channels = self.spec.channels or 1
        std = torch.tensor(self.spec.std or (1.0,) * channels)
        x = (x.float() - torch.tensor(self.spec.mean or (0.0,) * channels)) / torch.where(std > 1e-8, std, torch.ones_like(std))
        inside = torch.ones(x.shape[:2], dtype=torch.bool) if valid is None else valid
        x = (x * inside[..., None]).transpose(1, 2).contiguous()
        both = inside[:, 1:]                                                 # a difference counts where both its steps do
        return [(x, inside), (x.diff(dim=2) * both[:, None], both)]

    def features(self, data: Dataset) -> NDArray[np.float32]:
        """(N, numbers) float32, in the view's order; series of like length are convolved together."""
        rows = np.zeros((len(data), self.numbers), dtype=np.float32)
        order = np.argsort(lengths := data.lengths(), kind="stable")
        most = max(bank.weights[..., 0].numel() for bank in self.banks)
        start = 0
        while start < len(order):
            size = max(1, NUMBERS // (most * max(1, int(lengths[order[start]]))))
            some = order[start:start + size]
            sources = self.scaled(data.take(some).x)
            rows[some] = torch.cat([self.votes(bank, *sources[bank.change]) for bank in self.banks], 1).numpy()
            start += size
        return rows

    def votes(self, bank: Bank, x: Tensor, inside: Tensor) -> Tensor:
        """x (B, C, T), inside (B, T) → (B, 2·G·RIVALS)."""
        if not x.shape[2]:
            return x.new_zeros(len(x), 2 * bank.weights[..., 0].numel())
        share = inside / inside.sum(1, keepdim=True).clamp(min=1)            # (B, T): product with it is the mean over the steps
        return torch.cat([one.flatten(1) for one in contest(convolved(bank, x), share[..., None])], 1)

    def macs(self) -> float:
        """Of one series of the typical length: channels added up, convolution, then two comparisons and two sums per answer."""
        return sum(bank.mixed.sum().item() * (bank.mixed.shape[1] > 1) + bank.weights.numel() + 4 * bank.weights[..., 0].numel()
                   for bank in self.banks) * float(max(1, self.spec.typical[0]))

    def parameters(self) -> int:
        return sum(bank.weights.numel() for bank in self.banks)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return {"kernels": torch.cat([bank.weights for bank in self.banks]).numpy(),
                "mixed": torch.cat([bank.mixed for bank in self.banks]).numpy(),
                }, {"banks": [[bank.dilation, bank.change, len(bank.weights)] for bank in self.banks]}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        kernels, mixed = torch.from_numpy(arrays["kernels"]), torch.from_numpy(arrays["mixed"])
        sizes = [size for _, _, size in record["banks"]]
        parts = zip(record["banks"], mixed.split(sizes), kernels.split(sizes), strict=True)
        return cls(spec, [Bank(dilation, change, some, weights) for (dilation, change, _), some, weights in parts])


class Scenes:
    """Images of one size → votes per region, (N, 2 × kernels × regions). Each group's rivals are patches of one size."""

    def __init__(self, source: Patches) -> None:
        self.source = source

    @classmethod
    def drawn(cls, data: Dataset, groups: int, generator: np.random.Generator) -> Self:
        source = Patches(data.spec, [])
        sizes = sorted({(min(size, source.height), min(size, source.width)) for size in patches.SIZES})
        for number, size in enumerate(sizes):
            count = (groups + number) // len(sizes) * RIVALS
            if count:
                source.banks.append(patches.Bank(source.cut(data, size, count, generator), torch.zeros(count)))
        return cls(source)

    @property
    def numbers(self) -> int:
        return self.source.numbers

    def features(self, data: Dataset) -> NDArray[np.float32]:
        return self.source.features(data, votes)

    def macs(self) -> float:
        return self.source.macs()

    def parameters(self) -> int:
        return self.source.parameters()

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return self.source.state()

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        return cls(Patches.restore(arrays, record, spec))


def convolved(bank: Bank, x: Tensor) -> Tensor:
    """x (B, C, T) → (B, G, RIVALS, T): each group on the sum of its channels, zeros beyond both ends."""
    groups, reach = len(bank.weights), bank.dilation * (TAPS - 1) // 2
    padded = F.pad(x if x.shape[1] == 1 else bank.mixed @ x, (reach, reach))             # (B, 1 or G, T + 2 · reach)
    batch, sources, _ = padded.shape
    s = padded.stride()
    taps = padded.as_strided((batch, sources, TAPS, x.shape[2]), (s[0], s[1], bank.dilation * s[2], s[2]))
    if sources == 1:
        return torch.matmul(bank.weights.flatten(0, 1), taps[:, 0]).unflatten(1, (groups, RIVALS))
    return torch.matmul(bank.weights, taps)


def contest(answers: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """answers (B, G, RIVALS, T); share (T, R) or (B, T, R), what a cell counts in each region → twice (B, G, RIVALS, R): the answers
    with which a kernel won, added up, and how often it came last."""
    won = answers * (answers == answers.amax(2, keepdim=True))
    least = answers.amin(2, keepdim=True)
    lost = (answers == least.where(least < -STILL, -torch.inf)).to(answers.dtype)
    first, second = ((one.flatten(1, 2) @ share).unflatten(1, answers.shape[1:3]) for one in (won, lost))
    return first, second


def votes(bank: patches.Bank, images: Tensor, regions: Tensor) -> Tensor:
    """(B, C, H, W), regions (H·W, R) → (B, M · R · 2)."""
    answers = patches.convolved(bank.kernels, images).flatten(2).unflatten(1, (-1, RIVALS))
    return torch.cat([one.flatten(1) for one in contest(answers, regions)], 1)
