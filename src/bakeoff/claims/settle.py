"""Runs claims one after another and keeps what each measured the moment it is there, so that a stop loses nothing."""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff import __version__
from bakeoff.claims.base import Ask, Claim, Finding, Plot
from bakeoff.errors import OptionError, RunError, near
from bakeoff.machine import machine, versions
from bakeoff.report.format import plain as plain_text
from bakeoff.train.record import plain, write_json, write_whole
from bakeoff.words import columns, quoted, wrapped

ORDER = ("weight-sharing", "parameter-count", "operations", "training-time", "parallelism", "vanishing-gradients", "input-size", "long-memory",
         "data-fit", "use-cases")             # from what is counted to what is trained; others stand behind them
FIELDS = frozenset({"seed", "data", "failed", "numbers", "seconds", "made", "machine", "versions"})      # of a record


@dataclass(frozen=True)
class Settled:
    """A claim with what was made of it. record: numbers/ID.json, which holds id, seed, the data folder's name, seconds, numbers (or why
    there are none: failed), made (a date), machine and versions. answers: to the statements as met, in their
    order; none where the claim has none."""

    claim: Claim
    finding: Finding
    plots: tuple[Plot, ...]
    record: Mapping[str, Any]
    answers: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return float(self.record["seconds"])

    def line(self) -> dict[str, Any]:
        """As in claims.json."""
        one = self.finding
        number = {"value": finite(one.value), "low": finite(one.low), "high": finite(one.high)}
        return {"id": self.claim.id, "statement": self.claim.statement, "verdict": one.verdict, **number, "seconds": self.seconds}


def finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def known() -> dict[str, Claim]:
    """Every claim by its id, in the order they are told: the files of this folder that end in CLAIM."""
    package = importlib.import_module("bakeoff.claims")
    modules = [importlib.import_module(f"bakeoff.claims.{found.name}") for found in pkgutil.iter_modules(package.__path__)]
    claims: list[Claim] = [module.CLAIM for module in modules if hasattr(module, "CLAIM")]
    return {one.id: one for one in sorted(claims, key=lambda one: (ORDER.index(one.id) if one.id in ORDER else len(ORDER), one.id))}


def chosen(ids: Sequence[str], claims: Mapping[str, Claim]) -> list[Claim]:
    """Those that were named, or all. Raises OptionError for a name that is none."""
    for name in ids:
        if name not in claims:
            raise OptionError(f"there is no claim {name!r}", "bakeoff claims", near(name, claims))
    return [one for name, one in claims.items() if name in ids or not ids]


def settle(ids: Sequence[str] = (), seed: int = 0, out: Path | None = None, data: Path | None = None,
           say: Callable[[str], None] = lambda words: None) -> tuple[Path, list[Settled]]:
    """(folder, claims): those that were asked for and those that the folder held already, in order; the pages are written after each.

    out: runs/claims-N where it is None. In a folder of an earlier call numbers of the same seed, data and version are not measured again.
    data: a folder of data sets, or of finished runs. Raises OptionError for an unknown id or a folder that is not there.
    """
    from bakeoff.claims.page import write_pages
    claims = known()
    asked = chosen(ids, claims)
    if data is not None and not data.exists():
        raise OptionError("there is nothing here", f"--data {data}", "Name a folder of data sets, or of finished runs.")
    folder = out or next(path for n in range(1, 1_000_000) if not (path := Path("runs") / f"claims-{n}").exists())
    for above in (folder, *folder.parents):
        if above.exists() and not above.is_dir():
            raise RunError("this is a file", str(above), "Choose another --out.")
    if (folder / "verdict.json").exists() or (folder / "plan.json").exists():
        raise RunError("this is the folder of a run", str(folder), "Choose another --out, or give the run as --data.")
    (folder / "numbers").mkdir(parents=True, exist_ok=True)
    records = {one.id: record for one in claims.values() if (record := kept(folder, one.id)) is not None}
    try:
        for place, claim in enumerate(asked):
            head = f"{claim.id} ({place + 1} of {len(asked)})"
            if fresh(records.get(claim.id), seed, data if claim.needs_data else None):
                say(f"{head}: measured already, {folder / 'numbers' / claim.id}.json")
            else:
                say(f"{head}: {claim.statement}")
                records[claim.id] = measured(claim, Ask(seed, data, say), folder)
                write_json(folder / "numbers" / f"{claim.id}.json", records[claim.id])
            settled = [judged(one, records[name], folder) for name, one in claims.items() if name in records]
            write_pages(folder, settled)
            found = next(one for one in settled if one.claim is claim)
            say(f"{head}: {found.finding.verdict}, after {found.seconds:.0f} s")
    except BaseException as stop:
        stop.go_on = command(ids, seed, folder, data)              # type: ignore[attr-defined]
        raise
    return folder, settled


