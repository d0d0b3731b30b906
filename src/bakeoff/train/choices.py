"""The choices that all neural contenders share, and a contender's whole space.

Every neural contender is offered the same ranges and starts from the same values: what differs between contenders is
the encoder alone. A setting's meaning stands here once; `bakeoff families NAME --space`, the tuner and the report
read it.
"""

from __future__ import annotations

import inspect

from bakeoff.nn.embed import SCALINGS
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.fold import on_offer
from bakeoff.nn.network import SHARED
from bakeoff.space import Param, Space, from_signature
from bakeoff.tasks.base import Task
from bakeoff.train import augment
from bakeoff.types import Spec

DENSE = 16                    # times as many cells to start with where every one of them answers for its place


def space_of(family: type[Encoder], spec: Spec, task: Task, causal: bool = False) -> Space:
    """Everything that may be chosen when `family` learns `task` on data of `spec`, most important first."""
    own_choices, needs = task.space(spec), task.needs()
    seen = task.prepared(spec, own_choices.defaults())
    start = family.start_cells * (DENSE if needs.keep == seen.rank > 1 else 1)
    folds = [str(fold) for fold in on_offer(seen, family.ranks, needs.causal or causal, start=start, keep=needs.keep, coarse=needs.coarse)]
    train = spec.counts.get("train", 0)
    batch = 16 if train < 2000 else 32 if train < 20_000 else 64
    common = Space()

    def offer(name: str, default: object, meaning: str, *values: object, low: float = 0, high: float = 0, log: bool = False) -> None:
        common[name] = own_choices.get(name) or Param(name, default, meaning, tuple(values), low, high, log)

    offer("lr", 6e-3, "learning rate; sgd takes 20 times as much", low=3e-4, high=5e-2, log=True)
    offer("width", 64, "D, numbers per cell", 16, 32, 64, 128)
    offer("fold", folds[0] if folds else None, "how cells are grouped and lined up", *folds)
    offer("dropout", 0.0, "share of numbers dropped at embedding and head, and between layers", low=0.0, high=0.5)
    if spec.channels is not None:
        offer("scaling", "train", "input scaling: by the training split per channel, by each example, none", *SCALINGS)
    common.update(own_choices)            # those that stand in place of a common choice are there already
    if family.read_out is not Encoder.read_out and task.sort == "label":
        common.pop("pool", None)          # it has its own way to an answer
    offer("batch", batch, "examples per step", 8, 16, 32, 64, 128)
    changes = augment.on_offer(spec, task)
    if len(changes) > 1:
        offer("augment", augment.NONE, "how examples are changed anew each time they are trained on", *changes)
    offer("weight_decay", 1e-3, "L2, decoupled", low=1e-5, high=1e-1, log=True)
    offer("activation", "relu", "between layers", "relu", "leaky_relu", "gelu", "silu", "tanh")
    offer("optimizer", "adamw", "sgd has Nesterov momentum .9", "adamw", "adam", "sgd", "rmsprop")
    offer("schedule", "cosine", "how the learning rate ends", "cosine", "linear", "constant")
    offer("warmup", 0.1, "share of the steps in which the rate rises", low=0.0, high=0.3)
    offer("clip", 1.0, "largest gradient norm; 0: not clipped", 0.0, 0.5, 1.0, 5.0)
    offer("l1", 0.0, "L1 penalty on the weights", 0.0, 1e-6, 1e-5, 1e-4)
    if family.can_be_causal:
        offer("causal", causal, "read one way only", causal)
    offer("truncate", 0, "cells after which back-propagation through time is cut; 0: never", 0, 32, 128)
    own = from_signature(family.__init__, family.name)
    taken = inspect.signature(family.__init__).parameters
    unread = {name for name in SHARED if name not in taken and name != "dropout"}
    space = Space()
    for name, param in common.items():
        if name not in unread:
            space[name] = param
        if name == "fold":
            space.update(own)
    return space
