"""One text from another, such as a sentence in another language."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.metrics.base import Metric
from bakeoff.metrics.overlap import parting, present, translated
from bakeoff.registry import task
from bakeoff.tasks.writer import Writes


@task("translate")
class Translate(Writes):
    """Judged by n-grams of words (BLEU, parted by the script of the training targets), of letters (chrF), and whole texts."""

    def measured(self, measure: str | None) -> tuple[Metric, ...]:
        return translated(measure or "13a")

    def seen(self, targets: Sequence[str]) -> str:
        present("sacrebleu")
        return parting(targets)
