"""The scripts that bring data of other layouts into one that is read, on tiny inputs."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import itertools
import tarfile
import wave
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bakeoff.data.audio import Audio
from bakeoff.data.base import ReadOptions
from bakeoff.data.load import files_of
from bakeoff.data.series import Series
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


def test_spoken_sequences_are_made_of_their_own_split_and_say_what_they_say(tmp_path: Path) -> None:
    """Every digit of a speaker has a level of its own, so that what is heard can be read back."""
    rate, source = 1000, tmp_path / "in"
    source.mkdir()
    levels = {}
    for digit, speaker, index in itertools.product((0, 3, 7), ("ann", "bob"), (0, 4, 5, 9)):
        levels[len(levels) + 1] = (digit, speaker, "test" if index < 5 else "train")
        with wave.open(str(source / f"{digit}_{speaker}_{index}.wav"), "wb") as sound:
            sound.setparams((1, 2, rate, 0, "NONE", ""))
            sound.writeframes(np.full(50, len(levels), "<i2").tobytes())
    made = script("spoken_sequences")
    for out in ("a", "b"):
        made.main([str(source), str(tmp_path / out), "--train", "12", "--test", "6"])
    rows = table(tmp_path / "a/manifest.csv")
    assert (tmp_path / "a/manifest.csv").read_bytes() == (tmp_path / "b/manifest.csv").read_bytes()
    assert Counter(row["split"] for row in rows) == {"train": 12, "test": 6}
    for row in rows:
        assert (tmp_path / "a" / row["path"]).read_bytes() == (tmp_path / "b" / row["path"]).read_bytes()
        with wave.open(str(tmp_path / "a" / row["path"])) as sound:
            x = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        heard = [int(part[0]) for part in np.split(x, np.flatnonzero(np.diff(x)) + 1) if part[0]]
        assert 3 <= len(heard) <= 7
        assert " ".join(made.WORDS[levels[one][0]] for one in heard) == row["text"]
        assert {levels[one][1:] for one in heard} == {(row["speaker"], row["split"])}
        assert x[0] == x[-1] == 0
    source = Audio().read(files_of(tmp_path / "a"), ReadOptions())
    assert (source.task, source.targets[0]) == ("transcribe", rows[0]["text"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="no recordings named"):
        made.main([str(tmp_path / "empty"), str(tmp_path / "out")])


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


def test_stock_days_are_read_before_they_are_told_and_split_by_date(tmp_path: Path) -> None:
    days = np.arange("2013-12-02", "2016-01-05", dtype="datetime64[D]")
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "prices.zip", "w") as archive:
        for symbol in ("AAA", "BBB"):
            close = 100 * np.cumprod(1 + rng.choice([-0.02, -0.001, 0.0, 0.004, 0.02], len(days)))
            lines = [f"{day},{value:.6f},{1.01 * value:.6f},{0.99 * value:.6f},{value:.6f},{value:.6f},{1000 + place}"
                     for place, (day, value) in enumerate(zip(days, close, strict=True))]
            lines[3] = f"{days[3]}" + ",null" * 6
            archive.writestr(f"price/raw/{symbol}.csv", "\n".join(["Date,Open,High,Low,Close,Adj Close,Volume", *lines]) + "\n")
            if symbol == "BBB":
                last = close
        archive.writestr("StockTable", "sector\n")
    script("stocknet").main([str(tmp_path / "prices.zip"), str(tmp_path / "out.npz"), "--days", "5"])
    with np.load(tmp_path / "out.npz", allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    assert arrays["x_test"].shape[1:] == (5, 5)
    for part, first, until in (("train", "2014-01-01", "2015-07-31"), ("val", "2015-08-01", "2015-09-30"), ("test", "2015-10-01", "2015-12-31")):
        assert first <= min(arrays[f"group_{part}"].tolist()) <= max(arrays[f"group_{part}"].tolist()) <= until
        assert set(arrays[f"y_{part}"].tolist()) == {"up", "down"}
    day, label = np.datetime64(arrays["group_test"][-1]), arrays["y_test"][-1]
    place = int((day - days[0]).astype(int))
    assert label == ("up" if last[place] > last[place - 1] else "down")
    moved = 100 * (last[place - 5:place] / last[place - 6:place - 1] - 1)
    np.testing.assert_allclose(arrays["x_test"][-1][3], moved, atol=1e-3)      # nothing of the day itself
    np.testing.assert_allclose(arrays["x_test"][-1][1], 1.0, atol=1e-3)
    source = Series().read(files_of(tmp_path / "out.npz"), ReadOptions())
    assert source.groups is not None
    assert set(source.groups) == {str(day) for part in ("train", "val", "test") for day in arrays[f"group_{part}"]}
