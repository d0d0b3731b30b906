"""The whole network: every family on every shape of data, through the starting fold."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bakeoff.errors import Defect
from bakeoff.nn.encoder import Aim, ReadOut
from bakeoff.nn.fold import on_offer
from bakeoff.nn.network import Network, empty_batch
from bakeoff.registry import every
from bakeoff.tasks.classify import Classify
from bakeoff.train.choices import space_of
from bakeoff.types import Batch, Grid, Spec

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
    batch = Batch(example(SPECS[kind]), torch.tensor([0, 2, 1, 2]), [], {})
    network.loss(batch).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_common_choices_reach_the_encoders_that_name_them() -> None:
    assert build("gru", SPECS["series"], truncate=32).encoder.layers.truncate == 32
    assert isinstance(build("fcn", SPECS["series"], activation="gelu").encoder.layers.activation, torch.nn.GELU)


def test_a_familys_own_choices_are_told_by_their_prefix() -> None:
    network = build("gru", SPECS["series"], **{"gru.depth": 3, "lstm.depth": 1})
    assert len(network.encoder.layers.kernels) == 6


class Sums(ReadOut):
    """Class k: the sum of the cells' k-th numbers; what is learnt is to be as the weighted shares are."""

    def forward(self, grid: Grid) -> Tensor:
        return grid.x.flatten(1, -2).sum(1)[:, :3]

    def loss(self, grid: Grid, given: Grid, aim: Aim) -> Tensor:
        return (aim.weights * (self(grid) - aim.shares).square()).sum(1) + given.x.flatten(1).sum(1)


def test_a_family_may_read_out_itself_and_have_a_loss_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    fcn, spec = every("family")["fcn"], SPECS["series"]
    assert "pool" in space_of(fcn, spec, TASK)
    monkeypatch.setattr(fcn, "read_out", lambda self, classes: Sums())
    assert "pool" not in space_of(fcn, spec, TASK), "it has nothing to say"
    network = build("fcn", spec, label_smoothing=0.3).eval()
    assert network.encoder.read_channels == 2
    batch = Batch(example(spec), torch.tensor([0, 2, 1, 2]), [], {})
    out = network.encoder(network.embed(batch.x)).x.sum(1)[:, :3]
    torch.testing.assert_close(network(batch), out)
    torch.testing.assert_close(network.answer(batch), out)
    right = torch.full((4, 3), 0.1) + 0.7 * torch.eye(3)[batch.y]
    torch.testing.assert_close(network.loss(batch), (out - right).square().sum(1) + batch.x.x.sum((1, 2)))
    monkeypatch.setattr(Sums, "loss", ReadOut.loss)
    torch.testing.assert_close(network.loss(batch), TASK.loss(out, batch.y, network.params))


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
