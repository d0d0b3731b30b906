"""Row 20: filters made from what is read: a picture filtered at any angle, and frames of moving digits foretold.

Paper: Jia et al. 2016, https://arxiv.org/abs/1605.09673; steerable filters: Freeman & Adelson 1991, https://doi.org/10.1109/34.93808
Command: python benchmarks/scores/20_dfn.py --data FOLDER            (FOLDER: the four idx files of MNIST; the toy reads none)
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from row import Part, Row, fit, made, network_of, setting, width_for
from scipy import ndimage

from bakeoff.data.base import Dataset
from bakeoff.tasks.predict import Predict

Cells = NDArray[np.float32]
SIDE, REACH = 16, 4                           # pixels of a toy's picture, and of the filter on each side of its middle
PICTURES, STEPS, TOY = 2000, 800, 1e-3       # of training, and the bar: share of the variance of what is to be said
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


def main() -> int:
    row = Row(20, "dfn", __doc__ or "")
    toy(row)
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
