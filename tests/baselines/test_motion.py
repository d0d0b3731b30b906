"""Clips as rows of numbers: what is kept of time, and what is not."""

import numpy as np

from bakeoff.baselines.linear import Linear
from bakeoff.baselines.motion import Motion


def clips(count, lengths, seed=0):
    """Noise; in every second clip a corner flickers."""
    rng = np.random.default_rng(seed)
    found = [rng.integers(90, 110, (lengths[number % len(lengths)], 6, 5, 1)).astype(np.float32) for number in range(count)]
    for cells in found[1::2]:
        cells[::2, :2, :2] += 60
        cells[1::2, :2, :2] -= 60
    return found


def test_the_mean_frame_and_the_change_of_each_place_are_kept(made):
    cells = clips(6, (4, 7))
    data, _task = made(cells, ["still", "moves"] * 3)
    rows = Motion(data.spec).plain(data).reshape(6, 6, 5, 2)
    for row, one in zip(rows, cells, strict=True):
        np.testing.assert_allclose(row[..., 0], one[..., 0].mean(0), rtol=1e-4)
        np.testing.assert_allclose(row[..., 1], np.abs(np.diff(one[..., 0], axis=0)).mean(0), rtol=1e-4)


def test_a_clip_alone_gives_what_it_gives_beside_longer_ones(made):
    data, _task = made(clips(6, (1, 9, 4)), ["still", "moves"] * 3)
    reader = Motion(data.spec)
    together = reader.plain(data)
    for row in range(6):
        np.testing.assert_allclose(reader.plain(data.subset([row]))[0], together[row], atol=1e-3)
    assert not together[0].reshape(30, 2)[:, 1].any(), "a single frame does not change"


def test_flicker_is_told_from_stillness_and_backwards_from_nothing(made):
    (data, task), (new, _) = made(clips(60, (5, 6)), ["still", "moves"] * 30), made(clips(20, (6, 8), 1), ["still", "moves"] * 10)
    fitted = Linear().fit(data, task, {"linear.C": 0.1}, 0)
    assert (fitted.outputs(new).argmax(1) == task.collate(new.targets)).all()
    backwards, _ = made([cells[::-1].copy() for cells in clips(20, (6, 8), 1)], ["still", "moves"] * 10)
    np.testing.assert_allclose(fitted.outputs(new), fitted.outputs(backwards), atol=1e-4)
