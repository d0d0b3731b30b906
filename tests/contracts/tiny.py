"""A tiny data set on disk for every kind and task, in a layout that users have: what every contender must train a step on, or say
why it does not enter."""

from __future__ import annotations

import csv
import wave
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

COUNT = 48                                    # examples
RNG = np.random.default_rng


@dataclass(frozen=True)
class Cell:
    """kind and task as the run is to find them. needs: modules of an extra without which it cannot be read."""

    kind: str
    task: str
    make: Callable[[Path], Path]
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}-{self.task}"


def table_file(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
    return path


def picture(rng: np.random.Generator, bright: int, size: int = 16) -> np.ndarray:
    cells = rng.integers(0, 90, (size, size, 3), np.uint8)
    cells[:, :size // 2] += np.uint8(100 * bright)
    return cells


def pictures(folder: Path) -> Path:
    rng = RNG(0)
    for number in range(COUNT):
        (place := folder / ("left", "none")[number % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(rng, number % 2)).save(place / f"{number}.png")
    return folder


def pictures_with_numbers(folder: Path) -> Path:
    rng = RNG(1)
    for number in range(COUNT):
        Image.fromarray(picture(rng, number % 2)).save(folder / f"{number}.png")
    return table_file(folder / "table.csv", ["path", "target"],
                      ((f"{number}.png", f"{number % 2 + rng.normal() / 9:.4f}") for number in range(COUNT)))


def clips(folder: Path) -> Path:
    rng = RNG(2)
    for number in range(COUNT):
        place = folder / ("left", "none")[number % 2] / f"clip{number}"
        place.mkdir(parents=True)
        for frame in range(3 + number % 3):
            Image.fromarray(picture(rng, number % 2)).save(place / f"frame_{frame}.png")
    return folder


def tone(path: Path, hertz: float, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(4000)
        file.writeframes((9000 * np.sin(2 * np.pi * hertz * np.arange(int(4000 * seconds)) / 4000)).astype("<i2").tobytes())


def recordings(folder: Path) -> Path:
    for number in range(COUNT):
        (place := folder / ("high", "low")[number % 2]).mkdir(parents=True, exist_ok=True)
        tone(place / f"{number}.wav", (900, 300)[number % 2] + 3 * number, 0.3 + 0.01 * (number % 5))
    return folder


def recordings_with_numbers(folder: Path) -> Path:
    for number in range(COUNT):
        tone(folder / f"{number}.wav", 300 + 20 * number, 0.3)
    return table_file(folder / "table.csv", ["path", "target"], ((f"{number}.wav", f"{0.3 + 0.02 * number:.3f}") for number in range(COUNT)))


WORDS = ("red", "green", "blue", "old", "new", "big", "small", "far")


def sentences() -> list[str]:
    rng = RNG(3)
    return [" ".join([*rng.choice(WORDS, 3 + number % 4), ("yes", "no")[number % 2]]) for number in range(COUNT)]


def texts(folder: Path) -> Path:
    return table_file(folder / "table.csv", ["text", "label"], zip(sentences(), ["a", "b"] * (COUNT // 2), strict=True))


def texts_with_numbers(folder: Path) -> Path:
    rng = RNG(4)
    return table_file(folder / "table.csv", ["text", "target"], ((text, f"{text.endswith('no') + rng.normal() / 9:.4f}") for text in sentences()))


def sentences_with_tags(folder: Path) -> Path:
    rows = [[(word, "B-END" if word in ("yes", "no") else "O") for word in text.split()] for text in sentences()]
    (folder / "tags.txt").write_text("\n".join("".join(f"{word} {tag}\n" for word, tag in row) for row in rows))
    return folder / "tags.txt"


def stories(folder: Path) -> Path:
    rng, lines = RNG(10), []
    for number in range(COUNT):
        place = ("hall", "park")[number % 2]
        lines += [f"1 {rng.choice(WORDS)} stays in bed.", f"2 Ann goes to the {place} {number}.", f"3 Where is Ann?\t{place}\t2"]
    (folder / "stories.txt").write_text("\n".join(lines) + "\n")
    return folder / "stories.txt"


def columns(folder: Path) -> Path:
    rng = RNG(5)
    rows = [[f"{value:.3f}" for value in rng.normal(size=3)] for _ in range(COUNT)]
    return table_file(folder / "table.csv", ["a", "b", "c", "label"], ([*row, ("x", "y")[float(row[0]) > 0]] for row in rows))


def columns_with_numbers(folder: Path) -> Path:
    rng = RNG(6)
    rows = [[f"{value:.3f}" for value in rng.normal(size=3)] for _ in range(COUNT)]
    return table_file(folder / "table.csv", ["a", "b", "c", "target"], ([*row, f"{sum(map(float, row)):.4f}"] for row in rows))


def series(folder: Path) -> Path:
    rng = RNG(7)
    np.savez(folder / "series.npz", x=rng.normal(size=(COUNT, 2, 20)).astype(np.float32), y=np.array(["a", "b"] * (COUNT // 2)))
    return folder / "series.npz"


def series_with_numbers(folder: Path) -> Path:
    rng = RNG(8)
    x = rng.normal(size=(COUNT, 2, 20)).astype(np.float32)
    np.savez(folder / "series.npz", x=x, y=x.mean((1, 2)).astype(np.float64))
    return folder / "series.npz"


def going_on(folder: Path) -> Path:
    rng = RNG(9)
    return table_file(folder / "table.csv", ["date", "sold"], ((f"2024-{1 + day // 28:02}-{1 + day % 28:02}",
                                                              f"{10 + day % 7 + rng.normal() / 9:.3f}") for day in range(12 * 28)))


CELLS = (
    Cell("image", "classify", pictures),
    Cell("image", "regress", pictures_with_numbers),
    Cell("video", "classify", clips),
    Cell("audio", "classify", recordings, needs=("soundfile",)),
    Cell("audio", "regress", recordings_with_numbers, needs=("soundfile",)),
    Cell("text", "classify", texts),
    Cell("text", "regress", texts_with_numbers),
    Cell("text", "tag", sentences_with_tags),
    Cell("story", "answer", stories),
    Cell("table", "classify", columns),
    Cell("table", "regress", columns_with_numbers),
    Cell("series", "classify", series),
    Cell("series", "regress", series_with_numbers),
    Cell("series", "forecast", going_on, {"horizon": 4}),
)
