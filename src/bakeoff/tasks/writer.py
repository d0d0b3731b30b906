"""What tasks share whose answer is a text, written one piece after another: its pieces, its loss, and the head that writes.

Encoder, decoder and the look from one to the other: Sutskever et al. 2014, https://arxiv.org/abs/1409.3215; Bahdanau et al. 2015,
https://arxiv.org/abs/1409.0473; with many heads, Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._pytree import tree_map

from bakeoff import subwords
from bakeoff.errors import DataError
from bakeoff.metrics.base import Metric
from bakeoff.nn.embed import Embed
from bakeoff.nn.encoder import Encoder, State
from bakeoff.nn.position import sinusoids
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Sort
from bakeoff.types import Answer, Batch, Grid, Needs, Params, Spec

PIECES = 2000                 # subwords of the texts to be written, at most
BORDER = 0                    # id of what stands before the first piece and behind the last
PADDING = -1
USUAL = 0.99                  # share of the training targets in whose length, doubled, every text must end
HEADS = 4
LENGTH = 0.7                  # beams are compared by log-probability over length to this power: Wu et al. 2016, https://arxiv.org/abs/1609.08144


class Writes:
    """Two causal stacks of the running family on what is written, between them one look at what was read → cross-entropy per piece.

    out: a Grid of logits (M, V) of the M pieces that there are, and the mask (B, L) of where they stand. y: (B, L) ids, then BORDER,
    then PADDING. What is decoded is (N, L) ids.
    """

    name: ClassVar[str]
    sort: ClassVar[Sort] = "whole"
    settles: ClassVar[bool] = True
    metrics: tuple[Metric, ...]

    def __init__(self, tokenizer: str = "", longest: int = 1, typical: float = 1.0, measure: Any = None) -> None:
        """longest: pieces that are written at most; typical: pieces of a training target, on average; measure: of what `measured`
        makes metrics."""
        self.tokenizer, self.longest, self.typical, self.measure = tokenizer, longest, typical, measure
        self.vocab = subwords.size(tokenizer) if tokenizer else 1
        self.metrics = self.measured(measure)

    def measured(self, measure: Any) -> tuple[Metric, ...]:
        """The metrics by what `seen` said."""
        raise NotImplementedError

    def seen(self, targets: Sequence[str]) -> Any:
        """What the metrics must know of the training targets, as JSON. Raises OptionError where what they need is not installed."""
        raise NotImplementedError

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        texts = [str(target) for target in targets]
        tokenizer = subwords.learnt(texts, PIECES, ["<border>"])
        lengths = sorted(len(row) + 1 for row in subwords.encoded(texts, tokenizer))
        if not lengths or lengths[-1] < 2:
            raise DataError("every target is empty", "the training examples", "Give texts to be written.")
        usual = lengths[math.ceil(USUAL * len(lengths)) - 1]
        self.__init__(tokenizer, min(lengths[-1], 2 * usual), sum(lengths) / len(lengths), self.seen(texts))    # type: ignore[misc]
        return self

    def state(self) -> dict[str, Any]:
        return {"tokenizer": self.tokenizer, "longest": self.longest, "typical": self.typical, "measure": self.measure}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(**state)

    def why_not(self, spec: Spec) -> str | None:
        if spec.ahead is not None:
            return "these series have no text of their own: they go on, and are to be forecast"
        return "the cells of a table's row are no text to be written anew" if spec.one_cell else None

    def needs(self) -> Needs:
        return Needs(keep=1, writes=True)

    def space(self, spec: Spec) -> Space:
        return Space({
            "label_smoothing": Param("label_smoothing", 0.0, "share of the target spread over all pieces", values=(0.0, 0.1, 0.2)),
            "beam": Param("beam", 1, "texts that are written at once, of which the likeliest is kept; 1: always the likeliest piece", values=(1, 4)),
        })

    def collate(self, targets: Sequence[object]) -> Tensor:
        """(N, L) ids; what is longer than may be written is cut, and then has no border at its end."""
        rows = [[*ids, BORDER][:self.longest] for ids in subwords.encoded([str(target) for target in targets], self.tokenizer)]
        lengths = np.array([len(row) for row in rows], np.int64)
        y = np.full((len(rows), lengths.max(initial=1)), PADDING, np.int64)
        y[np.arange(y.shape[1]) < lengths[:, None]] = np.fromiter((token for row in rows for token in row), np.int64, lengths.sum())
        return torch.from_numpy(y)

    def prepared(self, spec: Spec, params: Params) -> Spec:
        return spec

    def prepare(self, batch: Batch, params: Params) -> Batch:
        return batch

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        return Writer(make, dim, self.vocab, self.longest, params)

    def loss(self, out: Grid, y: Tensor, params: Params) -> Tensor:
        return self.per_example(out, y, float(params.get("label_smoothing", 0.0)))

    def plain_loss(self, out: Grid, y: Tensor) -> Tensor:
        return self.per_example(out, y, 0.0)

    def per_example(self, out: Grid, y: Tensor, smoothing: float) -> Tensor:
        """(B,) nats per piece of a target of average length, so that long texts weigh more."""
        logits, valid = out
        assert valid is not None
        each = F.cross_entropy(logits, y[:, :valid.shape[1]][valid], reduction="none", label_smoothing=smoothing)
        whose = valid.nonzero()[:, 0]
        return each.new_zeros(len(valid)).index_add(0, whose, each) / self.typical

    def decode(self, out: Tensor) -> list[Answer]:
        rows = []
        for row in out.nan_to_num(nan=BORDER).long().tolist():
            end = next((place for place, token in enumerate(row) if token <= BORDER), len(row))
            rows.append(row[:end])
        return [Answer(text, {}) for text in subwords.decoded(rows, self.tokenizer)]

    def words(self, ids: Sequence[int]) -> list[tuple[str, int]]:
        """The words that these pieces make, and of how many each is made."""
        return subwords.words(ids, self.tokenizer)


class Writer(nn.Module):
    """Grid (B, *S, D) of what was read and texts (B, L) → logits of each next piece; or, with `answer`, the texts."""

    def __init__(self, make: Callable[..., Encoder], dim: int, vocab: int, longest: int, params: Params) -> None:
        super().__init__()
        self.longest, self.beam = longest, int(params.get("beam", 1))
        self.embed = Embed(None, vocab, dim, float(params.get("dropout", 0.0)))
        self.first = make(rank=1, causal=True, full=True, sizes=(None,))
        self.bridge = Bridge(dim)
        self.second = make(rank=1, causal=True, full=True, sizes=(None,))
        self.norm, self.bias = nn.LayerNorm(dim), nn.Parameter(torch.zeros(vocab))

    def forward(self, grid: Grid, batch: Batch) -> Grid:
        y = batch.y[:, :max(1, int((batch.y != PADDING).sum(1).max()))]
        valid = y != PADDING
        h = self.asking(y)
        h = Grid(h.x + self.bridge(h.x, *self.bridge.read(grid)) * valid[..., None], valid)
        there = valid.flatten().nonzero()[:, 0]                              # not [valid]: going back through that takes longer
        return Grid(self.logits(self.second(h).x.flatten(0, 1).index_select(0, there)), valid)

    def asking(self, y: Tensor) -> Grid:
        """Texts (B, L) → Grid (B, L, D): what is known before each piece, by which it looks."""
        before = F.pad(y, (1, 0), value=BORDER)[:, :-1].clamp(min=0)
        return self.first(self.embed(Grid(before, y != PADDING)))

    def looks(self, grid: Grid, y: Tensor) -> Tensor:
        """(B, L, S): how much of its look each piece of the texts (B, L) gives each cell of what was read; rows sum to 1."""
        return self.bridge.looks(self.asking(y).x, *self.bridge.read(grid)[::2])

    def logits(self, x: Tensor) -> Tensor:
        """(…, D) → (…, V): how well each piece fits, by the table that pieces are read with (Press & Wolf 2017,
        https://arxiv.org/abs/1608.05859)."""
        table: Any = self.embed.table
        return F.linear(self.norm(x) * x.shape[-1] ** -0.5, table.weight, self.bias)

    def answer(self, grid: Grid, batch: Batch, out: Any) -> Tensor:
        """(B, ≤ longest) ids as float, NaN behind each text's end: beam search, or with a beam of 1 the likeliest piece each time.

        A beam that has ended goes on with the border for nothing; an example all of whose beams have ended is taken out.
        """
        beam, device = self.beam, grid.x.device
        count = len(grid.x)
        keys, values, mask = self.bridge.read(grid)
        written = torch.full((count, self.longest), math.nan, device=device)
        who = torch.arange(count, device=device)                             # (b,) examples that are still being written
        rows = who.repeat_interleave(beam)
        memory: Any = (keys[rows], values[rows], None if mask is None else mask[rows])
        states: Any = (self.first.start(len(rows)), self.second.start(len(rows)))
        last = torch.zeros(len(rows), dtype=torch.int64, device=device)
        texts = torch.zeros((len(rows), 0), dtype=torch.int64, device=device)
        score = torch.zeros((count, beam), device=device)
        score[:, 1:] = -math.inf                                             # all beams are the same at first: only one goes on
        length, ended = torch.zeros_like(score), torch.zeros_like(score, dtype=torch.bool)
        for at in range(self.longest):
            logits, states = self.step(last, states, memory, at)
            chance = logits.float().log_softmax(-1).view(len(who), beam, -1)
            chance = torch.where(ended[..., None], stopped(chance), chance)
            total, longer = score[..., None] + chance, length + ~ended
            best = (total / longer[..., None].clamp(min=1) ** LENGTH).flatten(1).topk(beam, 1).indices        # (b, beam)
            source, token = best // chance.shape[-1], best % chance.shape[-1]
            score, length = total.flatten(1).gather(1, best), longer.gather(1, source)
            ended = ended.gather(1, source) | (token == BORDER)
            rows = (source + beam * torch.arange(len(who), device=device)[:, None]).flatten()
            texts, last = torch.cat([texts[rows], token.flatten()[:, None]], 1), token.flatten()
            going = ~ended.all(1)
            if not bool(going.all()):
                done = ~going
                written[who[done], :texts.shape[1]] = best_of(texts, score, length)[done]
                who, score, length, ended = who[going], score[going], length[going], ended[going]
                kept = going.repeat_interleave(beam)
                texts, last, rows = texts[kept], last[kept], rows[kept]
                memory = picked(memory, kept)
            if not len(who):
                break
            if beam > 1 or len(rows) < len(chance):
                states = picked(states, rows)
        if len(who):
            written[who, :texts.shape[1]] = best_of(texts, score, length)
        return written.masked_fill(written == BORDER, math.nan)

    def step(self, token: Tensor, states: tuple[State, State], memory: tuple[Tensor, Tensor, Tensor | None],
             at: int) -> tuple[Tensor, tuple[State, State]]:
        """token: (R,) what was written last, before piece number `at` → logits (R, V) of that, and the states of both stacks."""
        x, first = self.first.step(self.embed(Grid(token[:, None])).x[:, 0], states[0])
        x = x + self.bridge(x[:, None], *memory, at)[:, 0]
        x, second = self.second.step(x, states[1])
        return self.logits(x), (first, second)


def picked(parts: Any, rows: Tensor) -> Any:
    """These rows of all tensors of a nest."""
    return tree_map(lambda part: part[rows] if isinstance(part, Tensor) else part, parts)


def stopped(chance: Tensor) -> Tensor:
    """Log-probabilities after the end: the border for sure."""
    sure = torch.full_like(chance, -math.inf)
    sure[..., BORDER] = 0.0
    return sure


def best_of(texts: Tensor, score: Tensor, length: Tensor) -> Tensor:
    """texts (b·beam, t), score and length (b, beam) → (b, t) float: the likeliest of each example."""
    best = (score / length.clamp(min=1) ** LENGTH).argmax(1)
    return texts.view(len(score), -1, texts.shape[-1])[torch.arange(len(score), device=texts.device), best].float()


class Bridge(nn.Module):
    """What is written looks at what was read: attention with positions added on both sides, since not every family marks them."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.heads = min(HEADS, max(1, dim // 8))
        self.norm, self.norm_read = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.ask, self.tell, self.mix = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)

    def read(self, grid: Grid) -> tuple[Tensor, Tensor, Tensor | None]:
        """Grid (B, *S, D) → keys and values (B, heads, S, D / heads), and which of them are there (B, 1, 1, S), None: all."""
        x = self.norm_read(grid.x.flatten(1, -2))
        x = x + sinusoids(tuple(x.shape[1:-1]), x.shape[-1], x.device).to(x.dtype)
        keys, values = self.tell(x).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if grid.valid is None:
            return keys, values, None
        cells = grid.valid.flatten(1)
        return keys, values, (cells | ~cells.any(1, keepdim=True))[:, None, None]        # an empty example sees its zeros

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, at: int = 0) -> Tensor:
        """x: (B, L, D), the first of them piece number `at` → (B, L, D)."""
        seen = F.scaled_dot_product_attention(self.asked(x, at), keys, values, mask)
        return self.mix(seen.transpose(1, 2).flatten(-2))

    def asked(self, x: Tensor, at: int = 0) -> Tensor:
        """(B, L, D) → (B, heads, L, D / heads)."""
        place = sinusoids((at + x.shape[1],), x.shape[-1], x.device)[at:].to(x.dtype)
        return self.ask(self.norm(x) + place).unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def looks(self, x: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        """(B, L, S): the weights by which `forward` mixes the values, mean over heads."""
        fits = self.asked(x) @ keys.transpose(-1, -2) * keys.shape[-1] ** -0.5
        return (fits if mask is None else fits.masked_fill(~mask, -math.inf)).softmax(-1).mean(1)
