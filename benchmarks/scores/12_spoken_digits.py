"""Row 12: spoken digits from their mel spectrograms, by a convolutional, a recurrent, a mixed and an attention network.

Data: Jackson et al., Free Spoken Digit Dataset, https://github.com/Jakobovski/free-spoken-digit-dataset; recordings 0 to 4 of each speaker
and digit are the test. Values between .957 and .993 are in print for this split.
Command: python benchmarks/scores/12_spoken_digits.py --data FOLDER      (FOLDER: with fsdd.zip, or with its recordings)
Expected: the best network at least .970. Beside it, what becomes of a speaker who was not in training: each of the six left out in turn.
It falls from .99 and more to .61 – .74. 53 minutes on cores that others used too; more than half of them are the mixed network's.

Every network: its starting setting on 40 mel bands in steps of 10 ms, width 64, 12 epochs; no choice is made on the test recordings. The
convolutional and the mixed network read squares of 4 × 4 cells, the others one frame of 10 ms after the other.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from files import opened
from row import Part, Row, fit, setting

from bakeoff.data.base import Splits
from bakeoff.tasks.base import Task
from bakeoff.train import loop

NETWORKS: dict[str, dict[str, Any]] = {"resnet": {"fold": "keep 4"}, "crnn": {"fold": "keep 4"}, "lstm": {"fold": "leading"},
                                       "transformer": {"fold": "leading"}}
EPOCHS, SPEAKERS = 12, 6
IN_PRINT, BAR = ".957 – .993", 0.970


def accuracy(row: Row, name: str, splits: Splits, task: Task, seed: int) -> float:
    train, test = splits.together(), splits.test
    assert test is not None
    params = setting(name, train, task, **NETWORKS[name])
    network = fit(name, train, task, params, steps=EPOCHS * len(train) // int(params["batch"]), seed=seed, device=row.device)
    return loop.evaluate(network, test, task, row.device)[0]


def main() -> int:
    row = Row(12, "spoken_digits", __doc__ or "")
    archive = row.folder() / "fsdd.zip"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(Path(__file__).parent.parent / "prepare/fsdd.py"), str(archive if archive.exists() else row.folder()),
                        folder], check=True)
        for name in NETWORKS:
            if row.wants(f"{name} given split"):
                splits, task = opened(folder)
                values = [accuracy(row, name, splits, task, seed) for seed in range(3)]
                row.add(Part(f"{name} given split", IN_PRINT, None, "high", values, "accuracy", setting=said(name)))
        means = {name: part["value"] for name in NETWORKS for part in row.parts if part["name"] == f"{name} given split"}
        if row.wants("best given split"):
            row.add(Part("best given split", IN_PRINT, BAR, "high", list(means.values()), "accuracy", how="best",
                         setting="the best of the means of " + ", ".join(means)))
        for name in NETWORKS:
            if row.wants(f"{name} speaker left out"):
                found = []
                for fold in range(SPEAKERS):
                    found.append(accuracy(row, name, *opened(folder, fold, folds=str(SPEAKERS), group="speaker"), 0))
                    print(f"{name}, speaker {fold + 1}: {found[-1]:.3f}", flush=True)
                row.add(Part(f"{name} speaker left out", "", None, "high", found, "accuracy", setting=f"{said(name)}; a value for each speaker"))
    return row.finish()


def said(name: str) -> str:
    return ", ".join([*(f"{key} {value}" for key, value in NETWORKS[name].items()), f"width 64, batch 32, {EPOCHS} epochs, nothing tuned"])


if __name__ == "__main__":
    sys.exit(main())
