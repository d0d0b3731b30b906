"""A fold is geometry: undone, it gives back exactly what went in."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.errors import Defect
from bakeoff.nn.fold import Fold, on_offer
from bakeoff.types import Grid, Spec


def ragged(shapes: list[tuple[int, ...]], channels: int = 2) -> Grid:
    sizes = [max(1, *(shape[axis] for shape in shapes)) for axis in range(len(shapes[0]))]
    x, valid = torch.zeros(len(shapes), *sizes, channels), torch.zeros(len(shapes), *sizes, dtype=torch.bool)
    for number, shape in enumerate(shapes):
        place = (number, *(slice(0, size) for size in shape))
        x[place] = torch.randn(*shape, channels)
        valid[place] = True
    return Grid(x, valid)


SHAPES = st.integers(1, 3).flatmap(lambda rank: st.lists(st.tuples(*[st.integers(0, 5)] * rank), min_size=1, max_size=4))


@settings(max_examples=60, deadline=None)
@given(SHAPES, st.sampled_from([1, 2, 3]))
def test_a_raster_is_undone_exactly_whatever_the_sizes(shapes: list[tuple[int, ...]], patch: int) -> None:
    grid = ragged(shapes)
    fold = Fold(1, patch, "raster" if len(shapes[0]) > 1 else "keep")
    patched, valid = fold.patched(grid)
    folded, cells = fold(grid)
    back = fold.back(folded, cells)
    assert torch.equal(back.x, patched)
    assert valid is not None
    assert back.valid is not None
    assert torch.equal(back.valid, valid)
    assert folded.valid is not None
    counts = folded.valid.sum(1)
    assert torch.equal(folded.valid, torch.arange(folded.valid.shape[1]) < counts[:, None]), "valid cells are not a prefix"
    assert torch.equal(counts, valid.flatten(1).sum(1))
    assert not folded.x[~folded.valid].any()


def test_a_raster_without_padding_is_a_reshape() -> None:
    x = torch.arange(24.0).view(1, 2, 3, 4)
    folded, cells = Fold(1, 1, "raster")(Grid(x, None))
    assert torch.equal(folded.x, x.view(1, 6, 4))
    assert torch.equal(Fold(1, 1, "raster").back(folded, cells).x, x)


def test_a_patch_holds_its_pixels_row_by_row() -> None:
    x = torch.arange(16.0).view(1, 4, 4, 1)
    patched, _ = Fold(2, 2).patched(Grid(x, None))
    assert patched[0, 0, 1].tolist() == [2, 3, 6, 7]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=3), st.sampled_from(["raster", "keep"]),
       st.sampled_from([(1, 2, 2), (2, 1, 1), (2, 3, 3), (4, 2, 1)]))
def test_a_tube_is_undone_exactly_and_holds_every_number(shapes: list[tuple[int, int, int]], order: str, patch: tuple[int, ...]) -> None:
    grid = ragged(shapes)
    fold = Fold.parse(f"{order} {'x'.join(map(str, patch))}", 3)
    assert fold.patch == patch
    folded, cells = fold(grid)
    back = fold.back(folded, cells)
    patched, valid = fold.patched(grid)
    assert torch.equal(back.x, patched)
    assert valid is not None
    assert back.valid is not None
    assert torch.equal(back.valid, valid)
    assert patched.shape[1:-1] == tuple(-(-size // side) for size, side in zip(grid.x.shape[1:-1], patch, strict=True))
    torch.testing.assert_close(patched.abs().sum((1, 2, 3, 4)), grid.x.abs().sum((1, 2, 3, 4)))


def test_ids_are_rastered_as_they_are() -> None:
    folded, cells = Fold(1, 1, "raster")(Grid(torch.arange(6).view(1, 2, 3), None))
    assert folded.x.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert Fold(1, 1, "raster").back(Grid(torch.randn(1, 6, 4), None), cells).x.shape == (1, 2, 3, 4)


def test_padding_ids_move_behind() -> None:
    x = torch.tensor([[[5, 0], [7, 0]]])
    folded, _ = Fold(1, 1, "raster")(Grid(x, x > 0))
    assert folded.x.tolist() == [[5, 7, 0, 0]]


def test_leading_keeps_the_first_axis_and_gives_it_back() -> None:
    valid = torch.arange(5) < torch.tensor([[5], [3]])
    folded, cells = Fold(1, 1, "leading")(Grid(torch.randn(2, 5, 3, 4), valid[..., None].expand(2, 5, 3)))
    assert folded.x.shape == (2, 5, 12)
    back = Fold(1, 1, "leading").back(folded, cells)
    assert back.x.shape == (2, 5, 12)
    assert torch.equal(back.valid, valid)


def test_what_answers_at_each_step_and_is_causal_reads_a_step_as_one_cell() -> None:
    spec = Spec("made", ("time", "mel"), (None, 6), 1, None, None, {}, "", (), (), (40, 6), (30, 6))
    assert [str(fold) for fold in on_offer(spec, frozenset({1, 2, 3}), causal=True, keep=1)] == ["leading"]
    assert all(fold.order == "keep" for fold in on_offer(spec, frozenset({1, 2, 3}), causal=False, keep=1))


def test_a_strided_encoder_cannot_be_put_back_into_a_raster() -> None:
    _, cells = Fold(1, 1, "raster")(Grid(torch.randn(1, 4, 4, 2), None))
    with pytest.raises(Defect):
        Fold(1, 1, "raster").back(Grid(torch.randn(1, 8, 2), None), cells)


@pytest.mark.parametrize("text", ["keep", "keep 4", "raster", "raster 8", "leading 2", "keep 2x8x8", "leading 2x1x1"])
def test_a_fold_is_read_as_it_is_written(text: str) -> None:
    assert str(Fold.parse(text, 3 if "x" in text else 2)) == text


def spec(sizes: tuple[int | None, ...], typical: tuple[int, ...] = (), channels: int | None = 1) -> Spec:
    return Spec("any", tuple("abc"[:len(sizes)]), sizes, channels, None if channels else 50, None, {}, "", longest=typical, typical=typical)


def names(*args: object) -> list[str]:
    return [str(fold) for fold in on_offer(*args)]                           # type: ignore[arg-type]


def test_long_grids_start_coarse_and_short_ones_as_they_are() -> None:
    everywhere, rank1 = frozenset({1, 2, 3}), frozenset({1})
    assert names(spec((24,)), everywhere, False)[0] == "keep"
    assert names(spec((128,)), everywhere, False)[0] == "keep 2"
    assert names(spec((427,)), everywhere, False)[0] == "keep 8"
    assert names(spec((8, 8)), everywhere, False)[0] == "keep"
    assert names(spec((28, 28)), everywhere, False)[0] == "keep 4"
    assert names(spec((28, 28)), rank1, False)[0] == "leading"
    assert names(spec((None, None), (28, 28)), rank1, False)[0] == "raster 4"


def test_clips_are_read_by_tubes_or_frame_by_frame() -> None:
    clips = spec((None, 32, 32), (10, 32, 32), 3)
    assert set(names(clips, frozenset({1, 2, 3}), False)) == {"keep 1x4x4", "keep 2x4x4", "keep 1x8x8", "keep 2x8x8"}
    rank1 = names(clips, frozenset({1}), False)
    assert rank1[0] == "leading"
    assert {"leading 2x1x1", "raster 2x8x8"} < set(rank1)
    assert "leading 1x2x2" not in rank1, "the same numbers in another order"
    assert Fold.parse("leading 2x1x1", 3).channels(clips) == 2 * 32 * 32 * 3
    assert Fold.parse("keep 2x8x8", 3).channels(clips) == 2 * 8 * 8 * 3
    assert Fold.parse("keep 2x8x8", 3).sizes(clips.sizes) == (None, 4, 4)
    anywhere = spec((None, None, None), (10, 32, 32), 3)
    assert not any("leading" in name for name in names(anywhere, frozenset({1}), False))


def test_spectrograms_are_read_frame_by_frame_or_in_patches() -> None:
    """Time varies, the bands are fixed: half a second, then five."""
    everywhere, rank1 = frozenset({1, 2, 3}), frozenset({1})
    assert names(spec((None, 40), (42, 40)), rank1, False) == ["leading", "leading 2", "raster 2", "raster 4", "raster 8"]
    assert names(spec((None, 40), (42, 40)), everywhere, False) == ["keep 8", "keep 2", "keep 4"]
    assert names(spec((None, 40), (251, 40)), rank1, False) == ["leading 2", "leading", "raster 4", "raster 8"]
    assert names(spec((None, 40), (251, 40)), everywhere, False) == ["keep 8", "keep 4"]
    assert Fold(1, 2, "leading").channels(spec((None, 40), (42, 40))) == 80
    assert Fold(1, 2, "leading").sizes((None, 40)) == (None,)
    assert Fold(2, 8).sizes((None, 40)) == (None, 5)


def test_a_family_may_ask_for_fewer_cells_to_start_with() -> None:
    assert names(spec((100,)), frozenset({1}), False) == ["keep 2", "keep", "keep 4", "keep 8"]
    assert [str(fold) for fold in on_offer(spec((100,)), frozenset({1}), False, start=48)] == ["keep 4", "keep", "keep 2", "keep 8"]


def test_ids_causal_tasks_and_single_cells_have_no_patches() -> None:
    for data, causal in [(spec((None,), (300,), None), False), (spec((300,)), True), (spec((1,)), False)]:
        assert names(data, frozenset({1}), causal) == ["keep"]


def test_a_family_of_a_higher_rank_alone_is_offered_nothing() -> None:
    assert names(spec((24,)), frozenset({2}), False) == []


def test_answers_per_step_merge_no_axis_that_keeps_them() -> None:
    recording = spec((None, 40), (60, 40))
    for ranks in (frozenset({1}), frozenset({1, 2, 3})):
        folds = on_offer(recording, ranks, False, keep=1, coarse=2)
        assert folds
        assert all(fold.order != "raster" and fold.sides(2)[0] <= 2 for fold in folds)
    picture = on_offer(spec((64, 64), (64, 64)), frozenset({1}), False, keep=2, coarse=8)
    assert picture
    assert {fold.order for fold in picture} == {"raster"}, "every axis keeps answers, so that none is merged into channels"
