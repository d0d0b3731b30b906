"""Spoken digits named digit_speaker_index.wav → their folder and a manifest with the columns path, label, speaker and split.

    python benchmarks/prepare/fsdd.py fsdd.zip fsdd/

The recordings are those of github.com/Jakobovski/free-spoken-digit-dataset, as an archive or a folder. Index 0 to 4 of every
digit and speaker is the test, as its authors have it. Then `bakeoff run fsdd/`, or with speakers kept apart
`bakeoff run fsdd/ --folds 6 --group speaker`. Seconds.
"""

from __future__ import annotations

import argparse
import csv
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[^_]+)_(?P<index>\d+)\.wav")
TEST = range(5)


def recordings(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name without folders and content of every recording."""
    if source.is_dir():
        for file in source.rglob("*.wav"):
            yield file.name, file.read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            if name.endswith(".wav"):
                yield PurePosixPath(name).name, archive.read(name)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the archive or folder of recordings")
    parser.add_argument("out", type=Path, help="the folder to write")
    asked = parser.parse_args(arguments)
    (asked.out / "recordings").mkdir(parents=True, exist_ok=True)
    rows = []
    for name, content in recordings(asked.source):
        said = NAME.fullmatch(name)
        if said:
            (asked.out / "recordings" / name).write_bytes(content)
            split = "test" if int(said["index"]) in TEST else "train"
            rows.append((said["digit"], said["speaker"], int(said["index"]), (f"recordings/{name}", said["digit"], said["speaker"], split)))
    if not rows:
        raise SystemExit(f"{asked.source} has no recording named digit_speaker_index.wav")
    with (asked.out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("path", "label", "speaker", "split"))
        table.writerows(row for *_, row in sorted(rows))
    print(f"{asked.out}: {len(rows):,} recordings, {sum(row[-1] == 'test' for *_, row in rows):,} of them the test")


if __name__ == "__main__":
    main()
