"""Sentences with a label in front, one a line, → a table with the columns text, label and split or fold.

    python benchmarks/prepare/trec.py trec.csv --train TREC.train.all --test TREC.test.all
    python benchmarks/prepare/trec.py mr.csv --all rt-polarity.all
    python benchmarks/prepare/trec.py cr.csv --all custrev.all

The files are those of github.com/harvardnlp/sent-conv-torch, data: latin-1, parted at "\\n" alone. Then
`bakeoff run trec.csv`, or for the protocol of ten folds `bakeoff run mr.csv --folds fold`. Seconds.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import defaultdict
from pathlib import Path

Row = tuple[str, str]                 # (text, label)


def read(path: Path, encoding: str) -> list[Row]:
    """The lines that have a label and a text."""
    rows = []
    for line in path.read_bytes().decode(encoding).split("\n"):
        label, _, text = line.strip().partition(" ")
        if text.strip():
            rows.append((text.strip(), label))
    return rows


def in_folds(rows: list[Row], folds: int, seed: int) -> list[int]:
    """A fold 1 … n for each row, every label spread evenly, the same for the same seed."""
    by_label: dict[str, list[int]] = defaultdict(list)
    for number, (_, label) in enumerate(rows):
        by_label[label].append(number)
    chance = random.Random(seed)
    found = [0] * len(rows)
    dealt = 0
    for label in sorted(by_label):
        chance.shuffle(by_label[label])
        for number in by_label[label]:
            found[number] = dealt % folds + 1
            dealt += 1
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the table to write")
    parser.add_argument("--train", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--all", type=Path, help="one file with all sentences, to be put into folds")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    parser.add_argument("--encoding", default="latin-1")
    asked = parser.parse_args(arguments)
    if asked.all:
        rows = read(asked.all, asked.encoding)
        column, where = "fold", list(map(str, in_folds(rows, asked.folds, asked.seed)))
    elif asked.train and asked.test:
        train, test = read(asked.train, asked.encoding), read(asked.test, asked.encoding)
        rows, column, where = [*train, *test], "split", ["train"] * len(train) + ["test"] * len(test)
    else:
        parser.error("give --train and --test, or --all")
    with asked.out.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("text", "label", column))
        table.writerows((*row, place) for row, place in zip(rows, where, strict=True))
    print(f"{asked.out}: {len(rows):,} sentences")


if __name__ == "__main__":
    main()
