"""The two-minute tour: pictures and sequences, the same contenders and the same budget, and what came of it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.errors import RunError
from bakeoff.report.format import NOTHING, Score, milliseconds, quantity, ratio
from bakeoff.result import Result
from bakeoff.run import run
from bakeoff.watch import Watch
from bakeoff.words import aligned, columns, leaderboard_rows, number, quoted, result_record, verdict_lines, wrapped

SLATE = "fcn,gru,transformer,mlp"         # one per group that reads both
BUDGET = "48s"                            # each: with imports and reports both end within two minutes on two cores
SEEDS = 3
PROBLEMS = {"images": "sample:digits", "sequences": "sample:order"}


@dataclass(frozen=True)
class Line:
    """What the demonstration needs to know of one contender on one problem."""

    name: str
    group: str
    value: float
    low: float | None
    high: float | None
    macs: float
    latency_ms: float | None

    @property
    def rate(self) -> float | None:
        """Operations per second when one example is answered."""
        return self.macs / self.latency_ms * 1000 if self.latency_ms and self.macs else None


@dataclass(frozen=True)
class Problem:
    """One of the two runs, read back from its records."""

    title: str
    data: str
    result: Result

    @property
    def lines(self) -> dict[str, Line]:
        """By contender, the best first; failed ones are left out."""
        found = {}
        for row in leaderboard_rows(self.result.folder):
            value = number(row["value"])
            if value is not None:
                found[row["contender"]] = Line(row["contender"], row["group"], value, number(row["low"]), number(row["high"]),
                                               number(row["macs"]) or 0.0, number(row["latency_ms_p50"]))
        return found

    @property
    def metric(self) -> str:
        return str(self.result.verdict["metric"])

    def score(self) -> Score:
        return Score.of([line.value for line in self.lines.values()], str(self.result.verdict.get("unit") or ""))

    def steps(self, name: str) -> int | None:
        """Cells that a contender goes through one after the other; None where it was not trained."""
        from bakeoff.nn.fold import Fold
        config = next(iter(sorted((self.result.folder / "finals" / name).glob("seed-*/config.json"))), None)
        if config is None:
            return None
        record = json.loads(config.read_text(encoding="utf-8"))
        typical = record["spec"]["typical"]
        return math.prod(size or 1 for size in Fold.parse(record["params"]["fold"], len(typical)).sizes(tuple(typical)))


@dataclass(frozen=True)
class Tour:
    """Both problems, and what follows from their measurements."""

    problems: tuple[Problem, ...]

    def record(self) -> dict[str, Any]:
        """As one JSON object."""
        return {"problems": {one.title: {"data": one.data, **result_record(one.result.folder)} for one in self.problems},
                "findings": self.findings()}

    def lines(self) -> list[str]:
        width = columns()
        lines = [*self.table(), ""]
        for one in self.problems:
            lines += [f"{one.title} ({one.data})", *[f"  {line}" for line in verdict_lines(one.result.folder, width - 2)]]
        lines += ["", "why it costs what it costs, by what was measured just now"]
        for finding in self.findings():
            lines += wrapped(finding, width)
        lines += ["", *(f"report   {one.result.report}" for one in self.problems)]
        return [*lines, "yours    bakeoff run YOUR_DATA", f"use it   bakeoff predict {quoted(self.problems[0].result.folder)} NEW_PICTURES"]

    def table(self) -> list[str]:
        """Both problems side by side, a line per contender; a dash where it could not enter."""
        first, second = self.problems
        names = list(dict.fromkeys([*first.lines, *second.lines]))
        head = ["contender", *(word for one in self.problems for word in (one.metric, "operations", "latency"))]
        rows = [[name, *(cell for one in self.problems for cell in cells(one, name))] for name in names]
        table = aligned([head, *rows], "<rrrrrr")
        wide = (len(table[0]) - table[0].index(first.metric)) // 2
        title = " " * table[0].index(first.metric) + f"{first.title + ': ' + first.data:<{wide + 1}}{second.title}: {second.data}"
        return [title, *table]

    def findings(self) -> list[str]:
        """Sentences from the measurements alone."""
        return [finding for one in self.problems for finding in (simple(one), step_by_step(one), dearest(one)) if finding]


def cells(problem: Problem, name: str) -> list[str]:
    line = problem.lines.get(name)
    if line is None:
        return [NOTHING] * 3
    return [problem.score()(line.value), quantity(line.macs), milliseconds(line.latency_ms)]


def simple(problem: Problem) -> str:
    """How far the best baseline gets, and at what cost."""
    lines, score = problem.lines, problem.score()
    network = next((line for line in lines.values() if line.group != "baseline"), None)
    baseline = next((line for line in lines.values() if line.group == "baseline"), None)
    guess = lines.get("majority")
    if network is None or baseline is None or guess is None:
        return ""
    reached = f"{network.name} reaches {score(network.value)}"
    if baseline is guess or (baseline.low is not None and baseline.low <= guess.value):
        others = ", ".join(f"{line.name} {score(line.value)}" for line in lines.values() if line.group == "baseline")
        return f"{problem.title}: no baseline is better than guessing ({others}): what they look at does not hold the answer; {reached}."
    apart = f"{score(abs(network.value - baseline.value))} {'more' if network.value >= baseline.value else 'less'}"
    times = ratio(network.macs / baseline.macs) if baseline.macs else ""
    cost = f" with {times} the operations" if times else ""
    return f"{problem.title}: {baseline.name}, a baseline, reaches {score(baseline.value)}; {reached}, {apart}{cost}."


def step_by_step(problem: Problem) -> str:
    """A recurrence against what reads all cells at once: operations per second."""
    lines = problem.lines.values()
    serial = next((line for line in lines if line.group == "recurrent" and line.rate), None)
    parallel = next((line for line in lines if line.group in ("conv", "attention") and line.rate), None)
    if serial is None or parallel is None or serial.rate is None or parallel.rate is None:
        return ""
    steps, at_once = problem.steps(serial.name), problem.steps(parallel.name)
    said = (f"{problem.title}: {serial.name} answers in {milliseconds(serial.latency_ms)} at {quantity(serial.rate)} operations a second, "
            f"{parallel.name} in {milliseconds(parallel.latency_ms)} at {quantity(parallel.rate)}")
    if serial.rate < parallel.rate:
        return f"{said}: {serial.name} goes through {steps} cells one after the other, {parallel.name} sees all {at_once} at once."
    return f"{said}: going through {steps} cells one after the other costs {serial.name} nothing here."


def dearest(problem: Problem) -> str:
    """What the most operations bought."""
    lines, score = problem.lines, problem.score()
    networks = [line for line in lines.values() if line.group != "baseline" and line.macs]
    if len(networks) < 2:
        return ""
    dear, best = max(networks, key=lambda line: line.macs), networks[0]
    cheap = min(networks, key=lambda line: line.macs)
    if dear is best:
        return f"{problem.title}: {best.name} is the best network and works most, {ratio(best.macs / cheap.macs)} the operations of {cheap.name}."
    times = ratio(dear.macs / best.macs)
    return (f"{problem.title}: {dear.name} works most, {times} the operations of {best.name}, and reaches {score(dear.value)} "
            f"against {score(best.value)}.")


def demo(seed: int = 0, out: Path | None = None, watch: Watch | None = None) -> Tour:
    """Runs both problems, one after the other, in two folders below `out` (runs/demo-N). Raises RunError where it exists."""
    folder = out or next(path for n in range(1, 1_000_000) if not (path := Path("runs") / f"demo-{n}").exists())
    if folder.exists():
        raise RunError("the output folder exists already", str(folder), "Choose another --out.")
    problems = [Problem(title, data, run(data, slate=SLATE, budget=BUDGET, seeds=SEEDS, seed=seed, out=folder / title, watch=watch))
                for title, data in PROBLEMS.items()]
    return Tour(tuple(problems))
