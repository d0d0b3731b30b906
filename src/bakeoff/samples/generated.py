"""Samples whose right answer is known because they are made here, from a seed: the same seed gives the same bytes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

ADDING_LENGTH = 100
MOTIF_LENGTH = 256
MOTIF_STEPS = 16
NOISE_LENGTH = 64
FILLERS = ("amber", "basket", "candle", "drum", "engine", "feather", "garden", "hammer", "island", "jacket", "kettle", "ladder", "mirror",
           "needle", "orchard", "pencil", "quarry", "ribbon", "saddle", "timber", "umbrella", "velvet", "window", "yarn")
FIRST, SECOND = "salt", "pepper"
CANON_DELAY, OCTAVE = 4, 12
SCALE = tuple(pitch for pitch in range(60, 85) if pitch % 12 in (0, 2, 4, 5, 7, 9, 11))      # C4 … C6, white keys


def adding(folder: Path, seed: int) -> None:
    """Two of 100 numbers are marked; the target is their sum.

    One mark lies among steps 10 … 49, the other among steps 60 … 86: whoever answers at the last step and sees a dozen
    steps from there sees neither. Always answering 1 has an RMSE of 1/√6 = .408.
    """
    chance = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    for split, count in (("train", 8000), ("val", 1000), ("test", 1000)):
        x = np.zeros((count, 2, ADDING_LENGTH), np.float32)
        x[:, 0] = chance.random((count, ADDING_LENGTH)).round(3)
        marks = np.stack([chance.integers(10, 50, count), chance.integers(60, 87, count)], 1)
        rows = np.arange(count)[:, None]
        x[rows, 1, marks] = 1
        arrays |= {f"x_{split}": x, f"y_{split}": x[rows, 0, marks].sum(1, np.float64).round(3)}
    np.savez(folder / "adding.npz", **arrays)


def motif(folder: Path, seed: int) -> None:
    """Noise of 256 steps with one tooth of 16 steps anywhere in it: it rises slowly and falls at once, or the other way round.

    Both teeth have the same values, so that no sum, histogram or power spectrum tells them apart.
    """
    chance = np.random.default_rng(seed)
    count = 1600
    y = np.resize([0, 1], count)
    tooth = 3.0 * np.linspace(-1, 1, MOTIF_STEPS)
    x = chance.standard_normal((count, 1, MOTIF_LENGTH))
    starts = chance.integers(0, MOTIF_LENGTH - MOTIF_STEPS + 1, count)
    for series, start, label in zip(x[:, 0], starts, y, strict=True):
        series[start:start + MOTIF_STEPS] += tooth if label else tooth[::-1]
    np.savez(folder / "motif.npz", x=x.astype(np.float32), y=np.where(y == 1, "rising", "falling"))


def order(folder: Path, seed: int) -> None:
    """Sentences with the words 'salt' and 'pepper' and 8 … 12 others between them; which of the two comes first is the label.

    Every sentence has its mirror twin, with the two words exchanged, in the same split: the words alone, and the words
    beside them, say exactly nothing.
    """
    chance = np.random.default_rng(seed)
    with (folder / "order.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["text", "label", "split"])
        for split, pairs in (("train", 1200), ("val", 250), ("test", 250)):
            rows = []
            for _ in range(pairs):
                before, between, after = (int(n) for n in chance.integers((1, 8, 1), (7, 13, 7)))
                words = [FILLERS[n] for n in chance.integers(0, len(FILLERS), before + between + after)]
                for one, other in ((FIRST, SECOND), (SECOND, FIRST)):
                    text = [*words[:before], one, *words[before:before + between], other, *words[before + between:]]
                    rows.append([" ".join(text), f"{one} first", split])
            table.writerows(rows[n] for n in chance.permutation(len(rows)))


def noise(folder: Path, seed: int) -> None:
    """Noise with labels that have nothing to do with it."""
    chance = np.random.default_rng(seed)
    x = chance.standard_normal((600, 1, NOISE_LENGTH)).astype(np.float32)
    np.savez(folder / "noise.npz", x=x, y=np.array(["heads", "tails"])[chance.permutation(np.resize([0, 1], len(x)))])


def canon(folder: Path, seed: int) -> None:
    """Pieces of two voices: the first walks one or two white keys up or down at every step, as it likes, the second does what the
    first did four steps before, an octave lower. So of the next step one key is certain, and the other one of about four."""
    chance = np.random.default_rng(seed)
    parts: dict[str, list[list[list[int]]]] = {}
    for split, count in (("train", 240), ("valid", 120), ("test", 120)):
        parts[split] = []
        for length in chance.integers(24, 41, count).tolist():
            places = [int(chance.integers(len(SCALE)))]
            while len(places) < length:
                place = places[-1] + int(chance.choice((-2, -1, 1, 2)))
                if 0 <= place < len(SCALE):
                    places.append(place)
            first = [SCALE[place] for place in places]
            parts[split].append([[first[step]] if step < CANON_DELAY else sorted((first[step - CANON_DELAY] - OCTAVE, first[step]))
                                 for step in range(length)])
    (folder / "canon.json").write_text(json.dumps(parts), encoding="utf-8")
