"""The plan: a waiting time goes in, counts come out, and from then on counts decide.

A short calibration has timed every contender at its starting setting. What a baseline does not need goes back to the
others in equal parts. The clock may later shorten the plan between trainings; every cut is written into it, so that
`resume` and `--plan` replay it: same plan, same seed, same table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bakeoff.errors import BudgetError
from bakeoff.types import Trial

EFFICIENCY = 0.90             # of core-seconds that trainings get: the rest is starting processes and waiting for the last
OVERHEAD = 0.25               # seconds a training takes besides its steps: process, data, counting
LOOKS = 1.13                  # training time with looks at validation over training time without
PRUNED = 0.45                 # share of its examples that a trial that may be pruned takes, about
FULL = 4                      # trials that are always finished: with fewer a contender is called untuned
TRIALS = 8                    # where time is short; more where trainings are cheap
SPARE = 4                     # trials beyond those that are paid for: asked where trainings end sooner than predicted, else cut
MOST_TRIALS = 40
LONGER = 2.0                  # examples of a final over those of a trial, where the trial was still learning when it ended
LEARNING = 0.75               # a trial whose best point lies in the last quarter was still learning
LEAST = 0.25                  # of a trial, for a final
MEASURED = 0.3                # seconds for each timing of a finished contender
EPOCHS, STEPS = 120, 3000     # a training is never longer than the larger of the two: more time gives more trials


@dataclass
class Share:
    """One contender's part of the plan."""

    group: str
    trials: int
    examples: int                             # per trial at the starting setting; inner folds share them
    start: Mapping[str, Any]
    seconds_per_example: float
    share_seconds: float                      # core-seconds it is to get in all
    trial_seconds: float                      # predicted, of a trial that is not pruned
    final_seconds: float
    units: float = 0.0                        # work per example at the starting setting (cost.work)
    subsample: int | None = None
    deterministic: bool = False
    note: str = ""
    error: str = ""                           # why it failed already in calibration


@dataclass
class Plan:
    """plan.json."""

    kind: str
    kind_why: str
    task: str
    task_why: str
    metric: str
    metric_unit: str
    metric_best: str
    splits: Mapping[str, Any]
    budget_seconds: float | None
    equal: str
    jobs: int
    threads: int
    seeds: int
    seed: int
    search: str
    contenders: dict[str, Share]
    absent: Mapping[str, str]
    settings: Mapping[str, Any]
    causal: bool
    scaled: bool
    at_once: int                              # trials of one contender that are asked together
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    fingerprint: str
    longer: float = LONGER                    # examples of a final over those of a trial that was still learning at its end
    cuts: list[dict[str, Any]] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restore(cls, record: Mapping[str, Any]) -> Plan:
        shares = {name: Share(**share) for name, share in record["contenders"].items()}
        return cls(**{**record, "contenders": shares})

    def seconds_left(self, ended: Mapping[str, int], folds: int = 1) -> float:
        """Predicted core-seconds of the trials that have not ended. ended: trials per contender that have."""
        left = 0.0
        for name, share in self.contenders.items():
            trials = max(0, share.trials * folds - ended.get(name, 0)) if not share.error else 0
            full = max(0, min(FULL * folds - ended.get(name, 0), trials))
            left += share.trial_seconds * (full + (trials - full) * (PRUNED if share.group != "baseline" else 1.0))
        return left

    def finals_left(self, ended: Mapping[str, int], folds: int = 1) -> float:
        """Predicted core-seconds of the finals that have not ended. ended: finals per contender that have."""
        return sum(share.final_seconds * max(0, (1 if share.deterministic else self.seeds) * folds - ended.get(name, 0))
                   for name, share in self.contenders.items() if not share.error)

    def lateness(self, trials: Iterable[Trial]) -> float:
        """Measured over predicted seconds of what has ended: the median over trainings, so that a neighbour's noise of some
        seconds does not end the tuning, leaning on 1 while few have ended."""
        ratios = [1.0, 1.0, 1.0]
        for trial in trials:
            share = self.contenders.get(trial.job.contender)
            if share is None or share.group == "baseline" or trial.state == "failed":
                continue
            part = min(1.0, max(0.1, trial.spent.examples / trial.spent.asked)) if trial.spent.asked else 1.0
            ratios.append(trial.spent.seconds / max(1e-9, part * (share.final_seconds if trial.job.stage == "final" else share.trial_seconds)))
        return median(ratios)


