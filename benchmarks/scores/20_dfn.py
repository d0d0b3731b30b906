"""Row 20: filters made from what is read: a picture filtered at any angle, and frames of moving digits foretold.

Paper: Jia et al. 2016, https://arxiv.org/abs/1605.09673; steerable filters: Freeman & Adelson 1991, https://doi.org/10.1109/34.93808
Command: python benchmarks/scores/20_dfn.py --data FOLDER            (FOLDER: the four idx files of MNIST; the toy reads none)
Expected: of a filtered picture's variance at most .001 is left unexplained; of what ten frames of moving digits cost the static twin, the
    filter network pays at most .75 (on a GPU; a CPU runs a smaller problem, which is shown and does not count). Ten minutes on a free core.

Run so far: the filtered pictures. The moving digits have not been run; their bar needs a GPU.

Both are asked as `predict`: the filtered picture is the frame after the picture, and the angle stands beside every pixel as two channels
that stay as they are. A convolutional network of as many parameters is trained beside it in the same way. Of the toy .0066, .0049 and .0036
of the variance are left after 200, 300 and 400 steps of a training of 400.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from row import Part, Row, fit, made, network_of, setting, width_for
from scipy import ndimage
from torch.nn import functional as F

from bakeoff.data.base import Dataset
from bakeoff.tasks.predict import Predict

Cells = NDArray[np.float32]
Bits = NDArray[np.uint8]


class Film(NamedTuple):
    """A problem of moving digits and how long it is trained on. frames: that are seen, and as many that are foretold."""

    side: int
    digits: int
    shrunk: int                               # every so many pixels of a digit
    pace: float                               # pixels a frame
    frames: int
    films: int
    fresh: int
    width: int
    batch: int
    steps: int


FULL = Film(64, 2, 1, 3.6, 10, 10_000, 1000, 64, 16, 12_000)
SMALL = Film(24, 1, 2, 2.0, 5, 500, 64, 16, 8, 250)
PRINTED, RATIO = {"dfn": "282 (two digits, 64 × 64)", "tcn": "435"}, 0.75
SIDE, REACH = 16, 4                           # pixels of a toy's picture, and of the filter on each side of its middle
PICTURES, STEPS, TOY = 2000, 1600, 1e-3      # of training, and the bar: share of the variance of what is to be said
SEEDS = {"dfn": (0, 1, 2), "tcn": (0,)}


def steered(count: int, seed: int) -> Cells:
    """(N, 2, SIDE, SIDE, 3): a picture with the cosine and sine of an angle, then what the filter at that angle makes of it.

    The filter, 9 × 9, is the derivative of a Gaussian along the angle; the pictures are noise, smoothed a little.
    """
    rng = np.random.default_rng(seed)
    pictures = ndimage.gaussian_filter1d(ndimage.gaussian_filter1d(rng.normal(size=(count, SIDE, SIDE)), 1.0, 1), 1.0, 2)
    pictures /= pictures.std()
    angles = rng.uniform(0, 2 * np.pi, (count, 1, 1))
    place = np.arange(-REACH, REACH + 1)
    bell = np.exp(-place ** 2 / 2)
    slope = place * bell

    def along(across: Any, down: Any) -> Any:
        """Zero beyond the edges, as the encoders have it."""
        return ndimage.convolve1d(ndimage.convolve1d(pictures, across, 2, mode="constant"), down, 1, mode="constant")
    filtered = np.cos(angles) * along(slope, bell) + np.sin(angles) * along(bell, slope)
    filtered /= filtered.std()
    cells = np.zeros((count, 2, SIDE, SIDE, 3), np.float32)
    cells[:, 0, ..., 0], cells[:, 1, ..., 0] = pictures, filtered
    cells[..., 1], cells[..., 2] = np.cos(angles)[:, None], np.sin(angles)[:, None]
    return cells


@torch.no_grad()
def unexplained(network: Any, data: Dataset) -> float:
    """Mean squared error of the filtered picture as a share of its variance."""
    network.eval()
    wrong, all_ = 0.0, 0.0
    for start in range(0, len(data), 32):
        batch = data.take(range(start, min(start + 32, len(data))))
        said, true = network(batch)[:, 0, ..., 0], batch.x.x[:, 1, ..., 0]
        wrong, all_ = wrong + float((said - true).square().sum()), all_ + float(true.square().sum())
    return wrong / all_


def toy(row: Row) -> None:
    """The filter network makes one filter of the angle; its twin has convolutions that are the same for all, and as many parameters."""
    task = Predict()
    data = made(steered(PICTURES, 10), [], task, axes=("time", "height", "width"), kind="video")
    fresh = made(steered(256, 11), [], task, axes=("time", "height", "width"), kind="video", like=data)
    common: dict[str, Any] = {"fold": "keep", "causal": True, "scaling": "none", "batch": 16, "dropout": 0.0}
    dfn = setting("dfn", data, task, **common, width=32, **{"dfn.depth": 3, "dfn.each": "example"})
    twin = setting("tcn", data, task, **common, **{"tcn.depth": 3, "tcn.separable": False})
    twin["width"] = width_for(network_of("dfn", data, task, dfn).parameter_count(), "tcn", data, task, twin)
    for name, params, bar in (("dfn", dfn, TOY), ("tcn", twin, None)):
        if row.wants(f"{name} steerable"):
            values = [unexplained(fit(name, data, task, params, steps=STEPS, seed=seed, device=row.device).cpu(), fresh) for seed in SEEDS[name]]
            row.add(Part(f"{name} steerable filters", "", bar, "low", values, "share of variance",
                         setting=f"width {params['width']}, {STEPS} steps of 16"))


def digits(folder: Path, part: str) -> Bits:
    """(N, 28, 28) of 'train' or 't10k': 1 where a pixel is brighter than the middle."""
    found = sorted(folder.glob(f"{part}-images*idx3-ubyte*"))
    if not found:
        raise SystemExit(f"{folder} has no {part}-images-idx3-ubyte(.gz)")
    content = found[0].read_bytes()
    content = gzip.decompress(content) if found[0].suffix == ".gz" else content
    count, height, width = np.frombuffer(content, ">u4", 3, 4).tolist()
    return (np.frombuffer(content, np.uint8, count * height * width, 16).reshape(count, height, width) > 127).astype(np.uint8)


def films(found: Bits, count: int, size: Film, seed: int) -> Bits:
    """(N, 2 · frames, side, side, 1): digits that fly straight and bounce off the edges, over one another."""
    rng = np.random.default_rng(seed)
    cells, free = np.zeros((count, 2 * size.frames, size.side, size.side, 1), np.uint8), size.side - found.shape[1] // size.shrunk
    for film in cells:
        for digit in found[rng.integers(len(found), size=size.digits)]:
            digit = digit[::size.shrunk, ::size.shrunk]
            angle, start = rng.uniform(0, 2 * np.pi), rng.uniform(0, free, 2)
            for number, frame in enumerate(film[..., 0]):
                flown = (start + size.pace * number * np.array([np.sin(angle), np.cos(angle)])) % (2 * free)
                row, column = np.where(flown > free, 2 * free - flown, flown).astype(int)
                frame[row:row + len(digit), column:column + len(digit)] |= digit
    return cells


@torch.no_grad()
def foretold(network: Any, data: Dataset, device: torch.device) -> float:
    """Binary cross-entropy per frame, nats, of the second half of every film: what was said of a frame is read in its place."""
    network.eval()
    nats, frames = 0.0, data.spec.sizes[0] or 0
    for start in range(0, len(data), 16):
        film = data.take(range(start, min(start + 16, len(data)))).x.x.float().to(device)
        seen = film[:, :frames // 2]
        for number in range(frames // 2, frames):
            said, _ = network.begin(seen)
            nats += float(F.binary_cross_entropy_with_logits(said, film[:, number], reduction="sum"))
            seen = torch.cat([seen, said.sigmoid()[:, None]], 1)
    return nats / len(data) / (frames - frames // 2)


def moving(row: Row) -> None:
    """Filters of every cell's own beside convolutions of as many parameters; both learn to say the next frame."""
    size, task, names = FULL if row.full else SMALL, Predict(), ("dfn", "tcn")
    data = made(films(digits(row.folder(), "train"), size.films, size, 0), [], task, axes=("time", "height", "width"), kind="video")
    fresh = made(films(digits(row.folder(), "t10k"), size.fresh, size, 1), [], task, axes=("time", "height", "width"), kind="video", like=data)
    common: dict[str, Any] = {"fold": "keep", "causal": True, "batch": size.batch, "dropout": 0.0}
    dfn = setting("dfn", data, task, **common, width=size.width, **{"dfn.depth": 4, "dfn.each": "cell", "dfn.heads": 4})
    twin = setting("tcn", data, task, **common, **{"tcn.depth": 3, "tcn.separable": False})
    twin["width"] = width_for(network_of("dfn", data, task, dfn).parameter_count(), "tcn", data, task, twin)
    reduced = None if row.full else f"{size.side} × {size.side} pixels, {size.digits} digit, {size.frames} → {size.frames} frames, {size.steps} steps"
    values = {}
    for name, params in zip(names, (dfn, twin), strict=True):
        network = fit(name, data, task, params, steps=size.steps, seed=0, device=row.device)
        values[name] = foretold(network, fresh, row.device)
        row.add(Part(f"{name} moving digits", PRINTED[name], None, "low", [values[name]], "nats per frame", reduced=reduced,
                     setting=f"width {params['width']}, {network.parameter_count():,} parameters"))
    row.add(Part("dfn moving digits over its static twin", ".65", RATIO, "low", [values["dfn"] / values["tcn"]], "ratio",
                 reduced=reduced, counts=row.full))


def main() -> int:
    row = Row(20, "dfn", __doc__ or "")
    toy(row)
    if row.wants("dfn moving"):
        moving(row)
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
