"""Optimizers and learning-rate schedules, by the names of train/choices.py."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bakeoff.types import Params

SGD_FACTOR = 20.0             # one range of rates serves all optimizers: SGD's useful rates lie about so much higher


def optimizer_for(network: nn.Module, params: Params) -> torch.optim.Optimizer:
    """The optimizer of a setting. Weight decay is decoupled and spares biases, gains and other vectors."""
    weights = [p for p in network.parameters() if p.requires_grad and p.dim() > 1]
    vectors = [p for p in network.parameters() if p.requires_grad and p.dim() <= 1]
    rate, decay = float(params["lr"]), float(params["weight_decay"])
    groups = [{"params": weights, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    match params["optimizer"]:
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, fused=True)
        case "adam":
            return torch.optim.Adam(groups, lr=rate, fused=True)
        case "sgd":
            # SGD's decay is coupled: the gradient's decay is multiplied by the rate, as AdamW's is by its own
            return torch.optim.SGD(groups, lr=rate * SGD_FACTOR, momentum=0.9, nesterov=True, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate, alpha=0.95, foreach=True)
        case name:
            raise ValueError(f"optimizer {name!r}")


def schedule_for(params: Params, steps: int) -> Callable[[int], float]:
    """Step number → share of the full rate: a rise over `warmup`, then cosine, linear or constant to the end of `steps`."""
    rise = max(1, round(float(params["warmup"]) * steps))
    way = params["schedule"]

    def share(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        left = min(1.0, (step - rise) / max(1, steps - rise))
        if way == "cosine":
            return max(0.005, 0.5 * (1 + math.cos(math.pi * left)))
        return max(0.005, 1 - left) if way == "linear" else 1.0
    return share


class Penalty:
    """L1 on all weights, added to their gradients."""

    def __init__(self, network: nn.Module, strength: float) -> None:
        self.weights = [p for p in network.parameters() if p.requires_grad and p.dim() > 1]
        self.strength = strength

    @torch.no_grad()
    def add(self) -> None:
        pairs: list[tuple[Tensor, Tensor]] = [(p.grad, p) for p in self.weights if p.grad is not None]
        torch._foreach_add_([grad for grad, _ in pairs], torch._foreach_sign([p for _, p in pairs]), alpha=self.strength)
