"""Who enters: baselines always; of the networks those that were named, all, the cheapest of each group, or as many as the time feeds;
and beside such a choice those that were named too."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from bakeoff.data.base import Dataset
from bakeoff.errors import OptionError, near
from bakeoff.options import Options
from bakeoff.plan import EFFICIENCY
from bakeoff.report.format import NO_TIME, duration
from bakeoff.tasks.base import Task
from bakeoff.train.contender import Contender, Neural, Plain, contenders
from bakeoff.train.setup import Setup
from bakeoff.types import Spec

WAYS = ("auto", "all", "quick")
FEEDS = 60.0                  # seconds of a core from which a network is tuned, not merely tried
TRIED = 15.0                  # and those under which it is not even tried: then one of each group enters


def check_slate(options: Options, entrants: Collection[str]) -> None:
    """Raises OptionError for a name that no contender has, and for two ways to choose."""
    for name in options.slate_names:
        if name not in entrants and name not in WAYS:
            raise OptionError(f"no contender is called {name!r}", f"--slate {options.slate}", near(name, [*entrants, *WAYS]))
    ways = [name for name in options.slate_names if name in WAYS]
    if len(ways) > 1:
        raise OptionError(f"{' and '.join(ways)} are two ways to choose", f"--slate {options.slate}", "Say one of them, with names behind it.")


def slated(options: Options, spec: Spec, task: Task, setup: Setup, train: Dataset, jobs: int,
           planned: Collection[str] | None = None) -> tuple[dict[str, Contender], dict[str, str]]:
    """(those that enter, by name; the others with the reason why not). planned: those of a plan that stands already.

    Raises OptionError where none of those that were named can enter.
    """
    slate: dict[str, Contender] = {}
    absent: dict[str, str] = {}
    way = next((name for name in options.slate_names if name in WAYS), None)
    wanted = set(options.slate_names) - {way}
    for name, entrant in contenders(options.slate_names).items():
        if way is None and name not in wanted and not isinstance(entrant, Plain):
            continue
        reason = entrant.why_not(spec, task, setup)
        if reason is None:
            slate[name] = entrant
        else:
            absent[name] = reason
    if way is None and not any(name in slate for name in wanted):
        raise OptionError("no contender of the slate can enter: " + "; ".join(f"{name}: {absent[name]}" for name in sorted(wanted)),
                          "--slate", "Name others, or leave it out.")
    if way == "quick":
        chosen = wanted | set(cheapest_per_group(slate, spec, task, setup, train))
        return {name: slate[name] for name in slate if name in chosen}, absent
    if way == "auto" and options.budget_seconds is not None:
        core_seconds = options.budget_seconds * jobs * EFFICIENCY / len(setup.folders)
        fed, hungry = those_fed(slate, options.budget_seconds, core_seconds, planned)
        if planned is None and core_seconds < TRIED * sum(isinstance(slate[name], Neural) for name in fed):
            fed = set(cheapest_per_group({name: slate[name] for name in slate if name in fed}, spec, task, setup, train))
        fed |= wanted
        return {name: slate[name] for name in slate if name in fed}, absent | {name: hungry for name in slate if name not in fed}
    return slate, absent


def cheapest_per_group(slate: Mapping[str, Contender], spec: Spec, task: Task, setup: Setup, train: Dataset) -> dict[str, Contender]:
    """One network per group, the cheapest at its starting setting, and every baseline."""
    chosen: dict[str, tuple[float, str]] = {}
    for name, entrant in slate.items():
        if isinstance(entrant, Neural):
            start = entrant.space(spec, task, setup).defaults()
            chosen[entrant.group] = min(chosen.get(entrant.group, (math.inf, "")), (entrant.units(train, task, start), name))
    names = {name for _, name in chosen.values()}
    return {name: entrant for name, entrant in slate.items() if name in names or isinstance(entrant, Plain)}


def those_fed(slate: Mapping[str, Contender], seconds: float, core_seconds: float, planned: Collection[str] | None) -> tuple[set[str], str]:
    """(who enters, why the other networks do not): the well known of every group; then, while each gets time to be tuned, all that are
    no mere variant of another; then the variants. A plan that stands already has decided."""
    networks = {name: entrant.family for name, entrant in slate.items() if isinstance(entrant, Neural)}
    fed = set(slate) - set(networks)
    rounds = ([name for name, family in networks.items() if family.well_known],
              [name for name, family in networks.items() if not family.well_known and family.variant_of is None],
              [name for name, family in networks.items() if not family.well_known and family.variant_of is not None])
    taken: list[str] = []
    for names in rounds:
        if not taken or core_seconds >= FEEDS * (len(taken) + len(names)):
            taken += names
        else:
            break
    enough = duration(seconds * FEEDS * len(networks) / core_seconds)
    hungry = f"in {duration(seconds)} {NO_TIME} (--slate all lets it in, or {enough})"
    return fed | set(taken if planned is None else networks.keys() & set(planned)), hungry
