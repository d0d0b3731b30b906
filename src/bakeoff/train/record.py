"""Trial ↔ disk: a line of trials.jsonl each, with a checksum, written only when the training has ended."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bakeoff.errors import RunError
from bakeoff.types import Cost, Job, Point, Spend, Trial


def line_of(trial: Trial) -> str:
    """One line of JSON with the crc32 of its own content."""
    body = canonical(asdict(trial))
    return f'{{"sum": "{zlib.crc32(body.encode()):08x}", "trial": {body}}}\n'


def canonical(record: Any) -> str:
    """JSON with sorted keys and without NaN, the same bytes for the same record."""
    return json.dumps(plain(record), sort_keys=True, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """NaN and infinities as None, tuples and arrays as lists, numpy and torch scalars as numbers."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, int):
        return int(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def trial_from(record: Mapping[str, Any]) -> Trial:
    def point(values: Mapping[str, Any]) -> Point:
        known: dict[str, Any] = {key: math.nan if one is None else one for key, one in values.items()}
        return Point(**known)

    curve = tuple(point(values) for values in record["curve"])
    fields: dict[str, Any] = {**record, "job": Job(**record["job"]), "curve": curve, "spent": Spend(**record["spent"]),
                              "cost": None if record["cost"] is None else Cost(**record["cost"])}
    return Trial(**fields)


def append(path: Path, trial: Trial) -> None:
    """Adds a line and has it on the disk before returning."""
    with path.open("ab") as file:
        file.write(line_of(trial).encode())
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> list[Trial]:
    """Every whole record. A last line cut short by a crash is removed from the file; damage elsewhere is an error."""
    if not path.exists():
        return []
    raw = path.read_bytes()
    trials, good = [], 0
    for number, line in enumerate(raw.splitlines(keepends=True), 1):
        try:
            record = json.loads(line)
            if f"{zlib.crc32(canonical(record['trial']).encode()):08x}" != record["sum"] or not line.endswith(b"\n"):
                raise ValueError("checksum")
            trials.append(trial_from(record["trial"]))
        except (ValueError, KeyError, TypeError):
            if good + len(line) < len(raw):
                raise RunError("a record is damaged", f"{path}, line {number}",
                               "Restore the file, or remove this line: its training will be repeated by `bakeoff resume`.") from None
            with path.open("r+b") as file:
                file.truncate(good)
            break
        good += len(line)
    return trials


def write_whole(path: Path, text: str | bytes) -> None:
    """Replaces a file in one step: a reader, or a crash, sees the old one or the new one."""
    partial = path.with_name(f".{path.name}.partial")
    data = text.encode() if isinstance(text, str) else text
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def write_json(path: Path, record: Any) -> None:
    write_whole(path, json.dumps(plain(record), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def rowed(value: Any) -> Any:
    """A table's column holds rows of numbers, as narrow as they are, but no arrays of them."""
    return list(value) if getattr(value, "ndim", 0) > 1 else value


def listed(value: Any) -> Any:
    """Arrays as the lists of numbers that a table or JSON keeps; anything else as it is."""
    if isinstance(value, Mapping):
        return {name: listed(one) for name, one in value.items()}
    value = value.tolist() if hasattr(value, "tolist") else value
    return [listed(one) for one in value] if isinstance(value, list) and value and isinstance(value[0], Mapping) else value
