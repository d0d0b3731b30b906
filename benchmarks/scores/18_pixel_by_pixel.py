"""Row 18: digits of MNIST read one pixel after the other, row by row and in an order that is drawn once.

Paper: Bai et al. 2018, https://arxiv.org/abs/1803.01271 (TCN 99.0 % and 97.2 % permuted); tuned GRU 99.1/94.1 and LSTM 98.8/92.9;
IRNN 98.5/92.5 (Le et al. 2015, https://arxiv.org/abs/1504.00941, give 97 and 82)
Command: python benchmarks/scores/18_pixel_by_pixel.py --data FOLDER        (FOLDER: with train-images-idx3-ubyte.gz and its three kin)
Expected: TCN ≥ .987/.965, GRU ≥ .980/.920, LSTM ≥ .975/.900, of 70,000 parameters each; 20 minutes on a data-centre GPU. On a CPU reduced:
images of 14 × 14 means, 196 steps, and 300 training steps; half an hour on one core, no bar counts.

Not run in full, which needs a GPU; the reduced form shows that the script runs, and can reach no bar.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from row import Part, Row, fit, made, setting, width_for

from bakeoff.tasks.classify import Classify
from bakeoff.train.loop import evaluate

PARAMETERS, EPOCHS, BATCH = 70_000, 12, 64
REDUCED_STEPS, REDUCED = 300, "14 × 14 means of the pixels instead of 28 × 28, 300 steps of 64"
PUBLISHED = {"tcn": ("99.0", "97.2"), "gru": ("99.1", "94.1"), "lstm": ("98.8", "92.9"), "irnn": ("98.5", "92.5")}
BARS = {"tcn": (0.987, 0.965), "gru": (0.98, 0.92), "lstm": (0.975, 0.9), "irnn": (None, None)}
OWN = {"tcn": {"tcn.depth": 7, "tcn.kernel": 7}, "irnn": {"lr": 1e-3}}       # the TCN sees 1,525 pixels


def digits(folder: Path, split: str, full: bool) -> tuple[NDArray[np.float32], list[str]]:
    """→ pixels (N, 784 or 196, 1) of 0 … 1, labels."""
    pixels, labels = (np.frombuffer(gzip.decompress((folder / f"{split}-{what}-ubyte.gz").read_bytes()), np.uint8)[head:]
                      for what, head in (("images-idx3", 16), ("labels-idx1", 8)))
    images = pixels.reshape(-1, 28, 28).astype(np.float32) / 255
    if not full:
        images = images.reshape(-1, 14, 2, 14, 2).mean((2, 4))
    return images.reshape(len(images), -1, 1), labels.astype(str).tolist()


def main() -> int:
    row = Row(18, "pixel_by_pixel", __doc__ or "")
    (x, y), (x_test, y_test) = (digits(row.folder(), split, row.full) for split in ("train", "t10k"))
    orders = {"in order": np.arange(x.shape[1]), "permuted": np.random.default_rng(0).permutation(x.shape[1])}
    steps = EPOCHS * len(x) // BATCH if row.full else REDUCED_STEPS
    for which, (order, places) in enumerate(orders.items()):
        task = Classify()
        train = made(x[:, places], y, task)
        test = made(x_test[:, places], y_test, task, like=train)
        for name, published in PUBLISHED.items():
            part = f"{name} {order}"
            if not row.wants(part):
                continue
            params = setting(name, train, task, causal=True, pool="last", fold="keep", batch=BATCH, **OWN.get(name, {}))
            params["width"] = width_for(PARAMETERS, name, train, task, params)
            right, _ = evaluate(fit(name, train, task, params, steps=steps, seed=0, device=row.device), test, task, row.device)
            row.add(Part(part, published[which], BARS[name][which], "high", [right], "accuracy", reduced=None if row.full else REDUCED,
                         counts=row.full, setting=f"bakeoff's starting setting (rate {params['lr']:g}), width {params['width']}, "
                                                  f"{steps} steps of {BATCH}"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
