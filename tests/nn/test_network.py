"""The whole network: every family on every shape of data, through the starting fold."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bakeoff.errors import Defect
from bakeoff.nn.fold import on_offer
from bakeoff.nn.network import Network, empty_batch
from bakeoff.registry import every
from bakeoff.tasks.classify import Classify
from bakeoff.types import Grid, Spec

TASK = Classify(["a", "b", "c"])
SPECS = {
    "series": Spec("series", ("time",), (40,), 2, None, None, {"train": 8}, "", (0.0, 0.0), (1.0, 1.0), (40,), (40,)),
    "image": Spec("image", ("height", "width"), (12, 16), 3, None, None, {"train": 8}, "", (9.0,) * 3, (5.0,) * 3, (12, 16), (12, 16)),
    "text": Spec("text", ("token",), (None,), None, 30, None, {"train": 8}, "", (), (), (9,), (7,)),
    "video": Spec("video", ("time", "height", "width"), (6, 8, 8), 1, None, None, {"train": 8}, "", (0.0,), (1.0,), (6, 8, 8), (6, 8, 8)),
}


def example(spec: Spec) -> Grid:
    generator = torch.Generator().manual_seed(0)
    if spec.channels is None:
        valid = torch.arange(9) < torch.tensor([9, 4, 1, 7])[:, None]
        return Grid(torch.randint(0, 30, (4, 9), generator=generator) * valid, valid)
    x = torch.randint(0, 256, (4, *spec.longest, spec.channels), generator=generator)
    return Grid(x.to(torch.uint8) if spec.kind == "image" else x.float() / 99, None)


def build(family: str, spec: Spec, **params: object) -> Network:
    cls = every("family")[family]
    torch.manual_seed(0)
    fold = str(on_offer(spec, cls.ranks, False, start=cls.start_cells)[0])
    return Network(cls, spec, TASK, {"fold": fold, "width": 16, "pool": "mean", "scaling": "train", "dropout": 0.1, **params})


@pytest.mark.parametrize("family", every("family"))
@pytest.mark.parametrize("kind", SPECS)
def test_every_family_reads_every_kind_of_data(family: str, kind: str) -> None:
    network = build(family, SPECS[kind])
    out = network(empty_batch(example(SPECS[kind])))
    assert out.shape == (4, 3)
    assert out.isfinite().all()
    out.square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_common_choices_reach_the_encoders_that_name_them() -> None:
    assert build("gru", SPECS["series"], truncate=32).encoder.layers.truncate == 32
    assert isinstance(build("fcn", SPECS["series"], activation="gelu").encoder.activation, torch.nn.GELU)


def test_a_familys_own_choices_are_told_by_their_prefix() -> None:
    network = build("gru", SPECS["series"], **{"gru.depth": 3, "lstm.depth": 1})
    assert len(network.encoder.layers.kernels) == 6


def test_a_family_that_cannot_be_causal_is_refused() -> None:
    with pytest.raises(Defect):
        build("fcn", SPECS["series"], causal=True)


def outputs(network: Network, grid: Grid) -> Tensor:
    return network.eval()(empty_batch(grid))


@pytest.mark.parametrize("family", every("family"))
def test_a_text_is_answered_alike_whatever_stands_beside_it(family: str) -> None:
    network, grid = build(family, SPECS["text"]), example(SPECS["text"])
    network.train()(empty_batch(grid))
    together = outputs(network, grid)
    for number, length in enumerate((9, 4, 1, 7)):
        alone = outputs(network, Grid(grid.x[number:number + 1, :length], None))
        torch.testing.assert_close(alone[0], together[number], atol=1e-4, rtol=1e-4)
