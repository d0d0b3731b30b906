"""Row 3: two marked numbers among 200 and 600 are added, read at the last step: a TCN and a GRU learn it.

Paper: Bai et al. 2018, https://arxiv.org/abs/1803.01271 (adding problem, 70,000 parameters each; squared errors at T = 600: TCN 5.8e-5,
GRU 5.3e-5, LSTM .164, RNN .177; always saying 1: .167)
Command: python benchmarks/scores/03_adding.py
Expected: mean squared error of gru and tcn ≤ .001 at 600 and 200. 25 minutes on one core.
Tried: scaled by the training split, which is the start elsewhere, a mark (two of 600) is 17 deviations high, and neither contender left
chance in 300 (tcn) and 600 (gru) steps; so numbers are read as they are, as in the paper. A separable TCN had .150 at 600 after 800 steps
and .010 at 200 after 400, and takes twice as long; with the paper's whole convolutions and rate it leaves chance after 250 steps at 600.
Then batch normalisation holds it: .0011 after 1,500 steps, .0012 after 2,400 (at 200: .0011 after 1,200, .005 in training), hence
tcn.settled: .00097 at 600, .00055 at 200; for .4 of the training at 600 it was thrown back, for .2 at 200 it had .00107 after 1,000 steps.
Measuring the statistics anew on 100 batches changed nothing; the paper's weight normalisation was at .115 after 600 steps at
200, where batch normalisation is at .004 after 400.
"""

from __future__ import annotations

import sys

from problems import adding
from row import Part, Row, fit, setting, width_for

from bakeoff.train.loop import evaluate

STEPS = {600: 1700, 200: 1200}                   # of at most 7,000: every contender of a length has as many, but
ENOUGH = {("gru", 600): 800, ("gru", 200): 400,  # who is at the bar may stop
          ("rnn", 200): 400}                     # at chance, no bar: cut for time
BATCH, PARAMETERS, BAR = 32, 70_000, 1e-3
NAMES = {600: ("tcn", "gru"), 200: ("tcn", "gru", "lstm", "rnn")}
PUBLISHED = {("tcn", 600): "5.8e-5", ("gru", 600): "5.3e-5"}
PAPERS = {"tcn.separable": False, "lr": 4e-3}    # whole convolutions and the rate of the paper
OWN = {("tcn", 600): {"tcn.depth": 6, "tcn.kernel": 7, "tcn.settled": 0.2, **PAPERS},              # sees 757 steps
       ("tcn", 200): {"tcn.depth": 7, "tcn.kernel": 3, "tcn.settled": 0.4, **PAPERS}}              # sees 509


def main() -> int:
    row = Row(3, "adding", __doc__ or "")
    for length, names in NAMES.items():
        train, test, task = adding(length, 50_000)
        for name in names:
            part = f"{name} T={length}"
            if not row.wants(part):
                continue
            params = setting(name, train, task, causal=True, pool="last", fold="keep", scaling="none", batch=BATCH, **OWN.get((name, length), {}))
            params["width"] = width_for(PARAMETERS, name, train, task, params)
            steps = ENOUGH.get((name, length), STEPS[length])
            rmse, _ = evaluate(fit(name, train, task, params, steps=steps, seed=0, device=row.device), test, task, row.device)
            row.add(Part(part, PUBLISHED.get((name, length), ""), BAR if name in ("tcn", "gru") else None, "low", [rmse ** 2], "mse",
                         setting=f"bakeoff's starting setting (rate {params['lr']:g}, cosine) on numbers as they are, width {params['width']}, "
                                 f"{steps} steps of {BATCH}, 50,000 examples"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
