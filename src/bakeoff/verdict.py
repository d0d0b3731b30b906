"""The verdict in words and as records: one text for terminal, report, notebook and verdict.json. Pure: no files, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bakeoff.compare import ALPHA, COSTS, Comparison
from bakeoff.plan import FULL
from bakeoff.report.format import NO_TIME, NOUNS, OTHER_TASK, Score, count, listing, plain, probability, ratio, short, thing

COLUMNS = ("rank", "contender", "group", "metric", "value", "low", "high", "p_vs_best", "tied", "parameters", "macs", "train_seconds", "step_ms",
           "latency_ms_p50", "latency_ms_p95", "peak_train_bytes", "peak_infer_bytes", "trials", "examples", "seconds", "state", "why")
COST_WORDS = {"macs": "operations", "parameters": "parameters", "latency": "latency", "memory": "memory", "seconds": "training time"}
LESS = 0.5                    # of the share of its plan that the others took, below which a contender is named
WIDE = 5                      # margins that seeds lie apart where they are said to decide
REPEAT = "last"               # the baseline that says each next value is the last one
OUTSIDE = "with outside knowledge"            # what is said of a contender that was trained before, on other data
LIMITS = "Limits"             # what the sentences are about that say how far the verdict goes
REASON = 90                   # characters of why a contender failed; all of it stands in the leaderboard


@dataclass(frozen=True)
class Info:
    """A contender apart from its scores: how it ended, what it costs, what it was given and took."""

    name: str
    group: str
    state: str                                # done | failed
    why: str                                  # what went wrong, or a remark
    cost: Mapping[str, Any] = field(default_factory=dict)       # fields of types.Cost
    train_seconds: float | None = None        # of one final
    trials: int = 0
    finished: int = 0
    pruned: int = 0
    failed: int = 0
    examples: int = 0                         # of all its trainings
    seconds: float = 0.0
    asked_seconds: float = 0.0                # its share of the plan; 0 where counts decide
    tuned: bool = True


def leaderboard(comparison: Comparison, infos: Sequence[Info]) -> list[dict[str, Any]]:
    """A row per contender that entered, in the columns of leaderboard.csv; without rank those with outside knowledge, and last those
    without a value."""
    known = {info.name: info for info in infos}
    rows = [row_of(known[name], comparison, rank) for rank, name in enumerate(comparison.contenders, 1)]
    return rows + [row_of(info, comparison, None) for info in sorted(infos, key=lambda info: info.name not in comparison.outside)
                   if info.name not in comparison.values]


def row_of(info: Info, comparison: Comparison, rank: int | None) -> dict[str, Any]:
    value, against = comparison.outside.get(info.name) or (comparison.values.get(info.name), comparison.against_best.get(info.name))
    found: dict[str, Any] = {
        "rank": rank, "contender": info.name, "group": info.group, "metric": comparison.metric, "value": None if value is None else value.value,
        "low": None if value is None else value.low, "high": None if value is None else value.high,
        "p_vs_best": None if against is None else against.p, "tied": None if rank is None else rank == 1 or info.name in comparison.tied_with,
        "train_seconds": rounded(info.train_seconds), "trials": info.trials, "examples": info.examples, "seconds": rounded(info.seconds),
        "state": "failed" if value is None else info.state, "why": reason(comparison, info)}
    return {name: found[name] if name in found else info.cost.get(name) for name in COLUMNS}


def reason(comparison: Comparison, info: Info) -> str:
    return comparison.without_value.get(info.name) or "; ".join(filter(None, (OUTSIDE if info.name in comparison.outside else "", info.why)))


def rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def verdict(comparison: Comparison, infos: Sequence[Info], plan: Mapping[str, Any], *, seeds: Mapping[str, int]) -> dict[str, Any]:
    """verdict.json. plan: as plan.json has it; seeds: which seed's model of each contender is handed out."""
    known = {info.name: info for info in infos}
    best, recommended, baseline = comparison.best, comparison.recommended, comparison.best_baseline
    value, against = comparison.values[best], comparison.against_best.get(recommended)
    valued = {*comparison.values, *comparison.outside}
    untuned = [info.name for info in infos if info.name in valued and not info.tuned]
    failed = {info.name: reason(comparison, info) for info in infos if info.name not in valued}
    absent = {name: str(why) for name, why in plan.get("absent", {}).items()}
    kind = thing(str(plan.get("kind", "")), str(plan.get("task", "")))
    said = sentences(comparison, infos, kind, absent)
    return {
        "best": best, "recommended": recommended, "seed": seeds.get(recommended, 0), "group": known[best].group,
        "tied_with": list(comparison.tied_with), "metric": comparison.metric, "unit": comparison.unit, "value": value.value, "low": value.low,
        "high": value.high, "beats_baseline": comparison.beats_baseline, "p_baseline": comparison.p_baseline, "best_baseline": baseline,
        "baseline_value": None if baseline is None else comparison.values[baseline].value,
        "tuned": not untuned, "untuned": untuned, "short": fell_short(infos), "failed": failed, "absent": absent,
        "more_examples_to_separate": comparison.more_examples_to_separate,
        "recommended_difference": None if against is None else {"value": against.difference, "low": against.low, "high": against.high},
        "margin": comparison.margin, "cost": comparison.cost, "n_test": comparison.n_test, "seeds": comparison.seeds,
        "best_note": Wording(comparison, known, kind).optimism(),
        "sentence": " ".join(text for _, text in said),
        "said": [{"topic": topic, "text": text} for topic, text in said],
        "outside": {name: {"value": value.value, "low": value.low, "high": value.high, "p_vs_best": told.p}
                    for name, (value, told) in comparison.outside.items()},
        "ledger": [{"contender": info.name, "asked_seconds": rounded(info.asked_seconds), "seconds": rounded(info.seconds),
                    "examples": info.examples, "trials": info.trials, "finished": info.finished, "pruned": info.pruned, "failed": info.failed}
                   for info in infos],
    }


