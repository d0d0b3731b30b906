"""Row 19: a capsule network with three routings and reconstruction, and a convolutional network of equal size, on handwritten digits.

Papers: Sabour et al. 2017, https://arxiv.org/abs/1710.09829 (error .25 %, its convolutional net .39 %); .34 % ± .03 in a replication
Command: python benchmarks/scores/19_capsules.py --data FOLDER      (FOLDER: the four idx files of MNIST)
Expected: a small one, 10 epochs, one seed: error at most 1.0 %; fifteen minutes on a busy core, its twin longer (not yet run: --only resnet).
With a GPU or --full at most .40 % on three seeds (not yet run in full).

Before the weights of the votes were learnt as fast as other weights the small one had 1.62 % (kernel 3, separable, batch 64). Chosen on
a fifth of the training digits, after 30,000 and 60,000 examples: full convolutions of five cells (.969; separable .961, of three .957)
and batches of 32 (.983; of 64 .978).

Equal size: the parameters that answer, those that draw the digit again not counted. Digits are moved by up to three pixels each way in
training (the choice augment=shift moves by an eighth of the side; the paper's are two). Both see the same digits in the same order, at
the learning rate that all contenders start from. Departures of the family from the paper stand in its docstring.
"""

from __future__ import annotations

import sys
from typing import Any

from row import Part, Row, fit, network_of, setting, width_for

from bakeoff.data.load import load
from bakeoff.options import Options
from bakeoff.train import loop

FULL: dict[str, Any] = {"fold": "keep", "width": 128, "kernel": 5, "separable": False, "epochs": 30, "batch": 128, "seeds": (0, 1, 2)}
SMALL: dict[str, Any] = {"fold": "keep 2", "width": 32, "kernel": 5, "separable": False, "epochs": 10, "batch": 32, "seeds": (0,)}
REDUCED = "10 epochs of a small one (width 32 on cells of 2 × 2 pixels), one seed"
BARS = {True: 0.0040, False: 0.010}
PUBLISHED = {"capsnet": ".0025 (paper), .0034 ± .0003 (replication)", "resnet": ".0039 (the paper's convolutional net, 35.4 M)"}


def main() -> int:
    row = Row(19, "capsules", __doc__ or "")
    loaded = load(row.folder(), Options(task="classify"))
    task, splits = loaded.make_task(), loaded.splits
    assert splits.test is not None
    train, test = splits.together().collate(task.collate), splits.test.collate(task.collate)
    size = FULL if row.full else SMALL
    common = {"fold": size["fold"], "batch": size["batch"], "augment": "shift"}
    capsules = setting("capsnet", train, task, **common, width=size["width"],
                       **{"capsnet.kernel": size["kernel"], "capsnet.separable": size["separable"], "capsnet.routing": 3})
    answering = sum(weights.numel() for name, weights in network_of("capsnet", train, task, capsules).named_parameters() if ".draw." not in name)
    plain = setting("resnet", train, task, **common, **{"resnet.depth": 3, "resnet.separable": False})
    plain["width"] = width_for(answering, "resnet", train, task, plain)
    for name, params in (("capsnet", capsules), ("resnet", plain)):
        if not row.wants(name):
            continue
        errors = []
        for seed in size["seeds"]:
            network = fit(name, train, task, params, steps=size["epochs"] * len(train) // size["batch"], seed=seed, device=row.device)
            errors.append(1 - loop.evaluate(network, test, task, row.device)[0])
            print(f"{name}, seed {seed}: error {errors[-1]:.4f}", flush=True)
        row.add(Part(f"{name} MNIST", PUBLISHED[name], BARS[row.full] if name == "capsnet" else None, "low", errors, "error",
                     reduced=None if row.full else REDUCED,
                     setting=f"{answering:,} answering parameters, width {params['width']}, {size['epochs']} epochs, "
                             f"{params['optimizer']} at {params['lr']}, augment shift"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
