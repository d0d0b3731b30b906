"""Recordings from folders, tables and archives: levels that mean dB, any rate and format alike, broken files set aside."""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bakeoff import registry
from bakeoff.data import media, sounds
from bakeoff.data.audio import Audio, form_from
from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.load import Loaded, files_of, load_new
from bakeoff.data.sounds import Form
from bakeoff.errors import DataError, OptionError
from bakeoff.nn.network import Network
from bakeoff.tasks.classify import Classify
from bakeoff.train.choices import space_of
from bakeoff.words import check_lines

Check = Callable[..., Loaded]
RATE = 8000
FORMATS = ("wav", "flac", "ogg", "mp3")
FORM = Form(RATE, 10, 25, 40)


def tone(frequency: float = 440, seconds: float = 0.3, rate: int = RATE, loud: float = 0.5) -> np.ndarray:
    return (loud * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def packed(x: np.ndarray, rate: int = RATE, form: str = "wav", **more: Any) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, x, rate, format=form.upper(), **more)
    return out.getvalue()


def read(path: Path, **options: Any) -> Source:
    return Audio().read(files_of(path), ReadOptions(**options))


@pytest.fixture
def birds(tmp_path: Path) -> Callable[..., Path]:
    """A folder per class; every recording has a tone and a length of its own, low for the first class, high for the second."""
    def make(each: int = 10, rate: int = RATE, root: str = "birds", form: str = "wav", **more: Any) -> Path:
        for place, label in enumerate(("owl", "wren")):
            folder = tmp_path / root / label
            folder.mkdir(parents=True)
            for number in range(each):
                x = tone(300 + 1500 * place + 10 * number, 0.2 + 0.01 * (number % 7), rate)
                (folder / f"{number:02}.{form}").write_bytes(packed(x, rate, form, **more))
        return tmp_path / root
    return make


def test_a_folder_per_class_is_read_in_order(birds: Callable[..., Path], check: Check) -> None:
    path = birds(each=3)
    source = read(path)
    assert source.keys == [f"{label}/{number:02}.wav" for label in ("owl", "wren") for number in range(3)]
    assert source.targets == ["owl"] * 3 + ["wren"] * 3
    assert [item.shape for item in source.items] == [(21, 40), (22, 40), (23, 40)] * 2
    assert all(item.dtype == np.uint8 for item in source.items)
    assert source.split is None
    loaded = check(birds(each=20, root="more"))
    assert (loaded.kind_name, loaded.task_name) == ("audio", "classify")


def test_folders_may_lie_under_splits(birds: Callable[..., Path]) -> None:
    birds(2, root="data/test")
    source = read(birds(3, root="data/train").parent)
    assert source.split == ["test"] * 4 + ["train"] * 6


def test_levels_are_decibels_below_a_sine_of_full_scale() -> None:
    centres = sounds.hertz(np.linspace(sounds.mel(sounds.LOWEST_HZ), sounds.mel(RATE / 2), 42))[1:-1]
    for band in (20, 30, 38):
        found = sounds.levels(tone(centres[band], loud=1.0), FORM)[15]
        assert found.argmax() == band
        assert found[band] * sounds.STEP + sounds.SILENCE == pytest.approx(0, abs=1.5)
        softer = sounds.levels(tone(centres[band], loud=0.01), FORM)[15, band]
        assert (int(found[band]) - int(softer)) * sounds.STEP == pytest.approx(40, abs=0.5)
    assert not sounds.levels(np.zeros(4000, np.float32), FORM).any()


def test_levels_are_those_of_the_formula() -> None:
    """Each step by its definition: window, Fourier sum, triangles in mel."""
    x = np.random.default_rng(0).normal(0, 0.1, 1234).astype(np.float32)
    found = sounds.levels(x, FORM)
    weights, window = (array.double().numpy() for array in sounds.filters(FORM))
    size = 2 * (len(weights) - 1)
    assert len(found) == 1 + len(x) // 80
    for step in (0, 3, 15):
        centre = np.zeros(200)
        for place in range(200):
            at = step * 80 - 100 + place
            centre[place] = x[at] if 0 <= at < len(x) else 0
        power = np.abs(np.fft.rfft(centre * window, size)) ** 2
        wanted = (10 * np.log10(np.maximum(power @ weights, 1e-12)) - sounds.SILENCE) / sounds.STEP
        assert np.abs(found[step] - wanted).max() < 0.6


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("mels", [4, 40, 128])
def test_every_band_hears_something(rate: int, mels: int) -> None:
    weights, _ = sounds.filters(Form(rate, 10, 25, mels))
    assert (weights.sum(0) > 0).all()


