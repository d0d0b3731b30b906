"""What a worker finds out before anything is planned."""

from __future__ import annotations

from typing import Any

from bakeoff.execute.worker import affordable_start
from bakeoff.space import Param, Space


class Priced:
    """Work per example by width and fold: a raster of patches costs more than frames as steps."""

    def units(self, data: Any, task: Any, params: dict[str, Any]) -> float:
        return float(params["width"] * {"leading": 1, "leading 2": 0.5, "raster 4": 3}[params["fold"]])


def start_within(allowed: float) -> tuple[int, str]:
    folds = Param("fold", "leading", "", values=("leading", "leading 2", "raster 4"))
    space = Space({"width": Param("width", 64, "", values=(16, 32, 64)), "fold": folds})
    point, _ = affordable_start(Priced(), space, {"width": 64, "fold": "leading"}, None, None, allowed)     # type: ignore[arg-type]
    return point["width"], point["fold"]


def test_the_dearest_setting_that_is_allowed_lines_cells_up_as_the_first_does() -> None:
    assert start_within(64) == (64, "leading")
    assert start_within(50) == (64, "leading 2"), "not the narrow raster of 48"
    assert start_within(17) == (32, "leading 2")
    assert start_within(1) == (16, "leading 2"), "the cheapest, where nothing is allowed"
