"""Memory network: a question asks all memories at once, again and again, each time together with what it was told. Sukhbaatar et al. 2015, https://arxiv.org/abs/1503.08895"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.encoder import Encoder, ReadOut
from bakeoff.nn.masked import zeroed
from bakeoff.nn.resize import longest
from bakeoff.registry import family
from bakeoff.space import Choice, Range
from bakeoff.types import Grid, Sizes

AGES = 128                    # memories that are older than so many others share a place in time
ROOM = 50                     # memories that there is room for; those that stand empty are zero, and take part in the softmax
WINDOW = 5                    # cells of one axis that are the key to the one in their middle


@family("memn2n", group="memory")
class MemN2N(Encoder):
    """On two axes a row is a memory, its words summed with position encoding, and the first row is the question; the others stand
    from the newest to the oldest. On one axis every cell is a memory and the last one asks. → what the last hop ends with, one cell.

    Key-value (Miller et al. 2016, https://arxiv.org/abs/1606.03126): every cell is a memory, its row or the window around it the key,
    itself the value. Departs from the papers: a learnt vector asks too, since series have no question; softmax is put in after a share of
    the training and not when validation stops falling; the answer's map is not tied to a table. As in the authors' code, words are summed
    with twice the weights that the paper prints, and memories without a sentence stay open to the softmax: a question that nothing
    answers may look at none. On one axis there is room for one more memory than there are, embeddings begin larger and scores are divided
    by √D.
    """

    ranks = frozenset({1, 2})
    well_known = True
    pools = True
    plan: Tensor

    def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False,
                 hops: Annotated[int, Range(1, 6, "times that the memories are asked")] = 3,
                 tying: Annotated[str, Choice("adjacent", "layerwise", "key-value", meaning="adjacent: what one hop is told by, the next "
                                              "asks; layerwise: all hops have the same tables; key-value: see the paper")] = "adjacent",
                 linear: Annotated[float, Choice(0.0, 0.1, 0.3, meaning="share of the training before softmax is put in")] = 0.1,
                 noise: Annotated[float, Choice(0.0, 0.1, meaning="empty memories strewn in while training, per memory")] = 0.1) -> None:
        super().__init__(dim, rank=rank, sizes=sizes)
        self.hops, self.tying, self.linear, self.noise = hops, tying, linear, noise
        told = rank == 2                                                     # a story, as in the paper: deviation .1; at .5 answers outrun tables
        self.embeds, self.room = (0.2, ROOM) if told else (1.0, 0)
        self.sharp = 1.0 if told else float(dim) ** -0.5
        self.reads = hops + 1 if tying == "adjacent" else 3                  # A, C and B; key, centre and value
        self.asking = 2 if tying == "layerwise" else 0                       # the question's table
        self.ask = nn.Parameter(torch.zeros(dim))
        self.time = nn.Parameter(0.1 * torch.randn(AGES, hops + 1 if tying == "adjacent" else 2, dim))
        turns = [nn.Linear(dim, dim, bias=False) for _ in range({"adjacent": 0, "layerwise": 1, "key-value": hops}[tying])]
        for turn in turns:
            nn.init.eye_(turn.weight)
        self.turns = nn.ModuleList(turns)
        self.register_buffer("plan", torch.ones(()))                         # 1: softmax is in

    def passed(self, share: float) -> None:
        self.plan.fill_(share >= self.linear)

    def forward(self, grid: Grid) -> Grid:
        x, valid = grid
        u, memories, known = self.read(x.unflatten(-1, (self.reads, -1)), valid)
        for hop in range(self.hops):
            first = hop if self.tying == "adjacent" else 0
            m, c = memories[:, :, first], memories[:, :, first + 1]          # (B, M, D)
            scores = torch.einsum("bd,bmd->bm", u, m) * self.sharp
            o = torch.einsum("bm,bmd->bd", self.attended(scores, known), c)  # o = Σ pᵢ cᵢ
            u = self.turns[hop](u + o) if self.tying == "key-value" else o + (self.turns[0](u) if len(self.turns) else u)
        one, some = (1,) * len(self.stride), None if valid is None else valid.flatten(1).any(1)
        return Grid(zeroed(u, some).view(len(u), *one, -1), None if some is None else some.view(-1, *one))

    def read_out(self, classes: int) -> ReadOut:
        return Plain(self.ask.numel(), classes)

    def attended(self, scores: Tensor, known: Tensor | None) -> Tensor:
        """p (B, M) = softmax(u · m) with the memories that stand empty, or the scores themselves while training begins."""
        there = torch.ones_like(scores, dtype=torch.bool) if known is None else known
        empty = (self.room - there.sum(1, keepdim=True)).clamp(min=1).to(scores.dtype).log()    # so many more scores of 0
        asked = torch.cat([scores.masked_fill(~there, -1e4), empty], 1).softmax(-1)[:, :-1]
        return torch.where(self.plan > 0, asked, scores) * there

    def read(self, x: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """x (B, *S, tables, D) → (question (B, D), memories (B, M, tables, D), which of them there are)."""
        cells, rows, words = x, x, valid
        if x.dim() == 5:                                                     # row 0 is the question
            summed, words = encoded(x, valid), None if valid is None else valid[:, 1:]
            asking, rows, cells = summed[:, 0, self.asking], summed[:, 1:], x[:, 1:]
            place = torch.arange(rows.shape[1], device=x.device)[None]
        else:
            cell = torch.arange(x.shape[1], device=x.device)[None]
            last = cell[:, -1:] if valid is None else valid.sum(1, keepdim=True).sub(1).clamp(min=0)
            place = (last - cell).clamp(min=0)
            if self.tying == "key-value":                                    # a window with each cell in its middle
                rows = F.avg_pool1d(x.flatten(2).transpose(1, 2), WINDOW, 1, WINDOW // 2).transpose(1, 2).view(x.shape) * WINDOW
            asking = rows[torch.arange(len(x), device=x.device), last.expand(len(x), 1).squeeze(1), self.asking]
        known = words if words is None or words.dim() == 2 else words[:, :, 0]
        ages, empty, there = place, None, None
        if self.training and self.noise:
            ages, empty, there = self.strewn(place, known, len(x))
        when = self.time[ages.clamp(max=AGES - 1)]                           # (B or 1, M, tables, D)
        if self.tying == "key-value":
            keys = rows[..., 0, :] if x.dim() == 4 else rows[..., None, 0, :]
            parts = torch.stack([keys + cells[..., 1, :], cells[..., 2, :]], -2)       # key + centre, value
            memories = (parts if x.dim() == 4 else parts + when[:, :, None]).flatten(1, -3)
            memories, known = memories + when if x.dim() == 4 else memories, None if words is None else words.flatten(1)
        else:
            memories = rows[..., :when.shape[-2], :] + when
        if empty is not None and there is not None:
            memories = torch.cat([memories, self.time[empty.clamp(max=AGES - 1)]], 1)
            known = torch.cat([there.new_ones(memories.shape[0], memories.shape[1] - there.shape[1]) if known is None else known, there], 1)
        return self.ask + asking, memories, known

    def strewn(self, place: Tensor, known: Tensor | None, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Ages of memories (B, M) with empty ones among them, ages of those (B, E), and which of them there are."""
        most, device = place.shape[1], place.device
        count = torch.full((batch, 1), most, device=device) if known is None else known.sum(1, keepdim=True)
        extra = (self.noise * count + torch.rand(batch, 1, device=device)).long()
        more = int(self.noise * most) + 1
        beyond = torch.arange(most + more, device=device) >= count + extra
        empty = torch.rand(beyond.shape, device=device).masked_fill(beyond, 2.0).argsort(1).argsort(1) < extra
        order = (empty.int() + 2 * beyond).argsort(dim=1, stable=True)        # places in time: of memories, of empty ones, of none
        number = torch.arange(more, device=device)
        return order.gather(1, place.expand(batch, -1)), order.gather(1, count + number), number < extra


class Plain(ReadOut):
    """Grid of one cell → (B, classes) by a linear map, as in the paper. Nothing is normalised over the batch: questions of one length come
    together, so that a batch is of one or two sorts and its mean is not that of all."""

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.out = nn.Linear(dim, classes, bias=False)
        nn.init.normal_(self.out.weight, std=0.1)

    def forward(self, grid: Grid) -> Tensor:
        return self.out(grid.x.flatten(1))


def encoded(x: Tensor, valid: Tensor | None) -> Tensor:
    """(B, M, J, tables, D) → (B, M, tables, D): Σⱼ 2 lⱼ xⱼ with lₖⱼ = (1 − j/J) − (k/D) (1 − 2 j/J): the order of words counts."""
    length = torch.tensor([x.shape[2]], device=x.device) if valid is None else longest(valid, 2).clamp(min=1)
    share = torch.arange(1, x.shape[2] + 1, dtype=x.dtype, device=x.device) / length[:, None]   # j/J (B or 1, J)
    weights = torch.stack([1 - share, 1 - 2 * share], 1)[:, None]                               # (B or 1, 1, 2, J)
    first, second = (weights @ x.flatten(3)).unflatten(-1, x.shape[3:]).unbind(2)
    return 2 * (first - torch.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device) / x.shape[-1] * second)