def test_long_recordings_are_read_piece_by_piece_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(0, 0.1, 10_000).astype(np.float32)
    whole = sounds.levels(x, FORM)
    monkeypatch.setattr(sounds, "FRAMES", 7)
    assert np.abs(sounds.levels(x, FORM).astype(int) - whole).max() <= 1
    monkeypatch.setattr(sounds, "BLOCK", 999)
    np.testing.assert_allclose(sounds.mono(packed(x))[0], x, atol=1e-4)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_levels(form: str, birds: Callable[..., Path]) -> None:
    source, plain = read(birds(2, form=form)), read(birds(2, root="plain"))
    for one, other in zip(source.items, plain.items, strict=True):
        assert abs(len(one) - len(other)) <= 30               # mp3 adds silence at both ends
        assert one[10].argmax() == other[10].argmax()
        assert abs(int(one[10].max()) - int(other[10].max())) <= 6


def test_rates_are_made_alike_and_it_is_said(tmp_path: Path) -> None:
    for number, rate in enumerate((16000, 16000, 16000, 8000, 44100, 48000, 22255)):
        (tmp_path / f"{number}.wav").write_bytes(packed(tone(1000, rate=rate), rate))
    source = read(tmp_path, want_targets=False)
    assert any("4 of 7 recordings are resampled to 16,000 Hz: 1 of 8,000 Hz, 1 of 44,100 Hz" in note for note in source.notes)
    first = source.items[0][15]
    for item in source.items[1:]:
        assert abs(len(item) - len(source.items[0])) <= 1
        assert item[15].argmax() == first.argmax()
        assert abs(int(item[15].max()) - int(first.max())) <= 2
    assert "8,000 Hz" in "".join(read(tmp_path, want_targets=False, settings={"audio.rate": "8000"}).notes)


def test_what_lies_above_the_new_rate_does_not_fold_back() -> None:
    x = sounds.resampled(tone(6000, rate=16000), 16000, 8000)
    assert np.abs(x[200:-200]).max() < 0.01


def test_channels_are_averaged_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(packed(np.stack([tone(), tone()], 1), subtype="FLOAT"))
    (tmp_path / "b.wav").write_bytes(packed(np.stack([tone(), -tone()], 1), subtype="FLOAT"))
    (tmp_path / "c.wav").write_bytes(packed(tone(), subtype="FLOAT"))
    source = read(tmp_path, want_targets=False)
    assert any("2 of 3 recordings have several channels" in note for note in source.notes)
    np.testing.assert_array_equal(source.items[0], source.items[2])
    assert not source.items[1].any()


