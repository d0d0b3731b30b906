"""Pictures from folders, tables and arrays; broken ones set aside; sizes and modes made alike."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.image import Image as Kind
from bakeoff.data.load import Loaded, files_of, load_new
from bakeoff.errors import DataError, OptionError

Check = Callable[..., Loaded]
Flowers = Callable[..., Path]


def read(path: Path, **options: Any) -> Source:
    return Kind().read(files_of(path), ReadOptions(**options))


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.astype(np.uint8).tobytes()


def huge_png(side: int) -> bytes:
    """The head of a picture of side × side pixels; its pixels are not there."""
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_folder_per_class_is_read_in_order(flowers: Flowers) -> None:
    path = flowers(("roses", "tulips"), each=3)
    source = read(path)
    assert source.keys == [f"{label}/{number:02}.png" for label in ("roses", "tulips") for number in range(3)]
    assert source.targets == ["roses"] * 3 + ["tulips"] * 3
    assert source.items.shape == (6, 12, 10, 3)
    np.testing.assert_array_equal(source.items[4], np.asarray(Image.open(path / "tulips/01.png")))
    assert source.split is None


def test_folders_may_lie_under_splits_and_under_one_more(flowers: Flowers) -> None:
    for part in ("train", "test"):
        flowers(each=2, root=f"data/{part}")
    source = read(flowers(("bus",), root="other").parent / "data")
    assert source.split == ["test"] * 4 + ["train"] * 4
    assert set(source.targets) == {"roses", "tulips"}


def test_the_first_folder_is_the_class(flowers: Flowers) -> None:
    path = flowers(("roses/red", "roses/pink", "tulips/red"), each=1)
    assert read(path).targets == ["roses", "roses", "tulips"]


def test_folders_named_by_numbers_are_classes(flowers: Flowers, check: Check) -> None:
    loaded = check(flowers(("3", "7"), each=8))
    assert loaded.task_name == "classify"
    assert list(loaded.record["classes"]) == ["3", "7"]


def test_sizes_that_differ_become_squares_of_the_median(flowers: Flowers) -> None:
    flowers(("roses",), each=4, size=(40, 20))
    path = flowers(("tulips",), each=4, size=(30, 50))
    source = read(path)
    assert source.items.shape[1:3] == (25, 25)
    assert any("sizes 30…40 × 20…50, resized to 25 × 25 (--set image.size=96)" in note for note in source.notes)
    assert read(path, settings={"image.size": "8x6"}).items.shape[1:3] == (8, 6)
    for wrong in ("big", "0", "1x2x3"):
        with pytest.raises(OptionError, match=r"image\.size"):
            read(path, settings={"image.size": wrong})


def test_large_pictures_of_different_sizes_have_64_pixels_a_side(flowers: Flowers) -> None:
    flowers(("roses",), each=2, size=(300, 200))
    assert read(flowers(("tulips",), each=2, size=(200, 300), form="jpg")).items.shape[1:3] == (64, 64)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4), ("LA", 2)])
def test_channels_are_those_of_the_pictures(mode: str, channels: int, flowers: Flowers) -> None:
    assert read(flowers(mode=mode)).items.shape[-1] == channels


def test_grey_among_colour_becomes_colour(flowers: Flowers) -> None:
    flowers(("roses",), mode="L", each=1)
    source = read(flowers(("tulips",), mode="RGB", each=1))
    assert source.items.shape[-1] == 3
    assert (source.items[0, ..., 0] == source.items[0, ..., 2]).all()


def test_transparent_pictures_among_others_are_laid_on_white(tmp_path: Path) -> None:
    for label, picture in (("a", Image.new("RGBA", (4, 4), (255, 0, 0, 0))), ("b", Image.new("RGB", (4, 4), (0, 0, 255)))):
        (tmp_path / label).mkdir()
        picture.save(tmp_path / label / "1.png")
    source = read(tmp_path)
    assert source.items[0, 0, 0].tolist() == [255, 255, 255]
    assert any("laid on white" in note for note in source.notes)


def test_alpha_that_hides_nothing_is_no_channel(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        Image.new("RGBA", (4, 4), (9, 8, 7, 255)).save(tmp_path / label / "1.png")
    assert read(tmp_path).items.shape[-1] == 3


@pytest.mark.parametrize(("mode", "expected"), [("P", [10, 20, 30]), ("1", [255]), ("CMYK", [255, 255, 255])])
def test_every_mode_is_read(mode: str, expected: list[int], tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        picture = Image.new("RGB", (4, 4), (10, 20, 30)).convert("P", palette=Image.Palette.ADAPTIVE) if mode == "P" else Image.new(
            mode, (4, 4), 1 if mode == "1" else (0, 0, 0, 0))
        picture.save(tmp_path / label / ("1.png" if mode != "CMYK" else "1.tif"))
    assert read(tmp_path).items[0, 0, 0].tolist() == expected


@pytest.mark.parametrize(("most", "depth"), [(4000, 4095), (60000, 65535), (200, 255)])
def test_grey_of_16_bits_is_scaled_to_8_and_said_so(most: int, depth: int, tmp_path: Path) -> None:
    for number, label in enumerate("ab"):
        (tmp_path / label).mkdir()
        Image.fromarray(np.full((4, 4), most - number, np.uint16)).save(tmp_path / label / "1.png")
    source = read(tmp_path)
    assert source.items[0, 0, 0, 0] == round(most * 255 / depth)
    assert any(f"0 … {depth} becomes 0 … 255" in note for note in source.notes)


def test_pictures_are_turned_as_their_camera_was(tmp_path: Path) -> None:
    picture = np.zeros((20, 10, 3), np.uint8)
    picture[:5] = 255
    for label in "ab":
        (tmp_path / label).mkdir()
        exif = Image.Exif()
        exif[0x0112] = 6                                      # turned a quarter clockwise when shown
        Image.fromarray(picture).save(tmp_path / label / "1.jpg", exif=exif, quality=95)
    source = read(tmp_path)
    assert source.items.shape[1:3] == (10, 20)
    assert source.items[0, :, -3:].mean() > 240 > 20 > source.items[0, :, :3].mean()


def test_broken_pictures_are_set_aside_and_listed(flowers: Flowers, check: Check) -> None:
    path = flowers(each=50)
    (path / "roses/05.png").write_bytes((path / "roses/05.png").read_bytes()[:60])
    (path / "roses/06.png").write_bytes(b"no picture")
    (path / "tulips/07.png").write_bytes(huge_png(60_000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = check(path)
    assert [entry["where"] for entry in loaded.record["set_aside"]] == ["roses/05.png", "roses/06.png", "tulips/07.png"]
    assert "60,000 × 60,000 pixels" in loaded.record["set_aside"][2]["what"]
    assert (loaded.record["seen"], loaded.record["kept"]) == (100, 97)


def test_one_huge_picture_of_few_is_told_without_decoding(flowers: Flowers, check: Check) -> None:
    path = flowers(each=5)
    (path / "roses/00.png").write_bytes(huge_png(60_000))
    with pytest.raises(DataError, match=r"1 of 10 examples cannot be used \(10%, .*5%\).*60,000 × 60,000 pixels.*00.png.*max-bad"):
        check(path)


def test_no_readable_picture_among_many_is_told(flowers: Flowers, check: Check) -> None:
    path = flowers(each=5)
    for file in path.rglob("*.png"):
        file.write_bytes(b"x")
    with pytest.raises(DataError, match=r"none of 10 images can be read; the first: .*format is not known – roses/00.png"):
        check(path)


def test_pictures_without_folders_have_no_classes(flowers: Flowers, check: Check) -> None:
    path = flowers(("roses",), each=3) / "roses"
    assert read(path, want_targets=False).keys == ["00.png", "01.png", "02.png"]
    with pytest.raises(DataError, match="3 images lie in no folders"):
        check(path)


def test_an_archive_is_read_like_the_folder(flowers: Flowers, tmp_path: Path) -> None:
    path = flowers(each=3)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in path.rglob("*.png"):
            archive.write(file, f"top/{file.relative_to(path)}")
    packed, plain = read(tmp_path / "x.zip"), read(path)
    np.testing.assert_array_equal(packed.items, plain.items)
    assert packed.targets == plain.targets


def test_a_table_of_paths_names_pictures_beside_it(flowers: Flowers, check: Check) -> None:
    path = flowers(each=40)
    rows = [f"roses/{number:02}.png,{number / 7},{'test' if number % 4 == 0 else 'train'},p{number // 2}" for number in range(40)]
    table = path / "labels.csv"
    table.write_text("path,target,split,patient\n" + "\n".join([*rows, "roses/gone.png,3.5,train,p9"]) + "\n")
    for where in (path, table):                               # the folder, or the table alone
        loaded = check(where, group="patient")
        assert (loaded.kind_name, loaded.task_name) == ("image", "regress")
        assert loaded.record["counts"]["test"] == 10
        assert loaded.record["set_aside"] == [{"what": "the image cannot be read: there is no such file", "where": "labels.csv, line 42",
                                               "fix": "Replace or remove it."}]
        assert loaded.splits.train.groups is not None


def test_a_table_with_labels_makes_classes(flowers: Flowers, tmp_path: Path) -> None:
    flowers(each=3, root="data/images")
    (tmp_path / "data/labels.tsv").write_text("filename\tlabel\n" + "".join(f"0{number}.png\tx\n" for number in range(3)))
    with pytest.raises(DataError, match="none of 3 images can be read"):       # 00.png is there twice: which is meant is not known
        read(tmp_path / "data")
    (tmp_path / "data/labels.tsv").write_text("filename\tlabel\nimages/roses/00.png\tx\nimages/tulips/01.png\ty\nimages/roses/00.png\ty\n")
    source = read(tmp_path / "data")
    assert source.targets == ["x", "y", "y"]
    assert source.keys == ["images/roses/00.png:2", "images/tulips/01.png", "images/roses/00.png:4"]


@pytest.mark.parametrize("names", [("x", "y"), ("images", "labels"), ("train_images", "train_labels")])
def test_arrays_of_bytes_are_pictures(names: tuple[str, str], tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", **{names[0]: x, names[1]: np.arange(6).reshape(-1, 1) % 2})
    claim = Kind().claims(Files.open(tmp_path))
    assert claim is not None
    assert claim.score > 0.9
    source = read(tmp_path)
    np.testing.assert_array_equal(source.items[..., 0], x)
    assert source.targets == [0, 1, 0, 1, 0, 1]


def test_arrays_of_three_splits_are_given_splits(tmp_path: Path, check: Check) -> None:
    chance = np.random.default_rng(0)
    arrays = {}
    for part, count in (("val", 100), ("train", 200), ("test", 50)):
        arrays[f"x_{part}"] = chance.integers(0, 255, (count, 3, 6, 5), dtype=np.uint8)
        arrays[f"y_{part}"] = np.eye(2, dtype=int)[np.arange(count) % 2]
    np.savez(tmp_path / "x.npz", **arrays)
    loaded = check(tmp_path / "x.npz")
    assert loaded.record["counts"] == {"train": 200, "val": 100, "test": 50}
    assert loaded.spec.sizes == (6, 5)
    assert loaded.spec.channels == 3                          # channels first become channels last
    assert loaded.splits.train.keys[0] == "train:0"


def test_arrays_of_real_numbers_stay_real(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(4, 5, 5, 1))
    np.savez(tmp_path / "x.npz", images=x, labels=np.array(["a", "b", "a", "b"]))
    source = read(tmp_path)
    np.testing.assert_allclose(source.items, x.astype(np.float32))
    assert source.targets == ["a", "b", "a", "b"]
    assert Kind().shown(source, 0)["form"] == "picture"


def test_idx_pairs_are_read_packed_or_not(tmp_path: Path, check: Check) -> None:
    chance = np.random.default_rng(0)
    for part, count in (("train", 150), ("t10k", 30)):
        images, labels = chance.integers(0, 256, (count, 6, 5)), np.arange(count) % 3
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    loaded = check(tmp_path)
    assert loaded.record["counts"] == {"train": 150, "val": 0, "test": 30}
    np.testing.assert_array_equal(loaded.splits.test.take([3]).x.x[0, ..., 0].numpy(), images[3])       # type: ignore[union-attr]


@pytest.mark.parametrize(("files", "said"), [
    ({"a-images-idx3-ubyte": idx(np.zeros((3, 4, 4)))[:-5], "a-labels-idx1-ubyte": idx(np.zeros(3))}, "has 59 bytes, its head asks for 64"),
    ({"a-images-idx3-ubyte": idx(np.zeros((3, 4, 4)))}, "no labels to these images"),
    ({"a-images-idx3-ubyte": idx(np.zeros((3, 4, 4))), "a-labels-idx1-ubyte": idx(np.zeros(2))}, "3 images and 2 labels"),
    ({"a-labels-idx1-ubyte": idx(np.zeros(2))}, "labels, but no images"),
])
def test_idx_files_that_do_not_fit_are_told(files: dict[str, bytes], said: str, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        read(tmp_path)


@pytest.mark.parametrize(("arrays", "said"), [
    ({"x": np.zeros((3, 4, 4), np.uint8)}, "no targets for x"), ({"x": np.zeros((3, 4, 4), np.uint8), "y": np.zeros(2)}, "3 examples, y 2"),
    ({"images": np.full((2, 3, 3), np.nan), "labels": [0, 1]}, "no finite numbers"),
    ({"images": np.zeros((2, 3, 3)), "labels": np.full((2, 5), 3)}, r"targets have shape \(2, 5\)"), ({"a": np.zeros(3)}, "no array x"),
])
def test_arrays_that_do_not_fit_are_told(arrays: dict[str, Any], said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=said):
        read(tmp_path)


def test_objects_in_arrays_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array([{}, {}], dtype=object), y=np.arange(2))
    with pytest.raises(DataError, match="plain numbers"):
        read(tmp_path)


def test_new_pictures_are_read_as_those_of_the_training_and_none_is_dropped(flowers: Flowers, check: Check, tmp_path: Path) -> None:
    flowers(("roses",), each=10, size=(20, 30))
    loaded = check(flowers(("tulips",), each=10, size=(25, 15)))
    new = tmp_path / "new"
    new.mkdir()
    for number, size in enumerate([(9, 9), (50, 40), (3, 3)]):
        Image.new("L", size, 100).save(new / f"{number}.png")
    (new / "1a.png").write_bytes(b"broken")
    found = load_new(new, "image", loaded.folds[0].kind_state)
    assert found.keys == ["0.png", "1.png", "1a.png", "2.png"]
    assert found.rows.tolist() == [0, 1, 3]
    assert [problem.where for problem in found.problems] == ["1a.png"]
    assert found.dataset.take([0, 1, 2]).x.x.shape == (3, *loaded.spec.sizes, 3)
    assert found.dataset.spec == loaded.spec


def test_a_picture_is_shown_from_the_cache_as_from_the_files(flowers: Flowers, check: Check) -> None:
    path = flowers(each=10)
    first, second = check(path), check(path)
    assert not second.reader.at_hand
    shown = second.shown("tulips/03.png")
    assert shown == first.shown("tulips/03.png")
    picture = Image.open(io.BytesIO(base64.b64decode(shown["png"])))
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(Image.open(path / "tulips/03.png")))
    assert not second.reader.at_hand                          # the files were not read for it
