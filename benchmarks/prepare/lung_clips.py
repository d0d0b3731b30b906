"""Lung ultrasound clips → a folder with the clips and a table with the columns path, label and group.

    python benchmarks/prepare/lung_clips.py pocus_northumbria_frames128.zip lung-frames/
    python benchmarks/prepare/lung_clips.py pocus_northumbria_videos.zip lung-videos/

The archives hold CLASS/CLIP/frame_00.jpg … or CLASS/CLIP.avi; the clips are those of github.com/jannisborn/covid19_pocus_ultrasound.
Clips whose names share a date and 'setN' are of one examination, whatever their class, and must not part: then
`bakeoff run lung-frames --group group --folds 5`. A clip without a set is a group of its own. Seconds.
"""

from __future__ import annotations

import argparse
import csv
import re
import zipfile
from pathlib import Path, PurePosixPath


def group_of(clip: str) -> str:
    """'northumbria_0409_set3' of 'Pneu_northumbria_0409_set3_vid1.avi'; without a set the clip's own name."""
    name = clip.partition(".")[0]
    found = re.match(r"[^_]*_(.*set\d+)", name)
    return found[1] if found else name


def unpack(source: Path, out: Path) -> list[tuple[str, str, str]]:
    """Writes the clips below `out`; (path, label, group) of each, by path."""
    clips: dict[str, tuple[str, str, str]] = {}
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            parts = PurePosixPath(name).parts
            if name.endswith("/") or len(parts) < 2 or ".." in parts:
                continue
            label, clip = parts[:2]
            target = out / label / Path(*parts[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
            clips[f"{label}/{clip}"] = (f"{label}/{clip}", label, group_of(clip))
    return [clips[path] for path in sorted(clips)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("out", type=Path, help="the folder to write")
    asked = parser.parse_args(arguments)
    found = unpack(asked.archive, asked.out)
    with (asked.out / "clips.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("path", "label", "group"))
        table.writerows(found)
    print(f"{asked.out}: {len(found)} clips of {len({group for _, _, group in found})} examinations")


if __name__ == "__main__":
    main()
