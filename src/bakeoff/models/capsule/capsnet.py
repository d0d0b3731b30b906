"""Capsule network: groups of numbers vote for what they are part of, and votes that agree count more. Sabour et al. 2017, https://arxiv.org/abs/1710.09829"""

from __future__ import annotations

from math import prod
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.activation import activation_of
from bakeoff.nn.conv import Conv, Separable
from bakeoff.nn.encoder import Aim, Encoder, ReadOut
from bakeoff.nn.masked import counts, pad_to_multiple, strided, zeroed
from bakeoff.nn.norm import BatchNorm
from bakeoff.nn.resize import fixed_grid, longest
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

LARGE = 12                    # axes of a fixed size are halved by the primary capsules while so many cells are left
POSE, LAST = 8, 16            # numbers in a primary capsule, in a class's
PRESENT, ABSENT, LESS = 0.9, 0.1, 0.5         # m⁺, m⁻ and λ of the margin loss
REGIONS = {1: 8, 2: 4, 3: 2}    # parts of an axis of fixed size, by rank, whose capsules vote in their own way
SHOWN = {1: 64, 2: 16, 3: 6}  # cells per axis, by rank, that are drawn again at most
DRAWN = 0.04                  # of the mean squared error: .0005 of a sum over 784 pixels whose variance is .1; here it is about 1
SPREAD = 10.0                 # logits per length: lengths lie in 0 … 1


