"""A run in progress: its folder, its records, and the steps that `run` tells. What is recorded is never done again."""

from __future__ import annotations

import json
import math
import multiprocessing
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from bakeoff import __version__, registry, tune
from bakeoff import plan as planning
from bakeoff.data.load import Loaded, load
from bakeoff.errors import BudgetError, OptionError, RunError, near
from bakeoff.execute.base import FULL_DISK, Answered, Piece, answers
from bakeoff.execute.local import Local
from bakeoff.folder import finals_of, free_folder, hold, make_folder, plan_file, read_plan, read_plan_record
from bakeoff.machine import device_of, machine, versions
from bakeoff.options import Options, cores
from bakeoff.plan import Plan, Share
from bakeoff.slate import check_slate, slated
from bakeoff.space import Space
from bakeoff.train import record
from bakeoff.train.contender import Contender, Neural, Plain, contenders, rungs_of
from bakeoff.train.setup import Setup
from bakeoff.types import Job, Spend, Trial
from bakeoff.watch import Watch

LEAST_SECONDS = 5.0           # less than this cannot even start the workers
GIVEN_UP = 3                  # failed trials, none finished, after which a contender is tried no more


def load_data(data: str, options: Options) -> Loaded:
    """The data check: everything that can be wrong with the files is found here. 'sample:NAME' is written out and read."""
    if not data.startswith("sample:"):
        return load(data, options)
    from bakeoff import samples
    name = data.removeprefix("sample:")
    known = samples.names()
    if name not in known:
        raise OptionError(f"no sample is called {name!r}", data, near(name, known))
    loaded = load(samples.place(name, options.seed), options, known[name].settings)
    loaded.record["path"] = data
    return loaded


