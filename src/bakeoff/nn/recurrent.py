"""Layers of a torch recurrence over one axis: both directions side by side, reversed by each example's own length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.drop import ChannelDrop
from bakeoff.nn.masked import flip, zeroed
from bakeoff.nn.scan import LARGEST, gru_scan, relu_scan, tanh_scan


class Cell(nn.Module):
    """A recurrence that torch has no kernel for: weights named and ordered as those of nn.RNNBase, and one bias.

    A family writes `scan`, all steps of one or two directions at once (nn/scan.py), and `step`, one of them as its formula.
    """

    gates: int
    memories = 1

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.hidden_size = units
        self.weight_ih_l0 = nn.Parameter(torch.empty(self.gates * units, inputs))
        self.weight_hh_l0 = nn.Parameter(torch.empty(self.gates * units, units))
        self.bias_ih_l0 = nn.Parameter(torch.empty(self.gates * units))

    def scan(self, others: list[Any], x: Tensor, weight: Tensor, truncate: int) -> Tensor:
        """x (T, G, B, gates · U) of G directions, this cell's first, weight (G, U, gates · U) → h (T, G, B, U)."""
        raise NotImplementedError

    def step(self, x: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        """(B, inputs) and each memory (B, U) → the memories after it; the first is what the cell gives."""
        raise NotImplementedError


class Rectified(Cell):
    """h ← relu(W_x x + b + W_h h), held within ±LARGEST; below zero `slope` times the sum."""

    gates = 1

    def __init__(self, inputs: int, units: int, slope: float = 0.0) -> None:
        super().__init__(inputs, units)
        self.slope = slope

    def scan(self, others: list[Any], x: Tensor, weight: Tensor, truncate: int) -> Tensor:
        return relu_scan(x, weight, truncate, self.slope)

    def step(self, x: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        own = F.linear(x, self.weight_ih_l0, self.bias_ih_l0)
        return (F.leaky_relu(own + F.linear(memory[0], self.weight_hh_l0), self.slope).clamp(-LARGEST, LARGEST),)


WIDE = 192                    # examples, or lines of pictures, side by side from which torch's own kernels are quicker than the scans

Kernel = Callable[[int, int], nn.RNNBase | Cell]         # (inputs, units) → time first, one layer, one direction


class Recurrent(nn.Module):
    """(B, T, D) → (B, T, D), zero where not valid. Two directions of D/2 units each, or one of D when causal.

    A residual path runs around each layer. Packed sequences are not used: on CPU they cost 2.4 – 5.2 times as much when
    lengths differ, and they raise on an empty example. Padding stays behind in both directions, so no state is held.
    """

    def __init__(self, kernel: Kernel, dim: int, depth: int, *, causal: bool, dropout: float = 0.0, truncate: int = 0) -> None:
        super().__init__()
        self.truncate = truncate
        units = [dim] if causal else [dim // 2, dim - dim // 2]
        self.kernels = nn.ModuleList(kernel(dim, n) for _ in range(depth) for n in units)
        self.directions, self.drop = len(units), ChannelDrop(dropout)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):      # there CPUs have no kernels of half precision
            with torch.autocast("cpu", enabled=False):
                return self(x.float(), valid)
        kernels: list[Any] = list(self.kernels)
        for layer in range(0, len(kernels), self.directions):
            steps = x.transpose(0, 1).contiguous()                           # (T, B, D): a step is one piece of memory
            new = read(kernels[layer:layer + self.directions], steps, valid, self.truncate)
            x = x + zeroed(self.drop(new.transpose(0, 1)), valid)
        return x

    def start(self, batch: int) -> list[tuple[Tensor, ...]]:
        """Per layer its memory before the first step, (B, D); an LSTM has two."""
        kernels: list[Any] = list(self.kernels)
        return [(kernel.weight_hh_l0.new_zeros(batch, kernel.hidden_size),) * memories(kernel) for kernel in kernels]

    def step(self, x: Tensor, state: list[tuple[Tensor, ...]]) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
        """(B, D) → (B, D), what `forward` gives next; of one direction only."""
        after: list[tuple[Tensor, ...]] = []
        for kernel, memory in zip(self.kernels, state, strict=True):
            if isinstance(kernel, Cell):
                after.append(kernel.step(x, *memory))
                x = x + self.drop(after[-1][0])
                continue
            before = tuple(part[None] for part in memory)                    # torch wants the layer first
            new, now = kernel(x[None], before if len(before) > 1 else before[0])
            after.append(tuple(part[0] for part in (now if len(before) > 1 else (now,))))
            x = x + self.drop(new[0])
        return x, after


def memories(kernel: nn.RNNBase | Cell) -> int:
    return kernel.memories if isinstance(kernel, Cell) else 2 if kernel.mode == "LSTM" else 1


def read(kernels: list[Any], x: Tensor, valid: Tensor | None, truncate: int = 0) -> Tensor:
    """(T, B, D) → outputs (T, B, all units) of one kernel forwards and, where there is a second, one backwards."""
    first = kernels[0]
    both = [x] if len(kernels) == 1 else [x, flip(x, valid, 0)]
    own = isinstance(first, Cell)
    if not own and (first.mode == "LSTM" or x.device.type != "cpu" or torch.compiler.is_exporting() or x.shape[1] >= WIDE):
        outputs = [run(kernel, way, truncate) for kernel, way in zip(kernels, both, strict=True)]
    else:
        pairs = zip(kernels, both, strict=True)
        gates = torch.stack([F.linear(way, kernel.get_parameter("weight_ih_l0"), joint_bias(kernel)) for kernel, way in pairs], 1)
        weight = torch.stack([kernel.get_parameter("weight_hh_l0").t() for kernel in kernels])      # (G, U, gates · U)
        if isinstance(first, Cell):
            h = first.scan(kernels, gates, weight, truncate)
        elif first.mode == "GRU":
            bias = torch.stack([kernel.get_parameter("bias_hh_l0")[-kernel.hidden_size:] for kernel in kernels])
            h = gru_scan(gates, weight, bias, truncate)
        else:
            h = tanh_scan(gates, weight, truncate)
        outputs = list(h.unbind(1))
    return torch.cat([outputs[0], *(flip(y, valid, 0) for y in outputs[1:])], -1)


def run(kernel: nn.RNNBase, x: Tensor, truncate: int) -> Tensor:
    """torch's own kernel, (T, B, D) → (T, B, U); with truncate = n no gradient passes the border of every n cells."""
    if not truncate or x.shape[0] <= truncate:
        return kernel(x)[0]
    pieces, state = [], None
    for piece in x.split(truncate):
        y, state = kernel(piece, state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        pieces.append(y)
    return torch.cat(pieces)


def joint_bias(kernel: nn.RNNBase | Cell) -> Tensor:
    """Both biases as one; a GRU's new-memory bias stays apart, since the reset gate scales it."""
    own = kernel.get_parameter("bias_ih_l0")
    if isinstance(kernel, Cell):
        return own
    recurrent = kernel.get_parameter("bias_hh_l0")
    if kernel.mode != "GRU":
        return own + recurrent
    units = kernel.hidden_size
    return own + torch.cat([recurrent[:2 * units], torch.zeros_like(recurrent[:units])])


Either = TypeVar("Either", nn.RNNBase, Cell)


def started(kernel: Either, gate: int | None = None, bias: float = 1.0) -> Either:
    """The kernel with orthogonal recurrent weights, biases 0, and that of the `gate`-th gate such that memory lasts."""
    units = kernel.hidden_size
    for block in kernel.get_parameter("weight_hh_l0").split(units):
        nn.init.orthogonal_(block)
    for block in kernel.get_parameter("weight_ih_l0").split(units):
        nn.init.xavier_uniform_(block)
    if not isinstance(kernel, Cell):
        nn.init.zeros_(kernel.get_parameter("bias_hh_l0"))
    biases = nn.init.zeros_(kernel.get_parameter("bias_ih_l0"))
    if gate is not None:
        nn.init.constant_(biases[gate * units:(gate + 1) * units], bias)
    return kernel


def gru(inputs: int, units: int) -> nn.RNNBase:
    return started(nn.GRU(inputs, units), gate=1)                            # h ← (1 − z) ⊙ n + z ⊙ h


def lstm(inputs: int, units: int) -> nn.RNNBase:
    return started(nn.LSTM(inputs, units), gate=1)                           # input, forget, new, output; Gers et al. 2000


def along(reader: nn.Module, x: Tensor, valid: Tensor | None, axis: int) -> Tensor:
    """reader (N, T, D) → (N, T, D) applied along one axis of (B, *S, D)."""
    x = x.movedim(axis, -2)
    mask = None if valid is None else valid.movedim(axis, -1).flatten(0, -2)
    y = reader(x.flatten(0, -3), mask)
    return y.view(x.shape).movedim(-2, axis)
