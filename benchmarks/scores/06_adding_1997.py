"""Row 6: the problem that the LSTM was made for: two numbers of 100 are added, far behind the last mark; a tanh network does not learn it.

Paper: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735 (an answer counts as right within .04; after 74,000
sequences one of 2,560 was wrong). Numbers and marks here as in Bai et al. 2018, https://arxiv.org/abs/1803.01271: uniform in [0, 1), one
mark in each half of exactly 100 steps.
Command: python benchmarks/scores/06_adding_1997.py
Expected: mean squared error of three LSTMs under .005 each, of tanh networks over .04 (always saying 1: .167). 5 minutes on one quiet core.
"""

from __future__ import annotations

import sys

from problems import adding
from row import Part, Row, fit, setting

from bakeoff.train.loop import evaluate

STEPS, BATCH, SEEDS = 2000, 32, (0, 1, 2)
TRIED = {"lstm": ("worst of three starts", "low", 0.005, max), "rnn": ("best of three starts", "high", 0.04, min)}


def main() -> int:
    row = Row(6, "adding_1997", __doc__ or "")
    train, test, task = adding(100, 50_000)
    for name, (which, best, bar, pick) in TRIED.items():
        if not row.wants(name):
            continue
        params = setting(name, train, task, causal=True, pool="last", fold="keep", batch=BATCH)
        errors = [evaluate(fit(name, train, task, params, steps=STEPS, seed=seed, device=row.device), test, task, row.device)[0] ** 2
                  for seed in SEEDS]
        how = f"bakeoff's starting setting (width {params['width']}, rate {params['lr']:g}, cosine), {STEPS} steps of {BATCH}"
        row.add(Part(f"{name} T=100", "under .04 for nearly all sequences" if name == "lstm" else "", None, best, errors, "mse", setting=how))
        row.add(Part(f"{name} T=100, {which}", "", bar, best, [pick(errors)], "mse", setting=how))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
