"""Row 4: ten symbols are said again 1,000 steps later: a TCN that sees so far does it, networks that carry a memory guess.

Paper: Bai et al. 2018, https://arxiv.org/abs/1803.01271 (copy memory, T = 1000, about 16,000 parameters: losses TCN 3.5e-5, LSTM .0204,
GRU .0197; guessing: 10 · ln 8 / 1020 = .02039)
Command: python benchmarks/scores/04_copy_memory.py
Expected: TCN ≤ .001 (8.1e-5), LSTM and GRU near .0204, which is chance (.0205, .0205; cross-entropy per step, mean over 1,020 steps).
15 minutes on one core.
Tried: what matters is depth. The TCN has whole convolutions as in the paper and nine blocks of kernel 3, 16 wide: it leaves chance after
350 steps of 1,200 and is done after 700. Seven blocks that see as far (kernel 7, 12 wide, or 5, 14 wide) were at chance after 250 steps, as
nine were; at T = 250 seven blocks of kernel 3 had learnt it after 200 steps, where five of kernel 7 were at .34.
"""

from __future__ import annotations

import math
import sys

from problems import KEPT, WORDS, copying
from row import Part, Row, fit, setting, width_for

from bakeoff.train.loop import evaluate

LENGTH, STEPS, BATCH, PARAMETERS = 1000, 1200, 32, 16_000
CHANCE = KEPT * math.log(WORDS) / (LENGTH + 2 * KEPT)
PUBLISHED = {"tcn": "3.5e-5", "lstm": "0.0204", "gru": "0.0197"}
OWN = {"tcn": {"tcn.depth": 9, "tcn.kernel": 3, "tcn.separable": False}}       # sees 2,045 steps: a depth that the search does not offer


def main() -> int:
    row = Row(4, "copy_memory", __doc__ or "")
    train, test, task = copying(LENGTH, 10_000)
    for name, published in PUBLISHED.items():
        if not row.wants(name):
            continue
        params = setting(name, train, task, causal=True, batch=BATCH, **OWN.get(name, {}))
        params["width"] = width_for(PARAMETERS, name, train, task, params)
        _, loss = evaluate(fit(name, train, task, params, steps=STEPS, seed=0, device=row.device), test, task, row.device)
        row.add(Part(f"{name} T={LENGTH}", published, 1e-3 if name == "tcn" else None, "low", [loss], "nats per step",
                     setting=f"bakeoff's starting setting, width {params['width']}, {STEPS} steps of {BATCH}, 10,000 examples; "
                             f"guessing costs {CHANCE:.5f}, this is {loss / CHANCE:.4f} of it"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
