"""Real piano rolls are recognised without being told, the same from both formats; the counts are those of their README."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bakeoff.baselines.last import Last
from bakeoff.baselines.rate import Rate
from bakeoff.data.load import Loaded
from bakeoff.errors import DataError
from bakeoff.train.loop import value_of

Check = Callable[..., Loaded]


@pytest.mark.parametrize("ending", ["mat", "json.gz"])
def test_chorales_are_read_whole(ending: str, shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / f"polyphonic-music/JSB_Chorales.{ending}")
    assert (loaded.kind_name, loaded.task_name) == ("music", "predict")
    assert not loaded.record["set_aside"]
    source = loaded.source
    splits = np.array(source.split)
    lengths = np.array(list(map(len, source.items)))
    for split, pieces, steps, short, long in (("train", 229, 13807, 25, 129), ("val", 76, 4602, 32, 144), ("test", 77, 4725, 32, 160)):
        own = lengths[splits == split]
        assert (len(own), own.sum(), own.min(), own.max()) == (pieces, steps, short, long)
    sounding = np.flatnonzero(np.concatenate(source.items).any(0)) + 21
    assert (sounding.min(), sounding.max()) == (43, 96)


def test_what_repeating_and_rates_cost_on_chorales(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "polyphonic-music/JSB_Chorales.mat")
    test, task = loaded.splits.test, loaded.make_task()
    assert test is not None
    values = [value_of(cls().fit(loaded.splits.train, task, {}, 0).outputs(test), test, task) for cls in (Last, Rate)]
    assert values == pytest.approx([10.49, 11.09], abs=0.01)


def test_two_collections_in_a_folder_are_named(shared_data: Path, check: Check) -> None:
    with pytest.raises(DataError, match="2 collections"):
        check(shared_data / "polyphonic-music")