def bad_files() -> dict[str, tuple[bytes, str]]:
    whole, flac = packed(tone()), packed(tone(), form="flac")
    return {
        "cut.wav": (whole[:-1000], "1,000 bytes of its sound are missing"),
        "empty.wav": (packed(np.zeros(0, np.float32)), "0 samples"),
        "nothing.wav": (b"", "cannot be read"),
        "text.mp3": (b"this is no sound at all\n" * 50, "no format that is known"),
        "cut.flac": (flac[:len(flac) // 2], "broken|cut off"),
        "nan.wav": (packed(np.full(100, np.nan, np.float32), subtype="FLOAT"), "no finite numbers"),
        "video.m4a": (b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(500), "no format that is known"),
        "rate.wav": (whole[:24] + struct.pack("<I", 7) + whole[28:], "7 samples a second"),
        "long.wav": (packed(tone(seconds=3)), "lasts 3 s, more than 2: cut it into clips"),
        "long.ogg": (packed(tone(seconds=3), form="ogg"), "lasts 3 s, more than 2: cut it into clips"),
    }


def test_broken_recordings_are_set_aside_each_with_its_reason(
        birds: Callable[..., Path], check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds, "MOST_SECONDS", 2)
    path = birds(each=20)
    bad = bad_files()
    for name, (content, _) in bad.items():
        (path / "owl" / name).write_bytes(content)
    (path / "owl" / "silence.wav").write_bytes(packed(np.zeros(1000, np.float32)))
    (path / "owl" / "streamed.wav").write_bytes((whole := packed(tone(500)))[:40] + b"\xff\xff\xff\xff" + whole[44:])
    (path / "owl" / "one.wav").write_bytes(packed(tone(seconds=1 / RATE)))
    loaded = check(path, max_bad="30%")
    aside = {entry["where"]: entry["what"] for entry in loaded.record["set_aside"]}
    assert aside.keys() == {f"owl/{name}" for name in bad}
    for name, (_, said) in bad.items():
        assert any(part in aside[f"owl/{name}"] for part in said.split("|")), (name, aside[f"owl/{name}"])
    assert loaded.record["kept"] == 43                        # silence, a stream without length and a single sample are sound
    with pytest.raises(DataError, match=r"of 53 examples cannot be used.*owl/cut.flac"):
        check(path)


def test_a_huge_file_is_told_unread(birds: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = birds(each=3)
    (path / "owl/huge.wav").write_bytes(bytes(20_000))
    monkeypatch.setattr(media, "MOST_BYTES", 15_000)
    source = read(path)
    assert [(problem.where, problem.what) for problem in source.problems] == [
        ("owl/huge.wav", "the recording cannot be read: the file has 0.0 GB, more than 0.0")]


def test_a_few_bytes_too_many_in_the_head_are_forgiven() -> None:
    whole = packed(tone())
    assert isinstance(sounds.head(lambda: whole[:-2]), sounds.Head)


def test_no_readable_recording_among_many_is_told(birds: Callable[..., Path], check: Check) -> None:
    path = birds(each=3)
    for file in path.rglob("*.wav"):
        file.write_bytes(b"x")
    with pytest.raises(DataError, match=r"none of 6 recordings can be read; the first: .* – owl/00.wav"):
        check(path)


def test_more_sound_than_fits_is_told(birds: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakeoff.data.audio.MOST_BYTES", 1000)
    with pytest.raises(DataError, match=r"would take .* GiB.*audio.hop=20"):
        read(birds(each=3))


def test_a_missing_library_is_named_with_its_pip_line(birds: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = birds(each=3)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(DataError, match=r"pip install 'bakeoff\[audio\]'"):
        read(path)


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("column", ["path", "file", "filename", "audio_filepath"])
def test_a_manifest_names_recordings_beside_it(form: str, column: str, birds: Callable[..., Path], check: Check) -> None:
    path = birds(each=20)
    table = pd.DataFrame({column: [f"{label}/{number:02}.wav" for label in ("owl", "wren") for number in range(20)],
                          "label": ["a"] * 20 + ["b"] * 20, "split": ["train", "test"] * 20, "singer": [f"s{number // 4}" for number in range(40)]})
    write: dict[str, Callable[[Path], Any]] = {
        "csv": lambda file: table.to_csv(file, index=False), "tsv": lambda file: table.to_csv(file, sep="\t", index=False),
        "jsonl": lambda file: table.to_json(file, orient="records", lines=True), "parquet": lambda file: table.to_parquet(file)}
    write[form](path / f"manifest.{form}")
    loaded = check(path / f"manifest.{form}" if form == "csv" else path, **({"group": "singer"} if column == "path" else {}))
    assert (loaded.kind_name, loaded.task_name) == ("audio", "classify")
    assert loaded.record["counts"]["test"] == 20
    assert loaded.record["classes"]["b"]["test"] == 10
    assert (loaded.splits.train.groups is not None) == (column == "path")


def test_folds_numbers_and_missing_files_of_a_manifest(birds: Callable[..., Path], check: Check) -> None:
    path = birds(each=20)
    rows = [f"owl/{number:02}.wav,{number / 3},{number % 4}" for number in range(20)]
    rows += [f"wren/{number:02}.wav,{9 - number / 3},{number % 4}" for number in range(20)]
    (path / "manifest.csv").write_text("path,target,fold\n" + "\n".join([*rows, "owl/gone.wav,1,1"]) + "\n")
    loaded = check(path, folds="fold")
    assert (loaded.kind_name, loaded.task_name, len(loaded.folds)) == ("audio", "regress", 4)
    assert loaded.record["set_aside"] == [{"what": "the recording cannot be read: there is no such file", "where": "manifest.csv, line 42",
                                           "fix": "Replace or remove it."}]
    train, task = loaded.splits.train, loaded.make_task()
    train.aim(task.collate(train.targets))
    family = registry.get("family", "gru")
    batch = train.take(np.arange(4))
    out = Network(family, loaded.spec, task, space_of(family, loaded.spec, task).defaults())(batch)
    assert task.loss(out, batch.y, {}).shape == (4,)


def test_archives_are_read_in_place(birds: Callable[..., Path], tmp_path: Path) -> None:
    path = birds(each=3)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        for file in path.rglob("*.wav"):
            archive.write(file, f"top/{file.relative_to(path)}")
            tar.add(file, f"top/{file.relative_to(path)}")
    plain = read(path)
    for name in ("x.zip", "x.tar.gz"):
        found = read(tmp_path / name)
        assert found.targets == plain.targets
        assert all((one == other).all() for one, other in zip(found.items, plain.items, strict=True))


def test_what_is_known_of_the_data_and_how_batches_look(birds: Callable[..., Path], check: Check) -> None:
    loaded = check(birds(each=20))
    spec = loaded.spec
    assert (spec.axes, spec.sizes, spec.channels, spec.step_seconds) == (("time", "mel"), (None, 40), 1, 0.01)
    assert (spec.longest, spec.typical) == ((27, 40), (24, 40))
    assert loaded.record["lengths"]["time"]["max"] == 27
    x, valid = loaded.splits.train.take(np.arange(8)).x
    assert x.shape[2:] == (40, 1)
    assert valid is not None
    assert valid.shape == x.shape[:3]
    assert not x[~valid].any()
    assert valid[:, :, 0].equal(valid[:, :, 39])


def test_recordings_of_one_length_are_a_fixed_grid_and_others_may_follow(tmp_path: Path, check: Check) -> None:
    for label in ("a", "b"):
        (tmp_path / "same" / label).mkdir(parents=True)
        for number in range(10):
            (tmp_path / "same" / label / f"{number}.wav").write_bytes(packed(tone(200 + 50 * number + 7 * (label == "a"))))
    loaded = check(tmp_path / "same")
    assert loaded.spec.sizes == (31, 40)
    assert loaded.splits.train.take([0, 1]).x.valid is None
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1.wav").write_bytes(packed(tone(seconds=0.1)))
    assert load_new(tmp_path / "new", "audio", loaded.folds[0].kind_state).dataset.take([0]).x.x.shape == (1, 11, 40, 1)


def test_long_recordings_get_coarser_steps(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(packed(tone(300 + number, seconds=5)))
    source = read(tmp_path, want_targets=False)
    assert source.reading["settings"] | {"audio.hop": 20.0, "audio.window": 50.0} == source.reading["settings"]
    assert len(source.items[0]) == 251
    asked = read(tmp_path, want_targets=False, settings={"audio.hop": "10", "audio.mels": "64", "audio.window": "32"})
    assert asked.items[0].shape == (501, 64)


@pytest.mark.parametrize(("name", "value"), [("audio.mels", "3"), ("audio.hop", "0"), ("audio.window", "nan"), ("audio.rate", "high"),
                                             ("audio.input", "wav")])
def test_settings_without_meaning_are_told(name: str, value: str) -> None:
    with pytest.raises(OptionError, match=f"--set {name}={value}"):
        form_from({"audio.rate": 8000, name: value})


def test_the_waveform_can_be_had_sample_by_sample(birds: Callable[..., Path], check: Check) -> None:
    path = birds(each=20, subtype="PCM_16")
    loaded = check(path, set={"audio.input": "wave"})
    assert (loaded.spec.axes, loaded.spec.channels, loaded.spec.sizes) == (("time",), 80, (None,))
    x, _ = soundfile.read(path / "owl/03.wav", dtype="float32")
    source = loaded.source
    np.testing.assert_allclose(source.items[3].reshape(-1)[:len(x)] / 32767, x, atol=1e-4)
    assert loaded.shown("owl/03.wav")["form"] == "curve"


def test_new_recordings_are_read_as_those_of_the_training_and_none_is_dropped(birds: Callable[..., Path], check: Check, tmp_path: Path) -> None:
    loaded = check(birds(each=20), set={"audio.mels": "24", "audio.hop": "16"})
    new = tmp_path / "new"
    new.mkdir()
    for number in range(3):                                   # another rate and length than in training, which alone counts
        (new / f"{number}.flac").write_bytes(packed(tone(700, 4 + number, 44100), 44100, "flac"))
    (new / "1a.wav").write_bytes(b"broken")
    found = load_new(new, "audio", loaded.folds[0].kind_state)
    assert found.keys == ["0.flac", "1.flac", "1a.wav", "2.flac"]
    assert found.rows.tolist() == [0, 1, 3]
    assert [problem.where for problem in found.problems] == ["1a.wav"]
    assert found.dataset.spec == loaded.spec
    assert found.dataset.arrays.shapes.tolist() == [[251], [313], [376]]                # type: ignore[union-attr]
    alone = load_new(new / "2.flac", "audio", loaded.folds[0].kind_state)
    assert torch.equal(alone.dataset.take([0]).x.x, found.dataset.take([2]).x.x)


def test_a_recording_is_shown_from_the_cache_as_from_the_files(birds: Callable[..., Path], check: Check) -> None:
    path = birds(each=20)
    first, second = check(path), check(path)
    assert not second.reader.at_hand
    for key in ("owl/00.wav", "wren/19.wav"):
        shown = second.shown(key)
        assert not second.reader.at_hand                      # the files were not read for it
        assert shown == Audio().shown(first.source, first.source.keys.index(key))
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(first.shown("wren/00.wav")["png"]))))
    assert picture.shape[0] == 96
    bright = picture[:, picture.shape[1] // 2].argmax()
    lower = np.asarray(Image.open(io.BytesIO(base64.b64decode(first.shown("owl/00.wav")["png"])))).argmax(0)[10]
    assert bright < lower                                     # high tones stand above low ones
    assert "0.21 s of sound, 21 × 40" in "\n".join(check_lines(first.record, 100))
    json.dumps(first.record)


@pytest.mark.parametrize("name", sorted(registry.every("family")))
@pytest.mark.parametrize("way", ["mel", "wave"])
def test_every_family_trains_a_step_and_padding_changes_nothing(name: str, way: str, birds: Callable[..., Path], check: Check) -> None:
    loaded = check(birds(each=20), set={"audio.input": way, **({"audio.hop": "2"} if way == "wave" else {})})
    train, task = loaded.splits.train, Classify(["owl", "wren"])
    family = registry.get("family", name)
    torch.manual_seed(0)
    space = space_of(family, loaded.spec, task)
    network = Network(family, loaded.spec, task, space.defaults() | {"width": 16})
    train.aim(task.collate(train.targets))
    batch = train.take(np.arange(6))
    network.loss(batch).mean().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    network.eval()
    short = int(np.argmin(train.lengths()[:6]))
    torch.testing.assert_close(network(train.take([short]))[0], network(batch)[short], atol=1e-4, rtol=1e-4)


@cache
def seeds() -> dict[str, bytes]:
    return {form: packed(tone(seconds=0.05), form=form) for form in FORMATS}


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=200, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_mutated_files_are_sound_or_told(form: str, data: st.DataObject) -> None:
    """Whatever bytes come, there is an answer within seconds: an array of the right form, or a sentence."""
    content = bytearray(seeds()[form])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(content) - 1, 60)) | st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change":
                content[place] = data.draw(st.integers(0, 255))
            case "cut":
                del content[max(1, place):]
            case "insert":
                content[place:place] = data.draw(st.binary(max_size=20))
            case _:
                content += content[place:place + 100]
    found = sounds.head(lambda: bytes(content))
    if isinstance(found, str):
        assert found
        return
    (cells,), (wrong,) = sounds.decode([lambda: bytes(content)], FORM, 1)
    assert cells.dtype == np.uint8
    assert cells.shape[1] == 40
    assert (len(cells) > 0) == (wrong is None)
    assert wrong != ""
