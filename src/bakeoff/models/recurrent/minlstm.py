"""Minimal LSTM: input and forget gate see only the cell and share out what is kept and what is new. Feng et al. 2024, https://arxiv.org/abs/2410.01201"""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.linear import Mixture, Residual
from bakeoff.registry import family
from bakeoff.space import Range
from bakeoff.types import Grid, Sizes


@family("minlstm", group="recurrent")
class MinLSTM(Encoder):
    """Layers of half forward, half backward memory (all forward when causal), each with a residual path around it.

    Departs from the paper: layers are normalised before, and their output is mixed by a linear map.
    """

    ranks = frozenset({1})
    can_be_causal = True
    start_cells = 48
    variant_of = "mingru"

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 depth: Annotated[int, Range(1, 4, "layers")] = 2, dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.stack = Residual((Layer(dim, causal, truncate) for _ in range(depth)), dropout)

    def forward(self, grid: Grid) -> Grid:
        return Grid(self.stack(*grid), grid.valid)

    def start(self, batch: int) -> State:
        return self.stack.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.stack.step(x, state)


class Layer(Mixture):
    def __init__(self, dim: int, causal: bool, truncate: int) -> None:
        super().__init__(dim, causal, truncate)
        self.gates = nn.Linear(dim, 2 * dim)                                 # forget, input
        forget, enter = self.gates.bias.detach().chunk(2)
        nn.init.ones_(forget)
        nn.init.uniform_(enter, -4.0, 0.0)                                   # memories that last 2 … 40 cells

    def share(self, x: Tensor) -> Tensor:
        return _Shared.apply(self.gates(x))


class _Shared(torch.autograd.Function):
    """What is under the gates' σ (…, 2·D) → i′ (…, D). By hand its gradient takes half the passes over memory."""

    @staticmethod
    def forward(ctx: Any, said: Tensor) -> Tensor:
        gates = said.clamp(min=-15.0).sigmoid_()                             # f, i = σ(W_f x), σ(W_i x), never both zero
        f, i = gates.chunk(2, -1)
        share = i / (f + i)                                                  # f′ = f / (f + i), i′ = i / (f + i)
        ctx.save_for_backward(gates, share)
        return share

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        gates, share = ctx.saved_tensors
        pull = (share - share * share).mul_(grad)                            # ∂i′/∂ log i = i′ f′ = −∂i′/∂ log f, ∂ log σ(x)/∂x = 1 − σ(x)
        slopes = 1 - gates
        by_f, by_i = slopes.chunk(2, -1)
        by_f.mul_(pull).neg_()
        by_i.mul_(pull)
        return slopes
