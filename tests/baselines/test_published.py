"""On real data the baselines reach what has been published for them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from bakeoff.baselines.linear import Linear
from bakeoff.baselines.nearest import Nearest
from bakeoff.baselines.rocket import Rocket


def series(folder: Path, name: str):
    """(train, test) of a UCR problem, each cells (N, T, 1) and labels."""
    parts = []
    with ZipFile(folder / "ucr-univariate/ucr_univariate.zip") as archive:
        for part in ("TRAIN", "TEST"):
            (file,) = (one for one in archive.namelist() if one.split("/")[-1].startswith(f"{name}_{part}."))
            lines = archive.read(file).decode().split("\n")
            rows = [re.split(r"[,:\t]", line.strip()) for line in lines if line.strip() and line[0] not in "@#%"]
            first = file.endswith(".tsv")
            cells = np.array([row[1:] if first else row[:-1] for row in rows], dtype=np.float32)[..., None]
            parts.append((cells, [row[0] if first else row[-1] for row in rows]))
    return parts


def accuracy(cls, params, made, train, test, vocabulary=None):
    (data, task), (held, _) = (made(*part, vocabulary) for part in (train, test))
    held.spec = data.spec
    fitted = cls().fit(data, task, {**cls.space(data.spec, task).defaults(), **params}, 0)
    return float((fitted.outputs(held).argmax(1) == task.collate(held.targets)).float().mean())


@pytest.mark.parametrize(("name", "published"), [("GunPoint", 1.0), ("ItalyPowerDemand", 0.970), ("SyntheticControl", 1.0), ("ECG200", 0.906)])
def test_rocket_reaches_rocket(shared_data, made, name, published):
    assert accuracy(Rocket, {}, made, *series(shared_data, name)) >= published - 0.02


@pytest.mark.parametrize(("name", "published"), [("GunPoint", 0.907), ("SyntheticControl", 0.993), ("CBF", 0.997), ("ECG200", 0.770)])
def test_one_neighbour_by_unlimited_warping_is_the_published_one(shared_data, made, name, published):
    assert accuracy(Nearest, {"nearest.band": 1.0}, made, *series(shared_data, name)) == pytest.approx(published, abs=0.002)


def test_a_linear_model_answers_what_questions_ask_for(shared_data, made):
    parts = []
    for part in ("train", "test"):
        lines = (shared_data / f"sentence-classification/TREC.{part}.all").read_text(encoding="latin-1").lower().split("\n")
        parts.append([(line.split(" ", 1)[0], re.findall(r"\w+|[^\w\s]", line.split(" ", 1)[1])) for line in lines if line.strip()])
    counts = Counter(word for _, words in parts[0] for word in words)
    vocabulary = ["<pad>", "<unk>", *(word for word, count in counts.most_common() if count > 1)]
    number = {word: place for place, word in enumerate(vocabulary)}
    ids = [([np.array([number.get(word, 1) for word in words], dtype=np.int32) for _, words in part], [label for label, _ in part]) for part in parts]
    assert accuracy(Linear, {}, made, *ids, vocabulary) >= 0.87
