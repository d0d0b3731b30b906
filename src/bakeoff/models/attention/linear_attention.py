"""Linear attention: one sum over all cells answers every question, so time grows with length, not with its square. Katharopoulos et al. 2020, https://arxiv.org/abs/2006.16236"""

from __future__ import annotations

from math import prod
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.attention import Layer
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import zeroed
from bakeoff.nn.position import sinusoids, sinusoids_at
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

CHUNK = 32                    # cells that are weighed one by one; what lies before them is a sum


@family("linear_attention", group="attention")
class LinearAttention(Encoder):
    """A transformer whose weights are φ(q)·φ(k) with φ = elu + 1 instead of exp(q·k): what was read is a matrix per head.

    Causal: a cell sees those that do not come later on the first axis. Departs from the paper: norm before each part and heads
    of at least 8 numbers.
    """

    ranks = frozenset({1, 2, 3})
    can_be_causal = True
    variant_of = "transformer"
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 1,
                 heads: Annotated[int, Choice(1, 2, 4, 8, meaning="attention heads")] = 4,
                 expand: Annotated[int, Choice(1, 2, 4, meaning="hidden width of the feed-forward part, in multiples of D")] = 2,
                 activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.causal = causal
        self.layers = nn.ModuleList(Layer(dim, heads, expand, activation, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        sizes = tuple(x.shape[1:-1])
        cells = None if valid is None else valid.flatten(1)
        y = x.flatten(1, -2) + sinusoids(sizes, x.shape[-1], x.device).to(x.dtype)         # (B, L, D)
        layers: list[Any] = list(self.layers)
        for layer in layers:
            q, k, v = asked(layer, y)
            k = zeroed(k, None if cells is None else cells[:, None])                       # padding is not heard
            heard = so_far(q, k, v, prod(sizes[1:])) if self.causal else q @ (k.transpose(-1, -2) @ v)
            y = layer.told(y, mixed(layer, heard))
        return Grid(zeroed(self.norm(y), cells).view(x.shape), valid)

    def start(self, batch: int) -> State:
        layers: list[Any] = list(self.layers)
        weight, each = self.norm.weight, len(self.norm.weight) // layers[0].attend.heads
        return weight.new_zeros(batch), [weight.new_zeros(batch, layer.attend.heads, each, each + 1) for layer in layers]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """How many cells were read, and what was heard of them by each layer, stay of the same size."""
        layers: list[Any] = list(self.layers)
        place, sums = state
        y, after = (x + sinusoids_at(place, x.shape[-1]).to(x.dtype))[:, None], []
        for layer, total in zip(layers, sums, strict=True):
            q, k, v = asked(layer, y)
            total = total + k.transpose(-1, -2) @ v
            after.append(total)
            y = layer.told(y, mixed(layer, q @ total))
        return self.norm(y)[:, 0], (place + 1, after)


def asked(layer: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B, L, D) → φ(q), φ(k) (B, heads, L, E), and v with a one behind it, which sums up to the denominator."""
    q, k, v = layer.attend.asked(x, None)
    return F.elu(q) + 1, F.elu(k) + 1, F.pad(v, (0, 1), value=1.0)


def mixed(layer: Any, heard: Tensor) -> Tensor:
    """(B, heads, L, E + 1) → (B, L, D): φ(q) Σ φ(k) vᵀ / φ(q) Σ φ(k)."""
    return layer.attend.mixed(heard[..., :-1] / heard[..., -1:].clamp(min=1e-6))           # an empty example has heard nothing


def so_far(q: Tensor, k: Tensor, v: Tensor, each: int) -> Tensor:
    """Σ (φ(q) · φ(k)) v over the cells of the same and earlier steps, `each` cells a step: (B, heads, L, E + 1).

    Within a chunk of some steps each cell is weighed by itself, what came before is one sum: a matrix per chunk, not per cell.
    """
    if torch.compiler.is_exporting():
        return within(q, k, v, each)                                                       # chunks would fix the length
    steps = max(CHUNK // each, 1)
    length, size = q.shape[2], steps * each
    q, k, v = (F.pad(part, (0, 0, 0, -length % size)).unflatten(2, (-1, size)) for part in (q, k, v))
    sums = (k.transpose(-1, -2) @ v).cumsum(2)                                             # S = Σ φ(k) vᵀ up to each chunk's end
    heard = q @ sums if steps == 1 else q @ F.pad(sums[:, :, :-1], (0, 0, 0, 0, 1, 0)) + within(q, k, v, each)
    return heard.flatten(2, 3)[:, :, :length]


def within(q: Tensor, k: Tensor, v: Tensor, each: int) -> Tensor:
    """The same sum cell by cell, over the cells of one chunk."""
    step = torch.arange(q.shape[-2], device=q.device) // each
    return ((q @ k.transpose(-1, -2)) * (step <= step[:, None])) @ v
