"""Nats, bits and perplexity are sums over sums, whatever the windows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bakeoff.metrics.perplexity import BitsPerCharacter, Nats, Perplexity
from bakeoff.types import Answer


def test_a_uniform_guess_over_k_signs_costs_log_k() -> None:
    counts = [3, 5, 1]
    answers = [Answer(math.log(8) * count, {}) for count in counts]
    for metric, value in ((Nats(), math.log(8)), (BitsPerCharacter(), 3.0), (Perplexity(), 8.0)):
        assert metric.value(metric.rows(answers, counts)) == pytest.approx(value)


def test_long_windows_weigh_more_and_rows_may_repeat() -> None:
    metric = Nats()
    rows = metric.rows([Answer(2.0, {}), Answer(9.0, {})], [1, 9])
    assert rows.tolist() == [[0, 2, 1], [1, 9, 9]]
    assert metric.value(rows) == pytest.approx(1.1)
    assert metric.value(rows[[0, 0, 1]]) == pytest.approx(13 / 11)
    units = metric.of(metric.totals(rows, np.array([0, 1]), 2))
    assert units.tolist() == [2.0, 1.0]
