"""The next step: what is judged, that nothing of it leaks, and that all families that read one way learn it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from bakeoff.baselines.last import Last
from bakeoff.baselines.rate import Rate
from bakeoff.data.base import Arrays, Dataset
from bakeoff.data.load import Loaded, load
from bakeoff.errors import Defect
from bakeoff.nn.network import Network, empty_batch
from bakeoff.options import Options
from bakeoff.registry import every
from bakeoff.samples import write
from bakeoff.tasks.predict import Predict
from bakeoff.train import loop
from bakeoff.train.contender import Neural, Plain
from bakeoff.train.setup import Setup
from bakeoff.types import Grid, Spec

FAMILIES = every("family")
SETUP = Setup((), "", (), "", "", ())
LENGTHS = (9, 5, 1, 7)


def spec_of(binary: bool, frame: tuple[int, ...] = (6,), mean: float = 0.25) -> Spec:
    """Examples of many lengths, a step of the given sizes."""
    channels = frame[-1]
    std = math.sqrt(mean * (1 - mean)) if binary else 2.0
    axes, sizes = ("time", "height", "width")[:len(frame)], (None, *frame[:-1])
    return Spec("made", axes, sizes, channels, None, None, {"train": 100}, "", (mean,) * channels, (std,) * channels,
                (9, *frame[:-1]), (9, *frame[:-1]))


def dataset(binary: bool, frame: tuple[int, ...] = (6,), lengths: tuple[int, ...] = LENGTHS) -> tuple[Dataset, Predict]:
    rng, spec = np.random.default_rng(0), spec_of(binary, frame)
    shape = (sum(lengths), *frame)
    cells = (rng.random(shape) < 0.3).astype(np.uint8) if binary else rng.normal(5, 2, shape).astype(np.float32)
    data = Dataset(spec, Arrays(cells, np.array(lengths)[:, None]), [None] * len(lengths), list(map(str, lengths)))
    data.collate(None)
    return data, Predict().fit(data.targets, spec)


def network_of(name: str, data: Dataset, task: Predict, **setting: Any) -> Network:
    torch.manual_seed(0)
    params = {**Neural(FAMILIES[name]).space(data.spec, task, SETUP).defaults(), "width": 16, **setting}
    network = Network(FAMILIES[name], data.spec, task, params)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return network.eval()


ENTER = [name for name in FAMILIES if Neural(FAMILIES[name]).why_not(spec_of(True), Predict().fit([], spec_of(True)), SETUP) is None]


def test_who_reads_one_way_enters_and_the_others_say_why_not() -> None:
    assert {"gru", "lstm", "rnn", "mingru", "tcn", "transformer", "crnn"} <= set(ENTER)
    for name in set(FAMILIES) - set(ENTER):
        assert len(str(Neural(FAMILIES[name]).why_not(spec_of(True), Predict(), SETUP)).split()) > 5


@pytest.mark.parametrize("binary", [True, False], ids=["keys", "reals"])
def test_every_step_but_the_first_costs_what_a_loop_says(binary: bool) -> None:
    data, task = dataset(binary)
    batch = data.take(range(4))
    out = torch.randn(batch.x.x.shape)
    for (cost, steps), row, length in zip(task.judged(out, batch.x).tolist(), range(4), LENGTHS, strict=True):
        wanted = 0.0
        for step in range(1, length):
            for key in range(6):
                said, came = float(out[row, step - 1, key]), float(batch.x.x[row, step, key])
                chance = 1 / (1 + math.exp(-said))
                wanted += -math.log(chance if came else 1 - chance) if binary else (said - came) ** 2
        assert cost == pytest.approx(wanted, rel=1e-5)
        assert steps == length - 1
    answers = task.decode(task.judged(out, batch.x))
    metric = task.metrics[0]
    total = sum(answer.value["nats" if binary else "squares"] for answer in answers)           # type: ignore[index]
    assert metric.value(metric.rows(answers, [None] * 4)) == pytest.approx(total / (8 + 4 + 0 + 6))
    assert [answer.value["steps"] for answer in answers] == [8, 4, 0, 6]                       # type: ignore[index]


def test_every_step_of_a_batch_weighs_alike_in_the_loss() -> None:
    data, task = dataset(True)
    batch = data.take(range(4))
    out = torch.randn(batch.x.x.shape)
    cost, steps = task.judged(out, batch.x).T
    assert task.loss(out, batch.y, {}).mean().item() == pytest.approx((cost.sum() / steps.sum()).item())
    torch.testing.assert_close(task.plain_loss(out, batch.y), cost / steps.clamp(min=1))


@pytest.mark.parametrize("binary", [True, False], ids=["keys", "reals"])
@pytest.mark.parametrize("name", ENTER)
def test_padding_changes_nothing_and_no_step_sees_a_later_one(name: str, binary: bool) -> None:
    data, task = dataset(binary)
    network = network_of(name, data, task)
    together = network.answer(data.take(range(4)))
    for row in range(4):
        torch.testing.assert_close(network.answer(data.take([row]))[0], together[row], atol=1e-3, rtol=1e-4)
    x = data.take([0]).x.x.float()
    before = network(empty_batch(Grid(x)))
    changed = x.clone()
    changed[:, 5:] = 1 - changed[:, 5:]
    after = network(empty_batch(Grid(changed)))
    torch.testing.assert_close(after[:, :5], before[:, :5], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(after[:, 5:], before[:, 5:])


@pytest.mark.parametrize("name", ENTER)
def test_steps_one_by_one_give_what_all_at_once_give(name: str) -> None:
    for binary, frame in ((True, (6,)), (False, (3, 2, 1))):
        data, task = dataset(binary, frame)
        network = network_of(name, data, task)
        x = data.take([0]).x.x
        with torch.inference_mode():
            whole = network(empty_batch(Grid(x)))
            out, state = network.begin(x[:, :4])
            torch.testing.assert_close(out, whole[:, 3], atol=1e-4, rtol=1e-4)
            for step in range(4, 9):
                out, state = network.step(x[:, step], state)
                torch.testing.assert_close(out, whole[:, step], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ENTER)
def test_every_fold_of_a_film_trains_a_step(name: str) -> None:
    data, task = dataset(False, (4, 3, 1))
    for fold in Neural(FAMILIES[name]).space(data.spec, task, SETUP)["fold"].values:
        network = network_of(name, data, task, fold=fold).train()
        batch = data.take(range(4))
        out = network(batch)
        assert out.shape == (4, 9, 4, 3, 1)
        task.loss(out, batch.y, {}).mean().backward()
        assert all(weight.grad is not None for weight in network.parameters())


def test_a_network_begins_with_how_often_each_key_sounds_or_with_the_step_before() -> None:
    data, task = dataset(True)
    head = Network(FAMILIES["gru"], data.spec, task, {**Neural(FAMILIES["gru"]).space(data.spec, task, SETUP).defaults()}).head
    nothing = head(Grid(torch.zeros(1, 3, 64)), empty_batch(Grid(torch.zeros(1, 3, 6))))
    torch.testing.assert_close(nothing.sigmoid(), torch.full((1, 3, 6), 0.25))
    data, task = dataset(False)
    head = Network(FAMILIES["gru"], data.spec, task, {**Neural(FAMILIES["gru"]).space(data.spec, task, SETUP).defaults()}).head
    before = torch.randn(1, 3, 6)
    torch.testing.assert_close(head(Grid(torch.zeros(1, 3, 64)), empty_batch(Grid(before))), before)


@pytest.mark.parametrize(("change", "words"), [
    ({"channels": None, "vocab": 9, "mean": (), "std": ()}, "words"), ({"axes": ("height",)}, "no steps in time"),
    ({"axes": ("time", "height"), "sizes": (None, None), "longest": (9, 9), "typical": (9, 9)}, "different sizes"),
    ({"sizes": (1,)}, "no steps in time")])
def test_who_cannot_be_asked_is_told_why(change: dict[str, Any], words: str) -> None:
    from dataclasses import replace
    spec = replace(spec_of(True), **change)
    assert words in str(Predict().why_not(spec))
    for name in ("last", "rate"):
        assert Plain(every("baseline")[name]).why_not(spec, Predict(), SETUP)


def test_it_restores_and_has_no_targets() -> None:
    task = Predict().fit([], spec_of(False, (4, 3, 1)))
    again = Predict.restore(task.state())
    assert again.state() == task.state()
    assert again.metrics[0].name == "mse"
    assert Predict().metrics[0].name == "nll"
    with pytest.raises(Defect):
        task.collate([None])


def test_a_spec_knows_whether_all_numbers_are_0_or_1() -> None:
    assert spec_of(True).binary
    assert not spec_of(False).binary
    assert not Spec("made", ("time",), (4,), 1, None, None, {}, "").binary


def test_steps_are_drawn_by_their_chances_and_numbers_as_they_are_said() -> None:
    keys, generator = Predict(), torch.Generator().manual_seed(0)
    drawn = keys.drawn(torch.full((10_000,), math.log(0.2 / 0.8)), generator)
    assert set(drawn.tolist()) == {0.0, 1.0}
    assert drawn.mean().item() == pytest.approx(0.2, abs=0.02)
    said = torch.randn(3)
    assert torch.equal(Predict(False).drawn(said, generator), said)


@pytest.fixture(scope="module")
def canon(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    patch = pytest.MonkeyPatch()
    patch.setenv("BAKEOFF_CACHE", str(tmp_path_factory.mktemp("cache")))
    loaded = load(write("canon", tmp_path_factory.mktemp("canon")), Options())
    for part in (loaded.splits.train, loaded.splits.test):
        part.collate(None)                                                   # type: ignore[union-attr]
    patch.undo()
    return loaded


@pytest.mark.parametrize("name", ENTER)
def test_a_canon_is_learnt_better_than_by_repeating_and_by_rates(name: str, canon: Loaded) -> None:
    """The second voice is certain, one of four keys in the first: 2.2 nats, where who repeats pays over 6."""
    train, test, task = canon.splits.train, canon.splits.test, canon.make_task()
    assert test is not None
    values = {one: loop.judged(cls().fit(train, task, {}, 0).outputs(test), test, task)[0] for one, cls in (("last", Last), ("rate", Rate))}
    torch.manual_seed(0)
    params = {**Neural(FAMILIES[name]).space(train.spec, task, SETUP).defaults(), "width": 32, "dropout": 0.0, "lr": 0.02}
    network = Network(FAMILIES[name], train.spec, task, params)
    loop.train(network, train, None, task, params, examples=960, seed=0)
    assert loop.evaluate(network, test, task)[0] < 0.9 * min(values.values()), values
