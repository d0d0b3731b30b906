"""What the steps of examples cost: sums over rows, in any order and with repetitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bakeoff.metrics.base import Summed
from bakeoff.metrics.likelihood import CHANCES, DISTANCES
from bakeoff.types import Answer


@pytest.mark.parametrize(("metric", "what"), [(CHANCES[0], "nats"), (DISTANCES[0], "squares")], ids=["nll", "mse"])
def test_long_examples_count_by_their_steps(metric, what) -> None:
    answers = [Answer({what: 10.0, "steps": 2}, {}), Answer({what: 8.0, "steps": 8}, {}), Answer({what: 0.0, "steps": 0}, {})]
    rows = metric.rows(answers, [None] * 3)
    assert rows.tolist() == [[0, 10, 2], [1, 8, 8], [2, 0, 0]]
    assert metric.value(rows) == pytest.approx(1.8)
    assert metric.value(rows[[1, 1, 0]]) == pytest.approx(26 / 18)
    assert math.isnan(metric.value(rows[:0]))
    assert math.isnan(metric.value(rows[2:]))
    assert isinstance(metric, Summed)
    totals = metric.totals(rows, np.array([0, 1, 1]), 2)
    np.testing.assert_allclose(metric.of(totals), [5.0, 1.0])
    np.testing.assert_allclose(metric.of(totals.sum(0) - totals), [1.0, 5.0])
    assert metric.best == "low"
    assert "per step" in metric.unit
    assert metric.rows([], []).shape == (0, 3)
