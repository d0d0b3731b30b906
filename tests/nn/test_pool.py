"""Many cells to one vector."""

from __future__ import annotations

import pytest
import torch

from bakeoff.nn.pool import PARTS, WAYS, Pool
from bakeoff.types import Grid


@pytest.mark.parametrize("way", WAYS)
def test_padding_and_empty_examples_change_nothing(way: str) -> None:
    torch.manual_seed(0)
    pool = Pool(4, way)
    x = torch.randn(3, 5, 4)
    valid = torch.arange(5) < torch.tensor([5, 2, 0])[:, None]
    x = x.masked_fill(~valid[..., None], 0.0)
    pooled = pool.pooled(Grid(x, valid))
    torch.testing.assert_close(pooled[1], pool.pooled(Grid(x[1:2, :2], None))[0])
    torch.testing.assert_close(pooled[0], pool.pooled(Grid(x[:1], None))[0])
    assert not pooled[2].any()


def test_the_ways_are_what_they_are_called() -> None:
    x = torch.tensor([[[1.0], [5.0], [3.0]]])
    assert {way: Pool(1, way).pooled(Grid(x, None)).item() for way in ("mean", "max", "last")} == {"mean": 3, "max": 5, "last": 3}


def test_cells_on_several_axes_are_pooled_alike() -> None:
    x = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(Pool(5, "mean").pooled(Grid(x, None)), x.mean((1, 2)))


@pytest.mark.parametrize(("rank", "each"), PARTS.items())
def test_a_grid_holds_the_means_of_equal_parts(rank: int, each: int) -> None:
    x = torch.randn(2, *(3 * each,) * rank, 5)
    pool = Pool(5, "grid", (None,) * rank)
    means = pool.pooled(Grid(x, None)).view(2, *(each,) * rank, 5)
    corner = x[(slice(None), *(slice(3, 6),) * rank)].flatten(1, -2).mean(1)
    torch.testing.assert_close(means[(slice(None), *(1,) * rank)], corner)
    assert pool.width == 5 * each ** rank


def test_a_grid_has_no_more_parts_than_there_are_cells() -> None:
    x = torch.randn(2, 7, 100, 5)
    pool = Pool(5, "grid", (7, 100))
    assert pool.parts == (7, PARTS[2])
    assert pool(Grid(x, None)).shape == (2, pool.width) == (2, 5 * 7 * PARTS[2])


def test_the_last_cell_of_a_padded_picture_is_its_own() -> None:
    x, valid = torch.zeros(1, 3, 3, 1), torch.zeros(1, 3, 3, dtype=torch.bool)
    valid[0, :2, :2] = True
    x[0, 1, 1] = 7
    assert Pool(1, "last").pooled(Grid(x, valid)).item() == 7


def test_the_vector_is_normalised_over_the_batch() -> None:
    out = Pool(4).train()(Grid(3 + torch.randn(32, 6, 4), None))
    torch.testing.assert_close(out.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.std(0, correction=0), torch.ones(4), atol=1e-3, rtol=0)


@pytest.mark.parametrize("way", ["last", "grid"])
def test_what_is_no_mean_over_all_cells_is_read_as_it_is(way: str) -> None:
    """Normalised over a batch, numbers would be told from its mean alone, which is another one than that of all examples."""
    pool, x = Pool(4, way, exact=True).train(), torch.randn(32, 6, 4)
    torch.testing.assert_close(pool(Grid(x, None)), pool.pooled(Grid(x, None)))
