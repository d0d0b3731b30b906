"""Transcripts: the loss and both ways of decoding against all paths, units, folds that are too coarse for nobody, every family."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from bakeoff.nn.network import Network, empty_batch
from bakeoff.registry import every
from bakeoff.tasks.classify import Classify
from bakeoff.tasks.transcribe import Steps, Transcribe, greedy, prefix_beam
from bakeoff.train.choices import space_of
from bakeoff.train.contender import Neural, Plain
from bakeoff.train.setup import Setup
from bakeoff.types import Batch, Grid, Spec

SETUP = Setup((), "", (), "", "", ())
FAMILIES = every("family")
SPEC = Spec("made", ("time", "mel"), (None, 8), 1, None, None, {"train": 100}, "", (100.0,), (50.0,), (40, 8), (24, 8))
WORDS = ("low", "mid", "high")


def spoken(rng: np.random.Generator, count: int) -> tuple[list[np.ndarray], list[str]]:
    """(T, 8, 1) uint8: a word is four loud steps in bands of its own, silence lies between."""
    sounds, texts = [], []
    for _ in range(count):
        words = rng.integers(0, 3, rng.integers(1, 4))
        parts = [np.zeros((2, 8, 1))]
        for word in words:
            tone = np.zeros((4, 8, 1))
            tone[:, 3 * word:3 * word + 2] = 200
            parts += [tone, np.zeros((rng.integers(1, 4), 8, 1))]
        sounds.append((np.concatenate(parts) + rng.uniform(0, 20, (sum(map(len, parts)), 8, 1))).astype(np.uint8))
        texts.append(" ".join(WORDS[word] for word in words))
    return sounds, texts


def padded(sounds: list[np.ndarray], more: int = 0) -> Grid:
    longest = max(map(len, sounds)) + more
    x = torch.zeros(len(sounds), longest, *sounds[0].shape[1:], dtype=torch.uint8)
    valid = torch.zeros(len(sounds), longest, 8, dtype=torch.bool)
    for row, sound in enumerate(sounds):
        x[row, :len(sound)], valid[row, :len(sound)] = torch.from_numpy(sound), True
    return Grid(x, valid)


SOUNDS, TEXTS = spoken(np.random.default_rng(1), 60)
TASK = Transcribe().fit(TEXTS, SPEC)


def network(name: str, task: Transcribe = TASK, **more: Any) -> Network:
    torch.manual_seed(0)
    params = {**space_of(FAMILIES[name], SPEC, task).defaults(), "width": 16, **more}
    return Network(FAMILIES[name], SPEC, task, params)


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(unit - 1 for k, unit in enumerate(path) if unit and (k == 0 or unit != path[k - 1]))


def chances_of(steps: int, classes: int, seed: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 1.5, (steps, classes))
    shares: np.ndarray = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return shares


def all_paths(chances: np.ndarray) -> dict[tuple[int, ...], float]:
    """Text → its chance, summed over every path."""
    found: dict[tuple[int, ...], float] = {}
    for path in product(range(chances.shape[1]), repeat=len(chances)):
        text = collapsed(path)
        found[text] = found.get(text, 0.0) + math.prod(chances[step, unit] for step, unit in enumerate(path))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_loss_and_beam_are_those_of_all_paths_and_greedy_that_of_the_likeliest(seed: int) -> None:
    chances = chances_of(5, 3, seed)
    paths = all_paths(chances)
    task = Transcribe(list("ab"))
    y = task.collate(["ab", "aa", "b"])
    out = Steps(torch.from_numpy(chances).log().expand(3, -1, -1), torch.full((3,), 5), 0)
    expected = [-math.log(paths[text]) / len(text) for text in ((0, 1), (0, 0), (1,))]
    torch.testing.assert_close(task.loss(out, y, {}), torch.tensor(expected, dtype=torch.float64))
    assert prefix_beam(chances, width=1000, unlikely=0) == max(paths, key=lambda text: paths[text])
    found = greedy(out.chances[:1], torch.tensor([5]))
    assert tuple(found[0].tolist()) == collapsed(tuple(chances.argmax(1).tolist()))


def test_a_narrow_beam_finds_what_greedy_misses() -> None:
    chances = np.array([[0.6, 0.4], [0.6, 0.4]])              # silence is likeliest at every step, 'a' over all paths: .64
    assert greedy(torch.from_numpy(chances)[None].log(), torch.tensor([2])).shape == (1, 0)
    assert prefix_beam(chances) == (0,)
    assert prefix_beam(np.full((500, 2), 1e-2)), "a product of many small chances does not become nothing"


def test_greedy_minds_lengths_and_repetitions() -> None:
    said = torch.tensor([[1, 1, 0, 1, 2, 2], [0, 2, 2, 2, 1, 1], [0, 0, 0, 0, 0, 0]])
    out = greedy(torch.nn.functional.one_hot(said, 3).float(), torch.tensor([6, 3, 6]))
    assert [[unit for unit in row if unit == unit] for row in out.tolist()] == [[0, 0, 1], [1], []]


def test_units_are_words_where_these_are_few_and_characters_else() -> None:
    assert TASK.vocabulary == ["high", "low", "mid"]
    assert Transcribe().fit(["aab b", "ab cd"], SPEC).pace == [24 / 5.5, 12.0]
    assert TASK.space(SPEC)["units"].values == ("words", "characters")
    open_words = Transcribe().fit(["Ärger um  neun", "no two alike"], SPEC)
    assert open_words.vocabulary == []
    assert open_words.space(SPEC)["units"].values == ("characters",)
    restored = Transcribe.restore(open_words.state())
    y = restored.collate(["um neun", "zu um"])
    assert y.shape == (2, 1, 7)
    assert restored.written(y[0, 0].tolist()) == "um neun"
    assert restored.written([unit for unit in y[1, 0].tolist() if unit >= 0]) == "u um", "what training never saw is left out"
    both = TASK.collate(["mid  low"])
    assert both[0, 1].tolist()[:2] == [2, 1]
    assert TASK.written([len(TASK.characters) + unit for unit in both[0, 1].tolist()[:2]]) == "mid low"
    nothing = TASK.decode(torch.tensor([[math.nan, math.nan], [1.0, math.nan]]))
    assert nothing[0].value == ""


def test_what_cannot_fit_is_told() -> None:
    assert Transcribe.unfit("abc", 3) is None
    assert Transcribe.unfit("aab", 3) == "the transcript needs 4 steps, a step per character, and the example has 3"


@pytest.mark.parametrize("fold", ["keep 4x8", "keep 4x1", "keep 2x4", "keep"])
def test_no_fold_is_too_coarse_for_a_fast_speaker(fold: str) -> None:
    """A character at every step of the data can be said by cells of four steps."""
    task = Transcribe(list("abcdefgh"), pace=(3.0, 9.0))
    made = network("fcn", task, fold=fold, units="characters")
    x = Grid(torch.randint(0, 255, (2, 7, 8, 1), dtype=torch.uint8), None)
    batch = Batch(x, task.collate(["abcdefg", "gfedcba"]), [], {})
    out = made(batch)
    assert (out.chances.shape, out.steps.tolist()) == ((2, 8 if fold.startswith("keep 4") else out.chances.shape[1], 9), [7, 7])
    assert (task.loss(out, batch.y, {}) > 0).all()
    slow = network("fcn", Transcribe(list("abcdefgh"), pace=(16.0, 90.0)), fold=fold, units="characters")(batch)
    assert slow.steps.tolist() == [math.ceil(7 / {"4": 4, "2": 2}.get(fold[5:6], 1))] * 2, "a step per cell where nobody is so fast"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_enters_and_trains_a_step_or_says_why_not(name: str) -> None:
    entrant = Neural(FAMILIES[name])
    reason = entrant.why_not(SPEC, TASK, SETUP)
    if reason is not None:
        assert len(reason.split()) > 5
        return
    made = network(name)
    batch = Batch(padded(SOUNDS[:6]), TASK.collate(TEXTS[:6]), [], {})
    loss = TASK.loss(made(batch), batch.y, {})
    assert loss.shape == (6,)
    loss.mean().backward()
    assert all(weight.grad is not None for weight in made.parameters())


@pytest.mark.parametrize("name", ["gru", "resnet", "transformer"])
@pytest.mark.parametrize("decoding", ["greedy", "beam"])
def test_padding_changes_no_answer(name: str, decoding: str) -> None:
    made = network(name, decoding=decoding).eval()
    torch.nn.init.normal_(made.head.out.weight, std=2.0)
    with torch.inference_mode():
        alone = [TASK.decode(made.answer(empty_batch(Grid(torch.from_numpy(sound)[None], None))))[0].value for sound in SOUNDS[:5]]
        together = [answer.value for answer in TASK.decode(made.answer(empty_batch(padded(SOUNDS[:5], more=7))))]
    assert together == alone
    assert len(set(alone)) > 1


def test_axes_beside_the_time_may_vary() -> None:
    spec = Spec("made", ("time", "mel"), (None, None), 1, None, None, {"train": 100}, "", (), (), (40, 8), (24, 8))
    made = Network(FAMILIES["resnet"], spec, TASK, {**space_of(FAMILIES["resnet"], spec, TASK).defaults(), "width": 16}).eval()
    with torch.inference_mode():
        out = made(empty_batch(padded(SOUNDS[:3])))
    assert (len(out.chances), out.chances.shape[-1]) == (3, 4)
    assert out.steps.tolist() == [math.ceil(len(sound) / made.head.patch) for sound in SOUNDS[:3]]


@pytest.mark.parametrize("units", ["words", "characters"])
def test_words_are_learnt(units: str) -> None:
    made = network("tcn", units=units, fold="keep 2x8" if units == "words" else "keep 1x8")
    batch = Batch(padded(SOUNDS), TASK.collate(TEXTS), [], {})
    optimizer = torch.optim.Adam(made.parameters(), 0.01)
    for _ in range(100):
        optimizer.zero_grad()
        loss = TASK.loss(made(batch), batch.y, {}).mean()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.02:
            break
    sounds, texts = spoken(np.random.default_rng(2), 20)
    with torch.inference_mode():
        answers = TASK.decode(made.eval().answer(empty_batch(padded(sounds))))
    assert TASK.metrics[0].value(TASK.metrics[0].rows(answers, texts)) < 0.15


def test_others_say_why_they_do_not_fit() -> None:
    image = Spec("made", ("height", "width"), (8, 8), 1, None, None, {}, "")
    assert "no time" in str(TASK.why_not(image))
    assert TASK.why_not(SPEC) is None
    for name, baseline in every("baseline").items():
        reason = Plain(baseline).why_not(SPEC, TASK, SETUP)
        assert (reason is None) == (name == "majority"), name
        assert reason is None or len(reason.split()) > 5
    assert Classify(["a"]).why_not(SPEC) is None


def test_the_most_frequent_transcript_is_the_floor() -> None:
    from bakeoff.data.base import Arrays, Dataset
    texts = ["low", "mid low", "mid low", "high"]
    cells = np.zeros((4, 12, 8, 1), np.uint8)
    data = Dataset(SPEC, Arrays(cells), texts, list("abcd")).aim(TASK.collate(texts))
    majority = every("baseline")["majority"]
    fitted = majority().fit(data, TASK, {}, 0)
    assert [answer.value for answer in TASK.decode(fitted.outputs(data))] == ["mid low"] * 4
    again = majority.restore(*fitted.state(), SPEC, TASK)
    assert torch.equal(again.outputs(data), fitted.outputs(data))
    assert (fitted.parameters(), fitted.macs()) == (7, 0.0)
