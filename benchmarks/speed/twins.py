"""Each family's starting setting as it is written with torch.nn and plain autograd, without masks: what benchmarks/speed/families.py
sets beside it. Tensors come as (B, T, D), pictures as (B, H, W, D); parameter counts differ by a few at most."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.models.recurrent import minlstm
from bakeoff.nn.encoder import Encoder

LINEAR = ("mingru", "minlstm", "lru", "mamba")
PICTURES = ("convlstm", "renet")


class Turned(nn.Module):
    """Channels to the front, as nn.Conv1d and nn.Conv2d want them, then the layers."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.movedim(-1, 1))


class Around(nn.Module):
    """after(x + layers(x)); shortcut: what the input goes through on its way around."""

    def __init__(self, *layers: nn.Module, after: Callable[[Tensor], Tensor] = F.relu, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.layers, self.after, self.shortcut = nn.Sequential(*layers), after, shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        y = y[0] if isinstance(y, tuple) else y
        return self.after((x if self.shortcut is None else self.shortcut(x)) + y)


class Beside(nn.Module):
    """What each part gives, side by side."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part(x) for part in self.parts], 1)


class Strongest(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.amax(-1)


def same(x: Tensor) -> Tensor:
    return x


def layer(dim: int, outputs: int, kernel: int, dilation: int = 1, act: bool = True) -> list[nn.Module]:
    """A separable convolution, its norm and activation."""
    return [nn.Conv1d(dim, dim, kernel, padding=kernel // 2 * dilation, dilation=dilation, groups=dim, bias=False),
            nn.Conv1d(dim, outputs, 1, bias=False), nn.BatchNorm1d(outputs), *([nn.ReLU()] if act else [])]


def dense(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]


def inception_block(dim: int, kernels: tuple[int, ...] = (19, 9, 5)) -> nn.Module:
    part = dim // 4
    narrow = nn.Conv1d(dim, part, 1, bias=False)
    convs = Beside(*(nn.Conv1d(part, part, k, padding=k // 2, groups=part, bias=False) for k in kernels))
    return nn.Sequential(Beside(nn.Sequential(narrow, convs), nn.Sequential(nn.MaxPool1d(3, 1, 1), nn.Conv1d(dim, part, 1, bias=False))),
                         nn.BatchNorm1d(dim), nn.ReLU())


def transformer_layers(dim: int, depth: int = 1) -> nn.Module:
    one = nn.TransformerEncoderLayer(dim, 4, 2 * dim, dropout=0.0, batch_first=True, norm_first=True)
    return nn.TransformerEncoder(one, depth, nn.LayerNorm(dim), enable_nested_tensor=False)


class Crnn(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        conv, mix, norm, act = layer(dim, dim, 5)
        conv.stride = (2,)                                                   # type: ignore[assignment]
        self.convs = Turned(conv, mix, norm, act)
        self.reader = Around(nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True), after=same)

    def forward(self, x: Tensor) -> Tensor:
        return self.reader(self.convs(x).transpose(1, 2))


class Cells(nn.Module):
    """A recurrence of one's own, cell by cell in both directions: `cell` takes what `enter` makes of all cells at once, and the memory."""

    def __init__(self, dim: int, enter: int, cell: Callable[[Any, Tensor, Tensor], Tensor], weights: int = 0) -> None:
        super().__init__()
        units = dim // 2
        self.units, self.cell = units, cell
        self.enters = nn.ModuleList(nn.Linear(dim, enter * units) for _ in range(2))
        self.recurs = nn.ModuleList(nn.Linear(units, units, bias=False) for _ in range(2 * weights))

    def forward(self, x: Tensor) -> Tensor:
        ways, count = [], len(self.recurs) // 2
        for way, enter in enumerate(self.enters):
            own, h, out = enter(x.flip(1) if way else x), x.new_zeros(len(x), self.units), []
            for step in own.unbind(1):
                h = self.cell(list(self.recurs)[way * count:(way + 1) * count], step, h)
                out.append(h)
            ways.append(torch.stack(out, 1))
        return torch.cat([ways[0], ways[1].flip(1)], -1)


def mgu_cell(recurs: list[nn.Module], own: Tensor, h: Tensor) -> Tensor:
    of_gate, of_new = own.chunk(2, -1)
    f = (of_gate + recurs[0](h)).sigmoid()
    return (1 - f) * h + f * (of_new + recurs[1](f * h)).tanh()


def mingru_cell(_: list[nn.Module], own: Tensor, h: Tensor) -> Tensor:
    gate, new = own.chunk(2, -1)
    z = gate.sigmoid()
    return (1 - z) * h + z * new


def minlstm_cell(_: list[nn.Module], own: Tensor, h: Tensor) -> Tensor:
    forget, enter, new = own.chunk(3, -1)
    f, i = forget.sigmoid(), enter.sigmoid()
    return f / (f + i) * h + i / (f + i) * new


def mixture(dim: int, enter: int, cell: Callable[[Any, Tensor, Tensor], Tensor]) -> nn.Module:
    """Two layers of a linear recurrence, normalised before and mixed after."""
    return nn.Sequential(*(Around(nn.LayerNorm(dim), Cells(dim, enter, cell), nn.Linear(dim, dim), after=same) for _ in range(2)))


class Squeeze(nn.Module):
    """Channels weighed by their means (and, where `strongest`, their maxima)."""

    def __init__(self, dim: int, strongest: bool = False) -> None:
        super().__init__()
        self.strongest, self.weigh = strongest, nn.Sequential(nn.Linear(dim, dim // 4), nn.ReLU(), nn.Linear(dim // 4, dim))

    def forward(self, x: Tensor) -> Tensor:
        score = self.weigh(x.mean(-1))
        if self.strongest:
            score = score + self.weigh(x.amax(-1))
        return x * score.sigmoid()[..., None]


class WeighCells(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.Sequential(nn.Conv1d(2, 1, 7, padding=3, bias=False), nn.BatchNorm1d(1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.cells(torch.stack([x.mean(1), x.amax(1)], 1))


def residual(dim: int, *weigh: nn.Module) -> nn.Module:
    return Turned(Around(*layer(dim, dim, 7), *layer(dim, dim, 5), *layer(dim, dim, 3, act=False), *weigh))


class Across(nn.Module):
    """Layers for (B, T, D) on (B, D, T)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.transpose(1, 2)).transpose(1, 2)


def convnext(dim: int) -> nn.Module:
    def block() -> nn.Module:
        return Around(nn.Conv1d(dim, dim, 7, padding=3, groups=dim, bias=False),
                      Across(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim)), after=same)
    return Turned(block(), Across(nn.LayerNorm(dim)), nn.Conv1d(dim, dim, 2, 2), block(), Across(nn.LayerNorm(dim)))


class WaveNet(nn.Module):
    def __init__(self, dim: int, depth: int = 4) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Sequential(nn.Conv1d(dim, dim, 3, padding=2 ** k, dilation=2 ** k, groups=dim, bias=False),
                                                 nn.Conv1d(dim, 2 * dim, 1)) for k in range(depth))
        self.skips = nn.ModuleList(nn.Conv1d(dim, dim, 1, bias=False) for _ in range(depth))
        self.ons = nn.ModuleList(nn.Conv1d(dim, dim, 1, bias=False) for _ in range(depth - 1))
        self.mix = nn.Conv1d(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, heard = x.transpose(1, 2), torch.zeros(())
        for number, (conv, skip) in enumerate(zip(self.convs, self.skips, strict=True)):
            new, gate = conv(x).chunk(2, 1)
            z = new.tanh() * gate.sigmoid()
            heard = heard + skip(z)
            if number < len(self.ons):
                x = x + self.ons[number](z)
        return F.relu(self.mix(F.relu(heard)))


class LstmFcn(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.convs = TWINS["fcn"](dim)
        self.reader, self.mix = TWINS["lstm"](dim), nn.Linear(2 * dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(torch.cat([self.convs(x).transpose(1, 2), self.reader(x)], -1))


class ConvLstm(nn.Module):
    """(B, H, W, D), the first axis time: the gates' convolution over the second at every step, both ways."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.units = dim // 2
        self.enters = nn.ModuleList(nn.Sequential(nn.Conv1d(dim, dim, 3, padding=1, groups=dim, bias=False), nn.Conv1d(dim, 2 * dim, 1))
                                    for _ in range(2))
        self.recurs = nn.ModuleList(nn.Sequential(nn.Conv1d(dim // 2, dim // 2, 3, padding=1, groups=dim // 2, bias=False),
                                                  nn.Conv1d(dim // 2, 2 * dim, 1, bias=False)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        ways = []
        for way, (enter, recur) in enumerate(zip(self.enters, self.recurs, strict=True)):
            h = c = x.new_zeros(len(x), self.units, x.shape[2])
            out = []
            for step in (x.flip(1) if way else x).unbind(1):
                new, i, f, o = (enter(step.transpose(1, 2)) + recur(h)).chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * new.tanh()
                h = o.sigmoid() * c.tanh()
                out.append(h)
            ways.append(torch.stack(out, 1))
        return x + torch.cat([ways[0], ways[1].flip(1)], 2).transpose(2, 3)


class ReNet(nn.Module):
    """(B, H, W, D): every column is read down, then every row across, both ways, with a path around each reading."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.down, self.across = (nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        columns = x.transpose(1, 2)
        x = (columns + self.down(columns.flatten(0, 1))[0].view(columns.shape)).transpose(1, 2)
        return x + self.across(x.flatten(0, 1))[0].view(x.shape)


class Cct(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        conv, mix, norm, act = layer(dim, dim, 3)
        conv.stride = (2,)                                                   # type: ignore[assignment]
        self.front, self.body = Turned(conv, mix, norm, act), transformer_layers(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.front(x).transpose(1, 2))


class Lite(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        parts = [dim // 3, dim // 3, dim - 2 * (dim // 3)]
        self.parts = parts
        self.convs = nn.ModuleList(nn.Conv1d(n, n, k, padding=k // 2, groups=n, bias=False) for n, k in zip(parts, (19, 9, 5), strict=True))
        made = 14                                                            # rising, falling and peaks of up to 32 cells
        self.looks, self.each = nn.Conv1d(dim, made, 1, bias=False), nn.Conv1d(made, made, 49, padding=24, groups=made, bias=False)
        self.each.weight.requires_grad_(False)
        wide = dim + made
        self.rest = nn.Sequential(nn.BatchNorm1d(wide), nn.ReLU(), *layer(wide, dim, 9, 2), *layer(dim, dim, 5, 4))

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        branches = [conv(part) for conv, part in zip(self.convs, x.split(self.parts, 1), strict=True)]
        return self.rest(torch.cat([*branches, self.each(self.looks(x))], 1))


class LinearAttention(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm, self.ask, self.mix, self.last = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim), nn.LayerNorm(dim)
        self.feed = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.ask(self.norm(x)).unflatten(-1, (3, 4, -1)).permute(2, 0, 3, 1, 4)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        y = q @ (k.transpose(-1, -2) @ v) / (q @ k.sum(2)[..., None])
        x = x + self.mix(y.transpose(1, 2).flatten(2))
        return self.last(x + self.feed(x))


class DynamicConv(nn.Module):
    def __init__(self, dim: int, kernel: int, heads: int = 4) -> None:
        super().__init__()
        self.kernel, self.heads, self.norm, self.ask = kernel, heads, nn.LayerNorm(dim), nn.Linear(dim, 2 * dim)
        self.weigh, self.mix = nn.Linear(dim, heads * kernel), nn.Linear(dim, dim)
        self.feed = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        v = F.glu(self.ask(self.norm(x)))
        weight = self.weigh(v).unflatten(-1, (self.heads, self.kernel)).softmax(-1)                       # (B, T, heads, kernel)
        seen = F.pad(v, (0, 0, self.kernel // 2, self.kernel // 2)).unfold(1, self.kernel, 1)             # (B, T, D, kernel)
        y = torch.einsum("bthrk,bthk->bthr", seen.unflatten(2, (self.heads, -1)), weight).flatten(2)
        x = x + self.mix(y)
        return x + self.feed(x)


class Lru(nn.Module):
    """A layer of complex memories, cell by cell in both directions."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm, self.mix, self.direct = nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.Parameter(torch.randn(dim))
        self.decay, self.angle = nn.Parameter(torch.rand(2, dim // 2)), nn.Parameter(torch.rand(2, dim // 2))
        self.enter, self.leave = nn.Linear(dim, 2 * dim, bias=False), nn.Linear(2 * dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y, turn, ways = self.norm(x), torch.polar((-self.decay.exp()).exp(), self.angle), []
        pulls = torch.view_as_complex(self.enter(y).unflatten(-1, (2, -1, 2)))                            # (B, T, ways, D / 2)
        for way in (0, 1):
            pull = pulls[:, :, way].flip(1) if way else pulls[:, :, way]
            h, out = torch.zeros_like(pull[:, 0]), []
            for step in pull.unbind(1):
                h = turn[way] * h + step
                out.append(h)
            ways.append(torch.stack(out, 1).flip(1) if way else torch.stack(out, 1))
        y = self.leave(torch.view_as_real(torch.stack(ways, 2)).flatten(2)) + self.direct * y
        return x + F.glu(self.mix(F.gelu(y)), -1)


class Mamba(nn.Module):
    """A layer of selective memory of 16 numbers a channel, heads of 16 channels, cell by cell in both directions."""

    def __init__(self, dim: int, memory: int = 16, head: int = 16) -> None:
        super().__init__()
        self.head, heads = head, dim // 2 // head
        self.parts = [dim, dim, 2 * memory, 2 * memory, 2 * heads]
        self.norm, self.enter, self.leave = nn.LayerNorm(dim), nn.Linear(dim, sum(self.parts)), nn.Linear(dim, dim)
        self.conv = nn.Conv1d(dim, dim, 4, padding=3, groups=dim)
        self.decay, self.direct = nn.Parameter(torch.rand(2, heads)), nn.Parameter(torch.ones(dim))
        start = torch.logspace(-3, -1, heads).repeat(2)
        with torch.no_grad():
            self.enter.bias[-2 * heads:] = start.expm1().log()               # paces from .001 to .1

    def forward(self, x: Tensor) -> Tensor:
        u, gate, b, c, pace = self.enter(self.norm(x)).split(self.parts, -1)
        u, b, c, pace = (torch.cat([ahead, back.flip(1)], -1) for ahead, back in (part.chunk(2, -1) for part in (u, b, c, pace)))
        u, pace = F.silu(self.conv(u.transpose(1, 2))[..., :x.shape[1]].transpose(1, 2)), F.softplus(pace)
        ways = []
        for own, b_own, c_own, delta, decay in zip(*(part.chunk(2, -1) for part in (u, b, c, pace)), self.decay, strict=True):
            keep = (delta * -decay.exp()).exp().repeat_interleave(self.head, -1)
            add = (delta.repeat_interleave(self.head, -1) * own)[..., None] * b_own[:, :, None]
            h, out = torch.zeros_like(add[:, 0]), []
            for t in range(x.shape[1]):
                h = keep[:, t, :, None] * h + add[:, t]
                out.append((h * c_own[:, t, None]).sum(-1))
            ways.append(torch.stack(out, 1))
        ahead, back = (torch.cat(ways, -1) + self.direct * u).chunk(2, -1)
        return x + self.leave(torch.cat([ahead, back.flip(1)], -1) * F.silu(gate))


class Conformer(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim)) for _ in range(2))
        self.norm, self.ask, self.mix = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.before, self.gate = nn.LayerNorm(dim), nn.Linear(dim, 2 * dim)
        self.near = Across(nn.Conv1d(dim, dim, 15, padding=7, groups=dim, bias=False), nn.BatchNorm1d(dim), nn.ReLU())
        self.out, self.last = nn.Linear(dim, dim), nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.first(x) / 2
        q, k, v = self.ask(self.norm(x)).unflatten(-1, (3, 4, -1)).permute(2, 0, 3, 1, 4)
        angle = torch.arange(x.shape[1])[:, None] / 10000 ** (torch.arange(8) / 8)
        q, k = (torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)
                for a, b in (q.chunk(2, -1), k.chunk(2, -1)))
        x = x + self.mix(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        x = x + self.out(self.near(F.glu(self.gate(self.before(x)))))
        return self.last(x + self.second(x) / 2)


class MixedConv(nn.Module):
    """A separable convolution whose kernels are mixed for each example: one grouped convolution over the batch."""

    def __init__(self, dim: int, kernel: int, experts: int = 4) -> None:
        super().__init__()
        self.kernel, self.route = kernel, nn.Linear(dim, experts)
        self.each, self.mix = nn.Parameter(torch.randn(experts, dim, kernel)), nn.Parameter(torch.randn(experts, dim, dim) * dim ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        share = self.route(x.mean(-1)).sigmoid()
        each = torch.einsum("be,eck->bck", share, self.each)
        y = F.conv1d(x.flatten(0, 1)[None], each.flatten(0, 1)[:, None], padding=self.kernel // 2, groups=each.shape[0] * each.shape[1])
        return torch.einsum("be,eoc->boc", share, self.mix) @ y[0].unflatten(0, x.shape[:2])


class Filters(nn.Module):
    """Filters of every cell made by a convolution, over unfolded windows."""

    def __init__(self, dim: int, kernel: int = 5, groups: int = 4) -> None:
        super().__init__()
        self.kernel, self.groups = kernel, groups
        self.look = Turned(*layer(dim, dim, kernel))
        self.make, self.mix, self.norm = nn.Linear(dim, groups * kernel), nn.Linear(dim, dim, bias=False), nn.BatchNorm1d(dim)

    def forward(self, x: Tensor) -> Tensor:
        own = self.make(self.look(x).transpose(1, 2)).unflatten(-1, (self.groups, -1))
        seen = F.pad(x, (0, 0, self.kernel // 2, self.kernel // 2)).unfold(1, self.kernel, 1).unflatten(2, (self.groups, -1))
        y = torch.einsum("btgrk,btgk->btgr", seen, own).flatten(2)
        return x + self.mix(F.relu(self.norm(y.transpose(1, 2))).transpose(1, 2))


class MemN2N(nn.Module):
    """Three hops over the cells of (B, T, 4 · D); a tenth of empty memories among them, as in training."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.time, self.ask = nn.Parameter(torch.randn(200, 4, dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.unflatten(-1, (4, -1))
        length = rows.shape[1]
        more = int(0.1 * length) + 1
        order = torch.rand(len(x), length + more).argsort(1)
        memories = torch.cat([rows + self.time[order[:, :length].sort(1).values], self.time[order[:, length:]]], 1)
        u = self.ask + rows[:, -1, 0]
        for hop in range(3):
            p = torch.softmax((memories[:, :, hop] @ u[..., None])[..., 0], -1)
            u = u + (p[..., None] * memories[:, :, hop + 1]).sum(1)
        return u


class Ntm(nn.Module):
    """One head that reads and one that writes, a memory of 32 × 16, an LSTM that chooses, written down as in the paper."""

    def __init__(self, dim: int, slots: int = 32, slot: int = 16) -> None:
        super().__init__()
        self.slots, self.slot, self.cell = slots, slot, nn.LSTMCell(dim + slot, dim)
        self.asks = nn.ModuleList(nn.ModuleList(nn.Linear(dim, size) for size in (slot, 1, 1, 1, 3)) for _ in range(2))
        self.erase, self.add, self.out = nn.Linear(dim, slot), nn.Linear(dim, slot), nn.Linear(dim + slot, dim)

    def address(self, head: Any, h: Tensor, before: Tensor, memory: Tensor) -> Tensor:
        key, strength, gate, sharp, shift = (ask(h) for ask in head)
        alike = F.cosine_similarity(key[:, None], memory, dim=-1)
        w = (F.softplus(strength) * alike).softmax(-1)
        g, s = gate.sigmoid(), shift.softmax(-1)
        w = g * w + (1 - g) * before
        w = s[:, :1] * w.roll(1, -1) + s[:, 1:2] * w + s[:, 2:] * w.roll(-1, -1)
        w = (w + 1e-8) ** (1 + F.softplus(sharp))
        return w / w.sum(-1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        memory = x.new_full((len(x), self.slots, self.slot), 1e-6)
        reading, h, c = x.new_zeros(len(x), self.slot), x.new_zeros(len(x), x.shape[-1]), x.new_zeros(len(x), x.shape[-1])
        weights, out = [x.new_full((len(x), self.slots), 1 / self.slots)] * 2, []
        for step in x.unbind(1):
            h, c = self.cell(torch.cat([step, reading], -1), (h, c))
            weights = [self.address(head, h, before, memory) for head, before in zip(self.asks, weights, strict=True)]
            reading = (weights[0][..., None] * memory).sum(1)
            memory = memory * (1 - weights[1][..., None] * self.erase(h).sigmoid()[:, None]) + weights[1][..., None] * self.add(h).tanh()[:, None]
            out.append(torch.cat([h, reading], -1))
        return x + self.out(torch.stack(out, 1))


class NBeats(nn.Module):
    """cells: of the window."""

    def __init__(self, dim: int, cells: int = 128) -> None:
        super().__init__()
        window = 2 * cells
        self.few, hidden = nn.Linear(dim, 2, bias=False), 4 * dim
        self.blocks = nn.ModuleList(nn.Sequential(*dense(window, hidden), *dense(hidden, hidden)) for _ in range(3))
        self.backcasts = nn.ModuleList(nn.Linear(hidden, window) for _ in range(2))
        self.forecasts = nn.ModuleList(nn.Linear(hidden, dim) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        window, answer = self.few(x).flatten(1), torch.zeros(())
        for number, block in enumerate(self.blocks):
            h = block(window)
            answer = answer + self.forecasts[number](h)
            if number < len(self.backcasts):
                window = window - self.backcasts[number](h)
        return answer


TWINS: dict[str, Callable[[int], nn.Module]] = {
    "rnn": lambda dim: Around(nn.RNN(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "irnn": lambda dim: Around(nn.RNN(dim, dim // 2, batch_first=True, bidirectional=True, nonlinearity="relu"), after=same),
    "lstm": lambda dim: Around(nn.LSTM(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "gru": lambda dim: Around(nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "mgu": lambda dim: Around(Cells(dim, 2, mgu_cell, weights=2), after=same),
    "mingru": lambda dim: mixture(dim, 2, mingru_cell),
    "minlstm": lambda dim: mixture(dim, 3, minlstm_cell),
    "lru": lambda dim: nn.Sequential(Lru(dim), Lru(dim)),
    "mamba": lambda dim: nn.Sequential(Mamba(dim), Mamba(dim)),
    "conformer": Conformer,
    "transformer": transformer_layers,
    "cct": Cct,
    "linear_attention": LinearAttention,
    "fcn": lambda dim: Turned(*layer(dim, dim, 9), *layer(dim, 2 * dim, 5), *layer(2 * dim, dim, 3)),
    "tcn": lambda dim: Turned(*(Around(*layer(dim, dim, 3, 2 ** k), *layer(dim, dim, 3, 2 ** k)) for k in range(3))),
    "resnet": residual,
    "senet": lambda dim: residual(dim, Squeeze(dim)),
    "cbam": lambda dim: residual(dim, Squeeze(dim, strongest=True), WeighCells()),
    "inception": lambda dim: Turned(Around(*(inception_block(dim) for _ in range(3)), shortcut=nn.BatchNorm1d(dim))),
    "lite": Lite,
    "condconv": lambda dim: Turned(Around(MixedConv(dim, 7), nn.BatchNorm1d(dim), nn.ReLU(), MixedConv(dim, 5), nn.BatchNorm1d(dim), nn.ReLU(),
                                          MixedConv(dim, 3), nn.BatchNorm1d(dim))),
    "dfn": lambda dim: nn.Sequential(Filters(dim), Filters(dim)),
    "memn2n": MemN2N,
    "ntm": Ntm,
    "nbeats": NBeats,
    "convnext": convnext,
    "wavenet": WaveNet,
    "textcnn": lambda dim: Turned(Beside(*(nn.Sequential(nn.Conv1d(dim, dim, k, padding=k // 2), nn.ReLU(), Strongest()) for k in (3, 4, 5))),
                                  nn.Linear(3 * dim, dim)),
    "mlp": lambda dim: Turned(nn.AdaptiveAvgPool1d(64), nn.Flatten(), *dense(64 * dim, 2 * dim), *dense(2 * dim, dim)),
    "crnn": Crnn,
    "renet": ReNet,
    "lstmfcn": LstmFcn,
    "convlstm": ConvLstm,
    "dynamicconv": lambda dim: nn.Sequential(DynamicConv(dim, 7), DynamicConv(dim, 15), nn.LayerNorm(dim)),
}


class Looped(nn.Module):
    """A linear recurrence with the weights of `encoder`, cell by cell: causal layers that know their own `step`."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> Tensor:
        state: Any = self.encoder.start(len(x))
        out = []
        for cell in x.unbind(1):
            y, state = self.encoder.step(cell, state)
            out.append(y)
        return torch.stack(out, 1)


def looped(encoder: Encoder) -> nn.Module:
    """The loop of autograd over time that stands beside a linear recurrence; of minlstm with a share whose gradient is autograd's too."""
    plain = deepcopy(encoder)
    for layer in plain.modules():
        if isinstance(layer, minlstm.Layer):
            layer.share = partial(plain_share, layer)                        # type: ignore[method-assign]
    return Looped(plain)


def plain_share(layer: minlstm.Layer, x: Tensor) -> Tensor:
    f, i = layer.gates(x).clamp(min=-15.0).sigmoid().chunk(2, -1)
    return i / (f + i)