@family("capsnet", group="capsule")
class CapsNet(Encoder):
    """A convolution, then primary capsules: D/8 in every cell, 8 numbers each, squashed. Where labels are asked for, class capsules
    are routed from all of them; other tasks are given the primary capsules' numbers as cells.

    Departs from the paper: capsules of a kind vote alike within a region – a part of an axis of fixed size, else the whole of it – to
    which their place is added (Hinton et al. 2018, https://openreview.net/forum?id=HJWLfGWRb), so that any size can be read; votes are
    averaged, not summed; gradients do not pass through the shares that routing finds; kernels are small and separable; what is drawn
    are means of cells where there are many, and never ids.
    """

    ranks = frozenset({1, 2, 3})
    well_known = True

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 kernel: Annotated[int, Choice(3, 5, meaning="cells that a convolution sees along an axis")] = 3,
                 separable: Annotated[bool, Choice(True, False, meaning="each channel convolved by itself, then mixed")] = True,
                 routing: Annotated[int, Range(1, 4, "rounds in which votes that agree gain weight")] = 3,
                 drawing: Annotated[bool, Choice(True, False, meaning="the right class's capsule must draw the input again")] = True,
                 activation: str = "relu") -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        fits = not full and all(size is not None and size >= LARGE for size in sizes)
        self.stride = (2 if fits else 1,) * rank
        self.routing, self.drawing, self.kinds = routing, drawing, max(1, dim // POSE)
        conv = Separable if separable else Conv
        self.conv, self.norm, self.activation = conv(dim, dim, kernel, rank=rank, bias=False), BatchNorm(dim), activation_of(activation)
        self.primary = conv(dim, dim, kernel, rank=rank, stride=self.stride[0])

    def forward(self, grid: Grid) -> Grid:
        valid = strided(grid.valid, self.stride)
        y = self.primary(self.activation(self.norm(self.conv(grid.x), grid.valid)))
        return Grid(zeroed(squashed(y.unflatten(-1, (self.kinds, -1))).flatten(-2), valid), valid)

    def read_out(self, classes: int) -> ReadOut:
        return Routed(self, classes)


class Routed(ReadOut):
    """Primary capsules → a capsule per class, whose length says how likely it is."""

    def __init__(self, encoder: CapsNet, classes: int) -> None:
        super().__init__()
        rank, dim, sizes = len(encoder.stride), encoder.norm.weight.numel(), encoder.sizes
        self.kinds, self.rounds = encoder.kinds, encoder.routing
        self.regions = tuple(1 if size is None else min(REGIONS[rank], size) for size in sizes)
        pose = dim // self.kinds + rank
        # As large as the weights of any layer that reads so many numbers, and made larger where they are used: an optimizer whose steps
        # are of one size for all weights turns large ones slowly. 30,000 digits at the starting rate: error .069, so .043.
        inputs = prod(self.regions) * self.kinds * pose
        self.vote = nn.Parameter(torch.randn(prod(self.regions) * self.kinds, classes, pose, LAST) * inputs ** -0.5)
        self.gain = 2 * (prod(self.regions) * self.kinds) ** 0.5
        self.parts = tuple(SHOWN[rank] if size is None else min(SHOWN[rank], size) for size in encoder.read_sizes)
        self.draw = None
        if encoder.drawing and encoder.read_channels is not None:            # ids cannot be drawn
            pixels = prod(self.parts) * encoder.read_channels
            first, second = nn.Linear(classes * LAST, 4 * dim), nn.Linear(4 * dim, 8 * dim)
            self.draw = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(8 * dim, pixels))

    def forward(self, grid: Grid) -> Tensor:
        return self.logits(self.capsules(grid))

    def loss(self, grid: Grid, given: Grid, aim: Aim) -> Tensor:
        """Σ T max(0, m⁺ − |v|)² + λ (1 − T) max(0, |v| − m⁻)², and what the right capsules draw is like the input.

        Label smoothing and class weights act on T and on what each class counts."""
        v = self.capsules(grid)
        length, right = lengths(v), aim.shares
        missed = right * F.relu(PRESENT - length).square() + LESS * (1 - right) * F.relu(length - ABSENT).square()
        loss = (aim.weights * missed).sum(1)
        if self.draw is None:
            return loss
        drawn = self.draw((v * (right > 0.5)[..., None]).flatten(1))
        return loss + DRAWN * (drawn - fixed_grid(given, self.parts).flatten(1)).square().mean(1)

    def logits(self, v: Tensor) -> Tensor:
        return SPREAD * (lengths(v) - 0.5)

    def capsules(self, grid: Grid) -> Tensor:
        """(B, K, 16). Where W is the same, û = W u gives Σ c û = W Σ c u: no vote needs to be written down by itself."""
        u, classes = self.placed(grid), self.vote.shape[1]                       # (B, places · kinds, cells, pose)
        cells = prod(grid.x.shape[1:-1]) if grid.valid is None else counts(grid.valid)[:, None, None]
        share = classes * prod(self.regions) ** 0.5 / (cells * self.kinds ** 0.5)
        vote = self.gain * self.vote.transpose(0, 1).flatten(1, 2)               # W: (K, places · kinds · pose, 16)
        # Each round needs the one before it for its shares alone. With gradients through them a step took twice as long (95 ms, now
        # 53, batch 64 of 28 × 28 as it starts) and learnt no better: 8,000 of the sample digits, three seeds, .985 and .983.
        middle = (u.sum(2, keepdim=True) / classes).expand(-1, -1, classes, -1)  # in the first round all classes are alike
        if self.rounds > 1:
            shares = self.shares(u.detach(), middle.detach(), vote.detach(), share)
            middle = shares @ u
        return self.told(middle, vote, share)

    def told(self, middle: Tensor, vote: Tensor, share: Tensor | float) -> Tensor:
        """Σ c u of every region and kind (B, places · kinds, K, pose) → v (B, K, 16). vote (K, places · kinds · pose, 16)."""
        classes, rows = len(vote), middle.permute(2, 0, 1, 3)
        return squashed(torch.bmm(rows.reshape(classes, len(middle), -1), vote).transpose(0, 1) * share)

    @torch.no_grad()
    def shares(self, u: Tensor, middle: Tensor, vote: Tensor, share: Tensor | float) -> Tensor:
        """c of the last round: (B, places · kinds, K, cells)."""
        said: Tensor | None = None
        for left in range(self.rounds - 2, -1, -1):
            v = self.told(middle, vote, share)
            said = v if said is None else said + v                               # b = Σ û · v = u · W Σ v, over the rounds so far
            agreed = torch.bmm(said.transpose(0, 1), vote.transpose(1, 2)).view(len(vote), *u.shape[:2], -1)
            shares = (u @ agreed.permute(1, 2, 3, 0)).softmax(-1).transpose(2, 3)                # c = softmax(b)
            if left:
                middle = shares @ u
        return shares

    def placed(self, grid: Grid) -> Tensor:
        """The capsules, each with its place times its squared length behind its pose, by region and kind; zero where not valid."""
        x, axes = grid.x.unflatten(-1, (self.kinds, -1)), grid.x.dim() - 2
        size = x.square().sum(-1, keepdim=True)
        for axis in range(axes):
            own = grid.x.new_full((1,), grid.x.shape[1 + axis]) if grid.valid is None else longest(grid.valid, axis + 1).clamp(min=1).to(x.dtype)
            at = (torch.arange(grid.x.shape[1 + axis], device=x.device) + 0.5) / own[:, None] - 0.5
            x = torch.cat([x, size * at.view(len(at), *(at.shape[1] if a == axis else 1 for a in range(axes)), 1, 1)], -1)
        x, _ = pad_to_multiple(x.flatten(-2), None, self.regions)
        shape = [part for size, parts in zip(x.shape[1:-1], self.regions, strict=True) for part in (parts, size // parts)]
        x = x.reshape(len(x), *shape, self.kinds, -1)
        return x.permute(0, *range(1, 2 * axes, 2), 2 * axes + 1, *range(2, 2 * axes + 1, 2), 2 * axes + 2).flatten(axes + 2, -2).flatten(1, axes + 1)


def squashed(s: Tensor) -> Tensor:
    """(…, pose) → s |s| / (1 + |s|²): its direction kept, its length in 0 … 1."""
    power = s.square().sum(-1, keepdim=True)
    return s * ((power + 1e-7).sqrt() / (1 + power))


def lengths(v: Tensor) -> Tensor:
    return (v.square().sum(-1) + 1e-7).sqrt()
