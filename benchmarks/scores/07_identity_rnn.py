"""Row 7: a simple recurrent network of ReLUs that starts from the identity adds two numbers of 200.

Paper: Le et al. 2015, https://arxiv.org/abs/1504.00941 (IRNN of 100 units, T = 200); a squared error of 4e-5 after 22,000 steps is
reported by Arjovsky et al. 2016, https://arxiv.org/abs/1511.06464, and others who repeated it.
Command: python benchmarks/scores/07_identity_rnn.py
Expected: mean squared error ≤ .001 within 30,000 steps (always saying 1: .167): 9e-5 after 6,000 steps, in four minutes, where the cells are
scaled as bakeoff does it; 4e-5 after 20,000, in twelve, where they are read as they are, as in the paper.
Against the paper: a linear embedding of the cells, input weights of deviation .03 behind it for its .001, a path around the memory, targets
scaled; and Adam with a cosine for SGD at .01, the gradient's norm cut at 1 in both.
Why it had not learnt: with the cells as they are, the numbers' mean adds up to 100 in a memory that passes everything on, and presumably it
is this drift that the gradient is mostly of. A plain ReLU network in the paper's shape (Adam at .0005, one start, training error after
1,500 steps): numbers and marks centred .017, marks ten times as loud .134, targets scaled alone .163, everything scaled .008.
Tried with the cells as they are: SGD at .001 with momentum .9 (the paper's .01) was at chance in training when stopped at 4,500 steps
(scaled: .027 after 2,000, on 1,000 examples generated apart, as all that follows). Adam at .001: after 400 steps every unit is at 0 or at
the bound where the family holds it, no gradient passes either, and the recurrent weights stand still from then on. Adam at .0002: chance
for 1,000 steps, .008 after 2,000, .0016 where its cosine ends at 6,000: hence more steps. Bakeoff's weight decay (.001) undoes the identity
under SGD (largest eigenvalue .980 after 2,000 steps: .02 of what was, after 200 cells).
With the cells scaled, starts 1 and 2 end at 5e-5, too.
"""

from __future__ import annotations

import sys
from typing import Any

from problems import adding
from row import Part, Row, fit, setting

from bakeoff.train.loop import evaluate

BATCH, UNITS, BAR = 32, 100, 1e-3
ADAM = {"optimizer": "adam", "weight_decay": 0.0}
WAYS: dict[str, tuple[int, dict[str, Any]]] = {      # part → steps, of at most 30,000, and choices
    "irnn T=200": (6000, {"scaling": "train", "lr": 1e-3, **ADAM}),
    "irnn raw T=200": (20_000, {"scaling": "none", "lr": 2e-4, **ADAM})}
SCALED = {"train": "numbers and marks scaled by the training split", "none": "numbers and marks as they are"}


def main() -> int:
    row = Row(7, "identity_rnn", __doc__ or "")
    train, test, task = adding(200, 50_000)
    for name, (steps, own) in WAYS.items():
        if not row.wants(name):
            continue
        params = setting("irnn", train, task, causal=True, pool="last", fold="keep", batch=BATCH, width=UNITS, **own)
        rmse, _ = evaluate(fit("irnn", train, task, params, steps=steps, seed=0, device=row.device), test, task, row.device)
        row.add(Part(name, "4e-5 in 22,000 steps", BAR, "low", [rmse ** 2], "mse",
                     setting=f"{UNITS} units, {SCALED[own['scaling']]}, Adam, rate {own['lr']:g}, no weight decay, else bakeoff's starting "
                             f"setting (a tenth of warming up, then a cosine; the gradient's norm cut at 1), {steps} steps of {BATCH}"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
