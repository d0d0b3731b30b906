"""What names of files and folders say: which split, which sort of file, which files belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

SPLITS = {"train": "train", "training": "train", "trn": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
          "test": "test", "testing": "test", "tst": "test", "t10k": "test"}
IMAGES = frozenset([".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".ico",
                    ".tga", ".dcm"])
SOUNDS = frozenset([".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus", ".aiff"])
CLIPS = frozenset([".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg"])
TABLES = frozenset([".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arff", ".data"])
MEDIA = IMAGES | SOUNDS | CLIPS
NO_LINES = MEDIA | TABLES | {".npz", ".npy", ".ts", ".mat", ".json", ".xml", ".pdf"}     # never files of which each line is an example

_WORDS = "|".join(sorted(SPLITS, key=len, reverse=True))
_IN_STEM = re.compile(rf"(?:^|[_\-. ])({_WORDS})(?=$|[_\-. ])", re.IGNORECASE)


def ending(name: str) -> str:
    """'.jpg' of 'roses/0412.JPG'."""
    last = name.rpartition("/")[2]
    dot = last.rfind(".")
    return last[dot:].lower() if dot > 0 else ""


def by_number(name: str) -> tuple[tuple[int, str], ...]:
    """A key that puts 'frame 9' before 'frame 10'."""
    return tuple((len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name))


def folder_of(name: str) -> str:
    """'train/roses' of 'train/roses/0412.jpg'; '' at the top."""
    return name.rpartition("/")[0]


def split_order(split: str | None) -> int:
    """Train first, then validation, then test."""
    return ("train", "val", "test").index(split or "train")


def file_split(name: str) -> str | None:
    """'train' | 'val' | 'test' as the file's own name says: 'GunPoint_TRAIN.ts', 'adult-test.csv', 'val.txt', 't10k-images…'."""
    found = _IN_STEM.findall(PurePosixPath(name).name.partition(".")[0]) or _IN_STEM.findall(PurePosixPath(name).stem)
    return SPLITS[found[-1].lower()] if found else None


def common_stem(name: str) -> str:
    """The file's name without what says the split: 'adult' of 'adult-train.csv', '' of 'train.csv'; the same for all parts."""
    stem = PurePosixPath(name).name.partition(".")[0]
    return _IN_STEM.sub("", stem).strip("_-. ").lower()


def folder_splits(names: Iterable[str]) -> Mapping[str, tuple[str, str]]:
    """Folder → (split, the folder without the part that says it), for folders under train/ val/ test/.

    A level of folders says the split where every folder on it has such a name: 'car', 'train', 'bus' are classes.
    Levels with one folder alone ('flowers/train/roses') are passed through.
    """
    folders = {tuple(folder_of(name).split("/")) for name in names if "/" in name}
    depth = 0
    while folders:
        level = {parts[depth] for parts in folders if len(parts) > depth}
        if level and all(part.lower() in SPLITS for part in level) and all(len(parts) > depth for parts in folders):
            return {"/".join(parts): (SPLITS[parts[depth].lower()], "/".join(parts[:depth] + parts[depth + 1:])) for parts in folders}
        if len(level) != 1:
            break
        depth += 1
    return {}
