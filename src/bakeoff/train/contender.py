"""Whatever may enter: each family through Neural, each baseline through Plain; both train, answer, and are kept alike."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from bakeoff import registry
from bakeoff.baselines.base import Baseline
from bakeoff.cost import cost_of_baseline, cost_of_network, count, work
from bakeoff.data.base import Dataset, Indices, Splits, spec_from
from bakeoff.errors import OptionError, near
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.fold import on_offer
from bakeoff.nn.network import Network
from bakeoff.space import Space
from bakeoff.tasks.base import Task
from bakeoff.train import loop
from bakeoff.train.choices import space_of
from bakeoff.train.optim import optimizer_for
from bakeoff.train.record import write_json
from bakeoff.train.setup import Setup, with_metric
from bakeoff.types import PRETRAINED_PREFIX, Cost, Job, Params, Point, Spec, Spend, Trial

if TYPE_CHECKING:
    from bakeoff.train.pretrained import FittedPretrained

DEAREST = 16.0                # a setting gets at least 1/16 and at most 4 × the examples of the starting one
CHEAPEST = 4.0
PARTS = {"1/4": 4, "1/2": 2}  # rungs of a trial on one validation split, where so many looks are taken


class Fitted(Protocol):
    """A trained contender. stepper: what has `begin` and `step`, where the task wants the next step (see Network)."""

    @property
    def stepper(self) -> Any: ...
    def outputs(self, data: Dataset) -> Tensor: ...
    def save(self, folder: Path) -> None: ...
    def cost(self, data: Dataset, limit_seconds: float) -> Cost: ...


@dataclass(frozen=True)
class Outcome:
    """What a training ended with, before it is a Trial."""

    state: str
    why: str
    curve: tuple[Point, ...]
    value: float | None
    score: float | None
    best_examples: int
    spent: Spend
    reached: Mapping[str, float]

    def trial(self, job: Job) -> Trial:
        return Trial(job, self.state, self.why, self.curve, self.value, self.score, self.best_examples, self.spent,    # type: ignore[arg-type]
                     reached=self.reached)


def pairs_of(splits: Splits) -> list[tuple[Dataset, Dataset]]:
    """(train, validation) once, or per inner fold."""
    if splits.val is not None:
        return [(splits.train, splits.val)]
    return [(splits.train.subset(a), splits.train.subset(b)) for a, b in splits.folds]


def rungs_of(splits_folds: int) -> tuple[str, ...]:
    """The shares of a trial at which it may be pruned: a quarter and a half, or the end of each inner fold but the last."""
    return tuple(PARTS) if splits_folds < 2 else tuple(f"{k}/{splits_folds}" for k in range(1, splits_folds))


class Neural:
    """An encoder as a contender."""

    deterministic = False

    def __init__(self, family: type[Encoder]) -> None:
        self.family, self.name, self.group = family, family.name, family.group

    def why_not(self, spec: Spec, task: Task, setup: Setup) -> str | None:
        needs = task.needs()
        if (reason := task.why_not(spec)) is not None:
            return reason
        if spec.one_cell and not self.family.orderless:
            return "it reads neighbours or steps, and the columns of a table have no order"
        if (needs.causal or setup.causal) and not self.family.can_be_causal:
            return "it looks at both sides of every cell, and this question is read one way only (causal)"
        if needs.writes and not self.family.can_be_causal:
            return "it looks at both sides of every cell, so it cannot write one piece after another"
        if (needs.keep or needs.writes) and self.family.pools:
            return "it gives one vector for the whole input, and this task wants one per cell"
        if not on_offer(spec, self.family.ranks, needs.causal or setup.causal, keep=needs.keep, coarse=needs.coarse):
            return "no way of lining up these cells gives it few enough steps (--set fold names none for it)"
        return None

    def space(self, spec: Spec, task: Task, setup: Setup) -> Space:
        space = space_of(self.family, spec, task, setup.causal).narrowed(setup.settings)
        if setup.max_params is not None:
            space = self.within(space, spec, task, setup.max_params)
        return space

    def within(self, space: Space, spec: Spec, task: Task, most: int) -> Space:
        """Widths that keep the starting setting under --max-params."""
        start, fit = space.defaults(), []
        for width in space["width"].values or (start["width"],):
            with torch.random.fork_rng(devices=[]):
                if Network(self.family, spec, task, {**start, "width": width}).parameter_count() <= most:
                    fit.append(width)
        if fit:
            space["width"] = replace(space["width"], values=tuple(fit), default=min(fit, key=lambda w: abs(w - start["width"])))
        return space

    def read(self, data: Dataset) -> Dataset:
        """The examples as `build`'s network takes them."""
        return data

    def units(self, data: Dataset, task: Task, params: Params) -> float:
        """Work per example at a setting (cost.work): the same number on every machine."""
        size = min(int(params["batch"]), len(data))
        middle = np.argsort(data.lengths(), kind="stable")[max(0, len(data) // 2 - size // 2):][:size]
        with torch.random.fork_rng(devices=[]):
            network = Network(self.family, data.spec, task, params)
            return work(network, data.take(middle)) / len(middle)

    def examples(self, job: Job, data: Dataset, task: Task, setup: Setup) -> int:
        """How many examples this setting gets for what the starting setting's `job.examples` cost."""
        unit = setup.units.get(self.name)
        if not setup.scaled or not unit:
            return job.examples
        share = unit / self.units(data, task, job.params)
        return max(1, round(job.examples * min(CHEAPEST, max(1 / DEAREST, share))))

    def build(self, job: Job, spec: Spec, task: Task, setup: Setup, seed: int) -> Network:
        torch.manual_seed(seed)
        network = Network(self.family, spec, task, job.params)
        if setup.max_params is not None and network.parameter_count() > setup.max_params:
            raise OptionError(f"{network.parameter_count():,} parameters are more than --max-params {setup.max_params:,}")
        return network.to(setup.device)

    def tune(self, job: Job, splits: Splits, task: Task, setup: Setup) -> Outcome:
        """One trial: a training, or one per inner fold, on the same number of examples in all."""
        pairs, device = pairs_of(splits), torch.device(setup.device)
        asked = self.examples(job, splits.train, task, setup)
        each = max(1, asked // len(pairs))
        effort = loop.effort(task)
        looks = loop.looks_for(each, len(pairs[0][1]), effort)
        single = len(pairs) == 1
        curves: list[list[Point]] = []
        reached: dict[str, float] = {}
        spent, state, why, macs = Spend(asked=each * len(pairs)), "done", "", 0.0
        for number, (train, val) in enumerate(pairs):
            network = self.build(job, train.spec, task, setup, job.seed + 7919 * number)
            rungs = {looks // part: job.rungs[rung] for rung, part in PARTS.items() if rung in job.rungs and looks >= part} if single else None
            course = loop.train(network, train, loop.looked_at(val, setup.seed, effort), task, job.params, examples=each, looks=looks,
                                seed=job.seed + number, rungs=rungs, patience=looks // 2 if single and looks >= 4 else None, device=device)
            curves.append(course.curve)
            macs = macs or macs_per_example(network, splits.train)
            spent = added(spent, course, macs)
            if single:
                reached = {rung: best_score(task, course.curve[:looks // part]) for rung, part in PARTS.items() if looks >= part}
                if course.stopped == "pruned":
                    state, why = "pruned", f"after {course.examples:,} of {each:,} examples it was behind earlier trials"
                elif course.stopped == "early":
                    why = "validation had not improved for half of the training"
            elif number + 1 < len(pairs):
                rung = f"{number + 1}/{len(pairs)}"
                reached[rung] = best_score(task, mean_curve(curves))
                if reached[rung] < job.rungs.get(rung, -math.inf):
                    state, why = "pruned", f"after {number + 1} of {len(pairs)} inner folds it was behind earlier trials"
                    break
        curve = mean_curve(curves)
        best = max(curve, key=lambda point: loop.score(task, point.value, point.loss))
        return Outcome(state, why, tuple(curve), best.value, loop.score(task, best.value, best.loss), best.examples, spent, reached)

    def final(self, job: Job, splits: Splits, task: Task, setup: Setup) -> tuple[Outcome, Any]:
        """The best setting on train and validation together. job.examples is taken literally."""
        data = splits.together()
        network = self.build(job, data.spec, task, setup, job.seed)
        course = loop.train(network, data, None, task, job.params, examples=job.examples, seed=job.seed,
                            device=torch.device(setup.device))
        spent = added(Spend(asked=job.examples), course, macs_per_example(network, data))
        point = Point(course.examples, math.nan, math.nan, course.train_loss, course.seconds)
        outcome = Outcome("done", "", (point,), None, None, course.examples, spent, {})
        return outcome, self.fitted(network, data.spec, task, job.params, torch.device(setup.device))

    def fitted(self, network: Any, spec: Spec, task: Task, params: Params, device: torch.device) -> Any:
        return FittedNetwork(network, self.family, spec, task, params, device)


class Plain:
    """A baseline as a contender."""

    def __init__(self, baseline: type[Baseline]) -> None:
        self.baseline, self.name, self.group = baseline, baseline.name, "baseline"
        self.deterministic = baseline.deterministic

    def why_not(self, spec: Spec, task: Task, setup: Setup) -> str | None:
        return self.baseline.why_not(spec, task)

    def space(self, spec: Spec, task: Task, setup: Setup) -> Space:
        return self.baseline.space(spec, task).narrowed(setup.settings)

    def tune(self, job: Job, splits: Splits, task: Task, setup: Setup) -> Outcome:
        import time
        start = time.perf_counter()
        outs, seen, points = [], 0, []
        for train, val in pairs_of(splits):
            part = subsampled(train, job.subsample, setup.seed)
            fitted = self.baseline().fit(part, task, job.params, job.seed)
            held = loop.looked_at(val, setup.seed, loop.effort(task))
            value, loss = loop.judged(fitted.outputs(held), held, task)
            outs.append((value, loss))
            seen += len(part)
            points.append(time.perf_counter() - start)
        value, loss = (float(np.mean([out[k] for out in outs])) for k in (0, 1))
        curve = (Point(seen, value, loss, math.nan, points[-1]),)
        return Outcome("done", "", curve, value, loop.score(task, value, loss), seen, Spend(seen, len(outs), 0.0, points[-1], seen), {})

    def final(self, job: Job, splits: Splits, task: Task, setup: Setup) -> tuple[Outcome, FittedBaseline]:
        import time
        start = time.perf_counter()
        data = splits.together()
        part = subsampled(data, job.subsample, setup.seed)
        fitted = self.baseline().fit(part, task, job.params, job.seed)
        seconds = time.perf_counter() - start
        why = "" if len(part) == len(data) else f"fitted on {len(part):,} of {len(data):,} training examples, which end within its share"
        point = Point(len(part), math.nan, math.nan, math.nan, seconds)
        outcome = Outcome("done", why, (point,), None, None, len(part), Spend(len(part), 1, 0.0, seconds, len(part)), {})
        return outcome, FittedBaseline(fitted, type(fitted), data.spec, task, job.params)


Contender = Neural | Plain


@dataclass
class FittedNetwork:
    network: Network
    family: type[Encoder]
    spec: Spec
    task: Task
    params: Params
    device: torch.device

    @property
    def stepper(self) -> Any:
        return self.network

    def outputs(self, data: Dataset) -> Tensor:
        return loop.outputs(self.network, data, self.device)

    def save(self, folder: Path) -> None:
        from safetensors.torch import save_file
        weights = {name: value.detach().cpu().contiguous() for name, value in self.network.state_dict().items()}
        save_file(weights, folder / "model.safetensors")
        write_json(folder / "config.json", {**common_record(self.spec, self.task, self.params), "family": self.family.name})

    def cost(self, data: Dataset, limit_seconds: float) -> Cost:
        one = data.take([middle_of(data)])
        size = min(int(self.params["batch"]), len(data))
        many = data.take(np.arange(size))
        return cost_of_network(self.network, one, many, lambda network, batch: network.loss(batch).mean(), limit_seconds,
                               optimizer=lambda network: optimizer_for(network, self.params))


@dataclass
class FittedBaseline:
    fitted: Baseline
    baseline: type[Baseline]
    spec: Spec
    task: Task
    params: Params

    @property
    def stepper(self) -> Any:
        return self.fitted

    def outputs(self, data: Dataset) -> Tensor:
        return self.fitted.outputs(data)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file
        arrays, record = self.fitted.state()
        save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, folder / "model.safetensors")
        write_json(folder / "config.json", {**common_record(self.spec, self.task, self.params), "baseline": self.baseline.name, "record": record})

    def cost(self, data: Dataset, limit_seconds: float) -> Cost:
        return cost_of_baseline(self.fitted, data, limit_seconds)


def common_record(spec: Spec, task: Task, params: Params) -> dict[str, Any]:
    from dataclasses import asdict
    return {"spec": asdict(spec), "task": task.name, "task_state": task.state(), "metric": task.metrics[0].name, "params": dict(params)}


def load_fitted(folder: Path) -> tuple[FittedNetwork | FittedBaseline | FittedPretrained, Task]:
    """A final back from its folder: safetensors and JSON, nothing that could run code."""
    record = json.loads((folder / "config.json").read_text())
    spec, task = spec_from(record["spec"]), with_metric(registry.get("task", record["task"]).restore(record["task_state"]), record["metric"])
    if "pretrained" in record:
        from bakeoff.train.pretrained import restored
        return restored(folder, record, spec, task), task
    if "family" in record:
        from safetensors.torch import load_file
        family = registry.get("family", record["family"])
        with torch.random.fork_rng(devices=[]):
            network = Network(family, spec, task, record["params"])
        network.load_state_dict(load_file(folder / "model.safetensors"))
        network.eval()
        return FittedNetwork(network, family, spec, task, record["params"], torch.device("cpu")), task
    from safetensors.numpy import load_file as load_arrays
    baseline = registry.get("baseline", record["baseline"])
    fitted = baseline.restore(load_arrays(folder / "model.safetensors"), record["record"], spec, task)
    return FittedBaseline(fitted, baseline, spec, task, record["params"]), task


def contenders(named: Iterable[str] = ()) -> dict[str, Contender]:
    """Every contender there is, by name; with the pretrained models among `named`, of which there is no list."""
    found: dict[str, Contender] = {name: Neural(family) for name, family in registry.every("family").items()}
    found.update({name: Plain(baseline) for name, baseline in registry.every("baseline").items()})
    found.update({name: pretrained(name) for name in named if name.startswith(PRETRAINED_PREFIX)})
    return found


def pretrained(name: str) -> Contender:
    """A model that was trained before; only here is its module imported, which needs the extra `pretrained`."""
    from bakeoff.train.pretrained import Pretrained
    return Pretrained(name)


def contender(name: str) -> Contender:
    known = contenders((name,))
    if name not in known:
        raise OptionError(f"no contender is called {name!r}", "--slate", near(name, known))
    return known[name]


def macs_per_example(network: Network, data: Dataset) -> float:
    """Of one forward pass of an example of median length."""
    one = data.take([middle_of(data)])
    device = next(network.parameters()).device
    return float(count(network, loop.to_device(one, device)).macs)


def added(spent: Spend, course: loop.Course, macs: float) -> Spend:
    return Spend(spent.examples + course.examples, spent.steps + course.steps, spent.macs + 3 * macs * course.examples,
                 spent.seconds + course.seconds, spent.asked)


def best_score(task: Task, curve: Sequence[Point]) -> float:
    return max((loop.score(task, point.value, point.loss) for point in curve), default=-math.inf)


def mean_curve(curves: Sequence[Sequence[Point]]) -> list[Point]:
    """The mean over inner folds, look by look; examples are those of one fold's training, seconds the sum."""
    if len(curves) == 1:
        return list(curves[0])
    return [Point(points[0].examples, mean([p.value for p in points]), mean([p.loss for p in points]), mean([p.train_loss for p in points]),
                  sum(p.seconds for p in points)) for points in zip(*curves, strict=True)]


def mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def subsampled(data: Dataset, most: int | None, seed: int) -> Dataset:
    """About so many examples of a view, drawn evenly, of every class in proportion and at least one."""
    if most is None or most >= len(data):
        return data
    order = np.random.default_rng(seed).permutation(len(data))
    if data.y is None or data.y.dtype != torch.int64 or data.y.dim() > 1:
        return data.subset(np.sort(order[:most]))
    labels = data.y[torch.from_numpy(data.index)].numpy()[order]
    kept = [order[labels == label] for label in np.unique(labels)]
    return data.subset(np.sort(np.concatenate([rows[:max(1, round(most * len(rows) / len(data)))] for rows in kept])))


def middle_of(data: Dataset) -> int:
    """The position of an example of median length."""
    order: Indices = np.argsort(data.lengths(), kind="stable")
    return int(order[len(order) // 2])



