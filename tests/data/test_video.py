"""Clips from video files, GIFs and folders of frames: the same arrays from all; broken ones set aside; sizes and lengths made alike."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bakeoff.data import clips
from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.clips import Span, chosen
from bakeoff.data.files import Files
from bakeoff.data.image import Image as Pictures
from bakeoff.data.load import Loaded, files_of, load_new
from bakeoff.data.names import by_number
from bakeoff.data.video import Video
from bakeoff.errors import DataError, OptionError

Check = Callable[..., Loaded]
Write = Callable[[Path, np.ndarray], Path]


def moving(length: int = 7, size: tuple[int, int] = (16, 20), colour: bool = True, seed: int = 0) -> np.ndarray:
    """Noise, (T, H, W, 3), every frame another; grey where not colour."""
    cells = np.random.default_rng(seed).integers(0, 256, (length, *size, 3), dtype=np.uint8)
    return cells if colour else np.repeat(cells[..., :1], 3, -1)


def sheets(path: Path, cells: np.ndarray, mode: str = "RGB", form: str = "png") -> Path:
    path.mkdir(parents=True)
    for number, frame in enumerate(cells):
        Image.fromarray(frame).convert(mode).save(path / f"frame_{number}.{form}")       # 'frame_10' follows 'frame_9'
    return path


def flip(path: Path, cells: np.ndarray) -> Path:
    """A GIF; of grey frames, which it keeps exactly."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [Image.fromarray(frame[..., 0]) for frame in cells]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    return path


def film(path: Path, cells: np.ndarray, codec: str = "ffv1", pixels: str = "bgr0", rate: int = 10) -> Path:
    """A video file without loss. Skips the test where PyAV is not installed."""
    av = pytest.importorskip("av", reason="PyAV is not installed (pip install 'bakeoff[video]')")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = cells.shape[2], cells.shape[1], pixels
        if "264" in codec:
            stream.options = {"qp": "0"}
        for frame in cells:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    return path


def read(path: Path, **options: Any) -> Source:
    return Video().read(files_of(path), ReadOptions(**options))


def two_classes(tmp_path: Path, each: int = 4, lengths: Sequence[int] = (5, 7, 3), name: str = "clips", **form: Any) -> Path:
    for label in ("down", "up"):
        for number in range(each):
            sheets(tmp_path / name / label / f"clip{number}", moving(lengths[number % len(lengths)], seed=number + 99 * (label == "up")), **form)
    return tmp_path / name


def test_folders_of_numbered_frames_are_clips_in_order(tmp_path: Path) -> None:
    path = two_classes(tmp_path, each=3, lengths=(12, 4, 2))
    source = read(path)
    assert source.keys == [f"{label}/clip{number}" for label in ("down", "up") for number in range(3)]
    assert source.targets == ["down"] * 3 + ["up"] * 3
    assert [len(item) for item in source.items] == [12, 4, 2] * 2
    np.testing.assert_array_equal(source.items[0], moving(12))
    assert "clips have 2…12 frames, all are read" in source.notes


def test_they_are_recognised_and_pictures_stay_pictures(tmp_path: Path, flowers: Callable[..., Path]) -> None:
    def claim(path: Path) -> tuple[float, float]:
        return tuple(found.score if (found := kind().claims(Files.open(path))) else 0.0 for kind in (Video, Pictures))    # type: ignore[return-value]
    video, image = claim(two_classes(tmp_path))
    assert video > image
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in flowers(root="c").rglob("*.png"):
            archive.write(file, f"photos/{file.parent.name}/{file.name}")
    for path in (flowers(root="a"), tmp_path / "x.zip", flowers(("roses/red", "roses/pink", "tulips/red"), root="b")):
        video, image = claim(path)
        assert image > video, "a folder per class of pictures, or one more level below it, is no clip"


@pytest.mark.parametrize("colour", [True, False])
def test_the_same_clips_give_the_same_arrays_wherever_they_are_read_from(colour: bool, tmp_path: Path, check: Check) -> None:
    """Frames, AVI and MP4 without loss, and a GIF where it can hold them: also resized, and with frames left out."""
    cells = [moving(5 + number, colour=colour, seed=number) for number in range(6)]
    for number, clip in enumerate(cells):
        place = f"{'ab'[number % 2]}/clip{number}"
        sheets(tmp_path / "frames" / place, clip, "RGB" if colour else "L")
        film(tmp_path / "avi" / f"{place}.avi", clip)
        film(tmp_path / "mp4" / f"{place}.mp4", clip, "libx264rgb", "rgb24")
        if not colour:
            flip(tmp_path / "gif" / f"{place}.gif", clip)
    for asked in ({}, {"video.size": "9x7", "video.frames": 4}):
        expected = read(tmp_path / "frames", settings=asked)
        assert expected.items[0].shape[-1] == (3 if colour else 1)
        for form in ("avi", "mp4") if colour else ("avi", "mp4", "gif"):
            found = read(tmp_path / form, settings=asked)
            assert found.targets == expected.targets
            for one, other in zip(found.items, expected.items, strict=True):
                np.testing.assert_array_equal(one, other)
    loaded = check(tmp_path / "avi")
    assert (loaded.kind_name, loaded.task_name) == ("video", "classify")
    assert loaded.spec.sizes == (None, 16, 20)


