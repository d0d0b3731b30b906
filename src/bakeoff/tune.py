"""Which setting is tried next. Knows spaces and trials, neither models nor data.

Each proposal is a function of (search, run seed, contender, trial number, the contender's earlier trials): resuming
asks the same again. The first trial is the starting setting, for every search, so that tuning can be judged by it.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bakeoff.plan import FULL
from bakeoff.space import Param, Space
from bakeoff.types import Trial

DRAWS = 100                   # for a setting that was not tried yet
STARTUP = 6                   # trials before TPE's model replaces random draws


def propose(search: str, space: Space, number: int, earlier: Sequence[Trial], seed: int, contender: str, total: int) -> dict[str, Any]:
    """The setting of trial `number` (from 0); earlier: this contender's ended trials that it may know of."""
    start = space.defaults()
    if number == 0:
        return start
    own = seed_of(seed, contender, number)
    if search == "grid":
        return grid_point(space, number, total)
    if search == "random":
        rng = np.random.default_rng(own)
        return {name: draw(param, rng) for name, param in space.items()}
    return near_the_best(space, suggested(space, earlier, own), earlier, own)


def seed_of(*parts: object) -> int:
    """A seed that depends on all parts and on nothing else."""
    return zlib.crc32("|".join(map(str, parts)).encode())


def draw(param: Param, rng: np.random.Generator) -> Any:
    """A value drawn evenly over a parameter's range (evenly by ratio where it is logarithmic)."""
    if param.values:
        return param.values[int(rng.integers(len(param.values)))]
    if param.whole:
        return int(rng.integers(int(param.low), int(param.high) + 1))
    if param.log:
        return float(math.exp(rng.uniform(math.log(param.low), math.log(param.high))))
    return float(rng.uniform(param.low, param.high))


def suggested(space: Space, earlier: Sequence[Trial], seed: int) -> dict[str, Any]:
    """What Optuna's tree-structured Parzen estimator asks for, given the earlier trials."""
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    names = [name for name, param in space.items() if len(param.values) != 1]
    distributions = {name: distribution(space[name]) for name in names}
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP))
    for trial in earlier:
        if trial.score is None or not math.isfinite(trial.score):
            continue
        params = {name: as_text(space[name], trial.job.params.get(name, space[name].default)) for name in names}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=trial.score))
    asked = study.ask(distributions).params
    return {name: from_text(param, asked[name]) if name in asked else param.values[0] for name, param in space.items()}


def distribution(param: Param) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    if param.values:
        return CategoricalDistribution([str(value) for value in param.values])
    if param.whole:
        return IntDistribution(int(param.low), int(param.high), log=param.log)
    return FloatDistribution(param.low, param.high, log=param.log)


def as_text(param: Param, value: Any) -> Any:
    return str(value) if param.values else value


def from_text(param: Param, value: Any) -> Any:
    return next(one for one in param.values if str(one) == value) if param.values else value


def near_the_best(space: Space, asked: Mapping[str, Any], earlier: Sequence[Trial], seed: int) -> dict[str, Any]:
    """A step from the best setting so far: each choice is taken from `asked` with a chance, else kept.

    With a handful of trials and twenty choices, points drawn anew in all of them hardly ever beat a sound start; what
    stands first in a space (rate, width, fold, the family's own) is changed more often than what stands last.
    """
    scored = [trial for trial in earlier if trial.state == "done" and trial.score is not None]
    best = max(scored, key=lambda trial: trial.score or -math.inf).job.params if scored else space.defaults()
    rng = np.random.default_rng(seed)
    names = [name for name, param in space.items() if len(param.values) != 1]
    chances = {name: 0.5 if place < 5 else 0.15 for place, name in enumerate(names)}
    change = {name for name in names if rng.random() < chances[name]}
    if not change and names:
        change = {names[int(rng.integers(min(5, len(names))))]}
    point = {name: between(space[name], best[name], asked[name], rng) if name in change and name in best else best.get(name, asked[name])
             for name in space}
    tried = [{**trial.job.params} for trial in earlier]
    for _ in range(DRAWS if names else 0):
        if point not in tried:                        # the same again would teach nothing, but a small space has nothing else
            break
        name = names[int(rng.integers(len(names)))]
        point[name] = draw(space[name], rng)
    return point


def between(param: Param, here: Any, there: Any, rng: np.random.Generator) -> Any:
    """Some of the way from `here` to `there` (by ratio where the range is logarithmic); one of a few values is taken whole."""
    part = float(rng.uniform(0.2, 0.8))
    if param.values or param.whole:
        return there
    return float(here ** (1 - part) * there ** part) if param.log else float((1 - part) * here + part * there)


def levels(param: Param, count: int) -> list[Any]:
    """At most `count` values over a range, the starting one first."""
    if param.values:
        others = [value for value in param.values if value != param.default]
        return [param.default, *others][:count]
    if param.log:
        spread = [math.exp(x) for x in np.linspace(math.log(param.low), math.log(param.high), count + 1)[1:]]
    else:
        spread = list(np.linspace(param.low, param.high, count + 1)[1:])
    if param.whole:
        spread = sorted({round(x) for x in spread} - {param.default})
    return [param.default, *(int(x) if param.whole else float(x) for x in spread)][:count]


def grid_point(space: Space, number: int, total: int) -> dict[str, Any]:
    """Point `number` of the product of two or three levels of the first choices, as many as `total` trials cover.

    Beyond the grid's end it begins again with the next choices at their second level.
    """
    free = [name for name, param in space.items() if len(param.values) != 1]
    taken: list[str] = []
    while len(taken) < len(free) and 3 ** (len(taken) + 1) <= max(total, 3):
        taken.append(free[len(taken)])
    if not taken:
        return space.defaults()
    points = list(itertools.product(*(levels(space[name], 3) for name in taken)))
    point = space.defaults() | dict(zip(taken, points[number % len(points)], strict=True))
    for extra in range(number // len(points)):
        name = free[(len(taken) + extra) % len(free)]
        point[name] = levels(space[name], 3)[-1]
    return point


def rungs_for(number: int, earlier: Sequence[Trial], names: Sequence[str]) -> dict[str, float]:
    """Scores under which trial `number` is given up, by rung: the second best that a finished trial had there.

    The first four trials are run to the end, whatever they look like: they are what later ones are judged by.
    """
    done = [trial for trial in earlier if trial.state == "done" and trial.reached]
    if number < FULL or len(done) < FULL:
        return {}
    rungs = {}
    for name in names:
        scores = sorted(trial.reached[name] for trial in done if name in trial.reached)
        if len(scores) > 1:
            rungs[name] = scores[-2]
    return rungs


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The finished trial with the highest score, the earlier one of equals."""
    done = [trial for trial in trials if trial.state == "done" and trial.score is not None and math.isfinite(trial.score)]
    return max(done, key=lambda trial: (trial.score, -trial.job.number), default=None)
