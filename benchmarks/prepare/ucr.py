"""Unpacks one problem, or all, of an archive of series problems into folders that can be read.

    python benchmarks/prepare/ucr.py ucr_univariate.zip data/ GunPoint ItalyPowerDemand
    python benchmarks/prepare/ucr.py ucr_univariate.zip data/

Then `bakeoff run data/GunPoint`. Not needed for a single problem: `bakeoff run ucr_univariate.zip/GunPoint` reads it in
place. Seconds.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path, PurePosixPath


def unpack(source: Path, out: Path, wanted: list[str]) -> list[str]:
    """Writes NAME/NAME_TRAIN.* and NAME_TEST.*; the problems written. Raises SystemExit for one that is not there."""
    with zipfile.ZipFile(source) as archive:
        members: dict[str, list[str]] = {}
        for name in archive.namelist():
            part = PurePosixPath(name)
            if part.stem.endswith(("_TRAIN", "_TEST")):
                members.setdefault(part.stem.rpartition("_")[0], []).append(name)
        lacking = sorted(set(wanted) - members.keys())
        if lacking:
            raise SystemExit(f"{source} has no {', '.join(lacking)}; it has {', '.join(sorted(members))}")
        problems = wanted or sorted(members)
        for problem in problems:
            (out / problem).mkdir(parents=True, exist_ok=True)
            for name in members[problem]:
                (out / problem / PurePosixPath(name).name).write_bytes(archive.read(name))
    return problems


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("out", type=Path, help="folder for the problems' folders")
    parser.add_argument("problem", nargs="*", help="the problems wanted (all)")
    asked = parser.parse_args(arguments)
    print(", ".join(unpack(asked.archive, asked.out, asked.problem)))


if __name__ == "__main__":
    main()