def test_long_clips_are_read_evenly_and_it_is_said(tmp_path: Path) -> None:
    for label in "ab":
        sheets(tmp_path / label / "one", moving(40))
    source = read(tmp_path)
    assert len(source.items[0]) == clips.FRAMES
    np.testing.assert_array_equal(source.items[0], moving(40)[[1, 3, 6, 8, 11, 13, 16, 18, 21, 23, 26, 28, 31, 33, 36, 38]])
    assert any("clips have 40 frames, of which at most 16 evenly spaced are read (--set video.frames=32)" in note for note in source.notes)
    assert len(read(tmp_path, settings={"video.frames": "32"}).items[0]) == 32
    for wrong in ("0", "many", "1.5"):
        with pytest.raises(OptionError, match=r"video\.frames"):
            read(tmp_path, settings={"video.frames": wrong})


@settings(max_examples=200, deadline=None)
@given(count=st.integers(1, 300), most=st.integers(1, 40))
def test_frames_are_chosen_evenly_once_each_and_the_same_backwards(count: int, most: int) -> None:
    found = chosen(list(range(count)), most, Span(), "")
    assert len(found) == min(count, most)
    assert found == sorted(set(found))
    assert 0 <= found[0] <= found[-1] < count
    gaps = np.diff(found)
    assert not len(gaps) or gaps.max() - gaps.min() <= 1
    assert abs(found[0] - (count - 1 - found[-1])) <= 1


def test_large_frames_keep_their_shape_and_unequal_ones_become_squares(tmp_path: Path) -> None:
    for label in "ab":
        sheets(tmp_path / "wide" / label / "one", moving(2, (60, 120)))
        sheets(tmp_path / "mixed" / label / "one", moving(2, (60, 120) if label == "a" else (30, 20)))
    assert read(tmp_path / "wide").items[0].shape == (2, 24, 48, 3)
    source = read(tmp_path / "mixed")
    assert {item.shape for item in source.items} == {(2, 40, 40, 3)}
    assert any("frames of 30…60 × 20…120 are resized to 40 × 40" in note for note in source.notes)
    assert read(tmp_path / "mixed", settings={"video.size": "12x8"}).items[0].shape == (2, 12, 8, 3)


def test_grey_stays_grey_and_one_clip_in_colour_makes_all_of_them_so(tmp_path: Path) -> None:
    for number in range(3):
        sheets(tmp_path / f"class{number % 2}" / f"c{number}", moving(3, colour=False, seed=number), "L")
    assert read(tmp_path).items[0].shape[-1] == 1
    sheets(tmp_path / "class1" / "c9", moving(3))
    source = read(tmp_path)
    assert {item.shape[-1] for item in source.items} == {3}
    np.testing.assert_array_equal(source.items[0], moving(3, colour=False))


def test_frames_of_mixed_size_are_resized_and_reported(tmp_path: Path, check: Check) -> None:
    path = two_classes(tmp_path, each=12)
    Image.fromarray(moving(1, (40, 30))[0]).save(path / "up/clip3/frame_1.png")
    loaded = check(path)
    assert [(problem["what"], problem["where"]) for problem in loaded.record["problems"]] == [
        ("its frames differ in size: they are resized to one", "up/clip3")]
    assert loaded.record["set_aside"] == []


def test_broken_clips_are_set_aside_and_named(tmp_path: Path, check: Check) -> None:
    path = two_classes(tmp_path, each=40, lengths=(3,))
    (path / "up/clip3/frame_1.png").write_bytes((path / "up/clip3/frame_1.png").read_bytes()[:90])
    (path / "up/clip5/frame_0.png").write_bytes(b"no picture")
    film(path / "down/text.mp4", moving(3))
    (path / "down/text.mp4").write_text("this is no clip\n" * 9)
    film(path / "down/good.avi", moving(4))
    loaded = check(path)
    aside = {entry["where"]: entry["what"] for entry in loaded.record["set_aside"]}
    assert set(aside) == {"down/text.mp4", "up/clip3", "up/clip5"}
    assert aside["down/text.mp4"] == "the clip cannot be read: Invalid data found when processing input"
    assert "its frame frame_1.png: the image cannot be read" in aside["up/clip3"]
    assert "its frame frame_0.png: the image cannot be read" in aside["up/clip5"]
    assert (loaded.record["seen"], loaded.record["kept"]) == (82, 79)


