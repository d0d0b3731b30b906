"""Row 17: what character comes next in Shakespeare's plays: a transformer, and an LSTM, a minGRU and a TCN of its size.

Paper: Karpathy 2022, nanoGPT's two examples (1.88 on a CPU, 1.4697 on a GPU), https://github.com/karpathy/nanoGPT; Feng et al. 2024
(minGRU 1.548), https://arxiv.org/abs/2410.01201
Command: python benchmarks/scores/17_shakespeare.py --data FOLDER      (FOLDER: with input.txt)
Expected: nats per character ≤ 1.95 for the small transformer on a CPU. On a GPU, or with --full, also the large ones: ≤ 1.50 for the
transformer, ≤ 1.60 for minGRU (not run yet: they need a GPU). Four minutes a contender on a quiet core with one seed; three seeds with --full.

Protocol: nanoGPT's: the first 90 % of the text train, the last 10 % are judged, in windows of 64 (256) characters drawn at random for
training and laid side by side for judging, every character in them said once from those before it in the window alone. Its value is the
mean over twenty batches; here it is all of the 10 %. All contenders have the same windows in the same order, as many steps, AdamW with
weight decay .1, warm-up over 5 % of the steps, cosine, clip 1, and at most as many parameters as the transformer. Learning rates were not
searched for: .003 where nanoGPT takes .001 (after 400 steps, on characters held out of the first 90 %, 2.13 against 2.26), and the task's own
starting value of .01 for the two recurrent ones. So the three beside the transformer are reported, and say little about which of them is best.
"""

from __future__ import annotations

import sys
from typing import Any

import streams
from row import Part, Row, fit, network_of, setting, width_for

from bakeoff import registry
from bakeoff.train import loop

ALIKE = {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "cosine", "warmup": 0.05, "clip": 1.0}
SMALL: dict[str, dict[str, Any]] = {
    "transformer": {"lr": 3e-3, "width": 128, "transformer.depth": 4, "transformer.heads": 4, "transformer.expand": 4, "activation": "gelu"},
    "lstm": {"lr": 1e-2, "lstm.depth": 2},
    "mingru": {"lr": 1e-2, "mingru.depth": 4},
    "tcn": {"lr": 3e-3, "tcn.depth": 5, "tcn.separable": False},
}
LARGE: dict[str, dict[str, Any]] = {
    "transformer": {"lr": 1e-3, "width": 384, "transformer.depth": 6, "transformer.heads": 6, "transformer.expand": 4, "activation": "gelu",
                    "dropout": 0.2},
    "mingru": {"lr": 3e-3, "mingru.depth": 6, "dropout": 0.2},
}
PUBLISHED = {"small transformer": ("1.88", 1.95), "large transformer": ("1.4697", 1.50), "large mingru": ("1.548", 1.60)}


def compared(row: Row, text: str, size: str, contenders: dict[str, dict[str, Any]], length: int, steps: int, batch: int) -> None:
    """size: 'small' or 'large', the parts' first word."""
    border, known = int(0.9 * len(text)), streams.vocabulary(sorted(set(text)))
    train, val = (streams.ids_of(part, known) for part in (text[:border], text[border:]))
    task = registry.get("task", "generate")()
    vocab = len(known) + 2
    data = streams.windows(streams.drawn(train, length, steps * batch, seed=0), task, vocab, "character")
    judge = streams.windows(streams.in_turn(val, length, length), task, vocab, "character", like=data)
    most = 0
    for name, own in contenders.items():
        params = setting(name, data, task, **ALIKE, batch=batch, **own)
        if name == "transformer":
            most = network_of(name, data, task, params).parameter_count()
        else:
            params["width"] = width_for(most, name, data, task, params)
        if not row.wants(f"{size} {name}"):
            continue
        values = [loop.evaluate(fit(name, data, task, params, steps=steps, seed=seed, device=row.device), judge, task, row.device)[1]
                  for seed in ((0, 1, 2) if row.full else (0,))]
        published, bar = PUBLISHED.get(f"{size} {name}", ("", None))
        said = f"{network_of(name, data, task, params).parameter_count():,} parameters, width {params['width']}, lr {params['lr']:g}, " \
               f"context {length}, {steps:,} steps of {batch}"
        row.add(Part(f"{size} {name}", published, bar, "low", values, "nats per character", setting=said))


def main() -> int:
    row = Row(17, "shakespeare", __doc__ or "")
    text = streams.text_in(row.folder(), "input.txt")
    compared(row, text, "small", SMALL, length=64, steps=2000, batch=12)
    if row.full:
        compared(row, text, "large", LARGE, length=256, steps=5000, batch=64)
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
