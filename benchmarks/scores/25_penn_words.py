"""Row 25: what word comes next in the Penn Treebank: an LSTM, a TCN and a GRU of 13 million parameters.

Paper: Bai et al. 2018, Table 1, https://arxiv.org/abs/1803.01271 (data: Mikolov et al. 2010,
https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html)
Command: python benchmarks/scores/25_penn_words.py --data FOLDER
         (FOLDER: with ptb.train.txt, ptb.valid.txt, ptb.test.txt, or train.txt, valid.txt, test.txt: words a space apart, a sentence a line)
Expected: on a GPU, or with --full, test perplexity ≤ 82 (lstm), 92 (tcn), 96 (gru), one seed, some twenty minutes. On a CPU a million
parameters and a fraction of the steps: that the script runs, no more.

Not run: the Penn Treebank was not at hand, since it may not be passed on, and in full it needs a GPU.

Words as they stand, the 10,000 of the training file, a line's end is a word. Training draws windows of 140 words at random and learns all of
them; of the test every word but the first 70 is judged, behind the 70 to 139 words before it. The paper carries an LSTM's memory on
through the whole text, which helps it; here nobody has more than the window. All three have the same windows in the same order, as many
steps, AdamW with a cosine, and as many parameters.
"""

from __future__ import annotations

import sys
from typing import Any

import streams
from row import Part, Row, fit, network_of, setting, width_for

from bakeoff import registry
from bakeoff.train import loop

WINDOW = 140
END = "<eos>"
MOST = 10_000
ALIKE = {"optimizer": "adamw", "schedule": "cosine", "warmup": 0.05, "clip": 0.5}
FULL = {"lr": 2e-3, "dropout": 0.5, "weight_decay": 1e-2, "batch": 64}
SMALL = {"lr": 3e-3, "dropout": 0.1, "batch": 8}
CONTENDERS: dict[str, tuple[dict[str, Any], str, float]] = {
    "lstm": ({"lstm.depth": 2}, "78.93", 82.0),
    "tcn": ({"tcn.depth": 4, "tcn.kernel": 3, "tcn.separable": False}, "88.68", 92.0),
    "gru": ({"gru.depth": 2}, "92.48", 96.0),
}


def words(row: Row, split: str) -> list[str]:
    text = streams.text_in(row.folder(), f"ptb.{split}.txt", f"{split}.txt")
    return [word for line in text.splitlines() if line.strip() for word in (*line.split(), END)]


def main() -> int:
    row = Row(25, "penn_words", __doc__ or "")
    train, test = words(row, "train"), words(row, "test")
    known = streams.vocabulary(train, MOST)
    vocab, steps, most = len(known) + 2, 20_000 if row.full else 60, 13_000_000 if row.full else 1_000_000
    task = registry.get("task", "generate")()
    alike = ALIKE | (FULL if row.full else SMALL)
    data = streams.windows(streams.drawn(streams.ids_of(train, known), WINDOW - 1, steps * int(alike["batch"]), seed=0), task, vocab, "word")
    judge = streams.windows(streams.in_turn(streams.ids_of(test, known), WINDOW - 1, WINDOW // 2), task, vocab, "word", like=data)
    for name, (own, published, bar) in CONTENDERS.items():
        if not row.wants(name):
            continue
        params = setting(name, data, task, **alike, **own)
        params["width"] = width_for(most, name, data, task, params)
        network = fit(name, data, task, params, steps=steps, seed=0, device=row.device)
        perplexity = loop.evaluate(network, judge, task, row.device)[0]
        row.add(Part(name, published, bar if row.full else None, "low", [perplexity], "perplexity",
                     reduced=None if row.full else "a million parameters, 60 steps of 8 windows", counts=row.full,
                     setting=f"{network_of(name, data, task, params).parameter_count():,} parameters, width {params['width']}, "
                             f"{len(train):,} words of {len(known):,} sorts, {steps:,} steps of {params['batch']}"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
