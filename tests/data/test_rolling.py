"""Windows of series: split by time first, none knows what comes after it, and none is a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bakeoff.data.base import Dataset, Source, Splits
from bakeoff.data.load import Loaded, load_new
from bakeoff.data.panel import Panel
from bakeoff.data.rolling import Rolled, every_fold, latest
from bakeoff.data.windows import Windows
from bakeoff.errors import DataError, OptionError
from bakeoff.options import Options
from bakeoff.tasks.forecast import Forecast

Check = Callable[..., Loaded]
often = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def source_of(*items: np.ndarray, **more: Any) -> Source:
    """Series as read; every step is called by its number."""
    panel = Panel([[str(step) for step in range(len(item))] for item in items], tuple(f"c{c}" for c in range(items[0].shape[1])),
                  tuple(range(items[0].shape[1])), **more)
    return Source("series", list(items), [f"s{k}" for k in range(len(items))], [], seen=len(items), task="forecast", panel=panel)


def steps(count: int, channels: int = 1, begin: int = 0) -> np.ndarray:
    """A series whose values say which step they are."""
    return np.arange(begin, begin + count)[:, None] + 0.25 * np.arange(channels)


def rolled(*items: np.ndarray, options: dict[str, Any], **more: Any) -> Rolled:
    return next(every_fold(source_of(*items, **more), Options(**options), "made"))


def inputs_and_targets(dataset: Dataset, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, look-back, C) and (N, horizon, A)."""
    part = dataset.view(rows)
    return part.take(np.arange(len(part))).x.x.numpy(), np.stack([target["values"].T for target in part.targets])


