"""What there is: every contender, what may be tuned in it, and the samples. Read from signatures and docstrings."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from bakeoff import registry
from bakeoff.data import cache
from bakeoff.report.format import listing, size
from bakeoff.samples import names
from bakeoff.tasks.base import Task
from bakeoff.train.choices import space_of
from bakeoff.train.contender import Neural, Plain, contender, contenders
from bakeoff.train.setup import Setup
from bakeoff.types import Ahead, Spec
from bakeoff.words import aligned, columns, wrapped

PAPER = re.compile(r"(?<=[.:;] )(?P<who>(?:(?:van|von|de|den|der) )*[A-Z][^.:;]*?(?:et al\. )?\d{4}),? \(?(?P<link>https?://\S+?)\)?[.,;]?(?=\s|$)")
SIZE, CHANNELS, WORDS = 32, 3, 1000           # of the example that spaces and tasks are told for


@dataclass(frozen=True)
class Entry:
    """A line of `bakeoff families`. ranks: numbers of axes read without folding; tasks: those it can enter for some kind."""

    name: str
    group: str
    what: str
    paper: str
    ranks: list[int]
    tasks: list[str]


def entries() -> list[Entry]:
    """Every contender that there is, plug-ins included, by group and name."""
    found = [entry_of(one) for one in contenders().values()]
    return sorted(found, key=lambda entry: (registry.GROUPS.index(entry.group), entry.name))


def entry_of(one: Neural | Plain) -> Entry:
    """What a contender says of itself in its class and its file's docstring."""
    cls: Any = one.family if isinstance(one, Neural) else one.baseline
    what, paper = described_by(cls)
    enters = [(spec, task) for spec in examples() for task in tasks() if one.why_not(spec, task, SETUP) is None]
    ranks = cls.ranks if isinstance(one, Neural) else {spec.rank for spec, _ in enters}
    return Entry(one.name, one.group, what, paper, sorted(ranks), sorted({task.name for _, task in enters}))


def described_by(cls: type) -> tuple[str, str]:
    """(sentence, 'authors year, link') of the docstring at the head of a class's file."""
    text = " ".join((sys.modules[cls.__module__].__doc__ or "").split("\n\n")[0].split())
    found = PAPER.search(text)
    return (text[:found.start()].strip(), f"{found['who'].strip()}, {found['link']}") if found else (text, "")


SETUP = Setup((), "", (), "", "", ())


def tasks() -> list[Task]:
    """Every task, fitted on nothing in particular."""
    return [task() for task in registry.every("task").values()]


def examples() -> Iterator[Spec]:
    """Examples of every kind: numbers in cells, ids that are texts again, 0 or 1, a single cell, and what goes on."""
    for name, kind in registry.every("kind").items():
        axes = tuple(kind.axes)
        yield example_of(name, axes, SIZE, CHANNELS, None)
        yield replace(example_of(name, axes, SIZE, None, WORDS), writing="{}")
        yield replace(example_of(name, axes, SIZE, CHANNELS, None), mean=(0.5,) * CHANNELS, std=(0.5,) * CHANNELS)       # 0 or 1
        yield example_of(name, axes, 1, SIZE, None)
        if axes == ("time",):                 # series that go on
            ahead = Ahead(SIZE // 4, 1, (SIZE // 2, SIZE), ("value",), (0,))
            yield replace(example_of(name, axes, SIZE, 1, None), ahead=ahead)


def example_of(kind: str, axes: tuple[str, ...], size: int, channels: int | None, vocab: int | None) -> Spec:
    sizes = (size,) * len(axes)
    stats = () if channels is None else (0.0,) * channels, () if channels is None else (1.0,) * channels
    return Spec(kind, axes, sizes, channels, vocab, None, {"train": 1000, "val": 300, "test": 300}, "", *stats, sizes, sizes)


def lines(found: list[Entry], terminal: bool) -> list[str]:
    """One line each. On a terminal aligned under a head; elsewhere tabs between name, group, paper, ranks and tasks."""
    if not terminal:
        return ["\t".join((one.name, one.group, one.paper, ",".join(map(str, one.ranks)), ",".join(one.tasks))) for one in found]
    table = [["name", "group", "ranks", "tasks", "paper"]]
    table += [[one.name, one.group, ",".join(map(str, one.ranks)), ",".join(one.tasks), one.paper] for one in found]
    return aligned(table, "<<<<<")


def described(name: str, space: bool) -> dict[str, Any]:
    """One contender in full, JSON-able; with its space where asked for. Raises OptionError with the nearest name."""
    one = contender(name)
    found: dict[str, Any] = vars(entry_of(one)).copy()
    if space:
        spec, task = example_for(one)
        found["example"] = f"{task.name}, {spec.kind} of {' × '.join(map(str, spec.sizes))} cells"
        whole = space_of(one.family, spec, task) if isinstance(one, Neural) else one.baseline.space(spec, task)
        found["space"] = [{"name": param.name, "starts_at": param.default, "range": str(param), "meaning": param.meaning,
                           "step": param.step, "whole": param.whole} for param in whole.values()]
    return found


def example_for(one: Neural | Plain) -> tuple[Spec, Task]:
    """The first example that a contender can read, one that it reads without folding if there is such a one."""
    enters = [(spec, task) for spec in examples() for task in tasks() if one.why_not(spec, task, SETUP) is None]
    ranks = one.family.ranks if isinstance(one, Neural) else frozenset(spec.rank for spec, _ in enters)
    return min(enters, key=lambda pair: (pair[0].rank not in ranks, pair[0].one_cell))


def told(found: dict[str, Any]) -> list[str]:
    """`described` in lines."""
    width = columns()
    out = [f"{found['name']} · {found['group']}", *wrapped(found["what"], width)]
    out += [f"  {found['paper']}"] if found["paper"] else []
    out += [f"  ranks {', '.join(map(str, found['ranks']))} · tasks {listing(found['tasks'], 20)}"]
    if "space" in found:
        rows = [[one["name"], in_short(one["starts_at"]), one["range"], one["meaning"]] for one in found["space"]]
        out += ["", f"  what is tuned, most important first (told for {found['example']}; fold and batch follow the data)"]
        heads = aligned([["choice", "starts at", "range", ""], *([*row[:3], ""] for row in rows)], "<<<<")
        wide = max(map(len, heads)) + 2
        for head, meaning in zip(heads, ["meaning", *(row[3] for row in rows)], strict=True):
            out += wrapped(meaning, max(width, wide + 24), head.ljust(wide), " " * wide)
    return out


def in_short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def samples() -> dict[str, Any]:
    """The samples, and the cache in which prepared data lie, JSON-able."""
    held = cache.entries()
    return {"samples": [asdict(sample) for sample in names().values()],
            "cache": {"folder": str(cache.root()), "bytes": sum(bytes_ for _, bytes_, _ in held), "limit_bytes": cache.limit_bytes()}}


def sample_lines() -> list[str]:
    """`samples` in lines."""
    found, width = samples(), columns()
    lines = []
    for sample in found["samples"]:
        lines += [f"sample:{sample['name']} · {sample['kind']} · {sample['task']}", *wrapped(sample["sentence"], width)]
        lines += wrapped(". ".join(part.rstrip(".") for part in (sample["licence"], sample["citation"]) if part), width)
    held, limit = (size(found["cache"][name]) for name in ("bytes", "limit_bytes"))
    return [*lines, "", f"cache of prepared data: {found['cache']['folder']}, {held} of at most {limit} (--clear-cache empties it)"]
