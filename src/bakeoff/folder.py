"""A run's folder: where it will be, who holds it, where its finals lie, and the plan that another run left in its own."""

from __future__ import annotations

import errno
import json
import re
import shutil
from pathlib import Path
from typing import IO

from bakeoff.errors import OptionError, RunError
from bakeoff.plan import Plan
from bakeoff.types import Job


def free_folder(out: str | None, data: str) -> Path:
    """The run's own folder: --out, or runs/NAME-N; never one that exists."""
    if out is None:
        name = data.removeprefix("sample:") if data.startswith("sample:") else Path(data).resolve().name.split(".")[0] or "data"
        return next(path for n in range(1, 1_000_000) if not (path := Path("runs") / f"{name}-{n}").exists())
    if Path(out).exists():
        raise RunError("the output folder exists already", out, f"Choose another --out, or go on with: bakeoff resume {out}")
    return Path(out)


def make_folder(folder: Path) -> None:
    """Raises RunError where it cannot be made or written; then nothing is left of it."""
    made = False
    try:
        folder.mkdir(parents=True)
        made = True
        (folder / "log.txt").write_text("")
    except OSError as error:
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise RunError(f"the output folder cannot be written: {error.strerror}", str(folder), "Choose another --out.") from None


def hold(folder: Path) -> IO[str]:
    """The folder for this process alone, until the file is closed or the process ends, however it ends. Raises RunError.
    A file system without locks does not keep others out."""
    import fcntl
    file = (folder / "log.txt").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            return file
        file.close()
        raise RunError("another process is at work in this folder", str(folder), f"Wait for it, or see: bakeoff status {folder}") from None
    return file


def plan_file(plan: str | None) -> Path | None:
    if plan is None:
        return None
    path = Path(plan)
    path = path / "plan.json" if path.is_dir() else path
    if not path.exists():
        raise OptionError("there is no plan", str(path), "Give the plan.json of a run's folder.")
    return path


def read_plan(plan: str | None) -> Plan | None:
    path = plan_file(plan)
    return None if path is None else read_plan_record(path)


def read_plan_record(path: Path) -> Plan | None:
    if not path.exists():
        return None
    try:
        return Plan.restore(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError) as error:
        raise OptionError(f"this is no plan of bakeoff ({error})", str(path), "Give the plan.json of a run's folder.") from None


def finals_of(run_folder: str | Path, contender: str) -> Path:
    """finals/CONTENDER. What a file system may not like in a name (hf:folder/model) becomes '-'."""
    return Path(run_folder) / "finals" / re.sub(r"[^\w.-]+", "-", contender)


def folder_of(run_folder: str | Path, job: Job) -> Path:
    """finals/CONTENDER/seed-K, with fold-F between where there are outer folds (F from 1)."""
    base = finals_of(run_folder, job.contender)
    return (base / f"fold-{job.fold}" if job.fold else base) / f"seed-{job.number}"
