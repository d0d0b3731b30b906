"""How the cells become one vector: where each way starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bakeoff.tasks.head import MANY, pool_choice
from bakeoff.types import Spec

FRAMES = Spec("image", ("height", "width"), (28, 28), 1, None, None, {"train": MANY}, "", (0.0,), (1.0,), (28, 28), (28, 28))


@pytest.mark.parametrize(("spec", "start"), [
    (FRAMES, "grid"),
    (replace(FRAMES, counts={"train": MANY - 1}), "mean"),
    (replace(FRAMES, sizes=(None, None)), "mean"),
    (replace(FRAMES, axes=("time",), sizes=(100,)), "mean"),
])
def test_many_frames_of_one_size_start_from_a_grid_of_means(spec, start):
    assert pool_choice(spec).default == start
