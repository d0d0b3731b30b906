"""Whether a family learns as much as its straightforward torch.nn version (twins.py), at equal settings in the same loop.

Command: python benchmarks/speed/alike.py [NAME,…]          Time: 20 min; with names, the others' numbers are kept
Value: accuracy on held-out handwritten digits (the sample, a fifth held out), each read as 64 pixels one after the other, or as 8 × 8 where
the twin reads pictures; 6,000 examples at width 64, batch 32, the family's own starting rate for both; mean over 3 seeds. No family is more
than .03 behind. One thread; embedding, pool and head are the same.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import torch
from outcome import HERE, Bar, finish
from torch import Tensor
from twins import PICTURES, TWINS, NBeats

from bakeoff import registry, samples
from bakeoff.data.load import load
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.network import Network
from bakeoff.options import Options
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.types import Grid, Sizes

DIM, BATCH, EXAMPLES, SEEDS = 64, 32, 6000, 3
CHANNELS_FIRST = frozenset({"fcn", "tcn", "resnet", "senet", "cbam", "inception", "lite", "convnext", "wavenet", "condconv"})


def twin_of(name: str) -> type[Encoder]:
    """The twin as a family: what it gives is brought to (B, *S, D)."""
    family = registry.get("family", name)

    class Twin(Encoder):
        ranks, pools, can_be_causal = family.ranks, family.pools, False

        def __init__(self, dim: int, *, rank: int, sizes: Sizes, causal: bool = False, full: bool = False) -> None:
            super().__init__(dim, rank=rank, sizes=sizes)
            self.body = NBeats(dim, int(sizes[0] or 0)) if name == "nbeats" else TWINS[name](dim)
            self.reads = getattr(family(dim, rank=rank, sizes=sizes), "reads", 1)

        def forward(self, grid: Grid) -> Grid:
            out: Tensor = self.body(grid.x)
            if name in CHANNELS_FIRST:
                out = out.transpose(1, 2)
            return Grid(out[:, None] if out.dim() == 2 else out, None)

    Twin.name, Twin.group = family.name, family.group
    return Twin


def learnt(family: type[Encoder], splits: Any, task: Any, params: dict[str, Any], seed: int) -> float:
    torch.manual_seed(seed)
    network = Network(family, splits.train.spec, task, params)
    loop.train(network, splits.train, None, task, params, examples=EXAMPLES, seed=seed)
    return loop.evaluate(network, splits.test, task)[0]


def main() -> int:
    began = time.perf_counter()
    torch.set_num_threads(1)
    loaded = load(samples.place("digits", 0), Options())
    task, splits = loaded.make_task(), loaded.folds[0].splits
    spec, found = splits.train.spec, {}
    for split in (splits.train, splits.test):
        split.aim(task.collate(split.targets))
    asked = list(TWINS)
    if len(sys.argv) > 1:
        asked, found = sys.argv[1].split(","), json.loads((HERE / "results" / "alike.json").read_text())["numbers"]["families"]
    for name in asked:
        family = registry.get("family", name)
        params = {**space_of(family, spec, task).defaults(), "fold": "keep" if name in PICTURES else "raster", "width": DIM, "batch": BATCH,
                  "augment": "none", "dropout": 0.0}
        params = {key: value for key, value in params.items() if not key.startswith(f"{name}.")}
        ours, theirs = (np.array([learnt(one, splits, task, params, seed) for seed in range(SEEDS)]) for one in (family, twin_of(name)))
        found[name] = {"ours": ours.tolist(), "twin": theirs.tolist(), "behind": float(theirs.mean() - ours.mean())}
        print(f"{name:16s} {ours.mean():.3f}  twin {theirs.mean():.3f}", flush=True)
    worst = max(found, key=lambda name: found[name]["behind"])
    bar = Bar(f"a family behind its twin, the farthest ({worst})", found[worst]["behind"], 0.03, "low")
    return finish("alike", {"families": found}, [bar], began)


if __name__ == "__main__":
    sys.exit(main())
