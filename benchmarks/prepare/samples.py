"""Builds the real samples inside the package (src/bakeoff/samples) from their sources; a second run changes no byte.

    python benchmarks/prepare/samples.py digits
    python benchmarks/prepare/samples.py vowels uea_multivariate.zip
    python benchmarks/prepare/samples.py shakespeare input.txt

digits needs nothing but scikit-learn; vowels an archive with JapaneseVowels/JapaneseVowels_{TRAIN,TEST}.ts of the UEA
archive; shakespeare the file data/tinyshakespeare/input.txt of github.com/karpathy/char-rnn. Seconds each.
"""

from __future__ import annotations

import argparse
import csv
import random
import zipfile
from pathlib import Path

import numpy as np

PACKAGE = Path(__file__).parents[2] / "src" / "bakeoff" / "samples"
PLAYS = {                                     # how each play of the file begins, in its order; None: not taken
    "First Citizen:\nBefore we proceed": "Coriolanus",
    "GLOUCESTER:\nNow is the winter": "Richard III",
    "KING RICHARD II:\nOld John of Gaunt": None,
    "SAMPSON:\nGregory, o' my word": "Romeo and Juliet",
    "WARWICK:\nI wonder how the king": None,
    "ARCHIDAMUS:\nIf you shall chance": "The Winter's Tale",
    "DUKE VINCENTIO:\nEscalus.": "Measure for Measure",
    "SLY:\nI'll pheeze you": "The Taming of the Shrew",
    "Master:\nBoatswain!": None,
}
SPEECHES, FEWEST_WORDS, MOST_WORDS = 420, 10, 60


def digits(folder: Path) -> Path:
    """x: uint8 (1797, 8, 8), 0 … 255; y: the digit."""
    from sklearn.datasets import load_digits
    pixels, labels = load_digits(return_X_y=True)
    x = np.round(pixels.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    np.savez_compressed(folder / "digits.npz", x=x, y=labels.astype(np.uint8))
    return folder / "digits.npz"


def vowels(source: Path, folder: Path) -> Path:
    """The two .ts files as they are, packed."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(folder / "vowels.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for part in ("TRAIN", "TEST"):
            name = f"JapaneseVowels_{part}.ts"
            out.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), archive.read(f"JapaneseVowels/{name}"), zipfile.ZIP_DEFLATED, 9)
    return folder / "vowels.zip"


def shakespeare(source: Path, folder: Path) -> Path:
    """Columns text, label: speeches of 10 … 60 words without the speaker's name, as many of each play; lines joined."""
    text = source.read_text(encoding="utf-8")
    starts = [text.index(beginning) for beginning in PLAYS]
    chance = random.Random(0)
    rows: list[tuple[str, str]] = []
    for play, start, end in zip(PLAYS.values(), starts, [*starts[1:], len(text)], strict=True):
        if play is not None:
            speeches = {" ".join(speech.partition(":\n")[2].split()): None for speech in text[start:end].split("\n\n")}
            fitting = [speech for speech in speeches if FEWEST_WORDS <= len(speech.split()) <= MOST_WORDS]
            chosen = set(chance.sample(fitting, min(SPEECHES, len(fitting))))
            rows += [(speech, play) for speech in fitting if speech in chosen]
    with (folder / "shakespeare.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("text", "label"))
        table.writerows(rows)
    return folder / "shakespeare.csv"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", choices=("digits", "vowels", "shakespeare"))
    parser.add_argument("source", nargs="?", type=Path, help="the file it is built from")
    parser.add_argument("--out", type=Path, default=PACKAGE, help="folder to write into (the package)")
    asked = parser.parse_args(arguments)
    if asked.sample == "digits":
        made = digits(asked.out)
    elif asked.source is None:
        parser.error(f"{asked.sample} needs its source")
    else:
        made = {"vowels": vowels, "shakespeare": shakespeare}[asked.sample](asked.source, asked.out)
    print(f"{made}: {made.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
