"""Row 7: a simple recurrent network of ReLUs that starts from the identity adds two numbers of 200.

Paper: Le et al. 2015, https://arxiv.org/abs/1504.00941 (IRNN of 100 units, T = 200); a squared error of 4e-5 after 22,000 steps is
reported by Arjovsky et al. 2016, https://arxiv.org/abs/1511.06464, and others who repeated it.
Command: python benchmarks/scores/07_identity_rnn.py
"""

from __future__ import annotations

import sys
from typing import Any

from problems import adding
from row import Part, Row, fit, setting

from bakeoff.train.loop import evaluate

BATCH, UNITS, BAR, LONGEST = 32, 100, 1e-3, 30_000
ADAM = {"optimizer": "adam", "weight_decay": 0.0}
WAYS: dict[str, tuple[int, dict[str, Any]]] = {      # part → steps, of at most LONGEST, and choices
    "irnn T=200": (6000, {"scaling": "train", "lr": 1e-3, **ADAM}),
    "irnn raw T=200": (20_000, {"scaling": "none", "lr": 2e-4, **ADAM})}
SCALED = {"train": "numbers and marks scaled by the training split", "none": "numbers and marks as they are"}


def main() -> int:
    row = Row(7, "identity_rnn", __doc__ or "")
    train, test, task = adding(200, 50_000)
    for name, (steps, own) in WAYS.items():
        if not row.wants(name):
            continue
        assert steps <= LONGEST
        params = setting("irnn", train, task, causal=True, pool="last", fold="keep", batch=BATCH, width=UNITS, **own)
        rmse, _ = evaluate(fit("irnn", train, task, params, steps=steps, seed=0, device=row.device), test, task, row.device)
        row.add(Part(name, "4e-5 in 22,000 steps", BAR, "low", [rmse ** 2], "mse",
                     setting=f"{UNITS} units, {SCALED[own['scaling']]}, Adam, rate {own['lr']:g}, no weight decay, else bakeoff's starting "
                             f"setting (a tenth of warming up, then a cosine; the gradient's norm cut at 1), {steps} steps of {BATCH}"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
