"""Row 23: a convolutional LSTM sees ten frames of two moving digits and says the ten that follow.

Papers: Shi et al. 2015, https://arxiv.org/abs/1506.04214; data: Srivastava et al. 2015, https://arxiv.org/abs/1502.04681. Squared error
per frame, a sum over 64 × 64 pixels of 0 … 1, mean over the ten frames: 103 for 2015's as quoted beside later work, 46.3 with a modern recipe.
Command: python benchmarks/scores/23_moving_digits.py --data FOLDER      (FOLDER: the four idx files of MNIST; test digits move in the test)
Expected: on a GPU at most 105, and at most .6 of what repeating the last frame costs; on a CPU a reduced form, which is reported.

Not run in full, which needs a GPU; the reduced form shows that the script runs, and can reach no bar.

Frames are stored as 16 × 16 cells of 4 × 4 pixels, as the paper's are. Training is that of the task `predict`: every next frame from the
true ones before it; in the test each answer is read as the next frame, ten times, so errors add up, which the paper's encoder and
forecaster, trained on ten frames at once, are spared.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from row import Part, Row, fit, made, setting

from bakeoff.data.base import Dataset
from bakeoff.nn.network import Network
from bakeoff.tasks.predict import Predict

SIDE, PATCH, SEEN, SAID = 64, 4, 10, 10
FULL: dict[str, Any] = {"train": 10_000, "test": 1_000, "width": 128, "depth": 3, "kernel": 5, "separable": False, "steps": 20_000, "batch": 16}
SMALL: dict[str, Any] = {"train": 1_000, "test": 100, "width": 32, "depth": 1, "kernel": 5, "separable": True, "steps": 120, "batch": 8}
REDUCED = "120 steps of 8 clips, one layer of width 32, separable convolutions, 100 test clips"
BARS = {"per frame": 105.0, "of repeating": 0.6}


def digits(folder: Path, part: str) -> NDArray[np.float32]:
    """(N, 28, 28) in 0 … 1: the images of 'train' or 't10k'."""
    found = sorted(folder.glob(f"{part}-images*idx3-ubyte*"))
    if not found:
        raise SystemExit(f"{folder} has no {part}-images-idx3-ubyte(.gz)")
    content = found[0].read_bytes()
    content = gzip.decompress(content) if found[0].suffix == ".gz" else content
    count, height, width = (int(size) for size in np.frombuffer(content, ">u4", 3, 4))
    return np.frombuffer(content, np.uint8, count * height * width, 16).reshape(count, height, width).astype(np.float32) / 255


def moving(images: NDArray[np.float32], count: int, seed: int) -> NDArray[np.float32]:
    """(N, 20, 16, 16, 16): two digits on straight ways that the frame's edges turn back, 3 to 5 pixels a frame, the brighter on top."""
    chance = np.random.default_rng(seed)
    room, frames = SIDE - images.shape[-1], SEEN + SAID
    clips = np.zeros((count, frames, SIDE, SIDE), np.float32)
    for clip in clips:
        for image in images[chance.integers(len(images), size=2)]:
            angle, pace = chance.uniform(0, 2 * np.pi), chance.uniform(3, 5)
            way = chance.uniform(0, room, 2) + np.arange(frames)[:, None] * pace * np.array([np.sin(angle), np.cos(angle)])
            place = np.rint(room - np.abs(way % (2 * room) - room)).astype(int)      # back and forth between the edges
            for frame, (down, across) in zip(clip, place, strict=True):
                part = frame[down:down + len(image), across:across + len(image)]
                np.maximum(part, image, out=part)
    cells = clips.reshape(count, frames, SIDE // PATCH, PATCH, SIDE // PATCH, PATCH).transpose(0, 1, 2, 4, 3, 5)
    return np.ascontiguousarray(cells.reshape(count, frames, SIDE // PATCH, SIDE // PATCH, PATCH * PATCH))


@torch.no_grad()
def foretold(network: Network, cells: torch.Tensor) -> torch.Tensor:
    """(B, 10, …) seen → (B, 10, …) said, each answer read as the frame that came."""
    network.eval()
    frame, state = network.begin(cells)
    said = [frame.clamp(0, 1)]
    while len(said) < SAID:
        frame, state = network.step(said[-1], state)
        said.append(frame.clamp(0, 1))
    return torch.stack(said, 1)


def per_frame(said: torch.Tensor, came: torch.Tensor) -> float:
    return float((said - came).square().flatten(2).sum(2).mean())


def main() -> int:
    row = Row(23, "moving_digits", __doc__ or "")
    size, task = FULL if row.full else SMALL, Predict()
    clips = moving(digits(row.folder(), "train"), size["train"], 0)
    train = made(clips, [None] * len(clips), task, axes=("time", "height", "width"), kind="video")
    params = setting("convlstm", train, task, fold="keep", width=size["width"], batch=size["batch"], lr=3e-3,
                     **{"convlstm.depth": size["depth"], "convlstm.kernel": size["kernel"], "convlstm.separable": size["separable"]})
    network = fit("convlstm", train, task, params, steps=size["steps"], seed=0, device=row.device)
    errors, copied = rolled(network, train, moving(digits(row.folder(), "t10k"), size["test"], 1), row.device)
    reduced = None if row.full else REDUCED
    said = f"{network.parameter_count():,} parameters, {params['optimizer']} at {params['lr']}"
    row.add(Part("convlstm, squared error per frame", "103 (2015, as quoted), 46.3 (modern recipe)", BARS["per frame"], "low", [errors], "mse",
                 reduced=reduced, counts=row.full, setting=said))
    row.add(Part("convlstm, share of repeating the last frame", "", BARS["of repeating"], "low", [errors / copied], "ratio", reduced=reduced,
                 counts=row.full, setting=f"repeating the last frame: {copied:.1f}"))
    return row.finish()


def rolled(network: Network, train: Dataset, clips: NDArray[np.float32], device: torch.device) -> tuple[float, float]:
    """(squared error per frame, that of repeating the last frame seen), over clips."""
    own, copied, cells = [], [], torch.from_numpy(clips)
    for some in cells.split(50):
        seen, came = some[:, :SEEN].to(device), some[:, SEEN:].to(device)
        own.append(per_frame(foretold(network, seen), came) * len(some))
        copied.append(per_frame(seen[:, -1:].expand_as(came), came) * len(some))
    return sum(own) / len(cells), sum(copied) / len(cells)


if __name__ == "__main__":
    sys.exit(main())