def command(ids: Sequence[str], seed: int, out: Path | None, data: object) -> str:
    """The line that asks for these claims."""
    words = ["bakeoff claims", *(quoted(name) for name in ids), f"--seed {seed}" if seed else "", "" if data is None else f"--data {quoted(data)}",
             "" if out is None else f"--out {quoted(out)}"]
    return " ".join(word for word in words if word)


def together(settled: Sequence[Settled]) -> str:
    """The line that settles all of a page again; the folder of its data has another name elsewhere."""
    ids = [one.claim.id for one in settled]
    data = "FOLDER" if any(one.record["data"] for one in settled) else None
    return command([] if set(ids) >= set(known()) else ids, int(settled[0].record["seed"]) if settled else 0, None, data)


def measured(claim: Claim, ask: Ask, folder: Path) -> dict[str, Any]:
    """The record of an experiment: one thread, its seconds, its numbers or why there are none."""
    import torch
    threads, began = torch.get_num_threads(), time.perf_counter()
    record: dict[str, Any] = {"id": claim.id, "seed": ask.seed, "data": ask.data.name if ask.data and claim.needs_data else None, "failed": None,
                              "numbers": None}
    torch.set_num_threads(1)
    try:
        record["numbers"] = claim.measure(ask)
    except Exception as error:
        record["failed"] = because(error)
        noted(folder, claim.id, "experiment")
    finally:
        torch.set_num_threads(threads)
    record |= {"seconds": round(time.perf_counter() - began, 1), "made": time.strftime("%Y-%m-%d", time.gmtime()), "machine": machine("cpu"),
               "versions": versions()}
    as_read: dict[str, Any] = json.loads(json.dumps(plain(record), allow_nan=False))
    return as_read


def judged(claim: Claim, record: Mapping[str, Any], folder: Path) -> Settled:
    """The rule and the plots, from the numbers alone. A rule or plot that raises is told on the page, with its traceback in the log."""
    if record["failed"]:
        return Settled(claim, failure("The experiment did not come to its end", record["failed"]), (), record)
    try:
        finding = claim.judge(record["numbers"])
    except Exception as error:
        noted(folder, claim.id, "rule")
        return Settled(claim, failure("The rule could not read the numbers", because(error)), (), record)
    try:
        plots = tuple(claim.draw(record["numbers"]))
    except Exception:
        noted(folder, claim.id, "plot")
        plots = ()
    try:
        answers = tuple(claim.answers(record["numbers"])) if claim.answers else ()
    except Exception:
        noted(folder, claim.id, "answers")
        answers = ()
    return Settled(claim, finding, plots, record, answers)


def failure(what: str, why: str) -> Finding:
    return Finding("cannot tell", f"{what}: {why}.", "", condition="once this is mended; the traceback is in log.txt")


def because(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ").rstrip(".")


def noted(folder: Path, name: str, what: str) -> None:
    """Keeps the traceback of what is being handled."""
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} {name}, {what}\n{traceback.format_exc()}\n")


def kept(folder: Path, name: str) -> dict[str, Any] | None:
    """A record of an earlier call; None where there is none that can be read."""
    try:
        record = json.loads((folder / "numbers" / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and set(record) >= FIELDS else None


def fresh(record: Mapping[str, Any] | None, seed: int, data: Path | None) -> bool:
    """Whether a record answers what is asked now."""
    return (record is not None and not record["failed"] and record["seed"] == seed and record["versions"]["bakeoff"] == __version__
            and record["data"] == (None if data is None else data.name))


def write_list(folder: Path, settled: Sequence[Settled]) -> None:
    """claims.json."""
    write_whole(folder / "claims.json", json.dumps([one.line() for one in settled], indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def lines_of(folder: Path, settled: Sequence[Settled]) -> list[str]:
    """For the terminal: a verdict a line with its sentence below, and where the page is."""
    from bakeoff.claims.page import condition, summary
    width = columns()
    wide = max(len(one.claim.id) for one in settled)
    lines = []
    for one in settled:
        lines += [f"{one.claim.id:<{wide}}  {one.finding.verdict}"]
        lines += wrapped(" ".join(filter(None, (plain_text(one.finding.sentence), condition(one.finding)))), width)
    return [*lines, "", summary(settled), f"page     {folder / 'claims.html'}"]