def neural_share(timing: Mapping[str, float], seconds: float, *, group: str, start: Mapping[str, Any], train: int, test: int, seeds: int,
                 inner: int, trials: int | None, examples: int | None, longer: float = LONGER) -> Share:
    """Trials and examples for `seconds` core-seconds. inner: inner folds, 1 where there is a validation split.
    longer: 1 where finals get the examples of a trial, whatever it looked like at its end."""
    per, forward, size = timing["seconds_per_example"], timing["forward_seconds"], min(int(start["batch"]), train)
    most = inner * most_examples(train, size)

    def trial(count: float) -> float:
        return OVERHEAD * (1 + 0.5 * (inner - 1)) + count * per * LOOKS

    def final(count: float) -> float:
        return OVERHEAD + max(count, min(longer * count, most)) / inner * per + test * forward

    def total(tries: int, count: float) -> float:
        return (min(tries, FULL) + PRUNED * max(0, tries - FULL)) * trial(count) + seeds * final(count)

    def affordable(tries: int) -> float:
        fixed, some = total(tries, 0), most / longer              # up to here time grows evenly
        return (seconds - fixed) / max(1e-12, (total(tries, some) - fixed) / some)

    if examples is not None:
        count, tries = examples, trials or max(1, min(MOST_TRIALS, int((seconds - seeds * final(examples)) / trial(examples))))
    elif trials is not None:
        tries = trials
        count = round(min(most, affordable(tries)))
    else:
        tries = TRIALS
        for fewer, epochs in ((6, 8), (5, 3), (4, 1)):
            if affordable(tries) < epochs * train * inner:
                tries = fewer
        count = round(min(most, affordable(tries)))
        tries += SPARE
        while tries < MOST_TRIALS and count >= most and total(tries - SPARE + 1, most) <= seconds:
            tries += 1
    if count < size:
        raise BudgetError(f"a training would get {max(0, count)} examples, less than one step of {size}", "--budget",
                          "Give more time, fewer contenders (--slate quick) or fewer --seeds.")
    return Share(group, tries, int(count), start, per, seconds, trial(count), final(count), units=timing["units"])


def final_examples(best: Trial, most: int, inner: int, longer: float) -> int:
    """How long the finals train, with a schedule that ends there: to where the best trial was best, and `longer` times as
    long where it was still learning when it ended. At most `most`.

    Trials are for comparing settings and finals for what is handed over, so these are given more, by one rule for all.
    A best point in the first quarter is mostly luck, so a quarter is the least.
    """
    each = best.spent.asked / inner
    still = best.best_examples >= LEARNING * each
    return round(min(most, max(best.best_examples * (longer if still else 1.0), LEAST * each)))


def most_examples(train: int, batch: int) -> int:
    """More than this a training never gets."""
    return max(EPOCHS * train, STEPS * batch)


def plain_share(timing: Mapping[str, float], seconds: float, *, start: Mapping[str, Any], settings: int, train: int, val: int, test: int,
                seeds: int, inner: int, deterministic: bool) -> Share:
    """A baseline: as many of its settings as end within `seconds`, on a stated subsample where not even one does."""
    growth = timing["growth"]

    def fit(rows: float) -> float:
        return timing["fit_seconds"] * (rows / timing["sample"]) ** growth

    def answer(rows: float) -> float:
        return timing["answer_seconds"] * max(1.0, rows / timing["sample"]) ** max(0.0, growth - 1)

    def trial(rows: float) -> float:
        return OVERHEAD + inner * (fit(rows * (1 if inner == 1 else 1 - 1 / inner)) + min(val, 2000) * answer(rows))

    def final(rows: float) -> float:
        return OVERHEAD + fit(rows) + test * answer(rows)

    finals = 1 if deterministic else seeds
    rows, tries = float(train), settings
    while tries > 1 and tries * trial(rows) + finals * final(rows) > seconds:
        tries -= 1
    while rows > 200 and tries * trial(rows) + finals * final(rows) > seconds:
        rows *= 0.9
    sample = None if rows >= train else int(rows)
    note = "" if sample is None else f"fitted on {sample:,} of {train:,} training examples, which end within its share"
    return Share("baseline", tries, train if sample is None else sample, start, timing["fit_seconds"] / timing["sample"],
                 tries * trial(rows) + finals * final(rows), trial(rows), final(rows), subsample=sample, deterministic=deterministic, note=note)


def cut(plan: Plan, asked: Mapping[str, int], why: str = "the rest of the time is needed for the finals") -> bool:
    """Ends the tuning of those in `asked` where it stands: they keep the trials that have been asked. Written to plan.cuts.
    Whether there was something to end."""
    gone = {}
    for name, trials in asked.items():
        share = plan.contenders[name]
        if trials < share.trials:
            gone[name] = f"{share.trials} → {trials}"
            share.trials = trials
    if gone:
        plan.cuts.append({"when": "tuning", "why": why, "what": {"trials": gone}})
    return bool(gone)