def fell_short(infos: Sequence[Info]) -> list[str]:
    """Who took less than half of what the others took of their share. Baselines need less, that is no shortage."""
    taken = {info.name: info.seconds / info.asked_seconds for info in infos
             if info.state == "done" and info.group != "baseline" and info.asked_seconds > 0}
    usual = median(taken.values()) if taken else 0.0
    return [name for name, part in taken.items() if part < LESS * usual]


def sentences(comparison: Comparison, infos: Sequence[Info], kind: str = "", absent: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """The verdict in plain words, each part under what it is about: who is best and how surely, what to take, what is not shown.
    A baseline that wins is said first. kind: of the data, or the task, for the right noun."""
    words = Wording(comparison, {info.name: info for info in infos}, kind)
    parts = (("Best", words.best()), ("The others", words.others()), ("The others", words.unsteady()), ("Recommended", words.recommended()),
             ("Baseline", words.baseline()), ("Baseline", words.repeating()), *(("Outside knowledge", text) for text in words.outside()),
             ("More examples", words.more_examples()),
             (LIMITS, words.optimism()), (LIMITS, words.one_seed()), *((LIMITS, text) for text in limits(comparison, infos, absent or {})))
    return [part for part in parts if part[1]]


def limits(comparison: Comparison, infos: Sequence[Info], absent: Mapping[str, str]) -> list[str]:
    """Who was not fully heard."""
    valued = {*comparison.values, *comparison.outside}
    untuned = [info.name for info in infos if info.name in valued and not info.tuned]
    lost = [f"{plain(info.name)} ({short(reason(comparison, info), REASON)})" for info in infos if info.name not in valued]
    starved = fell_short(infos)
    missing = [name for name, why in absent.items() if not why.endswith(OTHER_TASK) and NO_TIME not in why]
    hungry = sum(NO_TIME in why for why in absent.values())
    return [text for text, true in (
        (f"Untuned, with fewer than {FULL} finished trials: {listing(untuned)}.", untuned),
        (f"Got less than half of the time that the others got: {listing(starved)}.", starved),
        (f"Failed: {'; '.join(lost)}.", lost), (f"Absent: {listing(missing, 20)}.", missing),
        (f"The time was too short for {'one more network' if hungry == 1 else f'{hungry} more networks'}.", hungry)) if true]


@dataclass(frozen=True)
class Wording:
    """The parts of the sentence; '' where there is nothing to say."""

    comparison: Comparison
    known: Mapping[str, Info]
    kind: str

    @property
    def many(self) -> int:
        return len(self.comparison.contenders)

    @property
    def baseline_wins(self) -> bool:
        return self.known[self.comparison.best].group == "baseline"

    def score(self, value: float | None) -> str:
        """Three digits, all values of this comparison alike."""
        return Score.of([one.value for one in self.comparison.values.values()], self.comparison.unit)(value)

    def tests(self, number: int) -> str:
        """'734 test images'."""
        return f"{count(number)} test {NOUNS.get(self.kind, ('example', 'examples'))[number != 1]}"

    def worse(self, name: str) -> tuple[float, float | None, float | None]:
        """How much worse than the best a contender is, with the ends of the interval; positive is worse."""
        one = self.comparison.against_best[name]
        ends = (one.low, one.high) if self.comparison.direction == "low" else (negative(one.high), negative(one.low))
        return abs(one.difference), *ends

    def best(self) -> str:
        comparison, best = self.comparison, self.comparison.best
        value = comparison.values[best]
        interval = "no interval" if value.low is None else f"95 % {self.score(value.low)} – {self.score(value.high)}"
        unit = f", {comparison.unit}" if comparison.unit else ""
        place = "is best of" if self.many > 2 else "is the better of" if self.many == 2 else "alone has a value"
        return (f"{'A baseline wins: ' if self.baseline_wins and self.many > 1 else ''}{plain(best)} {place}"
                f"{f' {self.many}' if self.many > 1 else ''} on {self.tests(comparison.n_test)}: {comparison.metric.replace('_', ' ')} "
                f"{self.score(value.value)} ({interval}{unit}).")

    def others(self) -> str:
        """Who is tied with the best; where nobody is, how far the next is off."""
        comparison, tied = self.comparison, self.comparison.tied_with
        examples = f"with {count(comparison.n_test)} example{'' if comparison.n_test == 1 else 's'}"
        if self.many == 1:
            return ""
        if tied and len(tied) == self.many - 1 > 1:
            return f"None of the other {len(tied)} is distinguishable from it {examples}."
        if tied:
            return f"{listing(tied)} {'is' if len(tied) == 1 else 'are'} not distinguishable from it {examples}."
        following = comparison.contenders[1]
        by, low, high = self.worse(following)
        interval = "" if low is None else f"95 % {self.score(low)} – {self.score(high)}, "
        who = f"{plain(following)} is worse" if self.many == 2 else f"All others are worse, the next, {plain(following)},"
        return f"{who} by {self.score(by)} ({interval}{probability(comparison.against_best[following].p)})."

    def unsteady(self) -> str:
        """Who is tied only because its seeds differ so much."""
        comparison, said = self.comparison, []
        for name in comparison.tied_with:
            seeds = comparison.values[name].seeds
            if self.worse(name)[0] > comparison.margin and max(seeds) - min(seeds) > max(self.worse(name)[0] / 2, WIDE * comparison.margin):
                said.append(f"{plain(name)} ({self.score(min(seeds))} – {self.score(max(seeds))})")
        return f"Seeds decide too much to say more of {listing(said)}." if said else ""

    def recommended(self) -> str:
        comparison, name = self.comparison, self.comparison.recommended
        if self.many == 1:
            return ""
        if name != comparison.best:
            end = self.worse(name)[2]
            most = comparison.margin if end is None else max(end, 0.0)
            return f"{plain(name)} is recommended: at most {self.score(most)} worse (95 %){self.saving()}."
        here = self.cost(name)
        known = [cost for cost in map(self.cost, comparison.contenders) if cost is not None]
        if here is None or here <= min(known):
            return f"{plain(name)} is also recommended."
        return f"{plain(name)} is also recommended: nothing cheaper is surely at most {self.score(comparison.margin)} worse."

    def cost(self, name: str) -> float | None:
        key = COSTS[self.comparison.cost][0]
        info = self.known[name]
        cost: float | None = info.train_seconds if key == "train_seconds" else info.cost.get(key)
        return cost

    def saving(self) -> str:
        """', 1/6 of the operations': of the recommended against the best."""
        here, there = self.cost(self.comparison.recommended), self.cost(self.comparison.best)
        words = COST_WORDS[self.comparison.cost]
        if here is None or not there:
            return ""
        if not here:
            return f", no {words}"
        return f", {ratio(here / there)} {'of ' if here / there < 0.67 else ''}the {words}"

    def baseline(self) -> str:
        """Whether the best network beats the best baseline."""
        comparison, network, baseline = self.comparison, self.comparison.best_network, self.comparison.best_baseline
        if baseline is None or network is None:
            return "No baseline has a value to set against it." if baseline is None and network is not None else ""
        values = comparison.values
        if self.baseline_wins:
            against = comparison.against_best[network]
            how = f"worse, {probability(against.p)}" if network not in comparison.tied_with else "not distinguishable from it"
            return f"The best network, {plain(network)} {self.score(values[network].value)}, is {how}."
        said = f"Best baseline ({plain(baseline)}) {self.score(values[baseline].value)}:"
        by = "" if network == comparison.best else f" by {plain(network)}"
        return f"{said} {'beaten' if comparison.beats_baseline else 'not shown to be beaten'}{by}, {probability(comparison.p_baseline)}."

    def outside(self) -> list[str]:
        """What those reach that were trained before, on other data; they count in nothing else that is said."""
        said = []
        for name, (value, told) in self.comparison.outside.items():
            interval = "" if value.low is None else f" (95 % {self.score(value.low)} – {self.score(value.high)})"
            better = (told.difference > 0) == (self.comparison.direction == "high")
            how = f"{'better' if better else 'worse'} than {plain(self.comparison.best)} by {self.score(abs(told.difference))}"
            said.append(f"Apart, {OUTSIDE}: {plain(name)} {self.score(value.value)}{interval}, {how} ({probability(told.p)}).")
        return said

    def repeating(self) -> str:
        """That nothing beats repeating the last value, where that is so: what prices are like."""
        comparison = self.comparison
        if REPEAT not in comparison.contenders or self.many == 1:
            return ""
        place = comparison.contenders.index(REPEAT)
        surely = [pair for pair in comparison.pairs if pair.b == REPEAT and pair.p < ALPHA and comparison.contenders.index(pair.a) < place]
        if surely:
            return ""
        return f"Nothing here is shown to beat repeating the last value ({self.score(comparison.values[REPEAT].value)})."

    def more_examples(self) -> str:
        more = self.comparison.more_examples_to_separate
        if not more:
            return ""
        first, second = map(plain, self.comparison.contenders[:2])
        return f"About {count(more)} more {self.tests(more).split(' ', 1)[1]} would tell {first} from {second}, if they differ as much as seen."

    def optimism(self) -> str:
        """That the best was picked by its value."""
        value = self.comparison.values[self.comparison.best].value
        return f"The best is the maximum of {self.many} noisy values: its {self.score(value)} is somewhat optimistic." if self.many > 1 else ""

    def one_seed(self) -> str:
        return ("With one seed this is about these trained models, not about training them again."
                if self.comparison.seeds == 1 else "")


def negative(number: float | None) -> float | None:
    return None if number is None else -number
