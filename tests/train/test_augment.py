"""Examples changed in training: what is on offer, what each change does, and what none of them may touch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bakeoff import registry
from bakeoff.data.base import Arrays, Dataset
from bakeoff.nn.network import Network
from bakeoff.tasks.classify import Classify
from bakeoff.tasks.regress import Regress
from bakeoff.train import loop
from bakeoff.train.augment import DROPPED, LOUD, MOVED, NONE, UNKNOWN, augment, on_offer
from bakeoff.train.choices import space_of
from bakeoff.types import Ahead, Batch, Grid, Spec

SHAPES: dict[str, tuple[tuple[str, ...], tuple[int, ...], int | None]] = {
    "picture": (("height", "width"), (16, 24), 3),
    "clip": (("time", "height", "width"), (5, 16, 16), 1),
    "sound": (("time", "mel"), (40, 20), 1),
    "series": (("time",), (32,), 2),
    "text": (("word",), (30,), None),
}


def spec_of(what: str) -> Spec:
    axes, sizes, channels = SHAPES[what]
    means = () if channels is None else (100.0,) * channels
    return Spec(what, axes, sizes, channels, 50 if channels is None else None, None, {"train": 100}, "", means, tuple(40.0 for _ in means),
                sizes, sizes)


def batch_of(what: str, examples: int = 16, ragged: bool = False, seed: int = 0) -> Batch:
    """Bytes, or ids; ragged: shorter on every axis, zero behind."""
    _, sizes, channels = SHAPES[what]
    draw = torch.Generator().manual_seed(seed)
    if channels is None:
        x = torch.randint(2, 50, (examples, *sizes), generator=draw)
    elif what == "series":
        x = 3 * torch.randn(examples, *sizes, channels, generator=draw) + 5
    else:
        x = torch.randint(1, 256, (examples, *sizes, channels), generator=draw).to(torch.uint8)
    valid = None
    if ragged:
        valid = torch.ones(examples, *sizes, dtype=torch.bool)
        for axis, size in enumerate(sizes):
            own = torch.randint(1, size + 1, (examples,), generator=draw)
            inside = torch.arange(size) < own[:, None]
            valid &= inside.view(examples, *(1,) * axis, size, *(1,) * (len(sizes) - axis - 1))
        valid[0] = False                      # an empty example
        x = x * (valid if channels is None else valid[..., None])
    return Batch(Grid(x, valid), torch.zeros(examples), [], {})


def changed(what: str, how: str, seed: int = 0, **options: Any) -> tuple[Batch, Batch]:
    batch = batch_of(what, **options)
    return batch, augment(batch, how, spec_of(what), torch.Generator().manual_seed(seed))


CASES = [(what, how) for what in SHAPES for how in on_offer(spec_of(what), Classify()) if how != NONE]


def test_what_is_on_offer_follows_the_axes_and_what_the_targets_bear() -> None:
    assert on_offer(spec_of("picture"), Classify()) == (NONE, "shift", "flip", "shift+flip", "noise")
    assert on_offer(spec_of("sound"), Classify()) == (NONE, "mask", "noise", "mask+noise")
    assert on_offer(spec_of("text"), Classify()) == (NONE, "drop")
    assert on_offer(spec_of("picture"), Regress()) == (NONE, "noise")
    assert on_offer(spec_of("text"), Regress()) == (NONE,)
    row = Spec("table", ("row",), (1,), 4, None, None, {"train": 100}, "")
    assert on_offer(row, Classify()) == (NONE,)

    class Silent:
        """A task that says nothing of what its targets bear."""
    assert on_offer(spec_of("picture"), Silent()) == (NONE,)                # type: ignore[arg-type]


def test_it_is_a_choice_of_every_neural_contender_and_starts_with_none() -> None:
    for name in ("resnet", "gru", "transformer"):
        space = space_of(registry.get("family", name), spec_of("picture"), Classify(["a", "b"]))
        assert space["augment"].default == NONE
        assert "flip" in space["augment"].values
    row = Spec("table", ("row",), (1,), 4, None, None, {"train": 100}, "", (0.0,) * 4, (1.0,) * 4, (1,), (1,))
    assert "augment" not in space_of(registry.get("family", "mlp"), row, Classify(["a", "b"]))


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(("what", "how"), CASES)
def test_shapes_and_padding_stay_and_the_same_seed_gives_the_same(what: str, how: str, ragged: bool) -> None:
    before, after = changed(what, how, ragged=ragged)
    again = changed(what, how, ragged=ragged)[1]
    other = changed(what, how, seed=1, ragged=ragged)[1]
    assert after.x.x.shape == before.x.x.shape
    assert torch.equal(after.x.x, again.x.x)
    assert not torch.equal(after.x.x, other.x.x)
    assert after.y is before.y
    assert torch.isfinite(after.x.x.float()).all()
    assert torch.equal(before.x.x, batch_of(what, ragged=ragged).x.x), "what was given is left alone"
    if ragged:
        assert before.x.valid is not None
        assert after.x.valid is before.x.valid
        assert not after.x.x[~before.x.valid].any()


@pytest.mark.parametrize("what", ["picture", "clip"])
def test_a_flipped_picture_is_the_mirrored_one(what: str) -> None:
    before, after = changed(what, "flip", examples=64)
    width = SHAPES[what][0].index("width") + 1
    mirror = before.x.x.flip(width)
    turned = [torch.equal(a, m) for a, m in zip(after.x.x, mirror, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(after.x.x, before.x.x, strict=True)]
    assert all(a != b for a, b in zip(turned, same, strict=True))
    assert 16 < sum(turned) < 48


def test_a_shorter_picture_is_mirrored_within_its_own_width() -> None:
    before, after = changed("picture", "flip", examples=32, ragged=True)
    assert before.x.valid is not None
    for a, b, valid in zip(after.x.x, before.x.x, before.x.valid, strict=True):
        own = int(valid.any(0).sum())
        assert torch.equal(a, b) or torch.equal(a[:, :own], b[:, :own].flip(1))


@pytest.mark.parametrize("what", ["picture", "clip"])
def test_a_shift_moves_all_frames_alike_and_repeats_the_edge(what: str) -> None:
    before, after = changed(what, "shift", examples=8)
    axes, (*_, height, width), _ = SHAPES[what]
    first = axes.index("height")
    for a, b in zip(after.x.x.numpy(), before.x.x.numpy(), strict=True):
        found = []
        for down in range(-height // MOVED, height // MOVED + 1):
            for right in range(-width // MOVED, width // MOVED + 1):
                rows, columns = (np.clip(np.arange(size) + by, 0, size - 1) for size, by in ((height, down), (width, right)))
                found.append(np.array_equal(a, b.take(rows, first).take(columns, first + 1)))
        assert sum(found) == 1


def test_a_mask_hides_one_stretch_of_steps_and_one_of_bands_in_the_mean() -> None:
    before, after = changed("sound", "mask", examples=64)
    hidden = (after.x.x != before.x.x)[..., 0] | (after.x.x == 100)[..., 0]
    for one in hidden:
        steps, bands = one.float().mean(1) > 0.9, one.float().mean(0) > 0.9
        assert steps.sum() <= 40 // 5
        assert bands.sum() <= 20 // 4
        assert steps.int().diff().abs().sum() <= 2
        rest = one.clone()
        rest[steps] = False
        rest[:, bands] = False
        assert rest.float().mean() < 0.03, "bytes that were the mean before"
    assert (after.x.x[after.x.x != before.x.x] == 100).all()
    assert after.x.x.dtype == torch.uint8


def test_noise_is_a_tenth_of_what_each_channel_does() -> None:
    spec = spec_of("series")
    x = torch.randn(50, 400, 2) * torch.tensor([7.0, 0.0]) + 40_000
    after = augment(Batch(Grid(x), None, [], {}), "noise", spec, torch.Generator().manual_seed(0)).x.x
    assert (after - x)[..., 0].std() == pytest.approx(LOUD * 7, rel=0.05)
    assert torch.equal(after[..., 1], x[..., 1])


def test_marks_of_missing_values_get_no_noise() -> None:
    spec = Spec("series", ("time",), (32,), 4, None, None, {"train": 9}, "", ahead=Ahead(4, 1, (32,), ("a", "b"), (0,), marked=True))
    x = torch.rand(8, 32, 4).round(decimals=1)
    after = augment(Batch(Grid(x), None, [], {}), "noise", spec, torch.Generator().manual_seed(0)).x.x
    assert torch.equal(after[..., 2:], x[..., 2:])
    assert not torch.equal(after[..., :2], x[..., :2])


def test_a_series_is_scaled_as_a_whole() -> None:
    before, after = changed("series", "scale")
    factor = after.x.x / before.x.x
    torch.testing.assert_close(factor, factor[:, :1].expand_as(factor))
    assert factor[:, 0].std() == pytest.approx(LOUD, rel=0.5)


@pytest.mark.parametrize("ragged", [False, True])
def test_dropped_words_are_unknown_and_ids_stay_in_the_vocabulary(ragged: bool) -> None:
    before, after = changed("text", "drop", examples=200, ragged=ragged)
    lost = after.x.x != before.x.x
    assert (after.x.x[lost] == UNKNOWN).all()
    assert after.x.x.dtype == before.x.x.dtype
    words = before.x.valid.sum() if before.x.valid is not None else before.x.x.numel()
    assert lost.sum() / words == pytest.approx(DROPPED, rel=0.15)


def planted(turned: bool, seed: int = 0) -> Dataset:
    """Pictures of two classes: which half is bright."""
    rng = np.random.default_rng(seed)
    labels = [("left", "right")[k % 2] for k in range(120)]
    x = rng.integers(0, 60, (120, 8, 8, 1)).astype(np.uint8)
    for k, label in enumerate(labels):
        x[k, :, :4] += np.uint8(120 if (label == "left") != turned else 0)
        x[k, :, 4:] += np.uint8(0 if (label == "left") != turned else 120)
    spec = Spec("image", ("height", "width"), (8, 8), 1, None, None, {"train": 120}, "", (90.0,), (60.0,), (8, 8), (8, 8))
    data = Dataset(spec, Arrays(x), labels, list(map(str, range(120))))
    return data.aim(Classify(["left", "right"]).collate(labels))


def test_validation_is_never_changed_and_tells_that_flips_destroy_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    data, task = planted(turned=False), Classify(["left", "right"])
    values, seen = {}, []
    real = loop.augment
    monkeypatch.setattr(loop, "augment", lambda batch, *others: seen.append(len(batch.x.x)) or real(batch, *others))
    for how in (NONE, "flip", "shift"):
        params = {**space_of(registry.get("family", "mlp"), data.spec, task).defaults(), "width": 16, "augment": how, "batch": 10}
        torch.manual_seed(0)
        network = Network(registry.get("family", "mlp"), data.spec, task, params)
        before = len(seen)
        loop.train(network, data, planted(turned=False, seed=1), task, params, examples=1000, looks=2, seed=0)
        assert seen[before:] == ([] if how == NONE else [10] * 100), "training batches alone, one a step"
        values[how] = loop.evaluate(network, planted(turned=False, seed=2), task)[0]
    assert values[NONE] == values["shift"] == 1.0
    assert values["flip"] < 0.75


def test_the_same_seed_trains_the_same_weights() -> None:
    data, task = planted(turned=False), Classify(["left", "right"])
    params = {**space_of(registry.get("family", "mlp"), data.spec, task).defaults(), "width": 16, "augment": "shift+flip"}
    pair = []
    for _ in range(2):
        torch.manual_seed(0)
        network = Network(registry.get("family", "mlp"), data.spec, task, params)
        loop.train(network, data, None, task, params, examples=320, seed=5)
        pair.append(torch.cat([p.flatten() for p in network.parameters()]))
    assert torch.equal(*pair)
