"""The command that repeats a run, or a row of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bakeoff.options import Options
from bakeoff.report.format import plain

# Options that decide what is read, asked and concluded; budget, trials, seeds … stand in the plan.
REPEATED = ("task", "target", "inputs", "future", "group", "time", "test", "split", "folds", "horizon", "lookback", "season", "metric", "max_bad",
            "max_shared", "encoding", "set", "cost", "margin")


def again(question: Mapping[str, Any], folder: Path, contender: str | None = None) -> str:
    """The command that trains and scores a row again, or all of them: same data, plan and seeds. question: as question.json has it."""
    asked, usual = question.get("options") or {}, asdict(Options())
    words = ["bakeoff", "run", str(question.get("data", ""))]
    for name in REPEATED:
        value = asked.get(name)
        if value is None or value == usual[name] or value in ([], {}, ""):
            continue
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, Mapping):
            for key, one in value.items():
                words += [option, f"{key}={joined(one)}"]
        else:
            words += [option, joined(value)]
    words += ["--plan", f"{folder.as_posix()}/plan.json"]
    if contender is not None:
        words += ["--slate", contender]
    return plain(shlex.join(words))


def joined(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