@often
@given(count=st.integers(600, 900), horizon=st.integers(1, 20), season=st.integers(1, 12), several=st.booleans())
def test_every_window_goes_on_where_its_input_ends_and_stays_inside_its_part(count: int, horizon: int, season: int, several: bool) -> None:
    items = [steps(count), steps(count // 2, begin=10_000)] if several else [steps(count)]
    found = rolled(*items, options={"horizon": horizon, "season": season, "split": "0.6,0.25,0.15"})
    whole = {"train": found.train, "val": found.val, "test": found.test}
    for name, rows in whole.items():
        x, y = inputs_and_targets(found.dataset, rows)
        np.testing.assert_array_equal(x[:, -1, 0] + 1, y[:, 0, 0])
        np.testing.assert_array_equal(np.diff(y[:, :, 0], axis=1), 1)
        for item in items:
            ends = [int(0.6 * len(item) + 1e-9), len(item) - int(0.15 * len(item) + 1e-9), len(item)]
            low, high = {"train": (0, ends[0]), "val": (ends[0], ends[1]), "test": (ends[1], ends[2])}[name]
            own = y[(y[:, 0, 0] >= item[0, 0]) & (y[:, 0, 0] <= item[-1, 0])] - item[0, 0]
            assert own.min(initial=low) >= low
            assert own.max(initial=high - 1) < high
            if name != "train":
                assert len(own) == max(0, high - low - horizon + 1)           # each step of the part begins a window that fits


def test_the_future_changes_no_input_and_no_training_target() -> None:
    generator = np.random.default_rng(0)
    before = generator.normal(size=(600, 2)).cumsum(0)
    options = {"horizon": 10, "season": 5, "split": "300,150,150"}
    first = rolled(before, options=options)
    for border, parts in ((450, ("train", "val")), (300, ("train",))):
        after = before.copy()
        after[border:] = 1e3 * generator.normal(size=after[border:].shape)
        second = rolled(after, options=options)
        assert first.state["fill"] == second.state["fill"]
        np.testing.assert_array_equal(first.dataset.arrays.spread, second.dataset.arrays.spread)    # type: ignore[attr-defined]
        np.testing.assert_array_equal(first.dataset.arrays.naive, second.dataset.arrays.naive)      # type: ignore[attr-defined]
        for name in parts:
            for one, other in zip(inputs_and_targets(first.dataset, getattr(first, name)),
                                  inputs_and_targets(second.dataset, getattr(second, name)), strict=True):
                np.testing.assert_array_equal(one, other)
    changed = before.copy()
    changed[470:] = 0.0
    x, _ = inputs_and_targets(first.dataset, first.test[:21])                                       # origins 450 … 470
    other, _ = inputs_and_targets(rolled(changed, options=options).dataset, first.test[:21])
    np.testing.assert_array_equal(x, other)


def test_what_tuning_opens_holds_no_step_of_the_test(tmp_path: Path) -> None:
    found = rolled(steps(600), options={"horizon": 10, "season": 5, "split": "300,150,150"})
    view = found.dataset.view
    Splits(view(found.train), view(found.val), view(found.test)).save(tmp_path)
    assert np.load(tmp_path / "train/truth.npy").max() == 449
    assert np.load(tmp_path / "train/steps.npy").max() == 449
    again = Splits.open(tmp_path, test=True)
    assert again.val is not None
    assert again.test is not None
    for kept, meant in ((again.train, found.train), (again.val, found.val), (again.test, found.test)):
        part = view(meant)
        assert kept.keys == part.keys
        np.testing.assert_array_equal(kept.take(np.arange(len(kept))).x.x, part.take(np.arange(len(part))).x.x)
        np.testing.assert_array_equal([one["values"] for one in kept.targets], [one["values"] for one in part.targets])
    assert again.test.groups == view(found.test).groups
    assert again.test.spec == found.dataset.spec


def test_collated_targets_are_windows_of_one_array_and_equal_those_collated_one_by_one() -> None:
    item = steps(500, 3)
    item[200:220, 1] = np.nan
    found = rolled(item, steps(400, 3, 900), options={"horizon": 7, "season": 4})
    task = Forecast().fit([], found.dataset.spec)
    data = found.dataset.view(found.train).collate(task.collate)
    rows = np.array([0, 5, len(data) - 1])
    torch.testing.assert_close(data.take(rows).y, task.collate(data.subset(rows).targets), equal_nan=True)
    assert data.y.untyped_storage().nbytes() < 4 * 2 * 3 * (len(data.arrays) + 100)


def test_windows_are_no_copies() -> None:
    found = rolled(np.random.default_rng(0).normal(size=(17_000, 7)), options={"horizon": 96, "lookback": 336})
    arrays = found.dataset.arrays
    assert isinstance(arrays, Windows)
    assert arrays.cells.shape[1:] == (336, 7)
    assert np.shares_memory(arrays.cells, arrays.steps)
    assert arrays.steps.nbytes == 17_000 * 7 * 4


def test_look_backs_are_seasons_or_horizons_as_far_as_the_training_part_holds_them() -> None:
    def lookbacks(count: int, **options: Any) -> tuple[int, ...]:
        ahead = rolled(steps(count), options=options).dataset.spec.ahead
        assert ahead is not None
        return ahead.lookbacks
    assert lookbacks(2000, horizon=24, season=12) == (24, 48, 72, 96)
    assert lookbacks(2000, horizon=6, season=12) == (12, 24, 36, 48)
    assert lookbacks(300, horizon=24, season=1) == (24, 48, 72)
    assert lookbacks(2000, horizon=24, season=1, lookback=30) == (30,)
    with pytest.raises(OptionError, match="--lookback"):
        lookbacks(300, horizon=24, lookback=170)
    with pytest.raises(DataError, match="12 training steps are too few"):
        lookbacks(60, horizon=12, split="12,20,28")
    with pytest.raises(DataError, match="the test part has"):
        lookbacks(200, horizon=5, split="100,50,4")
    for folds, split, what in (("fold", None, "no number of folds"), ("1", None, "no number of folds"), ("2", "0.6,0.2,0.2", "not both"),
                               ("90", None, "too short for 90 test parts")):
        with pytest.raises(OptionError, match=what):
            lookbacks(2000, horizon=24, folds=folds, split=split)


def test_each_fold_learns_from_what_is_before_its_test_part() -> None:
    source = source_of(steps(1000), steps(700, begin=10_000))
    ways = list(every_fold(source, Options(horizon=10, season=5, folds="3"), "made"))
    spans, groups = [], []
    for way in ways:
        train, val, test = (inputs_and_targets(way.dataset, rows)[1][..., 0] for rows in (way.train, way.val, way.test))
        for low, high in ((0, 10_000), (10_000, 20_000)):
            own = [part[(part[:, 0] >= low) & (part[:, 0] < high)] for part in (train, val, test)]
            assert own[0].max() < own[1].min() < own[1].max() < own[2].min()
        spans.append(test)
        groups.append(set(way.dataset.view(way.test).groups or ()))
        assert way.dataset.spec.ahead == ways[0].dataset.spec.ahead
    first = np.concatenate([span[span[:, 0] < 10_000] for span in spans])
    assert (first.min(), first.max(), len(np.unique(first[:, 0]))) == (502, 999, len(first))
    assert not groups[0] & groups[1]
    assert not groups[1] & groups[2]
    assert "fold 2 of 3" in ways[1].how


def test_too_few_validation_windows_make_folds_that_validate_on_what_comes_later() -> None:
    found = rolled(steps(200), options={"horizon": 5, "season": 4})
    assert len(found.val) == 0
    assert len(found.inner) == 3
    _, y = inputs_and_targets(found.dataset, found.train)
    for before, later in found.inner:
        assert y[before].max() < y[later].min()
    assert y.max() < 160


def test_missing_values_are_the_last_known_one_and_marked() -> None:
    item = steps(400)
    item[50:53] = np.nan
    item[:2] = np.nan
    found = rolled(item, options={"horizon": 5, "lookback": 10, "split": "240,80,80"})
    x, y = inputs_and_targets(found.dataset, found.train)
    assert x.shape[2] == 2
    row = 53 - 10
    np.testing.assert_array_equal(x[row, :, 0], [43, 44, 45, 46, 47, 48, 49, 49, 49, 49])
    np.testing.assert_array_equal(x[row, :, 1], [0] * 7 + [1] * 3)
    assert x[0, 0, 0] == pytest.approx(np.nanmean(item[:240]))                # nothing is known before: the training mean
    assert np.isnan(y).any()


def test_a_series_too_short_for_the_look_back_is_led_by_its_first_value() -> None:
    found = rolled(steps(400), steps(400), steps(60, begin=1000), options={"horizon": 10, "season": 1, "split": "0.6,0.2,0.2"})
    for rows in (found.train, found.test):
        x, y = inputs_and_targets(found.dataset, rows)
        own = y[:, 0, 0] >= 1000
        assert own.any()
        np.testing.assert_array_equal(x[own, -1, 0] + 1, y[own, 0, 0])
        assert x[own].min() >= 1000
    x, y = inputs_and_targets(found.dataset, found.train)
    np.testing.assert_array_equal(x[y[:, 0, 0] >= 1000][0, :14, 0], 1000)     # 14 more than the series has


def test_blocks_of_windows_are_as_long_as_a_forecast_and_part_series() -> None:
    found = rolled(steps(600), steps(600), options={"horizon": 10, "season": 5, "split": "300,150,150"})
    groups = found.dataset.view(found.test).groups
    assert groups is not None
    _, sizes = np.unique(groups, return_counts=True)
    assert sizes.tolist() == [10] * 14 + [1] + [10] * 14 + [1]
    assert any("draw 30 blocks of 10" in note for note in found.notes)


def test_new_series_are_read_by_their_end(tmp_path: Path, check: Check) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["a,b", *(f"{row},{2 * row}" for row in range(400))]) + "\n")
    loaded = check(path, horizon=4, lookback=6)
    new = load_new(path, loaded.kind_name, loaded.folds[0].kind_state)
    assert new.keys == ["x"]
    np.testing.assert_array_equal(new.dataset.take([0]).x.x[0, :, 0], np.arange(394, 400))
    short = tmp_path / "short.csv"
    short.write_text("a,b\n1,2\n3,4\n")
    new = load_new(short, loaded.kind_name, loaded.folds[0].kind_state)
    np.testing.assert_array_equal(new.dataset.take([0]).x.x[0, :, 0], [1, 1, 1, 1, 1, 3])
    other = tmp_path / "other.csv"
    other.write_text("a,z\n1,2\n3,4\n")
    with pytest.raises(DataError, match="'b'"):
        load_new(other, loaded.kind_name, loaded.folds[0].kind_state)
    assert len(latest(source_of(steps(9, 2)), {**loaded.folds[0].kind_state, "spec": {**loaded.folds[0].kind_state["spec"], "ahead": {
        **loaded.folds[0].kind_state["spec"]["ahead"], "names": ["c0", "c1"]}}})) == 1


