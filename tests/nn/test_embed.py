"""Input scaling and embedding."""

from __future__ import annotations

import pytest
import torch

from bakeoff.nn.embed import Embed, Scale
from bakeoff.types import Grid, Spec

SPEC = Spec("series", ("time",), (None,), 2, None, None, {"train": 3}, "", mean=(1.0, -2.0), std=(2.0, 0.0))


def test_train_scaling_takes_the_splits_mean_and_deviation_and_leaves_a_channel_that_never_varies() -> None:
    out = Scale(SPEC, "train")(Grid(torch.tensor([[[5.0, -2.0], [0.0, 0.0]]]), torch.tensor([[True, False]])))
    assert out.x.tolist() == [[[2, 0], [0, 0]]]


def test_example_scaling_takes_each_examples_own_valid_cells() -> None:
    torch.manual_seed(0)
    x, valid = torch.randn(2, 6, 2) * 5 + 3, torch.arange(6) < torch.tensor([[6], [4]])
    x = x.masked_fill(~valid[..., None], 0)
    out = Scale(SPEC, "example")(Grid(x, valid)).x
    alone = Scale(SPEC, "example")(Grid(x[1:, :4], None)).x
    torch.testing.assert_close(out[1, :4], alone[0])
    torch.testing.assert_close(alone[0].mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(alone[0].std(0, correction=0), torch.ones(2), atol=1e-4, rtol=0)
    assert not out[1, 4:].any()


def test_a_constant_example_stays_finite() -> None:
    assert Scale(SPEC, "example")(Grid(torch.full((1, 5, 2), 7.0), None)).x.abs().max() < 1e-2


@pytest.mark.parametrize("way", ["train", "example", "none"])
def test_pixels_become_floats_and_ids_stay_ids(way: str) -> None:
    assert Scale(SPEC, way)(Grid(torch.zeros(1, 3, 2, dtype=torch.uint8), None)).x.dtype == torch.float32
    ids = torch.tensor([[3, 1]])
    assert torch.equal(Scale(SPEC, way)(Grid(ids, None)).x, ids)


def test_padding_is_zero_after_embedding_numbers_or_ids() -> None:
    valid = torch.tensor([[True, True, False]])
    for embed, x in [(Embed(2, None, 8), torch.ones(1, 3, 2)), (Embed(None, 9, 8), torch.tensor([[4, 5, 0]]))]:
        out = embed(Grid(x, valid)).x
        assert out.shape == (1, 3, 8)
        assert out[0, :2].any(-1).all()
        assert not out[0, 2].any()


@pytest.mark.parametrize(("channels", "vocab"), [(2, None), (None, 9)], ids=["numbers", "ids"])
def test_embeddings_begin_as_small_as_is_asked(channels: int | None, vocab: int | None) -> None:
    for scale in (1.0, 0.2):
        torch.manual_seed(0)
        embed = Embed(channels, vocab, 8, scale=scale)
        if scale == 1:
            common = [weight.clone() for weight in embed.parameters()]
    assert all(torch.equal(weight, 0.2 * before) for weight, before in zip(embed.parameters(), common, strict=True))
