"""Row 15: ETTh1, 96 hours ahead from 336: a linear map and the transformer in patches, and recurrent and convolutional nets read alike.

Paper: Zeng et al. 2023 (DLinear, table 2), https://arxiv.org/abs/2205.13504; Nie et al. 2023 (PatchTST), https://arxiv.org/abs/2211.14730
Command: python benchmarks/scores/15_etth1.py --data FOLDER      (FOLDER: with ETTh1.csv)
Expected: MSE .37 for dlinear, .37 – .39 for the others; 12, 4 and 4 months, each channel standardised by training, and all 2,785 windows of
    the test part: the last, smaller batch is not dropped, as it was in part of what is printed. An hour on an idle core.

Alike for all networks: patches of 8 hours (42 cells), channels read one by one with the same weights, the window counted from its mean and in
its own deviation, squared error, width 64, one pass over the training windows; then six settings of learning rate, dropout, weight decay and
what each family has of its own are tried on the validation months, and the best is trained with three seeds. PatchTST is the transformer so
read: its patches of 16 overlap by half, it has three layers, and is trained up to 100 passes. nbeats reads hours, not patches.
"""

from __future__ import annotations

import sys
from typing import Any

from row import Part, Row, beside, compete, seeds_of

ALIKE: dict[str, Any] = {"fold": "keep 8", "window": "mean", "objective": "squared", "width": 64, "batch": 32, "channels": "apart",
                         "calendar": "unread", "pool": "flatten", "augment": "none", "optimizer": "adamw", "schedule": "cosine", "warmup": 0.1,
                         "clip": 1.0, "l1": 0.0, "truncate": 0, "activation": "relu", "lr": "1e-3..1e-2", "dropout": "0..0.3"}
TRIALS, EXAMPLES = 6, 8192
PUBLISHED = {
    "dlinear": ("DLinear .375/.399; seasonal naive (24) .512/.433", 0.385),
    "transformer": ("PatchTST .370/.399", 0.385),
    "lstm": ("LSTM 1.044, as others report it", 0.45),
    "tcn": ("TCN .878, as others report it", 0.45),
    "nbeats": ("", None),
}


def main() -> int:
    row = Row(15, "etth1", __doc__ or "")
    for name, (published, bar) in PUBLISHED.items():
        if not row.wants(name):
            continue
        plain = name == "dlinear"
        asked = {**ALIKE, "fold": "keep"} if name == "nbeats" else ALIKE
        result = compete(row.folder(), task="forecast", horizon=96, lookback=336, split="8640,2880,2880", metric="mse_scaled", slate=name,
                         trials=8 if plain else TRIALS, examples=EXAMPLES, seeds=1 if plain else 3, jobs=1,
                         set={} if plain else asked)
        chosen = result.read(f"finals/{name}/seed-0/config.json")["params"]
        shown = ", ".join(f"{key} {value:.2g}" if isinstance(value, float) else f"{key} {value}" for key, value in chosen.items()
                          if key in ("lr", "dropout", "weight_decay", "fold") or key.startswith(f"{name}."))
        row.add(Part(f"{name}, MSE", published, bar, "low", seeds_of(result, name), "MSE", setting=shown))
        row.add(Part(f"{name}, MAE", published, None, "low", [beside(result, name, "mae_scaled")], "MAE, mean over seeds", setting=shown))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
