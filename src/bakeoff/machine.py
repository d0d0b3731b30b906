"""Where a run takes place: device, versions, machine in words."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from bakeoff import __version__
from bakeoff.errors import OptionError
from bakeoff.options import cores


def device_of(asked: str) -> str:
    import torch
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}[asked]
    if not there:
        raise OptionError(f"this machine has no {asked} device", f"--device {asked}", "Leave it out, or use --device cpu.")
    return asked


def versions() -> dict[str, str]:
    from importlib.metadata import version
    names = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "optuna", "tokenizers", "pillow")
    return {"bakeoff": __version__, "python": platform.python_version(), **{name: version(name) for name in names}}


def machine(device: str) -> dict[str, Any]:
    """The machine in words; nothing that names its owner."""
    memory = None
    cpu = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
        memory = int(next(line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))) * 1024
    except (OSError, StopIteration):
        pass                                                      # not Linux
    return {"cpu": cpu, "cores": cores(), "memory_bytes": memory, "platform": platform.platform(), "device": device}
