"""The scripts that bring data of other layouts into one that is read, on tiny inputs."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import tarfile
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bakeoff.data.base import ReadOptions
from bakeoff.data.load import files_of
from bakeoff.data.video import Video

FOLDER = Path(__file__).parents[2] / "benchmarks" / "prepare"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"prepare_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_sentences_of_two_files_become_one_table_with_a_split(tmp_path: Path) -> None:
    (tmp_path / "train.all").write_bytes("0 What is a caf\xe9 ?\x85 yes\n1 Who\tis it\n\n2 \n".encode("latin-1"))
    (tmp_path / "test.all").write_bytes(b"1 Who was it ?\n")
    script("trec").main([str(tmp_path / "out.csv"), "--train", str(tmp_path / "train.all"), "--test", str(tmp_path / "test.all")])
    assert table(tmp_path / "out.csv") == [{"text": "What is a café ?\x85 yes", "label": "0", "split": "train"},
                                           {"text": "Who\tis it", "label": "1", "split": "train"},
                                           {"text": "Who was it ?", "label": "1", "split": "test"}]


def test_folds_hold_every_label_alike_and_stay_the_same(tmp_path: Path) -> None:
    (tmp_path / "all").write_text("".join(f"{number % 2} sentence {number}\n" for number in range(60)))
    for name in ("a.csv", "b.csv"):
        script("trec").main([str(tmp_path / name), "--all", str(tmp_path / "all")])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    counts = Counter((row["fold"], row["label"]) for row in table(tmp_path / "a.csv"))
    assert set(counts.values()) == {3}
    assert {fold for fold, _ in counts} == set(map(str, range(1, 11)))


def test_sentences_ask_for_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script("trec").main([str(tmp_path / "out.csv")])
    assert "or --all" in capsys.readouterr().err


def test_a_problem_is_unpacked_into_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("A/A_TRAIN.ts", "A/A_TEST.ts", "B/B_TRAIN.tsv", "B/B_TEST.tsv", "README.md"):
            archive.writestr(name, name)
    script("ucr").main([str(tmp_path / "all.zip"), str(tmp_path / "out"), "B"])
    assert sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.*")) == ["B/B_TEST.tsv", "B/B_TRAIN.tsv"]
    with pytest.raises(SystemExit, match="has no C; it has A, B"):
        script("ucr").main([str(tmp_path / "all.zip"), str(tmp_path / "out"), "C"])


def test_reviews_keep_the_folds_of_their_names(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "reviews.tar.gz", "w:gz") as archive:
        for name, text in (("txt/neg/cv012_3.txt", "bad\nfilm"), ("txt/pos/cv945_1.txt", "good"), ("txt/readme.txt", "x")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    script("review_polarity").main([str(tmp_path / "reviews.tar.gz"), str(tmp_path / "out.csv")])
    assert table(tmp_path / "out.csv") == [{"text": "bad\nfilm", "label": "neg", "fold": "1"}, {"text": "good", "label": "pos", "fold": "10"}]


@pytest.mark.parametrize("packed", [True, False])
def test_spoken_digits_keep_the_test_of_their_authors(packed: bool, tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "recordings").mkdir(parents=True)
    for name in ("7_ann_0.wav", "7_ann_5.wav", "0_bob_4.wav", "0_bob_12.wav", "notes.wav"):
        (source / "recordings" / name).write_bytes(name.encode())
    if packed:
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            for file in source.rglob("*.wav"):
                archive.write(file, f"recordings/{file.name}")
        source = tmp_path / "in.zip"
    script("fsdd").main([str(source), str(tmp_path / "out")])
    found = table(tmp_path / "out/manifest.csv")
    assert [(row["label"], row["speaker"], row["split"]) for row in found] == [
        ("0", "bob", "test"), ("0", "bob", "train"), ("7", "ann", "test"), ("7", "ann", "train")]
    assert all((tmp_path / "out" / row["path"]).read_bytes() == Path(row["path"]).name.encode() for row in found)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="no recording named"):
        script("fsdd").main([str(tmp_path / "empty"), str(tmp_path / "out")])


@pytest.mark.parametrize("packed", [True, False])
def test_environmental_sounds_keep_their_folds(packed: bool, tmp_path: Path) -> None:
    source = tmp_path / "esc10"
    (source / "audio").mkdir(parents=True)
    (source / "esc10.csv").write_text("filename,fold,class_id,category\n1-1.flac,1,3,rain\n2-2.flac,2,4,dog\n3-3.flac,3,4,dog\n")
    for name in ("1-1.flac", "2-2.flac"):
        (source / "audio" / name).write_bytes(name.encode())
    if packed:
        with tarfile.open(tmp_path / "esc10.tar", "w") as archive:
            archive.add(source, "esc10")
        source = tmp_path / "esc10.tar"
    script("esc10").main([str(source), str(tmp_path / "out")])
    assert table(tmp_path / "out/manifest.csv") == [{"path": "audio/1-1.flac", "label": "rain", "fold": "1"},
                                                    {"path": "audio/2-2.flac", "label": "dog", "fold": "2"}]
    assert (tmp_path / "out/audio/2-2.flac").read_bytes() == b"2-2.flac"
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="no table"):
        script("esc10").main([str(tmp_path / "empty"), str(tmp_path / "out")])


def test_the_packaged_samples_can_be_built_again(tmp_path: Path, shared_data: Path) -> None:
    package = Path(__file__).parents[2] / "src" / "bakeoff" / "samples"
    build = script("samples").main
    build(["shakespeare", str(shared_data / "tiny-shakespeare/input.txt"), "--out", str(tmp_path)])
    assert (tmp_path / "shakespeare.csv").read_bytes() == (package / "shakespeare.csv").read_bytes()
    build(["digits", "--out", str(tmp_path)])
    with np.load(tmp_path / "digits.npz") as new, np.load(package / "digits.npz") as old:
        assert all((new[name] == old[name]).all() for name in ("x", "y"))
    build(["vowels", str(shared_data / "uea-multivariate/uea_multivariate.zip"), "--out", str(tmp_path)])
    with zipfile.ZipFile(tmp_path / "vowels.zip") as new_zip, zipfile.ZipFile(package / "vowels.zip") as old_zip:
        assert {name: new_zip.read(name) for name in new_zip.namelist()} == {name: old_zip.read(name) for name in old_zip.namelist()}


def test_lung_clips_of_one_examination_are_one_group(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as archive:
        for name in ("pneumonia/Pneu_city_0409_set3_vid1/frame_00.jpg", "pneumonia/Pneu_city_0409_set3_vid1/frame_01.jpg",
                     "pneumonia/Pneu_city_0409_set31_vid1/frame_00.jpg", "regular/Reg_city_0409_set3_vid7/frame_00.jpg",
                     "regular/Reg_Avi_lung-sliding-2.mp4"):
            archive.writestr(name, name)
    script("lung_clips").main([str(tmp_path / "clips.zip"), str(tmp_path / "out")])
    assert table(tmp_path / "out/clips.csv") == [
        {"path": "pneumonia/Pneu_city_0409_set31_vid1", "label": "pneumonia", "group": "city_0409_set31"},
        {"path": "pneumonia/Pneu_city_0409_set3_vid1", "label": "pneumonia", "group": "city_0409_set3"},
        {"path": "regular/Reg_Avi_lung-sliding-2.mp4", "label": "regular", "group": "Reg_Avi_lung-sliding-2"},
        {"path": "regular/Reg_city_0409_set3_vid7", "label": "regular", "group": "city_0409_set3"}]
    assert (tmp_path / "out/pneumonia/Pneu_city_0409_set3_vid1/frame_01.jpg").read_text().endswith("frame_01.jpg")
    assert all((tmp_path / "out" / row["path"]).exists() for row in table(tmp_path / "out/clips.csv"))


def test_lung_clips_are_read_as_they_are_prepared(tmp_path: Path, shared_data: Path) -> None:
    script("lung_clips").main([str(shared_data / "pocus-lung-video/pocus_northumbria_frames128.zip"), str(tmp_path)])
    rows = table(tmp_path / "clips.csv")
    assert (len(rows), len({row["group"] for row in rows})) == (47, 30)
    source = Video().read(files_of(tmp_path), ReadOptions(group="group"))
    assert Counter(source.targets) == {"pneumonia": 26, "regular": 21}
    assert {item.shape for item in source.items} == {(16, 48, 48, 1)}


@pytest.mark.parametrize("directions", [2, 4, 8])
def test_moving_digits_go_where_their_label_says(directions: int, tmp_path: Path) -> None:
    digits = np.zeros((5, 28, 28), np.uint8)
    digits[:, 6:20, 8:18] = 200
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(
            bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in digits.shape) + digits.tobytes()))
    made = script("moving_digits")
    made.main([str(tmp_path), str(tmp_path / "out"), "--clips", "40", "--frames", "7", "--directions", str(directions)])
    source = Video().read(files_of(tmp_path / "out"), ReadOptions())
    assert Counter(source.split) == {"train": 32, "test": 8}
    assert len(set(source.targets)) == directions
    for cells, label in zip(source.items, source.targets, strict=True):
        assert cells.shape == (7, 32, 32, 1)
        steps = [pace for pace in (1, 2) if all(
            np.array_equal(np.roll(one, [pace * step for step in made.WAYS[label]], (0, 1)), other) for one, other in pairwise(cells[..., 0]))]
        assert len(steps) == 1, "every frame is the one before, moved on"
    with pytest.raises(SystemExit):
        made.main([str(tmp_path), str(tmp_path / "x"), "--frames", "1"])


def test_the_last_of_each_block_of_each_class_are_tested_on(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "scenes.zip", "w") as archive:
        for label in ("field", "lake"):
            for number in range(1, 21):
                archive.writestr(f"scenes/{label}/{label[0]}{number}.jpg", b"picture")
    script("hundreds").main([str(tmp_path / "scenes.zip"), str(tmp_path / "out"), "--block", "10", "--test", "2"])
    tested = [row["path"] for row in table(tmp_path / "out" / "table.csv") if row["split"] == "test"]
    assert tested == [f"{label}/{label[0]}{number}.jpg" for label in ("field", "lake") for number in (9, 10, 19, 20)]
    assert len(table(tmp_path / "out" / "table.csv")) == 40
    assert (tmp_path / "out" / "lake" / "l1.jpg").read_bytes() == b"picture"
