"""The whole story: from files to verdict. Free of torch at import; every heavy part is imported where it begins to act."""

from __future__ import annotations

import errno
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bakeoff.errors import BakeoffError, OptionError, RunError
from bakeoff.options import Options, names_of, settings_of
from bakeoff.watch import Watch

if TYPE_CHECKING:
    from bakeoff.result import Result

BORN = time.perf_counter()                    # the clock of a command runs from here: imports are part of the wait


def run(data: str | Path, task: str | None = None, *, target: str | None = None, inputs: str | Sequence[str] = (), future: str | Sequence[str] = (),
        group: str | None = None, time: str | Sequence[str] = (), test: str | None = None, split: str | None = None, folds: str | int | None = None,
        horizon: int | None = None, lookback: int | None = None, season: int | None = None,
        metric: str | None = None, slate: str | Sequence[str] = "auto", budget: str | float | None = None, trials: int | None = None,
        examples: int | None = None, equal: str = "seconds", max_params: int | None = None, plan: str | Path | None = None,
        search: str = "tpe", set: Mapping[str, Any] | Sequence[str] = (), seeds: int = 3, seed: int = 0, jobs: int | None = None,
        device: str = "auto", on: str = "local", cost: str = "macs", margin: float | None = None, max_bad: str | float = "5%",
        max_shared: str | float = "25%", encoding: str = "utf-8", out: str | Path | None = None, watch: Watch | None = None,
        born: float | None = None) -> Result:
    """Lets every contender that can read the data compete under one equal budget, and says what came of it.

    data: a folder, a file, an archive, or 'sample:NAME'. All other parameters are the options of `bakeoff run` under the
    same names; `set` takes a mapping or 'NAME=VALUES' strings. watch: told of progress; born: when the waiting began
    (time.perf_counter), now by default.

    Returns a Result: verdict, leaderboard, the recommended and the best model; the run's folder holds all records.
    Raises DataError, OptionError, BudgetError or RunError for what the user can mend, before anything is trained.
    """
    options = Options(
        task=task, target=target, inputs=names_of(inputs), future=names_of(future), group=group, time=names_of(time), test=test, split=split,
        folds=None if folds is None else str(folds), horizon=horizon, lookback=lookback, season=season, metric=metric,
        slate=slate if isinstance(slate, str) else ",".join(slate), budget=budget,
        trials=trials, examples=examples, equal=equal, max_params=max_params, plan=None if plan is None else str(plan), search=search,
        set=settings_of(set), seeds=seeds, seed=seed, jobs=jobs, device=device, on=on, cost=cost, margin=margin, max_bad=max_bad,
        max_shared=max_shared, encoding=encoding, out=None if out is None else str(out))
    began = clock() if born is None else born
    from bakeoff.session import Session
    session = Session.new(str(data), options, watch or Watch(), began)
    return finish(session)


def resume(folder: str | Path, watch: Watch | None = None, born: float | None = None) -> Result:
    """Goes on with a run that was stopped, however early; a finished run is returned unchanged. Raises RunError."""
    from bakeoff.session import Session
    session = Session.again(Path(folder), watch or Watch(), clock() if born is None else born)
    return finish(session)


def finish(session: Any) -> Result:
    """From wherever a session stands – data checked, slate admitted – to its verdict."""
    try:
        with session:
            if not session.finished:
                session.make_plan()       # a waiting time becomes counts
                session.tune()            # Optuna asks, workers train, one Trial each
                session.refit()           # best setting × seeds; only now is the test split opened
                session.measure()         # what each final costs, timed alone
                session.compare()         # values, intervals, paired tests, verdict, report
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RunError("the disk is full", str(session.folder), f"Free some space, then: bakeoff resume {session.folder}") from None
    from bakeoff.result import Result
    return Result(session.folder)


def check(data: str | Path, **options: Any) -> dict[str, Any]:
    """The data check alone, as data.json records it: kind, task, splits, first five examples, problems. Trains nothing."""
    from bakeoff.session import load_data
    for name in ("inputs", "future", "time"):
        options[name] = names_of(options.get(name))
    options["set"] = settings_of(options.get("set", ()))
    return load_data(str(data), Options(**options)).record


def load(folder: str | Path) -> Result:
    """A finished run from its folder. Raises RunError where it is none."""
    from bakeoff.result import Result
    folder = Path(folder)
    if not (folder / "question.json").exists():
        raise RunError("this is no run's folder", str(folder), "Give the folder that `bakeoff run` printed.")
    if not (folder / "verdict.json").exists():
        raise RunError("this run has not finished", str(folder), f"Go on with: bakeoff resume {folder}")
    return Result(folder)


def clock() -> float:
    return time.perf_counter()


__all__ = ["BORN", "BakeoffError", "OptionError", "check", "load", "resume", "run"]
