"""A Fold — geometry, no weights — lowers a grid's rank for encoders that need it, and is undone before the head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from bakeoff.errors import Defect
from bakeoff.nn.masked import pad_to_multiple, strided
from bakeoff.types import Grid, Sizes, Spec

LONGEST = 1024                # grids of more cells than this are not on offer where a coarser fold is
START = 64                    # the starting fold leaves at most so many cells, where it can
NAMES = {"raster": "raster", "leading": "leading", "keep": "keep"}


class Cells(NamedTuple):
    """What is needed to undo a fold: the sizes and mask after patching, and where each cell went."""

    sizes: tuple[int, ...]
    valid: Tensor | None
    order: Tensor | None      # raster with padding: (B, cells) target position of each cell


@dataclass(frozen=True)
class Fold:
    """Merges patches of cells into channels, then lowers the rank to `rank`. patch: cells per axis, one number for all axes.

    keep: the rank stays. raster: the last axes are merged into one, valid cells moved to the front (cumsum and scatter,
    since sort does not export) and scattered back exactly by `back`, which wants an encoder of stride 1. leading: the
    first axes stay and the rest become channels; their sizes must be fixed in Spec, and it is not for ids.
    """

    rank: int
    patch: int | tuple[int, ...] = 1
    order: Literal["keep", "raster", "leading"] = "keep"

    @classmethod
    def parse(cls, text: str, own_rank: int) -> Fold:
        """'raster 4', or 'keep 2x8x8' → Fold; the inverse of str()."""
        order, _, patch = text.partition(" ")
        if order not in NAMES:
            raise Defect(f"fold {text!r}")
        sides = tuple(map(int, (patch or "1").split("x")))
        return cls(own_rank if order == "keep" else 1, sides if len(sides) > 1 else sides[0], order)    # type: ignore[arg-type]

    def __str__(self) -> str:
        patch = str(self.patch) if isinstance(self.patch, int) else "x".join(map(str, self.patch))
        return self.order if self.patch == 1 else f"{self.order} {patch}"

    def sides(self, axes: int) -> tuple[int, ...]:
        """Cells of a patch along each of the data's axes."""
        return (self.patch,) * axes if isinstance(self.patch, int) else self.patch

    def __call__(self, grid: Grid) -> tuple[Grid, Cells]:
        """(B, *S, C) → (B, *R, cells of a patch · C); ids (B, *S) → (B, *R) with patch 1 and keep or raster."""
        if grid.x.dtype != torch.int64:
            return self.lowered(grid)
        folded, cells = self.lowered(Grid(grid.x[..., None], grid.valid))    # ids are one channel while they move
        return Grid(folded.x.squeeze(-1), folded.valid), cells

    def lowered(self, grid: Grid) -> tuple[Grid, Cells]:
        x, valid = self.patched(grid)
        sizes = tuple(x.shape[1:-1])
        if self.order == "leading":
            steps = None if valid is None else valid.flatten(1 + self.rank).any(-1)
            return Grid(x.flatten(1 + self.rank), steps), Cells(sizes, valid, None)
        if self.order == "keep" or len(sizes) == self.rank:
            return Grid(x, valid), Cells(sizes, valid, None)
        flat = x.flatten(self.rank, -2)
        if valid is None:
            return Grid(flat, None), Cells(sizes, None, None)
        front = valid.flatten(1)                                             # rank 1: all axes become one
        order = torch.where(front, front.cumsum(1) - 1, front.sum(1, keepdim=True) + (~front).cumsum(1) - 1)
        moved = torch.zeros_like(flat).scatter(1, order[..., None].expand_as(flat), flat)
        count = front.sum(1, keepdim=True)
        prefix = torch.arange(front.shape[1], device=front.device) < count
        return Grid(moved, prefix), Cells(sizes, valid, order)

    def patched(self, grid: Grid) -> tuple[Tensor, Tensor | None]:
        x, valid = grid
        axes = x.dim() - 2
        sides = self.sides(axes)
        if max(sides) == 1:
            return x, valid
        x, valid = pad_to_multiple(x, valid, sides)
        shape = [part for size, side in zip(x.shape[1:-1], sides, strict=True) for part in (size // side, side)]
        x = x.reshape(x.shape[0], *shape, x.shape[-1])
        outer, inner = range(1, 2 * axes, 2), range(2, 2 * axes + 1, 2)
        x = x.permute(0, *outer, *inner, 2 * axes + 1).flatten(1 + axes)
        return x, strided(valid, sides)

    def back(self, grid: Grid, cells: Cells) -> Grid:
        """The data's own axes, at the encoder's resolution (B, *S', D), of leading those that it kept. Raster wants S' = S."""
        x = grid.x
        if self.order != "raster" or len(cells.sizes) == self.rank:
            return grid                                                      # of leading, the steps that stayed
        if x.shape[1] != prod(cells.sizes):
            raise Defect(f"raster cannot restore {cells.sizes} from {x.shape[1]} cells: the encoder must have stride 1")
        if cells.order is not None:
            x = x.gather(1, cells.order[..., None].expand_as(x))
        return Grid(x.reshape(x.shape[0], *cells.sizes, x.shape[-1]), cells.valid)

    def sizes(self, spec_sizes: Sizes) -> Sizes:
        """Per axis of the folded grid, what is fixed."""
        merged = tuple(None if size is None else -(-size // side) for size, side in zip(spec_sizes, self.sides(len(spec_sizes)), strict=True))
        if self.order == "keep" or len(merged) == self.rank:
            return merged
        if self.order == "leading":
            return merged[:self.rank]
        return (*merged[:self.rank - 1], None if None in merged[self.rank - 1:] else prod(merged[self.rank - 1:]))   # type: ignore[arg-type]

    def channels(self, spec: Spec) -> int | None:
        """Channels of the folded grid; None for ids."""
        if spec.channels is None:
            return None
        sides = self.sides(spec.rank)
        channels = spec.channels * prod(sides)
        if self.order == "leading" and spec.rank > self.rank:
            channels *= prod(-(-size // side) for size, side in zip(spec.sizes[self.rank:], sides[self.rank:], strict=True) if size is not None)
        return channels


def on_offer(spec: Spec, ranks: frozenset[int], causal: bool, longest: int = LONGEST, start: int = START, keep: int = 0,
             coarse: int = 1) -> list[Fold]:
    """The folds that let an encoder of these ranks read data of this Spec, the starting one first; empty: none does.

    start: the family's `start_cells`. The starting fold is the finest that leaves at most so many cells of a typical
    example, or else the coarsest; the others follow from fine to coarse. Ids and causal tasks: patch 1. A patch is
    offered while at least four cells remain along every axis that it merges. keep, coarse: as in Needs; along the axes that
    keep answers a patch has at most `coarse` cells, and they are not merged with others. What answers at each step and is causal reads
    a step as one cell, else it would have to wait for the step's other cells.
    """
    typical = spec.typical or tuple(size or 1 for size in spec.sizes)
    patches: list[int | tuple[int, ...]] = [1]
    if spec.channels is not None and not causal and not spec.one_cell:
        patches = list(tubes(typical)) if spec.rank == 3 else [p for p in (1, 2, 4, 8) if p == 1 or min(typical) // p >= 4]
        if 0 < keep < spec.rank == 2:
            patches = [*product((1, 2, 4), (1, 2, 4, 8))]
    folds: list[tuple[int, Fold]] = []                       # cells an encoder reads one after the other, fold
    for p in patches:
        fold = Fold(spec.rank, p)
        sides = fold.sides(spec.rank)
        if max(sides[:keep], default=1) > coarse or any(side > 1 and size // side < 4 for size, side in zip(typical, sides, strict=True)):
            continue
        sizes = [-(-size // side) for size, side in zip(typical, sides, strict=True)]
        if spec.rank in ranks and not (causal and keep == 1 < spec.rank and 1 in ranks):
            folds.append((prod(sizes), fold))
        elif 1 in ranks:
            # frames are merged whole anyway
            whole = max(sides[1:], default=1) == 1 if spec.rank == 3 or keep else max(sides) <= 2
            if whole and keep < 2 and spec.channels is not None and all(size is not None for size in spec.sizes[1:]):
                folds.append((sizes[0], Fold(1, p, "leading")))
            if keep in (0, spec.rank):
                folds.append((prod(sizes), Fold(1, p, "raster")))
    fit = [(cells, fold) for cells, fold in folds if cells <= longest] or folds[-1:]
    first = next((fold for cells, fold in fit if cells <= start), min(fit, key=lambda pair: pair[0])[1] if fit else None)
    return sorted((fold for _, fold in fit), key=lambda fold: fold != first)


def tubes(typical: tuple[int, ...]) -> Iterator[int | tuple[int, ...]]:
    """Patches on three axes, fine to coarse: squares of a frame through one, two or four steps of the first axis."""
    for side, steps in product((1, 2, 4, 8, 16), (1, 2, 4)):
        if (side == 1 or min(typical[1:]) // side >= 4) and (steps == 1 or typical[0] // steps >= 4):
            yield 1 if side == steps == 1 else (steps, side, side)
