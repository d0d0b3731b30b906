"""Row 22: a compact convolutional transformer and a plain vision transformer on small pictures, from scratch.

Papers: Hassani et al. 2021, https://arxiv.org/abs/2104.05704 (CIFAR-10, 200 epochs: CCT-2/3×2 .892 with .28 M parameters, ViT-Lite-7/4
.914); Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929
Command: python benchmarks/scores/22_small_transformers.py --data FOLDER
(FOLDER: CIFAR-10 as train/CLASS/*.png and test/CLASS/*.png or an .npz; any labelled pictures of one size run)
Expected: on a GPU the compact one at least .87; on a CPU one epoch, which is reported.

Not run in full: CIFAR-10 was not at hand, and it needs a GPU. What ran is one epoch of the 60,000 pictures of Fashion-MNIST, which shows that
the script runs, and can reach no bar.

Sizes are the papers': two convolutions, two layers of width 128, two heads; seven layers of width 256, four heads, on patches of 4 × 4.
Both are shifted and mirrored; the papers also mix pictures and draw changes from a learnt list. Strides stand for max pooling,
sinusoids for learnt positions.
"""

from __future__ import annotations

import sys
from typing import Any

from row import Part, Row, fit, setting

from bakeoff.data.load import load
from bakeoff.options import Options
from bakeoff.train import loop

CONTENDERS: dict[str, dict[str, Any]] = {
    "cct": {"fold": "keep", "width": 128, "pool": "attention", "cct.convs": 2, "cct.separable": False, "cct.depth": 2, "cct.heads": 2,
            "cct.expand": 1},
    "transformer": {"fold": "keep 4", "width": 256, "pool": "mean", "transformer.depth": 7, "transformer.heads": 4, "transformer.expand": 2},
}
ALIKE: dict[str, Any] = {"batch": 128, "lr": 1e-3, "weight_decay": 3e-2, "label_smoothing": 0.1, "activation": "gelu", "dropout": 0.1,
                         "augment": "shift+flip"}
PUBLISHED = {"cct": ".892 (CCT-2/3×2, 200 epochs)", "transformer": ".914 (ViT-Lite-7/4, 200 epochs)"}
EPOCHS = {True: 150, False: 1}
BARS = {"cct": 0.87, "transformer": None}
REDUCED = "one epoch"


def main() -> int:
    row = Row(22, "small_transformers", __doc__ or "")
    loaded = load(row.folder(), Options(task="classify"))
    task, splits = loaded.make_task(), loaded.splits
    assert splits.test is not None
    train, test = splits.together().collate(task.collate), splits.test.collate(task.collate)
    right = train.spec.channels == 3 and train.spec.sizes == (32, 32)
    for name, own in CONTENDERS.items():
        if not row.wants(name):
            continue
        params = setting(name, train, task, **ALIKE, **own)
        network = fit(name, train, task, params, steps=EPOCHS[row.full] * len(train) // params["batch"], seed=0, device=row.device)
        value = loop.evaluate(network, test, task, row.device)[0]
        row.add(Part(f"{name} {'CIFAR-10' if right else 'other pictures'}", PUBLISHED[name] if right else "", BARS[name] if right else None,
                     "high", [value], "accuracy", reduced=None if row.full else REDUCED, counts=row.full and right,
                     setting=f"{network.parameter_count():,} parameters, {len(train):,} examples, one seed"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
