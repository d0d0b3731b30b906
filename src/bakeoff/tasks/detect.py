"""Boxes around things, each with a class: every cell says what it lies in and how far the sides are. Tian et al. 2019 (FCOS), https://arxiv.org/abs/1904.01355"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.errors import DataError
from bakeoff.metrics.boxes import DETECT
from bakeoff.nn.boxes import area, generalised, surest
from bakeoff.nn.conv import Separable
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.masked import counts, zeroed
from bakeoff.nn.move import moved
from bakeoff.nn.norm import BatchNorm
from bakeoff.registry import task
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Sort
from bakeoff.types import Answer, Batch, Grid, Needs, Params, Spec

COARSE = 8                    # pixels of an image that may share an answer
PRIOR = -4.0                  # log-odds of a class at the start: nearly every cell lies in nothing
NEAR = 1.5                    # cells around a box's middle that answer for it
ALPHA, GAMMA = 0.25, 2.0      # focal loss, Lin et al. 2017, https://arxiv.org/abs/1708.02002
SEEN, MOST = 200, 100         # surest cells that are looked at, and boxes kept, per image
LEAST = 0.01                  # score under which a box is not told
SAME = 0.6                    # overlap from which two boxes of a class are one
SIDES = 4
PLACE = 4                     # numbers that say where a cell lies


class Out(NamedTuple):
    """Per image and cell, N cells. boxes and points are in pixels of the original image; valid: None where no cell is padding."""

    logits: Tensor            # (B, N, K)
    middle: Tensor            # (B, N) log-odds that the cell lies in the middle of its box
    boxes: Tensor             # (B, N, 4) corners
    points: Tensor            # (B, N, 2) middle of each cell
    cells: Tensor             # (B, 2) width and height of a cell
    size: Tensor              # (B, 2) width and height of the image
    valid: Tensor | None      # (B, N)


@task("detect")
class Detect:
    """Cells → class logits, distances to the four sides, middle-ness; without anchors. y: (B, M, 5) class and corners, class −1 behind
    the last box. What is decoded: (B, n, 6) class, score, corners, in pixels of the original image."""

    sort: ClassVar[Sort] = "whole"
    settles: ClassVar[bool] = True

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self.labels = list(labels)
        self.number = {label: place for place, label in enumerate(self.labels)}
        self.metrics = DETECT

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        self.__init__(sorted({str(box["label"]) for boxes in targets for box in boxes_of(boxes)}))    # type: ignore[misc]
        if not self.labels:
            raise DataError("no training image has a box on it", "the training examples", "Give images with boxes.")
        return self

    def state(self) -> dict[str, Any]:
        return {"labels": self.labels}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(state["labels"])

    def why_not(self, spec: Spec) -> str | None:
        return None if spec.rank == 2 and spec.channels is not None else "boxes lie on images, and these examples have no height and width"

    def needs(self) -> Needs:
        return Needs(keep=2, coarse=COARSE)

    def space(self, spec: Spec) -> Space:
        return Space({
            "views": Param("views", "zoom", "how images are changed anew each time they are trained on, and their boxes with them",
                           values=("plain", "flip", "zoom", "zoom+flip")),
            "tower": Param("tower", 2, "layers of dilated convolution between cells and answers, the same for all", values=(0, 1, 2, 3)),
        })

    def collate(self, targets: Sequence[object]) -> Tensor:
        """A class that training has not seen is left out here; the metric counts it as missed."""
        rows = [[[float(self.number[str(box["label"])]), *map(float, box["box"])] for box in boxes_of(boxes) if str(box["label"]) in self.number]
                for boxes in targets]
        y = torch.zeros(len(rows), max(1, *(len(row) for row in rows)) if rows else 1, 1 + SIDES)
        y[..., 0] = -1
        for place, row in enumerate(rows):
            if row:
                y[place, :len(row)] = torch.tensor(row)
        return y

    def prepared(self, spec: Spec, params: Params) -> Spec:
        return spec

    def prepare(self, batch: Batch, params: Params) -> Batch:
        """The size of the images in their files goes along; where it is not known, what is read is the image."""
        if "size" in batch.given:
            return batch
        high, wide = batch.x.x.shape[1:3]
        return Batch(batch.x, batch.y, batch.keys, {**batch.given, "size": torch.tensor([[wide, high]], device=batch.x.x.device)
                                                    .expand(len(batch.x.x), 2).float()})

    def changed(self, batch: Batch, params: Params, generator: torch.Generator) -> Batch:
        """Zoomed and mirrored as `views` says. Zooming leaves every label true, mirroring may not: it shows on validation."""
        ways = str(params.get("views", "plain")).split("+")
        if ways == ["plain"] or batch.x.valid is not None:
            return batch
        size = self.prepare(batch, params).given["size"].repeat(1, 2)[:, None]
        x, boxes, left = moved(batch.x.x, batch.y[..., 1:] / size, "zoom" in ways, "flip" in ways, generator)
        label = torch.where(left, batch.y[..., 0], -1.0)
        return batch._replace(x=Grid(x, None), y=torch.cat([label[..., None], boxes * size], -1))

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        return BoxHead(dim, len(self.labels), params)

    def loss(self, out: Out, y: Tensor, params: Params) -> Tensor:
        return box_loss(out, y)

    def plain_loss(self, out: Out, y: Tensor) -> Tensor:
        return box_loss(out, y)

    def decode(self, out: Tensor) -> list[Answer]:
        """value: [{'label', 'score', 'box': [x0, y0, x1, y1]}], the surest first."""
        return [Answer([{"label": self.labels[int(row[0])], "score": round(row[1], 4), "box": [round(side, 2) for side in row[2:]]}
                        for row in rows if not math.isnan(row[0])], {}) for rows in out.double().tolist()]


def boxes_of(target: object) -> Sequence[Mapping[str, Any]]:
    """A target as the list of boxes that it is. Raises DataError."""
    if not isinstance(target, Sequence) or isinstance(target, str) or not all(isinstance(box, Mapping) and {"label", "box"} <= set(box)
                                                                              for box in target):
        raise DataError(f"target {str(target)[:60]!r} is no list of boxes", "", "Give images with boxes, or another --task.")
    return target


class BoxHead(nn.Module):
    """Grid (B, H', W', D) → Out; `answer` → (B, n, 6)."""

    def __init__(self, dim: int, classes: int, params: Params) -> None:
        super().__init__()
        layers = int(params.get("tower", 2))
        self.around = nn.Linear(dim + PLACE, dim)
        self.convs = nn.ModuleList(Separable(dim, dim, 3, rank=2, dilation=2 ** layer, bias=False) for layer in range(layers))
        self.norms = nn.ModuleList(BatchNorm(dim) for _ in range(layers))
        self.drop = nn.Dropout(params.get("dropout", 0.0))
        self.out = nn.Linear(dim, classes + SIDES + 1)
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            self.out.bias.zero_()
            self.out.bias[:classes] = PRIOR
            self.out.bias[classes:classes + SIDES] = 0.5           # sides begin one or two cells away

    def forward(self, grid: Grid, batch: Batch) -> Out:
        x, valid = grid
        x = zeroed(x + self.around(torch.cat([mean_of(x, valid), places(x)], -1)), valid)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = zeroed(x + F.relu(norm(conv(x), valid)), valid)
        high, wide = x.shape[1:3]
        raw = self.out(self.drop(x)).flatten(1, 2)                                           # (B, N, K + 5)
        logits, far, middle = raw[..., :-SIDES - 1], raw[..., -SIDES - 1:-1], raw[..., -1]
        size = batch.given["size"].to(raw.dtype)
        cells = size / size.new_tensor([wide, high])
        rows, columns = torch.meshgrid(torch.arange(high, device=x.device), torch.arange(wide, device=x.device), indexing="ij")
        points = (torch.stack([columns, rows], -1).flatten(0, 1) + 0.5)[None] * cells[:, None]        # (B, N, 2)
        far = far.clamp(-4, 5).exp() * cells.repeat(1, 2)[:, None]
        boxes = torch.cat([points - far[..., :2], points + far[..., 2:]], -1)
        return Out(logits, middle, boxes, points, cells, size, None if valid is None else valid.flatten(1))

    def answer(self, grid: Grid, batch: Batch, out: Out | None) -> Tensor:
        """Class, score and corners of the boxes that are told, the surest first, NaN behind."""
        out = self.forward(grid, batch) if out is None else out
        scores = (out.logits.sigmoid() * out.middle.sigmoid()[..., None]).sqrt()
        if out.valid is not None:
            scores = scores * out.valid[..., None]
        classes = scores.shape[-1]
        score, place = scores.flatten(1).topk(min(SEEN, scores[0].numel()))                  # (B, n)
        label, cell = place % classes, place // classes
        boxes = out.boxes.gather(1, cell[..., None].expand(-1, -1, SIDES)).clamp(min=0)
        boxes = torch.minimum(boxes, out.size.repeat(1, 2)[:, None])
        keep, boxes = surest(boxes, label, score, SAME)
        keep &= (score > LEAST) & (area(boxes) > 0)
        keep &= keep.cumsum(1) <= MOST
        kept = torch.cat([label[..., None].to(boxes.dtype), score[..., None], boxes], -1)
        longest = max(1, int(keep.sum(1).max()))
        order = torch.argsort((~keep).to(torch.uint8), dim=1, stable=True)[:, :longest]
        return kept.masked_fill(~keep[..., None], math.nan).gather(1, order[..., None].expand(-1, -1, kept.shape[-1]))


def mean_of(x: Tensor, valid: Tensor | None) -> Tensor:
    """(B, H, W, D) → the mean of all cells, at each of them."""
    mean = x.mean((1, 2), keepdim=True) if valid is None else x.sum((1, 2), keepdim=True) / counts(valid).view(-1, 1, 1, 1)
    return mean.expand_as(x)


def places(x: Tensor) -> Tensor:
    """(B, H, W, D) → (B, H, W, 4): how far a cell lies across and down, −1 … 1, and how far from the middle."""
    down, across = (torch.linspace(-1, 1, size, device=x.device, dtype=x.dtype) for size in x.shape[1:3])
    place = torch.stack(torch.meshgrid(down, across, indexing="ij"), -1)
    return torch.cat([place, place.abs()], -1).expand(len(x), -1, -1, -1)


def assigned(out: Out, y: Tensor) -> tuple[Tensor, Tensor]:
    """Which box each cell answers for: (B, N) its place in y, and (B, N) whether there is one.

    Cells in a box and near its middle do, or where no cell is, the nearest; of several boxes the smallest has the cell.
    """
    corners, there = y[:, None, :, 1:], y[:, None, :, 0] >= 0                                # (B, 1, M, ·)
    points, cells = out.points[:, :, None], out.cells[:, None, None]                         # (B, N, 1, 2), (B, 1, 1, 2)
    middle = (corners[..., :2] + corners[..., 2:]) / 2
    apart = ((points - middle) / cells).abs().amax(-1)                                       # (B, N, M) cells
    inside = (points > corners[..., :2]).all(-1) & (points < corners[..., 2:]).all(-1)
    if out.valid is not None:
        apart = apart.masked_fill(~out.valid[..., None], math.inf)
    own = inside & (apart < NEAR)
    nearest = torch.zeros_like(own).scatter_(1, apart.argmin(1, keepdim=True), True)
    own = (own | (nearest & ~own.any(1, keepdim=True))) & there
    small = area(corners).expand(own.shape).masked_fill(~own, math.inf)
    return small.argmin(-1), own.any(-1)


def box_loss(out: Out, y: Tensor) -> Tensor:
    """(B,): focal loss of the classes, 1 − generalised overlap of the boxes, cross-entropy of middle-ness; per box that is there."""
    which, own = assigned(out, y)
    chosen = y.gather(1, which[..., None].expand(-1, -1, y.shape[-1]))                       # (B, N, 5)
    count = own.sum(1).clamp(min=1).to(out.logits.dtype)
    truth = F.one_hot(chosen[..., 0].long().clamp(min=0), out.logits.shape[-1]).to(out.logits.dtype) * own[..., None]
    chance = out.logits.sigmoid()
    missed = F.binary_cross_entropy_with_logits(out.logits, truth, reduction="none")
    weight = torch.where(truth > 0, ALPHA * (1 - chance) ** GAMMA, (1 - ALPHA) * chance ** GAMMA)
    focal = missed * weight if out.valid is None else missed * weight * out.valid[..., None]
    corners = chosen[..., 1:]
    sides = torch.cat([out.points - corners[..., :2], corners[..., 2:] - out.points], -1).clamp(min=1e-3)
    low, high = torch.minimum(sides[..., :2], sides[..., 2:]), torch.maximum(sides[..., :2], sides[..., 2:])
    centred = (low / high).prod(-1).sqrt().detach()
    apart = 1 - generalised(out.boxes, corners)
    middle = F.binary_cross_entropy_with_logits(out.middle, centred, reduction="none")
    return (focal.sum((1, 2)) + (torch.where(own, apart + middle, 0.0)).sum(1)) / count
