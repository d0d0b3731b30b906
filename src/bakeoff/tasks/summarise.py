"""A short text from a long one."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.metrics.base import Metric
from bakeoff.metrics.overlap import mostly_latin, present, summarised
from bakeoff.registry import task
from bakeoff.tasks.writer import Writes


@task("summarise")
class Summarise(Writes):
    """Judged by the words, pairs of words and longest common subsequence shared with the true text (ROUGE)."""

    def measured(self, measure: bool | None) -> tuple[Metric, ...]:
        return summarised(measure is not False)

    def seen(self, targets: Sequence[str]) -> bool:
        present("rouge_score")
        return mostly_latin(targets)
