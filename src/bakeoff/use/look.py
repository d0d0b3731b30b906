"""Where a finished contender looks in what it read, when it writes: the weights of its head's attention, word by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bakeoff.data.base import Dataset
from bakeoff.data.tokens import in_words

EXAMPLES = 3                  # of the test split, from its beginning
READ, WRITTEN = 24, 18        # words of one, at most


def looks(run: Path, names: Sequence[str], seeds: Mapping[str, int], test: Dataset) -> dict[str, Any]:
    """For each of these contenders that looks, and each of the first test examples: the words it wrote, and of each the shares of its
    look that went to the words that were read. Empty where what is read is no text."""
    from bakeoff.use.predict import Model, final_folder
    if test.spec.vocab is None or test.spec.rank > 1:
        return {}
    rows = list(range(min(EXAMPLES, len(test))))
    examples: list[dict[str, Any]] = [{"key": test.keys[row], "read": [], "looks": {}} for row in rows]
    for name in names:
        model = Model(final_folder(run, name, {"seed_of": seeds}))
        fitted, task = model.fitted
        if not hasattr(getattr(fitted, "network", None), "head") or not hasattr(fitted.network.head, "looks"):
            continue
        state = model.config["kind_state"]
        for row, example in zip(rows, examples, strict=True):
            batch = test.take([row])
            with torch.inference_mode():
                grid, batch = fitted.network.eval().read(batch)
                ids = fitted.network.head.answer(grid, batch, None)[0]
                ids = ids[ids.isfinite()].long()
                weights = fitted.network.head.looks(grid, ids[None])[0].double().numpy() if len(ids) else np.zeros((0, 0))
            read = in_words(batch.x.x[0].tolist(), state["tokenizer"], state["tokens"])
            written = task.words(ids.tolist())                               # type: ignore[attr-defined]
            example["read"] = [word for word, _ in read][:READ]
            example["looks"][name] = {"written": [word for word, _ in written][:WRITTEN], "of": len(read),
                                      "shares": by_word(weights, [count for _, count in written], [count for _, count in read])}
    return {"examples": [example for example in examples if example["looks"]]}


def by_word(weights: np.ndarray, written: Sequence[int], read: Sequence[int]) -> list[list[float]]:
    """(L, S) of pieces → words × words: what a word's pieces look at on average, all pieces of a word that was read together."""
    if not len(weights):
        return []
    pieces = np.add.reduceat(weights, np.cumsum([0, *written[:-1]]), 0) / np.array(written)[:, None]
    shares = np.add.reduceat(pieces, np.cumsum([0, *read[:-1]]), 1)
    return [[round(float(share), 3) for share in row[:READ]] for row in shares[:WRITTEN]]
