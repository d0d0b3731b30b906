"""What every baseline owes, tested over the whole registry on every sort of data that it reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from bakeoff.baselines.base import Baseline, unanswerable
from bakeoff.data.base import Arrays, Dataset
from bakeoff.registry import every
from bakeoff.tasks.base import Task
from bakeoff.tasks.classify import Classify
from bakeoff.tasks.regress import Regress
from bakeoff.types import Spec

BASELINES = every("baseline")
COUNT = 72
LABELS = [("low", "high", "other")[number % 3] for number in range(COUNT)]
SETS = [("low", "high", "high;low;other")[number % 3] for number in range(COUNT)]
TASKS = ("classify", "sets", "regress")       # sets: classify with several labels per example
HEIGHT = np.array([-1.0, 1.0, 3.0], dtype=np.float32)[np.arange(COUNT) % 3]
RNG = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.3, shape).astype(np.float32)


def lifted(x: np.ndarray, number: int) -> np.ndarray:
    """A class is how high a part of the noise stands."""
    x[:max(1, len(x) // 2)] += HEIGHT[number]
    return x


def ids(number: int, longest: int) -> np.ndarray:
    row = RNG.integers(6, 30, longest).astype(np.int32)
    row[:2] = number % 3
    return row


LENGTHS = [12, 1, 9, 0, 20, 2]
CELLS: dict[str, list[np.ndarray]] = {
    "table": [lifted(noise(1, 4), number) for number in range(COUNT)],
    "series": [lifted(noise(18, 1), number) for number in range(COUNT)],
    "series of many lengths": [lifted(noise(LENGTHS[number % 6] if number > 50 else 10 + number % 7, 12), number) for number in range(COUNT)],
    "pictures": [np.clip(lifted(noise(7, 6, 3), number) * 30 + 80, 0, 255).astype(np.uint8) for number in range(COUNT)],
    "pictures of many sizes": [lifted(noise(5 + number % 4, 6 + number % 3, 1), number) for number in range(COUNT)],
    "clips of many lengths": [np.clip(lifted(noise(1 + number % 5 if number > 50 else 4 + number % 3, 6, 5, 1), number) * 30 + 80, 0, 255)
                              .astype(np.uint8) for number in range(COUNT)],
    "spectrograms": [np.clip(lifted(noise(9 + number % 5, 6, 1), number) * 30 + 80, 0, 255).astype(np.uint8) for number in range(COUNT)],
    "text": [ids(number, number % 5 if number > 60 else 4 + number % 6) for number in range(COUNT)],
    "stories": [ids(number, 4 * (2 + number % 3)).reshape(-1, 4) for number in range(COUNT)],
    "constant series": [np.ones((6, 2), dtype=np.float32) for _ in range(COUNT)],
    "constant pictures": [np.full((4, 4, 1), 9, dtype=np.uint8) for _ in range(COUNT)],
    "constant table": [np.ones((1, 3), dtype=np.float32) for _ in range(COUNT)],
    "constant text": [np.ones(3, dtype=np.int32) for _ in range(COUNT)],
}


@dataclass(frozen=True)
class Case:
    baseline: str
    sort: str
    task: str

    def __str__(self) -> str:
        return f"{self.baseline}-{self.sort}-{self.task}"

    @property
    def cls(self) -> type[Baseline]:
        return BASELINES[self.baseline]

    def data(self) -> tuple[Dataset, Task]:
        cells = CELLS[self.sort]
        text = "text" in self.sort or self.sort == "stories"
        rank = cells[0].ndim - (not text)
        shapes = np.array([one.shape[:rank] for one in cells], dtype=np.int64)
        same = bool((shapes == shapes[0]).all())
        channels = None if text else cells[0].shape[-1]
        flat = np.concatenate([one.reshape(-1, 1 if text else one.shape[-1]) for one in cells])
        sound = self.sort == "spectrograms"
        axes, sizes = ("time", "mel") if sound else tuple("abc"[:rank]), (None, 6) if sound else (None,) * rank
        spec = Spec("made", axes, tuple(shapes[0].tolist()) if same else sizes, channels, 1000 if text else None, None,
                    {"train": COUNT}, "made", () if text else tuple(flat.mean(0).tolist()), () if text else tuple(flat.std(0).tolist()),
                    tuple(shapes.max(0).tolist()), tuple(int(size) for size in np.median(shapes, axis=0)),
                    several=self.task == "sets")
        targets: list[object] = [float(10 * height + 50) for height in HEIGHT]
        targets = {"classify": list(LABELS), "sets": list(SETS)}.get(self.task, targets)
        task: Task = (Regress() if self.task == "regress" else Classify()).fit(targets, spec)
        arrays = Arrays(np.stack(cells)) if same else Arrays(flat[:, 0] if text else flat, shapes)
        data = Dataset(spec, arrays, targets, [str(number) for number in range(COUNT)])
        data.aim(task.collate(targets))
        return data, task

    def fitted(self, rows: Sequence[int] = range(COUNT), seed: int = 0) -> tuple[Baseline, Dataset, Task]:
        data, task = self.data()
        return self.cls().fit(data.subset(np.asarray(rows)), task, self.cls.space(data.spec, task).defaults(), seed), data, task

    def fitted_once(self) -> tuple[Baseline, Dataset, Task]:
        """On all examples, for tests that only look at it."""
        return once(self)


@cache
def once(case: Case) -> tuple[Baseline, Dataset, Task]:
    return case.fitted()


ALL = [Case(name, sort, task) for name in BASELINES for sort in CELLS for task in TASKS]
ENTER = [case for case in ALL if case.cls.why_not(case.data()[0].spec, case.data()[1]) is None]
PLANTED = [case for case in ENTER if "constant" not in case.sort]
each: Callable = pytest.mark.parametrize("case", ENTER, ids=str)
each_planted: Callable = pytest.mark.parametrize("case", PLANTED, ids=str)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("case", [case for case in ALL if case not in ENTER], ids=str)
def test_who_cannot_enter_says_why_in_words(case: Case) -> None:
    data, task = case.data()
    why = case.cls.why_not(data.spec, task)
    assert why is not None
    assert len(why.split()) >= 6
    assert why.startswith("it")
    assert not why.endswith(".")


@pytest.mark.parametrize("sort", list(CELLS))
@pytest.mark.parametrize("task", TASKS)
def test_every_question_has_a_trivial_a_linear_and_a_nearest_contender(sort: str, task: str) -> None:
    names = {case.baseline for case in ENTER if case.sort == sort and case.task == task}
    assert names >= {"linear", "nearest", "mean" if task == "regress" else "majority"}


def test_no_baseline_enters_a_task_it_cannot_answer() -> None:
    class Compose:
        name, sort = "compose", "whole"
    for cls in BASELINES.values():
        for case in (Case("majority", sort, "classify") for sort in CELLS):
            assert cls.why_not(case.data()[0].spec, Compose()) is not None
    assert "compose" in (unanswerable(Compose()) or "")


@each
def test_there_are_few_settings_and_the_first_is_one_of_them(case: Case) -> None:
    data, task = case.data()
    space = case.cls.space(data.spec, task)
    assert prod(len(param.values) for param in space.values()) <= 8
    for name, param in space.items():
        assert name == param.name
        assert name.startswith(f"{case.baseline}.")
        assert param.default in param.values
        assert param.meaning


@each
def test_it_says_how_it_repeats_and_grows(case: Case) -> None:
    assert case.cls.group == "baseline"
    assert isinstance(case.cls.deterministic, bool)
    assert 1.0 <= case.cls.growth <= 3.0


@each
def test_answers_are_chances_or_numbers_for_every_example_in_order(case: Case) -> None:
    fitted, data, _ = case.fitted_once()
    out = fitted.outputs(data)
    assert out.shape == (COUNT, 1 if case.task == "regress" else 3)
    assert out.dtype == torch.float32
    assert out.isfinite().all()
    if case.task == "classify":
        torch.testing.assert_close(out.exp().sum(1), torch.ones(COUNT), atol=1e-5, rtol=0)


@each
def test_the_rows_of_a_subset_are_those_of_the_whole(case: Case) -> None:
    fitted, data, _ = case.fitted_once()
    rows = np.array([40, 3, 51, 3, 66])
    torch.testing.assert_close(fitted.outputs(data.subset(rows)), fitted.outputs(data)[torch.from_numpy(rows)], atol=2e-3, rtol=1e-3)


@each
def test_no_examples_give_no_answers(case: Case) -> None:
    fitted, data, _ = case.fitted_once()
    assert fitted.outputs(data.subset(np.arange(0))).shape == (0, 1 if case.task == "regress" else 3)


@each_planted
def test_what_is_planted_is_learnt(case: Case) -> None:
    train = np.arange(COUNT) % 4 != 0
    fitted, data, task = case.fitted(np.flatnonzero(train))
    usual = np.array([len(one) > 2 for one in CELLS[case.sort]]) | (case.sort == "table")      # an empty one shows nothing
    held = data.subset(np.flatnonzero(~train & usual))
    out, wanted = fitted.outputs(held), task.collate(held.targets)
    if case.baseline in ("majority", "mean"):
        assert (out == out[:1]).all()
    elif case.task == "classify":
        assert (out.argmax(1) == wanted).float().mean() > 0.8
    elif case.task == "sets":
        assert ((out > 0) == (wanted > 0)).float().mean() > 0.8
    else:
        assert (out[:, 0] - wanted).square().mean() < 0.3                    # 1 is what the mean would cost


@each
def test_the_same_seed_gives_the_same_bits(case: Case) -> None:
    first, data, _ = case.fitted_once()
    second, _, _ = case.fitted()
    assert torch.equal(first.outputs(data), second.outputs(data))


@each
def test_another_seed_changes_nothing_where_it_says_so(case: Case) -> None:
    if case.cls.deterministic:
        first, data, _ = case.fitted_once()
        second, _, _ = case.fitted(seed=1)
        assert torch.equal(first.outputs(data), second.outputs(data))


@each
def test_saved_equals_loaded(case: Case) -> None:
    fitted, data, task = case.fitted_once()
    arrays, record = fitted.state()
    kept = load(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
    again = case.cls.restore(kept, json.loads(json.dumps(record)), data.spec, task)
    assert torch.equal(again.outputs(data), fitted.outputs(data))
    assert again.macs() == fitted.macs()
    assert again.parameters() == fitted.parameters()


@each
def test_its_cost_is_stated(case: Case) -> None:
    fitted, _, _ = case.fitted_once()
    assert np.isfinite(fitted.macs())
    assert fitted.macs() >= 0
    assert fitted.parameters() > 0
    if case in PLANTED and case.baseline not in ("majority", "mean"):
        assert fitted.macs() > 0


@each
def test_a_part_of_the_training_split_without_one_class_is_enough(case: Case) -> None:
    rows = [number for number in range(30) if number % 3]
    fitted, data, _ = case.fitted(rows)
    assert fitted.outputs(data).isfinite().all()


@each
@pytest.mark.parametrize("rows", [[0], [1, 2]], ids=["one", "two"])
def test_one_or_two_examples_are_enough(case: Case, rows: list[int]) -> None:
    fitted, data, _ = case.fitted(rows)
    assert fitted.outputs(data).isfinite().all()


@each_planted
def test_every_setting_can_be_fitted(case: Case) -> None:
    data, task = case.data()
    space = case.cls.space(data.spec, task)
    for name, param in space.items():
        for value in param.values:
            out = case.cls().fit(data.subset(range(24)), task, {**space.defaults(), name: value}, 0).outputs(data.subset(range(24, 36)))
            assert out.isfinite().all()
