"""What a claim is: a statement that articles repeat, the experiment that settles it, and the rule for the verdict, written before the
numbers are seen.

One claim is one file here that ends in `CLAIM = Claim(…)`. The rule is a pure function of the measured numbers, so that tests can hand it
planted outcomes in both directions; the plots are too, so that a page can be written anew from the numbers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

Verdict = Literal["holds", "holds if", "does not hold", "cannot tell"]
VERDICTS: tuple[Verdict, ...] = ("holds", "holds if", "does not hold", "cannot tell")
Numbers = Mapping[str, Any]                   # what was measured, as JSON


@dataclass(frozen=True)
class Ask:
    """seed: another seed, other numbers; data: folder of data sets or finished runs (None: not given); say: told of progress."""

    seed: int = 0
    data: Path | None = None
    say: Callable[[str], None] = lambda words: None


class Said(NamedTuple):
    """A statement as it is met, and in what kind of source: 'a textbook', 'a comparison article', 'a vendor's page'."""

    words: str
    where: str


class Finding(NamedTuple):
    """What the rule made of the numbers.

    sentence: the finding in one plain sentence with its numbers; condition: of 'holds if': which, of 'cannot tell': what would tell,
    else ''; value with its 95 % interval [low, high] is the number that says most (None where nothing was measured; no interval where nothing
    is drawn by chance), `what` says of what and in which unit.
    """

    verdict: Verdict
    sentence: str
    what: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    condition: str = ""


class Plot(NamedTuple):
    """svg: a chart (report/plots/svg.py: Markup, colours from the page's classes, text ≥ 12 px, 680 px wide at most); sentence: what to see
    in it; head and rows: the same numbers as a table, for the Markdown page and for screen readers."""

    title: str
    sentence: str
    svg: Any
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Claim:
    """id, statement: as in `bakeoff claims`; asserted: the statements as met, contradicting ones side by side; experiment, rule: in words;
    limits: what the experiment cannot show; changed: what of rule or experiment was settled after a first look at numbers, and why ('' where
    nothing was); answers(numbers) → what these numbers say of each asserted statement, in their order, '' where nothing.

    measure(ask) → numbers (JSON-able, the same for the same seed up to timing); judge(numbers) → Finding, the rule, pure;
    draw(numbers) → plots, pure. `measure` imports torch and families itself, so that a list of claims costs nothing.
    """

    id: str
    statement: str
    asserted: tuple[Said, ...]
    experiment: str
    rule: str
    limits: str
    measure: Callable[[Ask], Numbers]
    judge: Callable[[Numbers], Finding]
    draw: Callable[[Numbers], list[Plot]]
    changed: str = ""
    answers: Callable[[Numbers], Sequence[str]] | None = None
    needs_data: bool = False                  # it reads what --data gives, and cannot tell without
