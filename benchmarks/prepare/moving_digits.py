"""Moving digits: a handwritten digit crosses a black frame, and the label is where it goes, so that the order of frames decides.

    python benchmarks/prepare/moving_digits.py mnist/ moving/
    python benchmarks/prepare/moving_digits.py mnist/ moving8/ --directions 8 --clips 4000 --frames 12

mnist/ holds the four idx files of MNIST, packed or not; after Srivastava et al. 2015, https://arxiv.org/abs/1502.04681, with one digit
at half its size. It begins anywhere and comes in again where it went out, so that no frame by itself says anything. Clips are GIFs,
train/LABEL/… of training digits and test/LABEL/… of test digits, a fifth of all. A clip backwards is as likely a clip of the opposite
label, so whoever does not see the order of frames can tell the line at most, not the way along it: half of the answers are right; with
--directions 2 that is chance. Then `bakeoff run moving/`. Seconds.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

import numpy as np
from PIL import Image

WAYS = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0),                   # (rows, columns) a step
        "down-right": (1, 1), "up-left": (-1, -1), "down-left": (1, -1), "up-right": (-1, 1)}
FASTEST = 2                   # pixels from frame to frame


def digits(folder: Path, part: str) -> np.ndarray:
    """(N, 14, 14) uint8: the images of 'train' or 't10k', averaged by two."""
    found = sorted(folder.glob(f"{part}-images*idx3-ubyte*"))
    if not found:
        raise SystemExit(f"{folder} has no {part}-images-idx3-ubyte(.gz)")
    content = found[0].read_bytes()
    content = gzip.decompress(content) if found[0].suffix == ".gz" else content
    count, height, width = (int(size) for size in np.frombuffer(content, ">u4", 3, 4))
    cells = np.frombuffer(content, np.uint8, count * height * width, 16).reshape(count, height // 2, 2, width // 2, 2)
    return cells.mean((2, 4)).round().astype(np.uint8)


def clip(digit: np.ndarray, way: tuple[int, int], frames: int, side: int, chance: np.random.Generator) -> np.ndarray:
    """(frames, side, side): the digit goes its way at an even pace, in again where it went out."""
    frame = np.zeros((side, side), np.uint8)
    frame[:len(digit), :len(digit)] = digit
    start, pace = chance.integers(0, side, 2), int(chance.integers(1, FASTEST + 1))
    return np.stack([np.roll(frame, tuple(start + np.array(way) * pace * number), (0, 1)) for number in range(frames)])


def write(folder: Path, found: np.ndarray, count: int, ways: list[str], frames: int, side: int, chance: np.random.Generator) -> None:
    """Clips of these digits, every way as often as the others."""
    for number in range(count):
        label = ways[number % len(ways)]
        cells = clip(found[chance.integers(len(found))], WAYS[label], frames, side, chance)
        first, *rest = (Image.fromarray(frame) for frame in cells)
        (folder / label).mkdir(parents=True, exist_ok=True)
        first.save(folder / label / f"{number:05}.gif", save_all=True, append_images=rest, duration=100)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path, help="folder of the idx files")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--clips", type=int, default=1500)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--side", type=int, default=32, help="of a frame, in pixels")
    parser.add_argument("--directions", type=int, choices=(2, 4, 8), default=4)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    if asked.frames < 2 or asked.side < 16:
        parser.error("a digit of 14 pixels moves in at least 2 frames of at least 16 pixels a side")
    chance, ways = np.random.default_rng(asked.seed), list(WAYS)[:asked.directions]
    test = asked.clips // 5
    for part, source, count in (("train", "train", asked.clips - test), ("test", "t10k", test)):
        write(asked.out / part, digits(asked.mnist, source), count, ways, asked.frames, asked.side, chance)
    print(f"{asked.out}: {asked.clips:,} clips of {asked.frames} frames in {asked.directions} directions")


if __name__ == "__main__":
    main()
