"""Real data sets are recognised without being told, in the layouts in which they are passed around."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bakeoff.data.load import Loaded
from bakeoff.errors import DataError

Check = Callable[..., Loaded]


def test_fashion_mnist_is_an_idx_pair_with_its_own_test(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "fashion-mnist")
    assert (loaded.kind_name, loaded.task_name) == ("image", "classify")
    assert loaded.record["counts"] == {"train": 48000, "val": 12000, "test": 10000}
    assert loaded.record["classes"]["7"] == {"train": 4800, "val": 1200, "test": 1000}
    assert loaded.spec.mean[0] / 255 == pytest.approx(0.2860, abs=0.001)        # as its README states
    assert loaded.spec.std[0] / 255 == pytest.approx(0.3530, abs=0.001)


def test_batches_are_taken_faster_than_any_network_eats_them(shared_data: Path, check: Check) -> None:
    """1 M images/s is the aim (benchmarks/speed/load.py); a quarter of it holds on a busy machine too."""
    train = check(shared_data / "fashion-mnist").splits.train
    train.aim(torch.zeros(len(train), dtype=torch.int64))
    order = np.random.default_rng(0).permutation(len(train))
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        for start in range(0, len(order), 256):
            train.take(order[start:start + 256])
        seconds.append(time.perf_counter() - began)
    assert len(train) / min(seconds) > 250_000


def test_pneumonia_mnist_is_an_npz_with_three_splits(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "pneumonia-mnist")
    assert loaded.record["counts"] == {"train": 4708, "val": 524, "test": 624}
    assert loaded.record["classes"] == {"0": {"train": 1214, "val": 135, "test": 234}, "1": {"train": 3494, "val": 389, "test": 390}}
    assert loaded.spec.channels == 1


def test_rsscn7_is_a_folder_per_class_in_an_archive(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "rsscn7-four", set={"image.size": "32"})
    assert loaded.record["counts"] == {"train": 960, "val": 320, "test": 320}
    assert set(loaded.record["classes"]) == {"bField", "dRiverLake", "eForest", "fResident"}
    assert (loaded.spec.sizes, loaded.spec.channels) == ((32, 32), 3)


@pytest.mark.parametrize(("name", "task", "rows", "channels"), [
    ("iris.csv", "classify", 150, 4), ("ionosphere.csv", "classify", 351, 33), ("winequality-red.csv", "classify", 1599, 11),
])
def test_tables_without_a_header_are_read_with_the_target_last(
        name: str, task: str, rows: int, channels: int, shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "tabular/tabular.zip" / name)
    assert (loaded.kind_name, loaded.task_name, loaded.record["kept"], loaded.spec.channels) == ("table", task, rows, channels)
    assert any("the target is the last" in note for note in loaded.record["notes"])


def test_adult_has_a_test_file_whose_labels_end_in_a_dot(shared_data: Path, check: Check) -> None:
    with pytest.raises(DataError, match=r"label '<=50K.' of the test split is not among the 2 training classes"):
        check(shared_data / "tabular/tabular.zip/adult", target="15")
    loaded = check(shared_data / "tabular/tabular.zip/adult-train.csv", target="15")
    assert loaded.record["kept"] == 32561
    assert loaded.spec.channels == 108


def test_several_tables_in_an_archive_are_not_mixed(shared_data: Path, check: Check) -> None:
    with pytest.raises(DataError, match=r"5 tables here.*tabular/adult takes its train and test file"):
        check(shared_data / "tabular")


def test_a_series_in_a_larger_archive_can_be_named(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "uea-multivariate/uea_multivariate.zip/JapaneseVowels")
    assert (loaded.kind_name, loaded.record["counts"]) == ("series", {"train": 270, "val": 0, "test": 370})
    assert (loaded.spec.sizes, loaded.spec.channels, len(loaded.splits.folds)) == ((None,), 12, 3)


def test_lung_clips_are_folders_of_frames_in_an_archive(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "pocus-lung-video/pocus_northumbria_frames128.zip")
    assert (loaded.kind_name, loaded.task_name, loaded.record["kept"]) == ("video", "classify", 47)
    assert (loaded.spec.sizes, loaded.spec.channels, loaded.spec.typical) == ((None, 48, 48), 1, (16, 48, 48))
    assert loaded.record["set_aside"] == []


def test_lung_clips_are_video_files_in_an_archive(shared_data: Path, check: Check) -> None:
    pytest.importorskip("av", reason="PyAV is not installed (pip install 'bakeoff[video]')")
    loaded = check(shared_data / "pocus-lung-video/pocus_northumbria_videos.zip", set={"video.size": "32"})
    assert (loaded.kind_name, loaded.record["kept"], loaded.record["set_aside"]) == ("video", 31, [])
    assert loaded.spec.sizes == (None, 32, 32)
    assert loaded.record["facts"]["frames"]["min"] == 31        # labels.csv counts the same frames


def test_spoken_digits_of_one_archive_are_named_by_a_manifest(shared_data: Path, check: Check, tmp_path: Path) -> None:
    """What benchmarks/prepare/fsdd.py writes, a tenth of it: each digit and speaker, indices 0 to 9."""
    pytest.importorskip("soundfile")
    with zipfile.ZipFile(shared_data / "fsdd/fsdd.zip") as archive:
        names = sorted(name for name in archive.namelist() if re.search(r"_\d\.wav$", name))
        archive.extractall(tmp_path, names)
    lines = [f"{name},{Path(name).name[0]},{'test' if name[-5] in '01234' else 'train'}" for name in names]
    (tmp_path / "manifest.csv").write_text("path,label,split\n" + "\n".join(lines) + "\n")
    loaded = check(tmp_path)
    assert (loaded.kind_name, loaded.task_name, loaded.record["kept"]) == ("audio", "classify", 600)
    assert loaded.record["counts"]["test"] == 300
    assert (loaded.spec.sizes, loaded.spec.step_seconds) == ((None, 40), 0.01)
    assert loaded.record["facts"]["rates"] == {"8000": 600}


def test_environmental_sounds_are_read_out_of_their_archive(shared_data: Path, check: Check) -> None:
    pytest.importorskip("soundfile")
    loaded = check(shared_data / "esc10", target="category", folds="fold")
    assert (loaded.kind_name, loaded.task_name, len(loaded.folds)) == ("audio", "classify", 5)
    assert loaded.record["kept"] == 400
    assert loaded.spec.step_seconds == 0.02                   # five seconds are long


def test_tiny_shakespeare_is_one_text_to_be_gone_on_with(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "tiny-shakespeare", split="0.9,0.1")
    assert (loaded.kind_name, loaded.task_name) == ("text", "generate")
    assert loaded.record["facts"]["characters"] == 1115394
    assert loaded.splits.test is not None
    assert sum(loaded.splits.test.targets) == pytest.approx(111540, abs=64)
    assert loaded.spec.vocab == 66                                            # 65 and padding and unknown, but for one that comes once
