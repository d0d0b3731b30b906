"""What a benchmark found: printed, kept as results/NAME.json with the machine and versions, and judged by its bars."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

HERE = Path(__file__).parent


class Bar(NamedTuple):
    """value must be at least (or at most) limit."""

    what: str
    value: float
    limit: float
    best: str                                 # "high" or "low"

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.best == "high" else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.best == "high" else "≤"
        return f"{'met   ' if self.met else 'MISSED'}  {self.what}: {self.value:,.4g} ({sign} {self.limit:,g})"


def processor() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def finish(name: str, numbers: dict[str, Any], bars: list[Bar], began: float) -> int:
    """Writes results/NAME.json and prints the bars; 1 where one is missed, else 0: the exit code."""
    record = {
        "benchmark": name,
        "seconds": round(time.perf_counter() - began, 1),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,   # what else ran: a busy machine is no judge
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "bars": [{**bar._asdict(), "met": bar.met} for bar in bars],
        "numbers": numbers,
    }
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    print(*bars, sep="\n")
    print(f"{record['seconds']} s → {(results / name).with_suffix('.json').relative_to(HERE)}")
    return 0 if all(bar.met for bar in bars) else 1
