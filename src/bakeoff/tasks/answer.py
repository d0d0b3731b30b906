"""One of the known answers to a question about a story."""

from __future__ import annotations

from dataclasses import replace

from bakeoff.registry import task
from bakeoff.space import Space
from bakeoff.tasks.classify import Classify
from bakeoff.types import Spec


@task("answer")
class AnswerQuestion(Classify):
    """Every answer of the training split is a class, a list of words ('milk,apple') one of them."""

    def why_not(self, spec: Spec) -> str | None:
        if spec.vocab is None or spec.rank != 2:
            return "a question about a story is words on two axes, sentence and word, and these examples are something else"
        return None

    def space(self, spec: Spec) -> Space:
        """Starts from attention: few of the words matter (16,000 examples of the first bAbI task, GRU: 1.00; with a mean .44)."""
        space = super().space(spec)
        space["pool"] = replace(space["pool"], default="attention")
        return space
