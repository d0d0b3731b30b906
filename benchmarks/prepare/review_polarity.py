"""Whole movie reviews (polarity dataset v2.0) → a table with the columns text, label and fold, the ten folds of its authors.

    python benchmarks/prepare/review_polarity.py review_polarity.tar.gz reviews.csv

Fold 1 … 10 is the first digit of cvNNN in a file's name, plus one. Then `bakeoff run reviews.csv --folds fold`; without
the folds the archive is read as it is. Seconds.
"""

from __future__ import annotations

import argparse
import csv
import re
import tarfile
from pathlib import Path

NAME = re.compile(r"(?:^|/)(neg|pos)/cv(\d)\d\d_\d+\.txt$")


def rows(source: Path) -> list[tuple[str, str, int]]:
    """(text, label, fold) of every review, by label and name."""
    found = []
    with tarfile.open(source) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            said = NAME.search(member.name)
            content = archive.extractfile(member) if said else None
            if said and content:
                found.append((content.read().decode("latin-1"), said[1], int(said[2]) + 1))
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("out", type=Path, help="the table to write")
    asked = parser.parse_args(arguments)
    found = rows(asked.archive)
    with asked.out.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("text", "label", "fold"))
        table.writerows(found)
    print(f"{asked.out}: {len(found):,} reviews")


if __name__ == "__main__":
    main()
