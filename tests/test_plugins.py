"""Families from outside: a package that names an entry point, and a script that registers one and runs it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / "examples" / "my_family.py").read_text(encoding="utf-8")
FAMILY, SCRIPT = EXAMPLE.split('if __name__ == "__main__":')
COUNTS = ["--trials", "1", "--examples", "64", "--seeds", "1", "--jobs", "1"]


def bakeoff_with(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, with `path` among the places that modules and packages' metadata are looked for; nothing is installed."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(ROOT / "src")])}
    return subprocess.run([sys.executable, *words], cwd=path, env=env, capture_output=True, text=True, check=False)


def test_a_package_that_names_an_entry_point_brings_a_family(tmp_path):
    (tmp_path / "bakeoff_shift.py").write_text(FAMILY, encoding="utf-8")
    (metadata := tmp_path / "bakeoff_shift-1.0.dist-info").mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bakeoff-shift\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[bakeoff]\nshift = bakeoff_shift\n")
    listed = bakeoff_with(tmp_path, "-m", "bakeoff", "families")
    assert "shift\tconv\tLin et al. 2019, https://arxiv.org/abs/1811.08383\t1\t" in listed.stdout, listed.stderr
    done = bakeoff_with(tmp_path, "-m", "bakeoff", "run", "sample:order", "--slate", "shift", "--out", "out", *COUNTS)
    assert done.returncode == 0, done.stderr
    assert valued(tmp_path / "out")
    answered = bakeoff_with(tmp_path, "-m", "bakeoff", "predict", "out", "sample:order", "--contender", "shift", "-o", "answers.csv")
    assert answered.returncode == 0, answered.stderr


def test_a_script_that_registers_a_family_can_run_it(tmp_path):
    run = 'bakeoff.run("sample:order", slate="shift", trials=1, examples=64, seeds=1, jobs=1, out="out")'
    (tmp_path / "mine.py").write_text(f'{FAMILY}if __name__ == "__main__":\n    {run}\n', encoding="utf-8")
    done = bakeoff_with(tmp_path, "mine.py")
    assert done.returncode == 0, done.stderr
    assert valued(tmp_path / "out")


def test_a_script_that_runs_unguarded_is_told_so(tmp_path):
    run = 'bakeoff.run("sample:order", slate="shift,mlp", trials=1, examples=64, seeds=1, jobs=1, out="out")'
    (tmp_path / "mine.py").write_text(f"{FAMILY}{run}\n", encoding="utf-8")
    done = bakeoff_with(tmp_path, "mine.py")
    assert '__name__ == "__main__"' in (tmp_path / "out" / "log.txt").read_text() + done.stderr


def valued(folder: Path) -> bool:
    with (folder / "leaderboard.csv").open(newline="", encoding="utf-8") as file:
        return any(row["contender"] == "shift" and row["value"] for row in csv.DictReader(file))
