"""Which grids baselines read as series."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bakeoff.baselines.base import as_series, in_series
from bakeoff.baselines.linear import Linear
from bakeoff.data.base import Arrays, Dataset
from bakeoff.tasks.classify import Classify
from bakeoff.types import Spec


def spec(axes: tuple[str, ...], sizes: tuple[int | None, ...], channels: int = 1) -> Spec:
    count = len(sizes)
    return Spec("x", axes, sizes, channels, None, None, {"train": 9}, "", (0.5,) * channels, (2.0,) * channels, (9,) * count, (7,) * count)


@pytest.mark.parametrize("size", [None, 30])
def test_a_spectrogram_is_a_series_with_a_channel_per_band(size: int | None) -> None:
    found = as_series(spec(("time", "mel"), (size, 40), 2))
    assert (found.axes, found.sizes, found.channels, found.longest, found.typical) == (("time",), (size,), 80, (9,), (7,))
    assert (len(found.mean), len(found.std)) == (80, 80)


@pytest.mark.parametrize("other", [
    spec(("height", "width"), (28, 28)), spec(("time",), (None,), 3), spec(("time", "mel"), (None, None)),
    spec(("time", "height", "width"), (None, 64, 64)),        # a frame of a clip is too much for a series' step
])
def test_whatever_else_stays_as_it_is(other: Spec) -> None:
    assert as_series(other) is other
    data = Dataset(other, Arrays(np.zeros((2, *(3,) * other.rank, other.channels or 1), np.float32)), [], ["a", "b"])
    assert in_series(data) is data


def test_a_linear_model_answers_for_a_spectrogram_as_for_the_series_of_its_bands() -> None:
    chance = np.random.default_rng(0)
    cells = chance.normal(size=(30, 8, 5, 1)).astype(np.float32)
    cells[::2, :, 2] += 1
    grid = spec(("time", "mel"), (8, 5))
    outs = []
    for known, x in ((grid, cells), (as_series(grid), cells.reshape(30, 8, 5))):
        task = Classify(["a", "b"])
        data = Dataset(known, Arrays(x), ["a", "b"] * 15, [str(row) for row in range(30)])
        data.aim(task.collate(data.targets))
        outs.append(Linear().fit(data, task, {"linear.C": 1.0}, 0).outputs(data))
    assert torch.equal(*outs)
