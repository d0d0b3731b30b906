"""What several sections of the report need: the run, how its scores are written, and who differs from whom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from bakeoff.report.format import Cell, Score, noun
from bakeoff.report.plots.pairs import Difference
from bakeoff.report.records import Row, Run

END = re.compile(r"(?<=[^\s.][.!?])\s+(?=\S)")            # of a sentence
CLOSE = re.compile(r"(\(95 % [^()]{1,40}\)|p [<=] \.\d+|\d[\d.,]* [%×])")
NARROW = 340.0                                # px: charts of a phone; they grow with the screen up to the wide ones
WIDE = 840.0


@dataclass(frozen=True)
class Table:
    """The numbers behind a chart. A cell is a text, or a number cut for alignment on the decimal point."""

    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    title: str = "The numbers"
    shown: bool = False                       # without being asked for


@dataclass(frozen=True)
class Figure:
    """finding: what there is to see; how: how to read it. narrow: the same for a phone; None: `wide` reflows by itself."""

    finding: str
    how: str
    wide: Markup
    narrow: Markup | None = None
    table: Table | None = None
    name: str = ""                            # in a switch
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def told(self) -> tuple[Markup, Markup]:
        return parted(self.finding)


@dataclass(frozen=True)
class View:
    run: Run
    score: Score
    differences: Mapping[tuple[str, str], Difference]            # (a, b) → a − b
    against_best: Mapping[str, Difference]

    @classmethod
    def of(cls, run: Run) -> View:
        values = [row.value for row in run.ranked]
        score = Score.of(values, str(run.comparison.get("unit", run.plan.get("metric_unit", ""))))
        against = {name: Difference(name, run.best, one["difference"], one.get("low"), one.get("high"), one.get("p"))
                   for name, one in (run.comparison.get("against_best") or {}).items()}
        found = {}
        for pair in run.comparison.get("pairs") or ():
            one = Difference(pair["a"], pair["b"], pair["difference"], pair.get("low"), pair.get("high"), pair.get("p"))
            found[one.row, one.column] = one
            found[one.column, one.row] = turned(one)
        for name, one in against.items():                        # what the verdict rests on goes before the all-pairs test
            found[name, run.best] = one
            found[run.best, name] = turned(one)
        return cls(run, score, found, against)

    @property
    def metric(self) -> str:
        """With its unit: 'rmse (°C)'."""
        unit = str(self.run.comparison.get("unit") or "")
        return f"{self.run.metric} ({unit})" if unit else self.run.metric

    @property
    def groups(self) -> dict[str, str]:
        return {row.contender: row.group for row in self.run.rows}

    @property
    def best_baseline(self) -> Row | None:
        named = self.run.verdict.get("best_baseline")
        rows = [row for row in self.run.ranked if row.group == "baseline"]
        return next((row for row in rows if row.contender == named), rows[0] if rows else None)

    @property
    def seeds(self) -> dict[str, list[float]]:
        return {name: [value for value in one.get("seeds") or () if value is not None]
                for name, one in (self.run.comparison.get("values") or {}).items()}

    @property
    def untuned(self) -> list[str]:
        return list(self.run.verdict.get("untuned") or ())

    @property
    def failed(self) -> dict[str, str]:
        """Contenders that entered and ended without a value, with the reason."""
        told = dict(self.run.verdict.get("failed") or {})
        return told | {row.contender: row.why or row.state for row in self.run.rows if not row.ranked and row.contender not in told}

    @property
    def absent(self) -> dict[str, str]:
        return dict(self.run.verdict.get("absent") or self.run.plan.get("absent") or {})

    def examples(self, number: int) -> str:
        return noun(str(self.run.data.get("kind", "")), number)


def parted(words: str) -> tuple[Markup, Markup]:
    """The first sentence, which is set large, and the others."""
    first, *others = END.split(words, maxsplit=1)
    return unbroken(first), unbroken(others[0] if others else "")


def unbroken(words: str) -> Markup:
    """Intervals, p and units are not parted at the end of a line."""
    return Markup("").join(Markup('<span class="whole">{}</span>').format(piece) if k % 2 else escape(piece)
                           for k, piece in enumerate(CLOSE.split(words)))


def turned(one: Difference) -> Difference:
    """The same, seen from the other side."""
    return Difference(
        one.column, one.row, -one.value, None if one.high is None else -one.high, None if one.low is None else -one.low, one.p
    )
