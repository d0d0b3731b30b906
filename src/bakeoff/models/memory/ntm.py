"""Neural Turing machine: a small controller that reads and writes a memory by content and by place. Graves et al. 2014, https://arxiv.org/abs/1410.5401

Details of Collier & Beel 2018 (https://arxiv.org/abs/1807.08518): constant memory, learnt first reading and first place,
which begins as the first row.
"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.masked import zeroed
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

EMPTY = 1e-6                  # every number of the memory before anything is written
FIRST = 6.0                   # lead of the first row, under the softmax that says where the heads stand before they read
SMALL = 1e-6                  # added to squared lengths and to weights under a logarithm


@family("ntm", group="memory")
class NTM(Encoder):
    """Reads forwards only, causal or not; each step reads what the steps before wrote, then writes.

    Departs from the papers: a residual path around it. Padding stays behind, so no state is held.
    """

    ranks = frozenset({1})
    can_be_causal = True
    start_cells = 48

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 controller: Annotated[str, Choice("lstm", "feedforward", meaning="what chooses where to read and write")] = "lstm",
                 slots: Annotated[int, Choice(16, 32, 64, 128, meaning="rows of the memory")] = 32,
                 slot: Annotated[int, Choice(8, 16, 32, meaning="numbers in a row of the memory")] = 16,
                 heads: Annotated[int, Range(1, 4, "heads that read, and as many that write")] = 1, truncate: int = 0) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.cell, self.truncate = Cell(dim, controller, slots, slot, heads), truncate

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        state, outputs = self.cell.start(len(x)), []
        for t, own in enumerate(self.cell.own(x).unbind(1)):
            if self.truncate and t and t % self.truncate == 0:
                state = tuple(part.detach() for part in state)
            said, state = self.cell(own, state)
            outputs.append(said)
        return Grid(x + zeroed(self.cell.out(torch.stack(outputs, 1)), valid), valid)

    def start(self, batch: int) -> State:
        return self.cell.start(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        said, state = self.cell(self.cell.own(x), state)
        return x + self.cell.out(said), state


class Cell(nn.Module):
    """One step: controller, heads, reading, writing. state: reading (B, R·W), weights (B, 2·R, N), memory (B, N, W), h and c (B, D)."""

    def __init__(self, dim: int, controller: str, slots: int, slot: int, heads: int) -> None:
        super().__init__()
        self.lstm, self.heads, self.slots, self.slot = controller == "lstm", heads, slots, slot
        every = 2 * heads                                                    # the first half reads, the second writes
        self.parts = [every * slot, heads * slot, heads * slot, every, every, every, 3 * every]
        gates = 4 * dim if self.lstm else dim
        self.own = nn.Linear(dim, gates)
        self.back = nn.Linear(heads * slot + dim * self.lstm, gates, bias=False)
        self.ask = nn.Linear(dim, sum(self.parts))                           # all heads in one map
        self.out = nn.Linear(dim + heads * slot, dim)
        self.reading = nn.Parameter(torch.zeros(heads * slot))
        self.place = nn.Parameter(torch.zeros(every, slots))
        with torch.no_grad():
            self.place[:, 0] = FIRST                                         # strewn over all rows, there is no place to step on from
        for weight in (self.own.weight, self.back.weight):
            for gate in weight.split(dim):
                nn.init.xavier_uniform_(gate)
        nn.init.zeros_(self.own.bias)
        if self.lstm:
            nn.init.ones_(self.own.bias[dim:2 * dim])                        # what is remembered lasts

    def start(self, batch: int) -> tuple[Tensor, ...]:
        dim = self.out.out_features
        weights = self.place.softmax(-1).expand(batch, -1, -1)
        h = self.reading.new_zeros(batch, dim)
        return (self.reading.tanh().expand(batch, -1), weights, self.reading.new_full((batch, self.slots, self.slot), EMPTY), h, h)

    def forward(self, own: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """own: the controller's view of the cell, (B, gates) → (what was thought and read (B, D + R·W), the state after it)."""
        reading, weights, memory, h, c = state
        if self.lstm:
            gates = torch.addmm(own, torch.cat([reading, h], -1), self.back.weight.t())
            i, f, g, o = gates.chunk(4, -1)
            c = torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh())
            h = o.sigmoid() * c.tanh()
        else:
            h = torch.addmm(own, reading, self.back.weight.t()).tanh()
        k, erase, add, strength, gate, sharp, shift = self.ask(h).split(self.parts, -1)
        weights = self.addressed(k.unflatten(-1, (-1, self.slot)), strength, gate, sharp, shift, weights, memory)
        read, write = weights.split(self.heads, 1)
        reading = torch.bmm(read, memory).flatten(1)                         # r = Σ w(i) M(i)
        memory = self.written(memory, write, erase.sigmoid(), add.tanh())
        return torch.cat([h, reading], -1), (reading, weights, memory, h, c)

    def addressed(self, k: Tensor, strength: Tensor, gate: Tensor, sharp: Tensor, shift: Tensor, before: Tensor, memory: Tensor) -> Tensor:
        """Where each head is, (B, heads, N): sums to 1."""
        k = k * (F.softplus(strength) * (k.square().sum(-1) + SMALL).rsqrt().view_as(strength))[..., None]
        alike = torch.bmm(k, memory.transpose(1, 2)) * (memory.square().sum(-1) + SMALL).rsqrt()[:, None]
        alike, gate = alike.softmax(-1).to(before), gate.sigmoid().to(before)[..., None]   # whole, also where products are halved
        w = torch.lerp(before, alike, gate)                                  # g wᶜ + (1 − g) w
        around = torch.cat([w[..., -1:], w, w[..., :1]], -1).unfold(-1, w.shape[-1], 1)    # (B, heads, 3, N): shifted by 1, 0, −1
        w = (shift.unflatten(-1, (-1, 3)).softmax(-1)[..., None, :] @ around).squeeze(-2)
        return ((1 + F.softplus(sharp))[..., None] * (w + SMALL).log()).softmax(-1)        # w^γ / Σ w^γ

    def written(self, memory: Tensor, w: Tensor, erase: Tensor, add: Tensor) -> Tensor:
        """M(i) ← M(i) Π (1 − w(i) e) + Σ w(i) a, over all writing heads."""
        erase, add = (part.unflatten(-1, (self.heads, -1)) for part in (erase, add))
        for place, wiped in zip(w.unbind(1), erase.unbind(1), strict=True):
            memory = torch.addcmul(memory, memory * place[..., None], wiped[:, None], value=-1)
        return torch.baddbmm(memory, w.transpose(1, 2), add)
