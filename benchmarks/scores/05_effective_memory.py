"""Row 5: over how many steps is a symbol kept? Accuracy on the ten symbols of copy memory at growing distance, 10,000 parameters each.

Paper: Bai et al. 2018, https://arxiv.org/abs/1803.01271, figure 5 (TCN 100 % at all T; LSTM < 20 % from T = 50, GRU < 20 % from T = 200;
guessing 12.5 %)
Command: python benchmarks/scores/05_effective_memory.py
Expected: TCN ≥ .99 to T = 250, GRU above LSTM on average over the lengths. 8 minutes on one core; --full: every family that reads
sequences one way, hours on a CPU. 500 steps each: enough for the TCN, whose depth matters (seven blocks of kernel 3: all right after 200
steps at T = 250; five of kernel 7: .76 after 500), while the GRU (.23 at T = 10, .15 at 250) and the LSTM (.17, .12) may want more.
"""

from __future__ import annotations

import sys

import numpy as np
from problems import KEPT, copying
from row import Part, Row, fit, setting, width_for

from bakeoff import registry
from bakeoff.train.loop import outputs

LENGTHS, STEPS, BATCH, PARAMETERS = (10, 25, 50, 100, 250), 500, 32, 10_000
NAMES = ("tcn", "gru", "lstm")
PUBLISHED = {"tcn": "1.00 at all T", "gru": "< .20 from T = 200", "lstm": "< .20 from T = 50"}
OWN = {"tcn": {"tcn.depth": 7, "tcn.kernel": 3, "tcn.separable": False}}       # sees 509 steps


def main() -> int:
    row = Row(5, "effective_memory", __doc__ or "")
    names = (*NAMES, *(name for name in others() if row.full))
    right: dict[str, list[float]] = {name: [] for name in names}
    for length in LENGTHS:
        train, test, task = copying(length, 10_000)
        true = np.array(test.targets)[:, -KEPT:]
        for name in names:
            if not row.wants(f"{name} T={length}"):
                continue
            params = setting(name, train, task, causal=True, batch=BATCH, **OWN.get(name, {}))
            params["width"] = width_for(PARAMETERS, name, train, task, params)
            said = outputs(fit(name, train, task, params, steps=STEPS, seed=0, device=row.device), test, row.device)[:, -KEPT:]
            right[name].append(float((np.array(task.tags)[said.long().numpy()] == true).mean()))
            row.add(Part(f"{name} T={length}", PUBLISHED.get(name, ""), 0.99 if name == "tcn" else None, "high", right[name][-1:], "accuracy",
                         setting=f"bakeoff's starting setting, width {params['width']}, {STEPS} steps of {BATCH}"))
    if len(right["gru"]) == len(right["lstm"]) == len(LENGTHS):
        row.add(Part("gru − lstm, mean over lengths", "above 0", 0.0, "high", [float(np.mean(right["gru"]) - np.mean(right["lstm"]))], "accuracy"))
    return row.finish()


def others() -> list[str]:
    """Families that can read one way, one step after the other."""
    return [name for name, family in registry.every("family").items() if family.can_be_causal and not family.pools and name not in NAMES]


if __name__ == "__main__":
    sys.exit(main())