class Session:
    """One run. `new` checks everything before the folder appears; `again` finds a folder as it was left."""

    def __init__(self, data: str, options: Options, loaded: Loaded | None, folder: Path, watch: Watch, began: float, place: Local | None) -> None:
        self.data, self.options, self.folder, self.watch, self.began = data, options, folder, watch, began
        self.place: Any = place
        self.held: IO[str] | None = None                      # no second process works in the folder meanwhile
        self._test_keys: list[str] | None = None
        if loaded is not None:
            self.loaded = loaded
            self.trials: dict[tuple[str, str, int, int], Trial] = {
                key_of(trial.job): trial for trial in record.read(folder / "trials.jsonl")}

    @classmethod
    def new(cls, data: str, options: Options, watch: Watch, began: float) -> Self:
        if multiprocessing.current_process().daemon:
            raise OptionError("a run was begun inside one of its own trainings, which import your script", str(data),
                              'Call bakeoff.run under: if __name__ == "__main__":')
        entrants = contenders(options.slate_names)
        check_names(options, entrants)
        seconds = options.budget_seconds
        if seconds is not None and seconds < LEAST_SECONDS and options.plan is None:
            raise BudgetError(f"{seconds:g} seconds are too few to train anything", "--budget", f"Give at least {LEAST_SECONDS:g}s.")
        prior = read_plan(options.plan)
        with ExitStack() as on_failure:
            place = Local(*workers(options, prior), imported_by(entrants))         # its server warms up while the data are read
            on_failure.callback(place.close)
            loaded = load_data(data, options)
            check_settings(options, loaded, entrants)
            if prior is not None and prior.fingerprint != loaded.fingerprint:
                raise OptionError("the plan was made for other data, or other options that decide how they are read", f"--plan {options.plan}",
                                  "Run it on the data, with the options, that its question.json names.")
            folder = free_folder(options.out, data)
            session = cls(data, options, loaded, folder, watch, began, place)
            session.admit(prior)
            make_folder(folder)
            session.held = on_failure.enter_context(hold(folder))
            session.log(f"bakeoff {__version__}: {data}")
            record.write_json(folder / "data.json", loaded.record)
            record.write_json(folder / "question.json", {"data": str(data), "options": options.record(), "fingerprint": loaded.fingerprint,
                                                         "version": __version__})
            if prior is not None:
                shutil.copyfile(str(plan_file(options.plan)), folder / "replayed.json")
            on_failure.pop_all()
        watch.data(loaded.record, folder)
        return session

    @classmethod
    def again(cls, folder: Path, watch: Watch, began: float) -> Self:
        if not (folder / "question.json").exists():
            raise RunError("this is no run's folder", str(folder), "Give the folder that `bakeoff run` made; before it exists, run again.")
        question = json.loads((folder / "question.json").read_text())
        options = Options.restore(question["options"])
        if (folder / "verdict.json").exists() and (folder / "report.html").exists():
            return cls(question["data"], options, None, folder, watch, began, None)
        with ExitStack() as on_failure:
            held = on_failure.enter_context(hold(folder))
            prior = read_plan(str(folder)) if (folder / "plan.json").exists() else read_plan_record(folder / "replayed.json")
            place = Local(*workers(options, prior), imported_by(contenders(options.slate_names)))
            on_failure.callback(place.close)
            loaded = load_data(question["data"], options)
            if loaded.fingerprint != question["fingerprint"]:
                raise RunError("the data have changed since this run began", question["data"], "Restore them, or begin a new run.")
            session = cls(question["data"], options, loaded, folder, watch, began, place)
            session.held = held
            session.admit(prior)
            on_failure.pop_all()
        session.log("resumed")
        watch.data(loaded.record, folder)
        return session

    @property
    def finished(self) -> bool:
        return self.place is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        if self.place is not None:
            self.place.close()
        if self.held is not None:
            self.held.close()
        if error is not None:
            self.log("stopped: " + "".join(traceback.format_exception(error)) if not isinstance(error, KeyboardInterrupt) else "stopped by the user")
            if isinstance(error, BudgetError) and not self.trials:
                shutil.rmtree(self.folder)                    # nothing was trained: no folder either
        self.watch.close()

    # ------------------------------------------------------------------ who enters

    def admit(self, prior: Plan | None) -> None:
        """The slate, and the others with the reason why not. prior: a plan that stands already."""
        loaded, options = self.loaded, self.options
        self.setup = Setup(
            folders=tuple(str(fold.folder) for fold in loaded.folds), task=loaded.task_name,
            task_state=tuple(fold.task_state for fold in loaded.folds), metric=loaded.metric, kind=loaded.kind_name,
            kind_state=tuple(fold.kind_state for fold in loaded.folds), settings=dict(loaded.settings),
            causal=str(loaded.settings.get("causal", "")).lower() == "true", seed=options.seed, device=device_of(options.device),
            max_params=options.max_params, scaled=options.examples is None, run_folder=str(self.folder))
        self.spec, self.task = loaded.folds[0].splits.train.spec, self.setup.make_task()
        if (reason := self.task.why_not(self.spec)) is not None:
            raise OptionError(f"these data cannot be asked for {self.task.name}: {reason}", f"--task {self.task.name}",
                              "Leave it out, or give other data.")
        self.slate, self.absent = slated(options, self.spec, self.task, self.setup, loaded.folds[0].splits.train, self.place.jobs,
                                         None if prior is None else prior.contenders)
        self.setup = replace(self.setup, modules=registry.modules_of([getattr(one, "family", getattr(one, "baseline", None))
                                                                      for one in self.slate.values()]))
        self.spaces: dict[str, Space] = {name: entrant.space(self.spec, self.task, self.setup) for name, entrant in self.slate.items()}

    # ------------------------------------------------------------------ the plan

    def make_plan(self) -> None:
        """From the folder where it stands already, from --plan, or from a calibration."""
        path = self.folder / "plan.json"
        if path.exists():
            self.plan = Plan.restore(json.loads(path.read_text()))
        elif (self.folder / "replayed.json").exists():
            self.plan = self.replayed(read_plan_record(self.folder / "replayed.json"))
        else:
            self.watch.phase("calibrating")
            self.plan = self.planned(self.calibrated())
        for name, share in self.plan.contenders.items():
            self.spaces[name] = self.spaces[name].starting(share.start)
        self.setup = replace(self.setup, units={name: share.units for name, share in self.plan.contenders.items()}, scaled=self.plan.scaled)
        self.write_plan()
        self.watch.plan(self.plan, self.folder)
        for name, share in self.plan.contenders.items():
            if share.error:
                self.log(f"{name} failed in calibration: {share.error}")

    def write_plan(self) -> None:
        record.write_json(self.folder / "plan.json", self.plan.record())

    def replayed(self, prior: Plan | None) -> Plan:
        """A recorded plan for this run: its counts, cuts and seeds; of its contenders those on the slate."""
        assert prior is not None
        kept = {name: share for name, share in prior.contenders.items() if name in self.slate}
        return replace(prior, contenders=kept, versions=versions(), machine=machine(self.setup.device))

    def calibrated(self) -> dict[str, dict[str, Any] | str]:
        """Timings per contender, or what went wrong. Nothing is timed where counts are given."""
        limit, training = 0.05, math.inf
        seconds = self.options.budget_seconds
        if seconds is not None:
            share = self.core_seconds(seconds, len(self.slate)) / max(1, len(self.slate)) / len(self.setup.folders)
            limit = max(0.05, min(1.0, 0.03 * share))
            inner = max(1, len(self.loaded.folds[0].splits.folds))
            training = share / ((planning.FULL + planning.PRUNED * (planning.TRIALS - planning.FULL)) * inner + planning.LONGER * self.options.seeds)
        pieces = [Piece("calibrate", Job(name, 0, "tune", self.options.seed, self.spaces[name].defaults(), 0), self.setup, limit, training)
                  for name in self.slate]
        return {one.piece.job.contender: one.result if not one.error else one.error for one in answers(self.place, pieces)}

    def planned(self, timings: Mapping[str, Any]) -> Plan:
        options, loaded = self.options, self.loaded
        first = loaded.folds[0]
        train, val = len(first.splits.train), len(first.splits.val or ())
        inner, test, outer = max(1, len(first.splits.folds)), len(first.splits.test or ()), len(loaded.folds)
        whole = train + val
        budget = options.budget_seconds
        good = {name: timing for name, timing in timings.items() if isinstance(timing, dict)}
        slowed = float(np.median([timing["slowed"] for timing in good.values() if "slowed" in timing] or [1.0]))
        good = {name: timing | {"seconds_per_example": timing["seconds_per_example"] * slowed} if "slowed" in timing else timing
                for name, timing in good.items()}
        clocked = 120.0 * len(good) if budget is None else self.core_seconds(budget, len(good))
        available = clocked / outer
        shares: dict[str, Share] = {}
        left = available
        for name in good:
            entrant = self.slate[name]
            if isinstance(entrant, Plain):
                settings = max(1, math.prod(len(param.values) or 3 for param in self.spaces[name].values()))
                shares[name] = planning.plain_share(
                    good[name], available / max(1, len(good)) if budget is not None else math.inf, start=self.spaces[name].defaults(),
                    settings=min(settings, options.trials or settings), train=whole, val=val or train // inner, test=test, seeds=options.seeds,
                    inner=inner, deterministic=entrant.deterministic)
                left -= shares[name].share_seconds
        neural = [name for name in good if isinstance(self.slate[name], Neural)]
        examples = options.examples
        if examples is None and options.trials is not None and options.budget is None:
            examples = 20 * train * inner
        weights = self.weights(neural, good)
        for name in neural:
            shares[name] = planning.neural_share(
                good[name], left * weights[name], group=self.slate[name].group, start=good[name]["start"], train=train, test=test,
                seeds=options.seeds, inner=inner, trials=options.trials, examples=examples,
                longer=planning.LONGER if options.examples is None else 1.0)
        for name in timings:
            if name not in good:
                shares[name] = Share(self.slate[name].group, 0, 0, self.spaces[name].defaults(), 0.0, 0.0, 0.0, 0.0, error=str(timings[name]))
        metric = self.task.metrics[0]
        ordered = {name: shares[name] for name in self.slate}
        return Plan(
            loaded.kind_name, loaded.kind_why, loaded.task_name, loaded.task_why, metric.name, metric.unit, metric.best,
            {"train": train, "val": val, "test": test, "how": loaded.how_split, "inner_folds": len(first.splits.folds),
             "outer_folds": outer if outer > 1 else 0},
            budget, options.equal, self.place.jobs, self.place.threads, options.seeds, options.seed, options.search, ordered, self.absent,
            dict(loaded.settings), self.setup.causal, options.examples is None, max(1, math.ceil(self.place.jobs / max(1, len(neural)))),
            versions(), machine(self.setup.device), loaded.fingerprint)

    def weights(self, neural: Sequence[str], timings: Mapping[str, Any]) -> dict[str, float]:
        """Each neural contender's part of the time: equal seconds, or what makes examples or operations equal."""
        need = {"seconds": lambda t: 1.0, "examples": lambda t: t["seconds_per_example"],
                "macs": lambda t: t["seconds_per_example"] / max(t["macs"], 1.0)}[self.options.equal]
        raw = {name: need(timings[name]) for name in neural}
        return {name: value / sum(raw.values()) for name, value in raw.items()}

    def core_seconds(self, budget: float, entrants: int) -> float:
        """What is left of the waiting time for trainings, over all workers."""
        after = 3.0 + 0.02 * budget + entrants * (2.2 * planning.MEASURED + 0.3)
        left = self.began + budget - time.perf_counter() - after
        if left <= 0:
            raise BudgetError(f"{budget:g} seconds are used up before anything can be trained", "--budget", "Give more time, or --slate quick.")
        return left * self.place.jobs * planning.EFFICIENCY

    # ------------------------------------------------------------------ tuning

    def tune(self) -> None:
        """Every contender's trials, the one that is furthest behind its plan next; each knows only its own earlier ones."""
        self.watch.phase("tuning")
        for trial in self.trials.values():
            self.watch.ended(trial, None)
        outer = range(len(self.setup.folders))
        running: set[tuple[str, int, int]] = set()
        while True:
            self.mind_the_clock()
            while self.place.free():
                ready = self.next_trial(outer, running)
                if ready is None:
                    break
                job = self.tune_job(*ready)
                running.add(ready)
                self.watch.started(job.contender, job.number, "tune")
                self.place.put(Piece("train", job, self.setup))
            if not running:
                break
            for answered in self.place.wait():
                trial = self.ended(answered)
                running.discard((trial.job.contender, trial.job.fold, trial.job.number))
                self.watch.ended(trial, self.waiting_left())

    def next_trial(self, outer: Iterable[int], running: set[tuple[str, int, int]]) -> tuple[str, int, int] | None:
        """(contender, fold, number) of the trial that comes next: everyone's first four in every fold, then whoever has done the least of
        its plan."""
        best: tuple[float, float, tuple[str, int, int]] | None = None
        for fold in outer:
            for name, share in self.plan.contenders.items():
                if share.error:
                    continue
                earlier = self.earlier(name, fold)
                number = next((n for n in range(share.trials) if n not in earlier and (name, fold, n) not in running), None)
                if number is None or self.given_up(earlier):
                    continue
                known = number // self.plan.at_once * self.plan.at_once
                if any(n not in earlier for n in range(known)):
                    continue                                      # its round before has not ended
                done = number / planning.FULL if number < planning.FULL else 1 + number / share.trials
                rank = (done, -share.trial_seconds, (name, fold, number))                 # folds side by side: a cut shortens all alike
                if best is None or rank < best:
                    best = rank
        return best[2] if best else None

    def earlier(self, name: str, fold: int) -> dict[int, Trial]:
        return {key[3]: trial for key, trial in self.trials.items() if key[:3] == ("tune", name, fold)}

    def given_up(self, earlier: Mapping[int, Trial]) -> bool:
        states = Counter(trial.state for trial in earlier.values())
        return states["failed"] >= GIVEN_UP and not states["done"]

    def tune_job(self, name: str, fold: int, number: int) -> Job:
        share, space = self.plan.contenders[name], self.spaces[name]
        known = number // self.plan.at_once * self.plan.at_once
        earlier = [trial for n, trial in sorted(self.earlier(name, fold).items()) if n < known]
        plain = isinstance(self.slate[name], Plain)
        params = (tune.grid_point(space, number, share.trials) if plain else
                  tune.propose(self.plan.search, space, number, earlier, self.plan.seed, name, share.trials))
        inner = len(self.loaded.folds[fold].splits.folds)
        rungs = {} if plain or self.plan.search == "grid" else tune.rungs_for(number, earlier, rungs_of(inner))
        seed = tune.seed_of(self.plan.seed, "tune", number)
        return Job(name, number, "tune", seed, params, share.examples, rungs, fold=fold, subsample=share.subsample)

    def ended(self, answered: Answered) -> Trial:
        """The record of a training, on the disk before anything else happens."""
        job = answered.piece.job
        if answered.error.startswith(FULL_DISK):
            raise RunError(FULL_DISK, str(self.folder), f"Free some space, then: bakeoff resume {self.folder}")
        if answered.error:
            if answered.traceback:
                self.log(f"{job.contender} {job.stage} {job.number}:\n{answered.traceback}")
            trial = Trial(job, "failed", answered.error, (), None, None, 0, Spend(seconds=answered.seconds))
        else:
            trial = answered.result
            trial = replace(trial, spent=replace(trial.spent, seconds=answered.seconds))
        record.append(self.folder / "trials.jsonl", trial)
        self.trials[key_of(job)] = trial
        self.log(f"{job.stage} {job.contender} {job.number}: {trial.state} {trial.why} score {trial.score} in {answered.seconds:.2f} s")
        return trial

    # ------------------------------------------------------------------ the clock

    def counts(self, stage: str) -> Counter[str]:
        return Counter(key[1] for key in self.trials if key[0] == stage)

    def waiting_left(self) -> float:
        """Predicted seconds until the verdict; never more than is left of a budget."""
        late = self.plan.lateness(self.trials.values())
        trials = self.plan.seconds_left(self.counts("tune"), len(self.setup.folders)) * late / self.plan.jobs / planning.EFFICIENCY
        left = trials + self.finals_seconds(self.plan.longer) + self.after_finals()
        budget = self.plan.budget_seconds
        return left if budget is None else min(left, max(0.0, self.began + budget - time.perf_counter()))

    def mind_the_clock(self) -> None:
        """Ends the tuning of all contenders when what is left of the time is needed for the finals.

        Trials are asked in turns, so that everyone has had about the same share of its plan by then. Until everyone has had
        its first four, finals are counted at the length of trials: they are shortened rather than a contender left untuned.
        A plan that is replayed, and one of counts, is never cut.
        """
        if not self.clocked:
            return
        self.hold_to_shares()
        asked = Counter((key[1], key[2]) for key in self.trials if key[0] == "tune")
        asked.update((one.piece.job.contender, one.piece.job.fold) for one in getattr(self.place, "running", []))
        folds = range(len(self.setup.folders))
        hurried = any(asked[name, fold] < min(planning.FULL, share.trials) for name, share in self.plan.contenders.items() for fold in folds)
        running = max((one.started + self.plan.contenders[one.piece.job.contender].trial_seconds - time.perf_counter()
                       for one in getattr(self.place, "running", [])), default=0.0)
        if self.clock_left() - max(0.0, running) > self.finals_seconds(1.0 if hurried else self.plan.longer):
            return
        if planning.cut(self.plan, {name: max(asked[name, fold] for fold in folds) for name in self.plan.contenders}):
            self.note_cut()

    @property
    def clocked(self) -> bool:
        return self.plan.budget_seconds is not None and not (self.folder / "replayed.json").exists()

    def clock_left(self) -> float:
        """Seconds until measuring must begin."""
        assert self.plan.budget_seconds is not None
        return self.began + self.plan.budget_seconds - time.perf_counter() - self.after_finals()

    def shorten_finals(self) -> None:
        """Where the time does not suffice for finals of the planned length: as long as it does, not shorter than trials."""
        if not self.clocked or self.plan.longer <= 1 or any(key[0] == "final" for key in self.trials):
            return
        whole, least, left = self.finals_seconds(self.plan.longer), self.finals_seconds(1.0), self.clock_left()
        if whole <= left or whole <= least:
            return
        longer = round(max(1.0, 1 + (self.plan.longer - 1) * (left - least) / (whole - least)), 2)
        self.plan.cuts.append({"when": "finals", "why": "finals of the planned length would take too long",
                               "what": {"longer": f"{self.plan.longer:g} → {longer:g}"}})
        self.plan.longer = longer
        self.note_cut()

    def hold_to_shares(self) -> None:
        """Ends the tuning of a baseline that would take more than everyone's share: its other settings may be dearer than the
        one that was timed, and it has no examples to be given fewer of."""
        outer = len(self.setup.folders)
        equal = max((share.share_seconds for share in self.plan.contenders.values() if share.group != "baseline"), default=math.inf)
        for name, share in self.plan.contenders.items():
            tried = [trial for trial in self.trials.values() if trial.job.contender == name and trial.job.stage == "tune"]
            if share.group != "baseline" or not tried or len(tried) >= share.trials * outer:
                continue
            finals = share.final_seconds * (1 if share.deterministic else self.plan.seeds)
            if sum(trial.spent.seconds for trial in tried) + max(trial.spent.seconds for trial in tried) + finals <= equal * outer:
                continue
            running = Counter(one.piece.job.fold for one in getattr(self.place, "running", []) if one.piece.job.contender == name)
            ended = Counter(trial.job.fold for trial in tried)
            most = max(ended[fold] + running[fold] for fold in range(outer))
            if planning.cut(self.plan, {name: most}, "another of its settings would take more than everyone's share"):
                self.note_cut()

    def note_cut(self) -> None:
        self.write_plan()
        self.watch.cut(self.plan.cuts[-1])
        self.log(f"cut: {self.plan.cuts[-1]}")

    def finals_seconds(self, longer: float) -> float:
        """Predicted waiting time of the finals that have not ended, by what the best trials took. longer: as in the plan."""
        late, outer = self.plan.lateness(self.trials.values()), len(self.setup.folders)
        total, longest = 0.0, 0.0
        ended = self.counts("final")
        for name, share in self.plan.contenders.items():
            best = tune.best_of(list(self.earlier(name, 0).values()))
            each = share.final_seconds * late
            if best is not None and share.group != "baseline":
                each = best.spent.seconds / planning.LOOKS * self.final_length(name, best, longer) / max(1, best.spent.examples)
            wanted = (1 if share.deterministic else self.plan.seeds) * outer - ended[name]
            if not share.error and wanted > 0:
                total, longest = total + each * wanted, max(longest, each)
        return total / self.plan.jobs / planning.EFFICIENCY + longest / 2

    def after_finals(self) -> float:
        """Seconds for measuring and for the report."""
        return 2.5 + len(self.plan.contenders) * 2.2 * planning.MEASURED

    # ------------------------------------------------------------------ finals

    def refit(self) -> None:
        """The best setting of every contender on train and validation, once per seed, and its answers on the test split."""
        self.watch.phase("finals")
        self.shorten_finals()
        for number in range(self.plan.seeds):
            began = time.perf_counter()
            names = sorted(self.plan.contenders, key=lambda name: -self.plan.contenders[name].final_seconds)
            jobs = [self.final_job(name, fold, number) for fold in range(len(self.setup.folders)) for name in names]
            pieces = [Piece("train", job, self.setup) for job in jobs if job is not None and key_of(job) not in self.trials]
            for answered in answers(self.place, pieces):
                self.watch.ended(self.ended(answered), self.waiting_left())
            if self.too_late_for(number + 1, time.perf_counter() - began):
                break

    def too_late_for(self, seeds: int, round_seconds: float) -> bool:
        """Whether the clock forbids another seed for everyone; then the plan is cut to `seeds` of them."""
        if not self.clocked or seeds >= self.plan.seeds:
            return False
        if round_seconds <= self.clock_left() + 0.05 * (self.plan.budget_seconds or 0.0):
            return False
        self.plan.cuts.append({"when": "finals", "why": "the time is used up", "what": {"seeds": f"{self.plan.seeds} → {seeds}"}})
        self.plan.seeds = seeds
        self.note_cut()
        return True

    def final_job(self, name: str, fold: int, number: int) -> Job | None:
        share = self.plan.contenders[name]
        best = tune.best_of(list(self.earlier(name, fold).values()))
        if best is None or (share.deterministic and number > 0):
            return None
        seed = tune.seed_of(self.plan.seed, "final", number)
        examples = self.final_length(name, best, self.plan.longer)
        return Job(name, number, "final", seed, best.job.params, examples, fold=fold, subsample=share.subsample)

    def final_length(self, name: str, best: Trial, longer: float) -> int:
        """Examples of each of a contender's finals. Counts that the user gave are not made longer."""
        share, inner = self.plan.contenders[name], max(1, int(self.plan.splits["inner_folds"]))
        if share.group == "baseline":
            return share.examples
        train = int(self.plan.splits["train"])
        most = planning.most_examples(train, min(int(share.start["batch"]), train))
        return planning.final_examples(best, most if self.plan.scaled else best.spent.asked // inner, inner, longer)

    # ------------------------------------------------------------------ costs and verdict

    def measure(self) -> None:
        """What a final costs, one after the other, nothing else running. A record per contender: finals/NAME/cost.json."""
        self.watch.phase("measuring")
        for name in self.plan.contenders:
            job = next((self.final_job(name, 0, n) for n in range(self.plan.seeds) if self.is_done(("final", name, 0, n))), None)
            path = finals_of(self.folder, name) / "cost.json"
            if job is None or path.exists():
                continue
            limit = max(0.02, min(planning.MEASURED, 0.02 * (time.perf_counter() - self.began)))      # a run of seconds is not made one of minutes
            self.place.put(Piece("measure", job, self.setup, limit))
            answered = self.place.wait()[0]
            if answered.error:
                self.log(f"measuring {name}: {answered.error}\n{answered.traceback}")
                self.watch.note(f"the cost of {name} could not be measured: {answered.error}")
            else:
                record.write_json(path, answered.result)

    def is_done(self, key: tuple[str, str, int, int]) -> bool:
        return key in self.trials and self.trials[key].state == "done"

    def compare(self) -> None:
        self.watch.phase("report")
        from bakeoff.conclude import conclude
        conclude(self)

    def picture(self, row: int) -> dict[str, Any]:
        """A test example as the report shows it, by its position among all test examples."""
        if self._test_keys is None:
            self._test_keys = [key for fold in self.loaded.folds if fold.splits.test is not None for key in fold.splits.test.keys]
        return self.loaded.shown(self._test_keys[row])

    def log(self, text: str) -> None:
        with (self.folder / "log.txt").open("a") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")


def key_of(job: Job) -> tuple[str, str, int, int]:
    return job.stage, job.contender, job.fold, job.number


def check_names(options: Options, entrants: Mapping[str, Contender]) -> None:
    """Unknown contenders, tasks and metrics, before anything is read."""
    check_slate(options, entrants)
    if options.task is not None:
        registry.get("task", options.task)


def check_settings(options: Options, loaded: Loaded, entrants: Mapping[str, Contender]) -> None:
    """--set names that nobody reads."""
    task = loaded.make_task()
    spec = loaded.folds[0].splits.train.spec
    setup = Setup((), loaded.task_name, (), loaded.metric, loaded.kind_name, ())
    known = {"causal", *loaded.kind_settings}
    shut = set()                                                  # baselines that cannot enter: their choices are not known here
    for name, entrant in entrants.items():
        if isinstance(entrant, Plain) and entrant.why_not(spec, task, setup) is not None:
            shut.add(name)
        else:
            known.update(entrant.space(spec, task, setup))
    for name in options.set:
        if name not in known and name.split(".")[0] not in shut:
            raise OptionError(f"no choice is called {name!r}", f"--set {name}={options.set[name]}", near(name, known))


def imported_by(entrants: Mapping[str, Contender]) -> list[str]:
    """What the trainings of these contenders would import each for itself."""
    return [name for entrant in entrants.values() for name in getattr(entrant, "modules", ())]


def workers(options: Options, prior: Plan | None) -> tuple[int, int]:
    """(jobs, threads each): one trial per core with one thread; the thread count is part of the plan."""
    return options.jobs or cores(), 1 if prior is None else prior.threads
