"""What is known beside a series: given ahead, told by the calendar, or words; none of it from later than it may be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from bakeoff.data import calendar
from bakeoff.data.base import ReadOptions, Source, Splits
from bakeoff.data.files import Files
from bakeoff.data.load import Loaded, load_new
from bakeoff.data.rolling import every_fold
from bakeoff.data.series import Series
from bakeoff.data.windows import Windows
from bakeoff.errors import DataError, OptionError
from bakeoff.nn.network import Network
from bakeoff.options import Options
from bakeoff.registry import every
from bakeoff.tasks.forecast import Forecast
from bakeoff.train.choices import space_of

Check = Callable[..., Loaded]
HORIZON = 4


def table(count: int = 600, seed: int = 0) -> pd.DataFrame:
    """What is sold: noise, and ten more on the days of an offer, which are known ahead."""
    rng = np.random.default_rng(seed)
    offer = rng.integers(0, 2, count)
    return pd.DataFrame({"date": pd.date_range("2024-01-01", periods=count, freq="D").strftime("%Y-%m-%d"),
                         "sold": 20 + 10 * offer + rng.normal(size=count), "offer": offer, "price": rng.normal(5, 2, count),
                         "sky": rng.choice(["sun", "rain"], count)})


def read(path: Path, **options: Any) -> Source:
    return Series().read(Files.open(path), ReadOptions(**{"task": "forecast", **options}))


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    table().to_csv(tmp_path / "sales.csv", index=False)
    return tmp_path / "sales.csv"


def test_the_calendar_of_some_moments() -> None:
    moments = pd.DatetimeIndex(["2024-01-06 18:00", "2024-07-01 00:00"]).as_unit("s").astype("int64").to_numpy().astype(float)
    named = dict(zip(calendar.names(3600.0), calendar.features(moments, 3600.0).T, strict=True))
    np.testing.assert_allclose(named["hour sin"], [-1, 0], atol=1e-9)
    assert named["weekend"].tolist() == [1, 0]
    np.testing.assert_allclose(named["weekday cos"], np.cos(2 * np.pi * np.array([5, 0]) / 7))
    np.testing.assert_allclose(named["year cos"], np.cos(2 * np.pi * np.array([5.75, 182]) / 365.25))
    assert calendar.names(30 * 86400.0) == ("year sin", "year cos")
    assert calendar.names(None) == calendar.names(366 * 86400.0) == ()


@pytest.mark.parametrize(("frequency", "working"), [("h", False), ("D", False), ("MS", False), ("QS", False), ("B", True)])
def test_the_calendar_goes_on_after_the_last_row(frequency: str, working: bool) -> None:
    moments = pd.date_range("2023-11-01", periods=30, freq=frequency).as_unit("s").astype("int64").to_numpy().astype(float)
    said = calendar.going_on(moments[19], float(np.median(np.diff(moments[:20]))), 10, working)
    np.testing.assert_array_equal(said, moments[20:])


def test_columns_known_ahead_are_no_channels_and_words_become_columns(sales: Path) -> None:
    source = read(sales, target="sold", future=("offer",))
    panel = source.panel
    assert panel is not None
    assert (panel.channels, panel.beside_names, panel.later, panel.plain) == (
        ("sold", "price"), ("offer", "sky=rain", "sky=sun"), 1, (True, False, False))
    np.testing.assert_array_equal(panel.beside[0][:, 1] + panel.beside[0][:, 2], 1)
    assert any("each word is read as a column" in note for note in panel.notes)
    with pytest.raises(DataError, match="no column 'ofer'"):
        read(sales, future=("ofer",))


def test_too_many_words_are_left_out_and_refused_of_the_future(tmp_path: Path) -> None:
    frame = table(100).assign(name=[f"n{row}" for row in range(100)])
    frame.to_csv(tmp_path / "x.csv", index=False)
    panel = read(tmp_path / "x.csv", target="sold").panel
    assert panel is not None
    assert any("'name' has 100 different words: it is left out" in note for note in panel.notes)
    with pytest.raises(DataError, match="100 different words"):
        read(tmp_path / "x.csv", target="sold", future=("name",))
    frame["offer"] = [str(one) for one in frame["offer"]]
    frame.loc[7, "offer"] = "often"
    frame.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(DataError, match="'often' is no number") as error:
        read(tmp_path / "x.csv", target="sold", future=("offer",))
    assert error.value.where == "x.csv, line 9, column 'offer'"


def test_a_window_has_what_is_known_ahead_and_nothing_else_of_later(sales: Path, tmp_path: Path) -> None:
    found = next(every_fold(read(sales, target="sold", future=("offer",)), Options(horizon=HORIZON, future=("offer",)), "made"))
    ahead, frame = found.dataset.spec.ahead, table()
    assert ahead is not None
    assert ahead.known == ("weekday sin", "weekday cos", "weekend", "year sin", "year cos", "offer", "sky=rain", "sky=sun")
    assert (ahead.calendar, ahead.later) == (5, 6)
    length = ahead.lookbacks[-1]
    part = found.dataset.view(found.test)
    known = part.take([0]).given["known"][0].numpy()
    start = int(found.test[0])
    assert known.shape == (length + HORIZON, 8)
    offers = frame["offer"].to_numpy()[start:start + length + HORIZON]
    assert (np.unique(known[offers == 1, 5]).size, np.unique(known[offers == 0, 5]).size) == (1, 1)
    np.testing.assert_array_equal(known[:length, 7], frame["sky"][start:start + length] == "sun")
    assert (known[-HORIZON:, 6:] == 0).all()
    Splits(found.dataset.view(found.train), None, part).save(tmp_path / "saved")
    again = Splits.open(tmp_path / "saved", test=True)
    assert again.test is not None
    assert isinstance(again.test.arrays, Windows)
    torch.testing.assert_close(again.test.take([0, 5]).given["known"], part.take([0, 5]).given["known"])


@pytest.mark.parametrize("channels", ["apart", "together"])
def test_what_is_known_ahead_is_learnt_from(sales: Path, channels: str) -> None:
    errors = {}
    for future in ((), ("offer",)):
        source = read(sales, target="sold", inputs=("sold", "price"), future=future)
        found = next(every_fold(source, Options(horizon=HORIZON, future=future), "made"))
        task = Forecast().fit([], found.dataset.spec)
        whole = found.dataset.collate(task.collate)
        train, test, family = whole.view(found.train), whole.view(found.test), every("family")["mlp"]
        torch.manual_seed(0)
        params = {**space_of(family, whole.spec, task).defaults(), "width": 32, "channels": channels, "calendar": "read", "dropout": 0.0}
        network = Network(family, whole.spec, task, params)
        optimizer = torch.optim.Adam(network.parameters(), 0.005)
        generator = np.random.default_rng(0)
        for _ in range(150):
            batch = train.take(generator.integers(0, len(train), 64))
            optimizer.zero_grad()
            task.loss(network(batch), batch.y, params).mean().backward()
            optimizer.step()
        batch = test.take(np.arange(len(test)))
        errors[future] = (network.eval()(batch)[..., 0] - batch.y[..., :1]).abs().mean().item()
    assert errors["offer",] < 0.6 * errors[()]


def test_new_data_tell_what_is_known_of_the_steps_to_come(check: Check, sales: Path, tmp_path: Path) -> None:
    loaded = check(sales, target="sold", horizon=HORIZON, future=("offer",))
    state = loaded.folds[0].kind_state
    frame = table()
    later = frame[:300].copy()
    later.loc[300 - HORIZON:, ["sold", "price"]] = np.nan
    later.to_csv(tmp_path / "new.csv", index=False)
    new = load_new(tmp_path / "new.csv", "series", state).dataset.take([0])
    together = loaded.splits.together()
    place = together.keys.index(frame["date"][300 - HORIZON - 1])
    old = together.take([place])
    torch.testing.assert_close(new.x.x, old.x.x)
    torch.testing.assert_close(new.given["known"], old.given["known"])
    frame[:300].to_csv(tmp_path / "whole.csv", index=False)
    with pytest.raises(DataError, match="stand 0 rows, a forecast needs 4"):
        load_new(tmp_path / "whole.csv", "series", state)


def test_a_calendar_goes_on_for_new_data(check: Check, tmp_path: Path) -> None:
    frame = table()[["date", "sold"]]
    frame.to_csv(tmp_path / "sold.csv", index=False)
    loaded = check(tmp_path / "sold.csv", horizon=HORIZON)
    frame[:300].to_csv(tmp_path / "new.csv", index=False)
    new = load_new(tmp_path / "new.csv", "series", loaded.folds[0].kind_state).dataset.take([0])
    together = loaded.splits.together()
    old = together.take([together.keys.index(frame["date"][299])])
    torch.testing.assert_close(new.given["known"], old.given["known"], atol=1e-5, rtol=1e-5)


def test_rows_to_come_in_the_training_data_are_left_out(tmp_path: Path) -> None:
    frame = table(100)
    frame.loc[95:, "sold"] = np.nan
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert len(read(tmp_path / "x.csv", target="sold", future=("offer",)).items[0]) == 95


def test_no_other_task_has_a_future(check: Check, tmp_path: Path) -> None:
    pd.DataFrame({"x": range(100), "label": [row % 2 for row in range(100)]}).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(OptionError, match="looks at nothing ahead"):
        check(tmp_path / "x.csv", future=("x",))
