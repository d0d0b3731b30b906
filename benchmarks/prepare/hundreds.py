"""A folder, or zip, of pictures per class that are numbered in blocks → the same pictures and a table with path, label and split.

    python benchmarks/prepare/hundreds.py rsscn7_four_128.zip scenes/ --block 100 --test 20

In each class and each block (here: a hundred pictures of one scale) the last `--test` are for testing, the others for training, so
that every scale is trained and tested on. Seconds.
"""

from __future__ import annotations

import argparse
import csv
import re
import zipfile
from collections import defaultdict
from pathlib import Path, PurePosixPath

ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".bmp")


def contents(source: Path) -> dict[str, bytes]:
    """class/name → bytes."""
    if source.is_dir():
        return {f"{file.parent.name}/{file.name}": file.read_bytes() for file in sorted(source.rglob("*")) if file.suffix.lower() in ENDINGS}
    with zipfile.ZipFile(source) as archive:
        return {"/".join(PurePosixPath(name).parts[-2:]): archive.read(name) for name in archive.namelist() if name.lower().endswith(ENDINGS)}


def number_of(name: str) -> int:
    """The last number in a file's name."""
    return int(re.findall(r"\d+", PurePosixPath(name).stem)[-1])


def rows(names: list[str], block: int, test: int) -> list[tuple[str, str, str]]:
    """(path, label, split): within each class the pictures in the order of their numbers, and of each block the last are tested on."""
    classes: dict[str, list[str]] = defaultdict(list)
    for name in names:
        classes[name.split("/")[0]].append(name)
    return [(name, label, "test" if place % block >= block - test else "train")
            for label, own in sorted(classes.items()) for place, name in enumerate(sorted(own, key=number_of))]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the archive or folder")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--block", type=int, default=100)
    parser.add_argument("--test", type=int, default=20, help="how many of each block are for testing")
    asked = parser.parse_args(arguments)
    found = contents(asked.source)
    if not found:
        raise SystemExit(f"there are no pictures in {asked.source}")
    table = rows(list(found), asked.block, asked.test)
    for name, content in found.items():
        (file := asked.out / name).parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    with (asked.out / "table.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "label", "split"))
        writer.writerows(table)
    print(f"{asked.out}: {len(table):,} pictures, {sum(split == 'test' for *_, split in table):,} of them for testing")


if __name__ == "__main__":
    main()