def test_new_rows_of_m4_are_read_as_such_from_one_file(tmp_path: Path, check: Check) -> None:
    rng = np.random.default_rng(0)
    for name, count in (("train", 80), ("test", 4)):
        lines = [",".join(f'"V{column}"' for column in range(1, count + 2))]
        lines += [",".join([f"S{number}", *(f"{value:.3f}" for value in rng.normal(size=count))]) for number in range(120)]
        (tmp_path / f"X-{name}.csv").write_text("\n".join(lines) + "\n")
    loaded = check(tmp_path)
    assert loaded.record["counts"]["test"] == 120
    assert any("horizon is 4 steps" in note for note in loaded.record["notes"])
    new = load_new(tmp_path / "X-train.csv", loaded.kind_name, loaded.folds[0].kind_state)
    assert (len(new.keys), new.keys[0]) == (120, "S0")


def test_a_test_part_of_its_own_goes_on_after_train(tmp_path: Path, check: Check) -> None:
    for name, rows in (("past", range(300)), ("later", range(300, 360))):
        (tmp_path / f"{name}.csv").write_text("\n".join(["step,x", *(f"{row},{row}" for row in rows)]) + "\n")
    loaded = check(tmp_path / "past.csv", test=str(tmp_path / "later.csv"), horizon=5, time=("step",))
    test = loaded.splits.test
    assert test is not None
    assert [target["values"][0, 0] for target in test.targets] == list(range(300, 356))


