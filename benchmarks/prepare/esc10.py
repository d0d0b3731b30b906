"""Environmental sounds with their own table → their folder and a manifest with the columns path, label and fold.

    python benchmarks/prepare/esc10.py esc10_16k.tar esc10/

The archive, or folder, is that of ESC-10 or ESC-50: a table with filename, fold and category, and a folder audio. Then
`bakeoff run esc10/ --folds fold` tests on each of the five folds in turn, as its author does. Seconds.
"""

from __future__ import annotations

import argparse
import csv
import io
import tarfile
from pathlib import Path, PurePosixPath

ENDINGS = (".wav", ".flac", ".ogg")


def contents(source: Path) -> dict[str, bytes]:
    """The sounds and the tables, by name without folders."""
    if source.is_dir():
        return {file.name: file.read_bytes() for file in source.rglob("*") if file.suffix in (*ENDINGS, ".csv")}
    with tarfile.open(source) as archive:
        return {PurePosixPath(member.name).name: stream.read() for member in archive
                if member.name.endswith((*ENDINGS, ".csv")) and (stream := archive.extractfile(member))}


def rows(found: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """(path, label, fold) of every sound that the table names and that is there. Raises SystemExit where there is no such table."""
    for name, content in found.items():
        table = list(csv.DictReader(io.StringIO(content.decode("utf-8")))) if name.endswith(".csv") else []
        if table and {"filename", "fold", "category"} <= table[0].keys():
            return [(f"audio/{row['filename']}", row["category"], row["fold"]) for row in table if row["filename"] in found]
    raise SystemExit("there is no table with the columns filename, fold and category")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the archive or folder")
    parser.add_argument("out", type=Path, help="the folder to write")
    asked = parser.parse_args(arguments)
    found = contents(asked.source)
    table = rows(found)
    (asked.out / "audio").mkdir(parents=True, exist_ok=True)
    for path, _, _ in table:
        (asked.out / path).write_bytes(found[path.removeprefix("audio/")])
    with (asked.out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "label", "fold"))
        writer.writerows(table)
    print(f"{asked.out}: {len(table):,} sounds in {len({fold for *_, fold in table})} folds")


if __name__ == "__main__":
    main()
