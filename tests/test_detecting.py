"""A whole run on images with boxes: a report that draws them, answers as lists in the pixels of each file, new images."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import bakeoff
from bakeoff.use.predict import predict


@pytest.fixture(scope="module")
def squares(tmp_path_factory) -> Path:
    """Red squares on noise, in files of many sizes; one image in ten has none. A class is called like a script."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("squares")
    lines = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
    for number in range(60):
        wide, high = rng.integers(24, 40, 2)
        x = rng.integers(40, 120, (high, wide, 3)).astype(np.uint8)
        cells = f"{number:02}.png,{wide},{high}"
        if number % 10:
            left, top, side = rng.integers(0, wide - 16), rng.integers(0, high - 16), rng.integers(10, 16)
            x[top:top + side, left:left + side] = 240, 20, 20
            lines.append(f"{cells},<b>red</b>,{left},{top},{left + side},{top + side}")
        else:
            lines.append(f"{cells},,,,,")
        Image.fromarray(x).save(folder / f"{number:02}.png")
    (folder / "boxes.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def finished(squares, tmp_path_factory) -> bakeoff.Result:
    return bakeoff.run(squares, slate="tcn", trials=1, examples=400, seeds=1, jobs=1, out=tmp_path_factory.mktemp("run") / "whole",
                       set={"width": 32, "views": "plain"})


def test_the_records_tell_of_boxes(finished) -> None:
    folder = Path(finished.folder)
    data = json.loads((folder / "data.json").read_text())
    assert (data["kind"], data["task"], data["classes"], data["facts"]["boxes"]) == ("image", "detect", None, {"<b>red</b>": 54})
    assert json.loads((folder / "verdict.json").read_text())["metric"] == "map50"
    assert set(json.loads((folder / "comparison.json").read_text())["beside"]["mean_box"]) == {"map"}
    with (folder / "leaderboard.csv").open() as file:
        found = {row["contender"]: row for row in csv.DictReader(file)}
    assert set(found) == {"tcn", "mean_box"}
    assert float(found["tcn"]["low"]) <= float(found["tcn"]["value"]) <= float(found["tcn"]["high"])
    answers = pd.read_parquet(folder / "finals/tcn/seed-0/answers.parquet")
    assert list(answers.columns) == ["key", "target", "answer"]
    assert set(answers["answer"][0][0]) == {"label", "score", "box"}


def test_every_class_has_a_line_of_its_own(finished) -> None:
    folder = Path(finished.folder)
    classes = json.loads((folder / "comparison.json").read_text())["classes"]
    assert set(classes) == {"tcn", "mean_box"}
    with (folder / "leaderboard.csv").open() as file:
        values = {row["contender"]: float(row["value"]) for row in csv.DictReader(file)}
    for name, (one,) in classes.items():
        assert one["label"] == "<b>red</b>"
        assert one["value"] == pytest.approx(values[name])
        assert one["low"] <= one["value"] <= one["high"]
    page = (folder / "report.html").read_text()
    assert "boxes in test" in page
    assert "finds &lt;b&gt;red&lt;/b&gt; with an average precision of" in page


def test_the_report_draws_boxes_and_escapes_their_labels(finished) -> None:
    page = (Path(finished.folder) / "report.html").read_text()
    assert '<svg class="chart boxes"' in page
    assert 'class="true"' in page
    assert 'class="guess"' in page
    assert "<b>red" not in page
    assert "&lt;b&gt;red" in page
    assert "Confusion" not in page
    assert "No answers were kept" not in page


@pytest.mark.parametrize("contender", ["tcn", "mean_box"])
def test_new_images_are_answered_in_their_own_pixels(finished, tmp_path, contender) -> None:
    (tmp_path / "new").mkdir()
    for name, scale in (("small", 1), ("large", 4)):
        x = np.full((30 * scale, 32 * scale, 3), 80, np.uint8)
        x[8 * scale:22 * scale, 10 * scale:24 * scale] = 240, 20, 20
        Image.fromarray(x).save(tmp_path / f"new/{name}.png")
    (tmp_path / "new/broken.png").write_bytes(b"none")
    table, problems = predict(finished.folder, tmp_path / "new", tmp_path / "out.jsonl", contender)
    assert table["key"].tolist() == ["broken.png", "large.png", "small.png"]
    assert table["answer"][0] is None
    assert len(problems) == 1
    large, small = (answer[0] for answer in table["answer"][1:])
    assert large["label"] == "<b>red</b>"
    assert np.allclose(np.array(small["box"]) * 4, large["box"], atol=8)
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[1])["answer"][0]["box"] == large["box"]
