"""Row 9: which of 88 keys sound next in the folk tunes of Nottingham: three networks of a million parameters.

Paper: Bai et al. 2018, Table 1, https://arxiv.org/abs/1803.01271 (data: Boulanger-Lewandowski et al. 2012, https://arxiv.org/abs/1206.6392)
Command: python benchmarks/scores/09_nottingham.py --data FOLDER      (FOLDER: with Nottingham.mat or Nottingham.json.gz)
Expected: nats per step ≤ 3.20 (tcn), 3.45 (lstm), 3.60 (gru) on the test pieces, trained on the 694 training pieces alone. Ten
to twenty minutes a contender on a quiet core; three seeds where row.full.

All three have the same pieces in the same order, thirty passes in steps of eight pieces, AdamW with a cosine, the paper's dropout of .2,
and as many parameters. Learning rates are those of row 8.

With one layer the LSTM missed its bar: 3.469 (rate .003), 3.464 (.012), 3.473 (.012, fifty passes: it learns its pieces by heart by then).
Its depth had not been searched for: on the validation pieces, after ten passes, one layer has 3.96, 3.91 and 3.90 (.003, .006, .012), three
layers of as many parameters together have 3.81 (.003). The GRU reached its bar with one layer, and was not searched for.
"""

from __future__ import annotations

import sys
from typing import Any

from rolls import compared, given
from row import Row

PUBLISHED = {"tcn": ("3.07", 3.20), "lstm": ("3.29", 3.45), "gru": ("3.46", 3.60)}
STEPS = 2610                 # thirty passes
SETTINGS: dict[str, dict[str, Any]] = {
    "tcn": {"lr": 1e-2, "dropout": 0.2, "batch": 8, "tcn.depth": 4, "tcn.kernel": 5, "tcn.separable": False},
    "lstm": {"lr": 3e-3, "dropout": 0.2, "batch": 8, "lstm.depth": 3},
    "gru": {"lr": 3e-3, "dropout": 0.2, "batch": 8},
}


def main() -> int:
    row = Row(9, "nottingham", __doc__ or "")
    rolls = given(row.folder(), "Nottingham")
    compared(row, rolls, SETTINGS, PUBLISHED, most=1_000_000, steps=STEPS, seeds=(0, 1, 2) if row.full else (0,))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
