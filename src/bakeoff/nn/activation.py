"""Activations by name: what the common choice `activation` may be."""

from __future__ import annotations

from typing import Literal

from torch import nn

Activation = Literal["relu", "leaky_relu", "gelu", "silu", "tanh"]

_KNOWN: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


def activation_of(name: str) -> nn.Module:
    return _KNOWN[name]()
