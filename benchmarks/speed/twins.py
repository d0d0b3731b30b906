"""Each family's starting setting as it is written with torch.nn and plain autograd, without masks: what benchmarks/speed/families.py
sets beside it. Tensors come as (B, T, D), pictures as (B, H, W, D); parameter counts differ by a few at most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.nn.encoder import Encoder

LINEAR = ("mingru",)
PICTURES: tuple[str, ...] = ()


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


TWINS: dict[str, Callable[[int], nn.Module]] = {
    "rnn": lambda dim: Around(nn.RNN(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "lstm": lambda dim: Around(nn.LSTM(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "gru": lambda dim: Around(nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True), after=same),
    "transformer": transformer_layers,
    "fcn": lambda dim: Turned(*layer(dim, dim, 9), *layer(dim, 2 * dim, 5), *layer(2 * dim, dim, 3)),
    "tcn": lambda dim: Turned(*(Around(*layer(dim, dim, 3, 2 ** k), *layer(dim, dim, 3, 2 ** k)) for k in range(3))),
    "resnet": lambda dim: Turned(Around(*layer(dim, dim, 7), *layer(dim, dim, 5), *layer(dim, dim, 3, act=False))),
    "inception": lambda dim: Turned(Around(*(inception_block(dim) for _ in range(3)), shortcut=nn.BatchNorm1d(dim))),
    "textcnn": lambda dim: Turned(Beside(*(nn.Sequential(nn.Conv1d(dim, dim, k, padding="same"), nn.ReLU(), Strongest()) for k in (3, 4, 5))),
                                  nn.Linear(3 * dim, dim)),
    "mlp": lambda dim: Turned(nn.AdaptiveAvgPool1d(64), nn.Flatten(), *dense(64 * dim, 2 * dim), *dense(2 * dim, dim)),
    "crnn": Crnn,
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
