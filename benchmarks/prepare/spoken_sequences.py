"""Spoken digits named digit_speaker_index.wav → recordings of three to seven of them in a row, and a manifest path, text, speaker, split.

    python benchmarks/prepare/spoken_sequences.py fsdd.zip sequences/

The recordings are those of github.com/Jakobovski/free-spoken-digit-dataset, as an archive or a folder: 16 bits, one channel, one
rate. A sequence is of one speaker, with a tenth to four tenths of a second of silence before, between and behind; its text is
"three seven one". Index 0 to 4 of every digit and speaker stands in test sequences and nowhere else. Then `bakeoff run sequences/`.
Seconds.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import wave
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[^_]+)_(?P<index>\d+)\.wav")
TEST = range(5)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LENGTHS = (3, 7)              # digits in a row
SILENCE = (0.1, 0.4)          # seconds


def recordings(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name without folders and content of every recording, by name."""
    if source.is_dir():
        for file in sorted(source.rglob("*.wav"), key=lambda file: file.name):
            yield file.name, file.read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for name in sorted(archive.namelist(), key=lambda name: PurePosixPath(name).name):
            if name.endswith(".wav"):
                yield PurePosixPath(name).name, archive.read(name)


def samples(content: bytes) -> tuple[np.ndarray, int]:
    """((T,) int16, rate in Hz)."""
    with wave.open(io.BytesIO(content)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2"), sound.getframerate()


def written(x: np.ndarray, rate: int, path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(x.astype("<i2").tobytes())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the archive or folder of recordings")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--train", type=int, default=2000, help="training sequences (2000)")
    parser.add_argument("--test", type=int, default=400, help="test sequences (400)")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    found: dict[tuple[str, str], list[tuple[str, np.ndarray]]] = defaultdict(list)        # (split, speaker) → (word, samples)
    rates = set()
    for name, content in recordings(asked.source):
        if said := NAME.fullmatch(name):
            x, rate = samples(content)
            rates.add(rate)
            found["test" if int(said["index"]) in TEST else "train", said["speaker"]].append((WORDS[int(said["digit"])], x))
    if len(rates) != 1 or {split for split, _ in found} != {"train", "test"}:
        raise SystemExit(f"{asked.source} has no recordings named digit_speaker_index.wav of one rate, some of them with an index below 5")
    (rate,), rng, rows = rates, np.random.default_rng(asked.seed), []
    (asked.out / "recordings").mkdir(parents=True, exist_ok=True)
    for split, count in (("train", asked.train), ("test", asked.test)):
        speakers = sorted(speaker for part, speaker in found if part == split)
        for number in range(count):
            speaker = speakers[rng.integers(len(speakers))]
            own = found[split, speaker]
            chosen = [own[k] for k in rng.integers(len(own), size=rng.integers(LENGTHS[0], LENGTHS[1] + 1))]
            parts = []
            for _, x in chosen:
                parts += [np.zeros(int(rng.uniform(*SILENCE) * rate), np.int16), x]
            path = f"recordings/{split}_{number:04}.wav"
            written(np.concatenate([*parts, np.zeros(int(rng.uniform(*SILENCE) * rate), np.int16)]), rate, asked.out / path)
            rows.append((path, " ".join(word for word, _ in chosen), speaker, split))
    with (asked.out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("path", "text", "speaker", "split"))
        table.writerows(rows)
    print(f"{asked.out}: {len(rows):,} sequences, {asked.test:,} of them the test")


if __name__ == "__main__":
    main()
