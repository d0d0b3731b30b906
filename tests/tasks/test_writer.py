"""Texts written from texts: padding changes nothing, what is written is what the head gives step by step, every family that can learns it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from bakeoff.data.base import Arrays, Dataset
from bakeoff.errors import DataError
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.network import Network, empty_batch
from bakeoff.registry import every
from bakeoff.tasks.summarise import Summarise
from bakeoff.tasks.translate import Translate
from bakeoff.tasks.writer import BORDER, LENGTH, PADDING, Writer
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.train.contender import Neural
from bakeoff.train.setup import Setup
from bakeoff.types import Batch, Grid, Spec

SPEC = Spec("made", ("word",), (None,), None, 12, None, {"train": 500, "val": 100, "test": 100}, "", (), (), (9,), (5,))
FAMILIES = every("family")
SETUP = Setup((), "", (), "", "", ())
WORDS = ["nil", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def numbers(count: int, longest: int = 6, seed: int = 0) -> tuple[list[list[int]], list[str]]:
    """Rows of digits as ids, and the words for them from the last to the first."""
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, 10, rng.integers(2, longest + 1)).tolist() for _ in range(count)]
    return rows, [" ".join(WORDS[digit] for digit in reversed(row)) for row in rows]


def data_of(rows: list[list[int]], targets: list[str], task: Translate) -> Dataset:
    cells = np.array([digit + 2 for row in rows for digit in row], np.int32)
    data = Dataset(SPEC, Arrays(cells, np.array([[len(row)] for row in rows], np.int64)), targets, [str(k) for k in range(len(rows))])
    return data.aim(task.collate(targets))


def network_of(family: type[Encoder], task: Translate, **params: object) -> Network:
    torch.manual_seed(0)
    return Network(family, SPEC, task, {**space_of(family, SPEC, task).defaults(), "width": 16, **params})


ROWS, TARGETS = numbers(200)
TASK = Translate().fit(TARGETS, SPEC)
WRITING = [name for name, family in FAMILIES.items() if Neural(family).why_not(SPEC, TASK, SETUP) is None]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def padded(batch: Batch, more: int) -> Batch:
    x = batch.x.x
    valid = torch.ones_like(x, dtype=torch.bool) if batch.x.valid is None else batch.x.valid
    pad = torch.nn.functional.pad
    return Batch(Grid(pad(x, (0, more)), pad(valid, (0, more))), pad(batch.y, (0, more), value=PADDING), [], {})


def test_targets_come_back_and_end_with_a_border() -> None:
    y = TASK.collate(["one two", "three", ""])
    assert y[0].tolist()[2:4] == [BORDER, PADDING] or y[0].tolist()[2] == BORDER
    assert [answer.value for answer in TASK.decode(y.float().masked_fill(y == PADDING, math.nan))] == ["one two", "three", ""]
    again = Translate.restore(json.loads(json.dumps(TASK.state())))
    assert torch.equal(again.collate(TARGETS), TASK.collate(TARGETS))
    assert again.metrics[0].name == "bleu"


def test_what_is_too_long_is_cut_and_has_no_end() -> None:
    y = TASK.collate(["nine " * 500])
    assert y.shape == (1, TASK.longest)
    assert BORDER not in y


def test_one_long_target_does_not_make_all_be_written_so_long() -> None:
    task = Translate().fit([*["one two"] * 500, "one " * 300], SPEC)
    assert task.longest == 6


def test_empty_targets_are_refused() -> None:
    with pytest.raises(DataError, match="every target is empty"):
        Translate().fit(["", " "], SPEC)


def test_data_that_hold_no_text_say_why() -> None:
    cell = Spec("made", ("column",), (1,), 3, None, None, {}, "")
    assert "row" in (TASK.why_not(cell) or "")
    assert TASK.why_not(SPEC) is None


def test_summaries_are_judged_by_rouge() -> None:
    task = Summarise().fit(TARGETS, SPEC)
    assert [metric.name for metric in task.metrics] == ["rougeL", "rouge1", "rouge2"]
    assert Summarise.restore(task.state()).metrics[0].latin                  # type: ignore[attr-defined]


def test_the_loss_is_the_mean_over_pieces_of_what_is_said_of_each() -> None:
    network, data = network_of(FAMILIES["gru"], TASK).eval(), data_of(ROWS[:3], TARGETS[:3], TASK)
    batch = data.take([0, 1, 2])
    out = network(batch)
    assert out.valid is not None
    chances = out.x.log_softmax(-1)
    pieces = [piece for row in batch.y.tolist() for piece in row if piece != PADDING]
    each = torch.stack([-chances[k, piece] for k, piece in enumerate(pieces)])
    whose = torch.tensor([k for k, row in enumerate(batch.y.tolist()) for piece in row if piece != PADDING])
    expected = torch.zeros(3).index_add(0, whose, each) / TASK.typical
    torch.testing.assert_close(TASK.plain_loss(out, batch.y), expected)
    assert (TASK.loss(out, batch.y, {"label_smoothing": 0.1}) > expected).any()


@pytest.mark.parametrize("name", WRITING)
def test_padding_changes_nothing(name: str) -> None:
    network, data = network_of(FAMILIES[name], TASK).eval(), data_of(ROWS[:6], TARGETS[:6], TASK)
    batch = data.take(range(6))
    with torch.inference_mode():
        out, more = network(batch), network(padded(batch, 3))
        torch.testing.assert_close(TASK.plain_loss(more, padded(batch, 3).y), TASK.plain_loss(out, batch.y), atol=1e-4, rtol=1e-4)
        for row in range(6):
            alone = data.take([row])
            torch.testing.assert_close(TASK.plain_loss(network(alone), alone.y)[0], TASK.plain_loss(out, batch.y)[row], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(network.answer(padded(batch, 3)), network.answer(batch), equal_nan=True)


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize("beam", [1, 3])
def test_what_is_written_is_the_likeliest_by_the_whole_head(name: str, beam: int) -> None:
    """Beam 1 against the argmax of the head on all that was written; 3 against every text that a plain search keeps."""
    network = network_of(FAMILIES[name], TASK, beam=beam).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    head = network.head
    assert isinstance(head, Writer)
    head.longest = 5
    data = data_of(ROWS[:2], TARGETS[:2], TASK)
    with torch.inference_mode():
        written = network.answer(empty_batch(data.take([0, 1]).x))
        for row in range(2):
            expected = searched(network, data.take([row]), beam)
            found = [int(piece) for piece in written[row].tolist() if not math.isnan(piece)]
            assert found == expected


@pytest.mark.parametrize("name", WRITING)
def test_looks_are_the_weights_by_which_the_bridge_mixes(name: str) -> None:
    network, data = network_of(FAMILIES[name], TASK).eval(), data_of(ROWS[:6], TARGETS[:6], TASK)
    batch = padded(data.take(range(6)), 2)
    head = network.head
    assert isinstance(head, Writer)
    with torch.inference_mode():
        grid, batch = network.read(batch)
        keys, values, mask = head.bridge.read(grid)
        asking = head.asking(batch.y).x
        fits = torch.einsum("bhld,bhsd->bhls", head.bridge.asked(asking), keys) / keys.shape[-1] ** 0.5
        shares = (fits if mask is None else fits.masked_fill(~mask, -math.inf)).softmax(-1)              # softmax(Q Kᵀ / √d)
        seen = head.bridge.mix(torch.einsum("bhls,bhsd->blhd", shares, values).flatten(-2))
        torch.testing.assert_close(seen, head.bridge(asking, keys, values, mask), atol=1e-5, rtol=1e-4)
        looks = head.looks(grid, batch.y)
        torch.testing.assert_close(looks, shares.mean(1))
        torch.testing.assert_close(looks.sum(-1), torch.ones(batch.y.shape))
        assert grid.valid is not None
        assert (looks[~grid.valid[:, None].expand_as(looks)] == 0).all(), "padding is not looked at"


def searched(network: Network, one: Batch, beam: int) -> list[int]:
    """Beam search in lists, each step by the whole head."""
    grid, batch = network.read(one)
    head = network.head
    assert isinstance(head, Writer)
    texts: list[tuple[list[int], float]] = [([], 0.0)]
    for _ in range(head.longest):
        grown: list[tuple[list[int], float]] = []
        for text, score in texts:
            if text and text[-1] == BORDER:
                grown.append((text, score))
                continue
            chances: Tensor = head(grid, batch._replace(y=torch.tensor([[*text, BORDER]]))).x[-1].log_softmax(-1)
            grown += [([*text, piece], score + float(chances[piece])) for piece in range(len(chances))]
        texts = sorted(grown, key=lambda one: -one[1] / len(one[0]) ** LENGTH)[:beam]
    return [piece for piece in texts[0][0] if piece != BORDER]


@pytest.mark.parametrize("name", list(FAMILIES))
def test_every_family_learns_a_step_or_says_why_not(name: str) -> None:
    why = Neural(FAMILIES[name]).why_not(SPEC, TASK, SETUP)
    if why is not None:
        assert len(why.split()) > 5
        return
    network, batch = network_of(FAMILIES[name], TASK), data_of(ROWS[:8], TARGETS[:8], TASK).take(range(8))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    losses = []
    for _ in range(4):
        loss = TASK.loss(network(batch), batch.y, {}).mean()
        optimizer.zero_grad()
        loss.backward()
        assert all(weight.grad is not None for weight in network.parameters())
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


def test_an_empty_source_is_a_source() -> None:
    network = network_of(FAMILIES["transformer"], TASK).eval()
    with torch.inference_mode():
        out = network.answer(empty_batch(Grid(torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 3, dtype=torch.bool))))
    assert out.shape[0] == 2


@pytest.mark.parametrize("name", WRITING)
def test_short_texts_are_learnt_by_heart(name: str) -> None:
    """40 texts to be turned around, at the settings that every contender starts from."""
    rng = np.random.default_rng(0)
    rows = [rng.choice(10, rng.integers(2, 5), replace=False).tolist() for _ in range(40)]
    targets = [" ".join(WORDS[digit] for digit in reversed(row)) for row in rows]
    task = Translate().fit(targets, SPEC)
    data, setting = data_of(rows, targets, task), space_of(FAMILIES[name], SPEC, task).defaults()
    torch.manual_seed(0)
    network = Network(FAMILIES[name], SPEC, task, setting)
    loop.train(network, data, None, task, setting, examples=40 * 50, seed=0)
    bleu = task.metrics[0]
    assert bleu.value(bleu.rows(task.decode(loop.outputs(network, data)), targets)) >= 90
