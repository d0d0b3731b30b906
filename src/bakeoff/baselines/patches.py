"""Patches cut from training images as convolution kernels; each is kept, per region, as how often and how far it exceeds a threshold.

Coates & Ng 2012, "Learning feature representations with k-means" (random patches do nearly as well), with the pooling of
Dempster, Schmidt & Webb 2021 (share of positions above a threshold) beside the mean of what lies above it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from bakeoff.baselines.base import blocks
from bakeoff.data.base import Dataset
from bakeoff.types import Spec

SIZES = (3, 5, 7)
REGIONS = 4                   # per axis
LARGEST = 32                  # pixels per axis; larger images are averaged down to it
QUANTILES = (0.3, 0.9)        # of a kernel's answers, between which its threshold is drawn
LOOK = 64                     # images whose answers those are
FLAT = 1e-3                   # a patch that varies less says nothing
NUMBERS = 1 << 20             # convolved numbers at a time


class Bank(NamedTuple):
    """Kernels of one size."""

    kernels: Tensor           # (M, C, h, w), zero mean, length one
    thresholds: Tensor        # (M,)


Pooled = Callable[[Bank, Tensor, Tensor], Tensor]


class Patches:
    """Images of one size → (N, kernels × regions × 2)."""

    def __init__(self, spec: Spec, banks: list[Bank]) -> None:
        self.spec, self.banks = spec, banks
        height, width = (size or 1 for size in spec.sizes)
        self.shrink = max(1, -(-max(height, width) // LARGEST))
        self.height, self.width = -(-height // self.shrink), -(-width // self.shrink)
        self.regions = regions(self.height, self.width)                      # (H·W, R)

    @classmethod
    def drawn(cls, data: Dataset, kernels: int, generator: np.random.Generator) -> Self:
        self = cls(data.spec, [])
        look = self.images(data, np.sort(generator.choice(len(data), min(LOOK, len(data)), replace=False)))
        sizes = sorted({(min(size, self.height), min(size, self.width)) for size in SIZES})
        for number, size in enumerate(sizes):
            count = (kernels + number) // len(sizes)
            if not count:
                continue
            cut = self.cut(data, size, count, generator)
            answers = (convolved(cut, look)).transpose(0, 1).flatten(1).sort(1).values
            at = torch.from_numpy(generator.uniform(*QUANTILES, count)) * (answers.shape[1] - 1)
            self.banks.append(Bank(cut, answers[torch.arange(count), at.long()]))
        return self

    def cut(self, data: Dataset, size: tuple[int, int], count: int, generator: np.random.Generator) -> Tensor:
        """(count, C, *size): from as many images, each at the first of a few places where it is not flat, else random weights."""
        found = []
        for image in self.images(data, generator.integers(0, len(data), count)):
            kernel = torch.zeros(0)
            for _ in range(8):
                top, left = (int(generator.integers(0, have - want + 1)) for have, want in zip(image.shape[1:], size, strict=True))
                kernel = image[:, top:top + size[0], left:left + size[1]]
                kernel = kernel - kernel.mean()
                if kernel.norm() > FLAT:
                    break
            else:
                kernel = torch.from_numpy(generator.normal(size=kernel.shape)).float()
            found.append(kernel / kernel.norm())
        return torch.stack(found)

    def images(self, data: Dataset, where: NDArray[np.int64]) -> Tensor:
        """(B, C, H, W) scaled by the training split, large ones averaged down."""
        channels = self.spec.channels or 1
        std = torch.tensor(self.spec.std or (1.0,) * channels)
        x = data.take(where).x.x.float() - torch.tensor(self.spec.mean or (0.0,) * channels)
        x = (x / torch.where(std > 1e-8, std, torch.ones_like(std))).movedim(-1, 1)
        return x.contiguous() if self.shrink == 1 else F.avg_pool2d(x, self.shrink, ceil_mode=True)

    @property
    def numbers(self) -> int:
        return sum(len(bank.thresholds) for bank in self.banks) * self.regions.shape[1] * 2

    def features(self, data: Dataset, pooled: Pooled | None = None) -> NDArray[np.float32]:
        """pooled: what is kept of a bank's answers, (B, M · R · 2), where not how often and how far they exceed the thresholds."""
        pooled = pooled or above
        rows = np.empty((len(data), self.numbers), dtype=np.float32)
        most = max(len(bank.thresholds) for bank in self.banks)
        size = max(1, NUMBERS // (most * self.height * self.width))
        for block in blocks(data):
            images = self.images(data, block)
            for start in range(0, len(images), size):
                some = images[start:start + size]
                rows[block[start:start + size]] = torch.cat([pooled(bank, some, self.regions) for bank in self.banks], 1).numpy()
        return rows

    def macs(self) -> float:
        """Of one image: convolution, then comparison and two sums per answer."""
        return float(sum(bank.kernels.numel() + 3 * len(bank.kernels) for bank in self.banks)) * self.height * self.width

    def parameters(self) -> int:
        return sum(bank.kernels.numel() + bank.thresholds.numel() for bank in self.banks)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        arrays = {}
        for number, bank in enumerate(self.banks):
            arrays[f"kernels.{number}"], arrays[f"thresholds.{number}"] = bank.kernels.numpy(), bank.thresholds.numpy()
        return arrays, {"banks": len(self.banks)}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any], spec: Spec) -> Self:
        return cls(spec, [Bank(torch.from_numpy(arrays[f"kernels.{number}"]), torch.from_numpy(arrays[f"thresholds.{number}"]))
                          for number in range(record["banks"])])


def above(bank: Bank, images: Tensor, regions: Tensor) -> Tensor:
    """(B, C, H, W), regions (H·W, R) → (B, M · R · 2)."""
    over = (convolved(bank.kernels, images).flatten(2) - bank.thresholds[:, None]).relu_()
    far = over @ regions                                                     # (B, M, R)
    often = over.sign_() @ regions
    return torch.cat([often, far], 2).flatten(1)


def regions(height: int, width: int) -> Tensor:
    """(H·W, R): column r averages over region r."""
    columns = []
    for rows in np.array_split(np.arange(height), min(REGIONS, height)):
        for places in np.array_split(np.arange(width), min(REGIONS, width)):
            inside = torch.zeros(height, width)
            inside[rows[0]:rows[-1] + 1, places[0]:places[-1] + 1] = 1 / (len(rows) * len(places))
            columns.append(inside.flatten())
    return torch.stack(columns, 1)


def convolved(kernels: Tensor, images: Tensor) -> Tensor:
    """(M, C, h, w) over (B, C, H, W) → (B, M, H, W), zeros beyond the edges; a product of matrices, faster here than conv2d."""
    count, channels, height, width = kernels.shape
    padded = F.pad(images, ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2))
    batch, _, rows, columns = images.shape
    s = padded.stride()
    cells = padded.as_strided((batch, channels, height, width, rows, columns), (s[0], s[1], s[2], s[3], s[2], s[3]))
    out = torch.matmul(kernels.flatten(1), cells.reshape(batch, channels * height * width, rows * columns))
    return out.view(batch, count, rows, columns)