def test_a_clip_is_shown_as_its_camera_was_held(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed (pip install 'bakeoff[video]')")
    if not hasattr(av.VideoStream, "set_display_rotation"):
        pytest.skip("this PyAV cannot write how a camera was held")
    cells = moving(3)
    with av.open(str(tmp_path / "x.mp4"), "w") as out:
        stream = out.add_stream("libx264rgb", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.options = 20, 16, "rgb24", {"qp": "0"}
        stream.set_display_rotation(90)                       # counter-clockwise
        for frame in cells:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    clip = clips.Film((tmp_path / "x.mp4").read_bytes)
    assert clip.head()[:3] == (20, 16, 3)
    np.testing.assert_array_equal(clips.frames(clip, Span(), clips.Form(20, 16, 5)).cells, np.rot90(cells, 1, (1, 2)))


def test_a_clip_without_frames_and_a_file_without_video_are_told(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed (pip install 'bakeoff[video]')")
    with av.open(str(tmp_path / "sound.mp4"), "w") as out:
        stream = out.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    film(tmp_path / "empty.avi", moving(0, (16, 16)))
    said = {}
    for name in ("sound.mp4", "empty.avi"):
        said[name] = clips.head(clips.Film((tmp_path / name).read_bytes))
    assert said["sound.mp4"] == "the file holds no video"
    assert "no frames" in str(said["empty.avi"]) or "cannot be read" in str(said["empty.avi"])
    assert clips.head(clips.Sheets([], [])) == "there is no such clip or folder of frames"


def test_clips_need_classes_or_a_table(tmp_path: Path, check: Check) -> None:
    for number in range(3):
        sheets(tmp_path / f"clip{number}", moving(3, seed=number))
    assert read(tmp_path, want_targets=False).keys == ["clip0", "clip1", "clip2"]
    assert read(tmp_path / "clip1", want_targets=False).keys == ["clip1"]
    with pytest.raises(DataError, match="3 clips lie in no folders, so they have no classes"):
        read(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").write_text("x")
    with pytest.raises(DataError, match="no clip here"):
        read(tmp_path / "empty")


def test_given_splits_and_an_archive_are_read_in_place(tmp_path: Path) -> None:
    for part in ("train", "test"):
        two_classes(tmp_path / "x", each=2, name=part)
    source = read(tmp_path / "x")
    assert source.split == ["test"] * 4 + ["train"] * 4
    assert source.targets == ["down", "down", "up", "up"] * 2
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in (tmp_path / "x").rglob("*.png"):
            archive.write(file, f"top/{file.relative_to(tmp_path)}")
    packed = read(tmp_path / "x.zip")
    assert (packed.targets, packed.split) == (source.targets, source.split)
    for one, other in zip(packed.items, source.items, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("alone", [True, False], ids=["the table", "the folder"])
def test_a_table_names_folders_of_frames_with_groups_and_a_number(alone: bool, tmp_path: Path, check: Check) -> None:
    path = two_classes(tmp_path, each=20, lengths=(3, 2))
    rows = [f"{label}/clip{number},{number + (label == 'up') / 3},p{number // 2}" for label in ("down", "up") for number in range(20)]
    (path / "labels.csv").write_text("\n".join(["path,target,patient", *rows, "up/gone,3.5,p9"]) + "\n")
    loaded = check(path / "labels.csv" if alone else path, group="patient")
    assert (loaded.kind_name, loaded.task_name) == ("video", "regress")
    assert loaded.record["set_aside"] == [{"what": "there is no such clip or folder of frames", "where": "labels.csv, line 42",
                                           "fix": "Replace or remove it."}]
    assert loaded.splits.test is not None
    assert loaded.splits.test.groups is not None
    assert not set(loaded.splits.test.groups) & set(loaded.splits.train.groups or ())
    assert loaded.splits.train.keys[0].startswith(("down/", "up/"))


def test_a_row_may_be_a_part_of_a_clip(tmp_path: Path) -> None:
    sheets(tmp_path / "long", moving(30))
    film(tmp_path / "long.avi", moving(30), rate=10)
    (tmp_path / "parts.csv").write_text("path,label,start,end\nlong,a,0,4\nlong,b,4,\nlong.avi,a,,.4\nlong.avi,b,0.4,0.85\nlong.avi,b,9,12\n")
    source = read(tmp_path, settings={"video.frames": 50})
    assert source.keys == ["long:2", "long:3", "long.avi:4", "long.avi:5"]
    for item, (start, end) in zip(source.items, [(0, 4), (4, 30), (0, 4), (4, 9)], strict=True):
        np.testing.assert_array_equal(item, moving(30)[start:end])
    assert [(problem.what, problem.where) for problem in source.problems] == [
        ("no frame lies from 9 to 12 s; the last is at 2.9 s", "parts.csv, line 6")]
    (tmp_path / "parts.csv").write_text("path,label,start\nlong,a,soon\nlong.avi,b,4\n")
    with pytest.raises(DataError, match=r"'soon' is no number – parts.csv, line 2, column 'start'"):
        read(tmp_path)


def test_new_clips_are_read_as_those_of_the_training_and_none_is_dropped(tmp_path: Path, check: Check) -> None:
    loaded = check(two_classes(tmp_path, each=10, lengths=(30, 4)), set={"video.frames": 8})
    new = tmp_path / "new"
    sheets(new / "a", moving(50, (9, 30)))
    sheets(new / "b", moving(2, (50, 40), colour=False), "L")
    (new / "c").mkdir()
    (new / "c/frame_0.png").write_bytes(b"broken")
    flip(new / "d.gif", moving(3, (8, 8), colour=False))
    found = load_new(new, "video", loaded.folds[0].kind_state)
    assert found.keys == ["a", "b", "c", "d.gif"]
    assert found.rows.tolist() == [0, 1, 3]
    assert [problem.where for problem in found.problems] == ["c"]
    assert found.dataset.spec == loaded.spec
    grid = found.dataset.take([0, 1, 2]).x
    assert grid.x.shape == (3, 8, 16, 20, 3)
    assert grid.valid is not None
    assert grid.valid[:, :, 0, 0].sum(1).tolist() == [8, 2, 3]


def test_a_clip_is_shown_as_a_strip_from_the_cache_as_from_the_files(tmp_path: Path, check: Check) -> None:
    path = two_classes(tmp_path, each=10, lengths=(9, 3))
    first, second = check(path), check(path)
    assert not second.reader.at_hand
    for key, rows in (("up/clip2", 2), ("up/clip3", 1)):       # nine frames, of which six are shown, and three
        shown = second.shown(key)
        assert shown == first.shown(key)
        with Image.open(io.BytesIO(base64.b64decode(shown["png"]))) as picture:
            times = 4
            assert picture.size == (times * (3 * 22 - 2), times * (rows * 18 - 2))
            np.testing.assert_array_equal(np.asarray(picture)[::times, ::times][:16, 22:42], first.source.items[first.source.keys.index(key)][
                2 if rows == 2 else 1])
    assert not second.reader.at_hand                          # the files were not read for it


def test_too_much_for_the_memory_is_told_before_decoding() -> None:
    found = [clips.Head(480, 640, 300, "RGB")] * 100_000
    with pytest.raises(DataError, match=r"100,000 clips of up to 16 frames of 36 × 48 take 8.3 GB .* video.size=24"):
        clips.form_of(found, None, None)
    with pytest.raises(clips.Unreadable, match="more than are decoded"):
        clips.bounded(10_000, 10_000, 5_000)


def test_without_pyav_video_files_ask_for_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.mp4").write_bytes(b"any")
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(DataError, match=r"PyAV, which is not installed .*pip install 'bakeoff\[video\]'"):
        read(tmp_path)


def test_numbers_in_names_are_read_as_numbers() -> None:
    assert sorted(["f10.png", "f9.png", "f008.png", "g1.png"], key=by_number) == ["f008.png", "f9.png", "f10.png", "g1.png"]


def film_bytes(form: str) -> bytes:
    av = pytest.importorskip("av", reason="PyAV is not installed (pip install 'bakeoff[video]')")
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream("mpeg4" if form == "avi" else "libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for frame in moving(8, (32, 32)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()


def flip_bytes() -> bytes:
    out = io.BytesIO()
    pictures = [Image.fromarray(frame[..., 0]) for frame in moving(4)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


@pytest.mark.parametrize("form", ["avi", "mp4", "gif"])
def test_files_with_bytes_changed_are_read_or_told_but_never_crash(form: str) -> None:
    good = flip_bytes() if form == "gif" else film_bytes(form)

    @settings(max_examples=200, deadline=5000)
    @given(data=st.data())
    def mutated(data: st.DataObject) -> None:
        content = bytearray(good[:data.draw(st.integers(0, len(good)))] if data.draw(st.booleans()) else good)
        for _ in range(data.draw(st.integers(0, 6)) if content else 0):
            content[data.draw(st.integers(0, min(len(content), 4000) - 1))] = data.draw(st.integers(0, 255))
        clip = (clips.Flip if form == "gif" else clips.Film)(lambda: bytes(content))
        head = clips.heads([clip], 1)[0]
        found = clips.decode([clip], [Span()], clips.Form(12, 12, 5), 1)[0]
        assert isinstance(found, str) or (found.cells.shape[1:3] == (12, 12) and 1 <= len(found.cells) <= 5)
        assert isinstance(head, (str, clips.Head))

    mutated()
