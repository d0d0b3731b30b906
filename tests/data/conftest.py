"""What tests of reading share: a cache of their own, and a way to load with options by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bakeoff.data.load import Loaded, load
from bakeoff.options import Options


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, so that no test finds what another has prepared."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("BAKEOFF_CACHE", str(folder))
    return folder


@pytest.fixture
def check() -> Callable[..., Loaded]:
    def checked(path: Path, **options: Any) -> Loaded:
        return load(path, Options(**options))
    return checked


@pytest.fixture
def flowers(tmp_path: Path) -> Callable[..., Path]:
    """A folder per class of small pictures, each one different."""
    def make(classes: tuple[str, ...] = ("roses", "tulips"), each: int = 10, size: tuple[int, int] = (12, 10), mode: str = "RGB",
             form: str = "png", root: str = "flowers") -> Path:
        chance = np.random.default_rng(len(classes) + each)
        for label in classes:
            folder = tmp_path / root / label
            folder.mkdir(parents=True)
            for number in range(each):
                channels = {"L": (), "RGB": (3,), "RGBA": (4,), "LA": (2,)}[mode]
                pixels = chance.integers(0, 256, (*size, *channels), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number:02}.{form}")
        return tmp_path / root
    return make
