"""Each family's starting setting as it is written with torch.nn and plain autograd, without masks: what benchmarks/speed/families.py
sets beside it. Tensors come as (B, T, D), pictures as (B, H, W, D); parameter counts differ by a few at most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.encoder import Encoder

LINEAR = ("mingru", "minlstm")
PICTURES = ("convlstm",)


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


TWINS: dict[str, Callable[[int], nn.Module]] = {
    "rnn": lambda dim: Around(nn.RNN(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "irnn": lambda dim: Around(nn.RNN(dim, dim // 2, batch_first=True, bidirectional=True, nonlinearity="relu"), after=same),
    "lstm": lambda dim: Around(nn.LSTM(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "gru": lambda dim: Around(nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "mgu": lambda dim: Around(Cells(dim, 2, mgu_cell, weights=2), after=same),
    "mingru": lambda dim: mixture(dim, 2, mingru_cell),
    "minlstm": lambda dim: mixture(dim, 3, minlstm_cell),
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
    "convnext": convnext,
    "wavenet": WaveNet,
    "textcnn": lambda dim: Turned(Beside(*(nn.Sequential(nn.Conv1d(dim, dim, k, padding=k // 2), nn.ReLU(), Strongest()) for k in (3, 4, 5))),
                                  nn.Linear(3 * dim, dim)),
    "mlp": lambda dim: Turned(nn.AdaptiveAvgPool1d(64), nn.Flatten(), *dense(64 * dim, 2 * dim), *dense(2 * dim, dim)),
    "crnn": Crnn,
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
    """The loop of autograd over time that stands beside a linear recurrence."""
    return Looped(encoder)