def many(folder: Path, **parts: str) -> Options:
    """Options by which series s0, s1 … are parted as a file of key,split says."""
    (folder / "parts.csv").write_text("\n".join(["key,split", *(f"{key},{part}" for key, part in parts.items())]) + "\n")
    return Options(horizon=5, season=4, split=str(folder / "parts.csv"))


@pytest.mark.parametrize("val", [True, False])
def test_a_file_of_keys_puts_whole_series_apart(val: bool, tmp_path: Path) -> None:
    items = [steps(400), steps(150, begin=1000), steps(200, begin=2000), steps(6, begin=3000), steps(90, begin=4000)]
    options = many(tmp_path, s0="train", **({"s1": "validation"} if val else {}), s2="Test", s3="test")
    found = next(every_fold(source_of(*items), options, "made"))
    lookback = found.dataset.arrays.lookback                                 # type: ignore[attr-defined]
    whose = {name: set((inputs_and_targets(found.dataset, rows)[1][:, 0, 0] // 1000).astype(int).tolist()) if len(rows) else set()
             for name, rows in (("train", found.train), ("val", found.val), ("test", found.test))}
    assert whose == {"train": {0}, "val": {1} if val else set(), "test": {2, 3}}, "what is not named takes no part"
    x, y = inputs_and_targets(found.dataset, found.test)
    assert (x[:, :, 0] // 1000 == y[:, :1, 0] // 1000).all(), "windows stay in their series"
    own = y[:, 0, 0] - 2000
    assert sorted(own[own < 1000].tolist()) == list(range(lookback, 196)), "each step behind a whole look-back"
    _, sizes = np.unique(found.dataset.view(found.test).groups or (), return_counts=True)
    assert sorted(sizes.tolist()) == [1, 196 - lookback], "a series is drawn as one"
    assert ("whole series by" in found.how, "1 validate" in found.how) == (True, val)
    assert bool(found.inner) is not val
    for train, later in found.inner:
        assert not set(train) & set(later)
    assert np.isfinite(found.dataset.arrays.naive).all()                     # type: ignore[attr-defined]


def test_what_is_learnt_of_series_put_apart_is_of_the_others_alone(tmp_path: Path) -> None:
    options = many(tmp_path, s0="train", s1="test")
    generator = np.random.default_rng(0)
    seen, new = generator.normal(size=(300, 1)), generator.normal(size=(300, 1))
    first, second = (next(every_fold(source_of(seen, other), options, "made")) for other in (new, 9 + 7 * new))
    assert first.state["fill"] == second.state["fill"]
    for part in ("train", "test"):
        assert getattr(first, part).tolist() == getattr(second, part).tolist()
    x, y = (np.concatenate([each.ravel() for each in inputs_and_targets(found.dataset, found.train)]) for found in (first, second))
    np.testing.assert_array_equal(x, y)
    naive = first.dataset.arrays.naive, second.dataset.arrays.naive          # type: ignore[attr-defined]
    np.testing.assert_allclose(7 * naive[0][1], naive[1][1])
    later = new.copy()
    later[first.dataset.arrays.lookback:] = 1e6                              # type: ignore[attr-defined]
    third = next(every_fold(source_of(seen, later), options, "made"))
    np.testing.assert_array_equal(third.dataset.arrays.naive, naive[0])      # type: ignore[attr-defined]


@pytest.mark.parametrize(("parts", "words"), [
    ({"s0": "train", "s9": "test"}, "'s9'"), ({"s0": "train", "s1": "exam"}, "'exam' is no part"), ({"s0": "train"}, "none to test on"),
    ({"s1": "test"}, "no series to train on")])
def test_a_file_that_cannot_part_series_is_told_why(parts: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        next(every_fold(source_of(steps(300), steps(300)), many(tmp_path, **parts), "made"))


def test_one_series_is_not_parted_by_keys(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="parts whole series, and there is one") as told:
        next(every_fold(source_of(steps(300)), many(tmp_path, s0="train"), "made"))
    assert "8640,2880,2880" in str(told.value.fix)


def test_keys_of_series_are_what_the_check_shows_before_the_time(tmp_path: Path, check: Check) -> None:
    lines = ["unique_id,ds,y", *(f"{name},2024-{1 + day // 28:02}-{1 + day % 28:02},{day + rise}"
                                 for rise, name in enumerate(("inn", "isar", "lech")) for day in range(200))]
    (tmp_path / "rivers.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "parts.tsv").write_text("key\tsplit\ninn\ttrain\nisar\ttrain\nlech\ttest\n")
    loaded = check(tmp_path / "rivers.csv", horizon=7, split=str(tmp_path / "parts.tsv"))
    assert {item["key"].partition("@")[0] for item in loaded.record["first"]} <= {"inn", "isar"}
    test = loaded.splits.test
    assert test is not None
    assert {key.partition("@")[0] for key in test.keys} == {"lech"}
    assert any("draw 1 whole series" in note for note in loaded.record["notes"])
