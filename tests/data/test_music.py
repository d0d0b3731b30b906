"""Music: piano rolls and MIDI files become steps of 88 keys, whatever they lay in, and what is wrong is told with file and piece."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from bakeoff.data import midi, rolls
from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.load import Loaded, load_new
from bakeoff.data.music import Music, drawn, pitch_name
from bakeoff.data.rolls import Pieces, Unreadable
from bakeoff.errors import DataError, OptionError
from bakeoff.words import check_lines

Check = Callable[..., Loaded]


def piece(length: int = 12, seed: int = 0) -> np.ndarray:
    """A roll (T, 88) of about three keys a step, whose last step sounds."""
    roll = (np.random.default_rng(seed).random((length, 88)) < 3 / 88).astype(np.uint8)
    roll[-1, 40] = 1
    return roll


def steps(roll: np.ndarray) -> list[list[int]]:
    return [(np.flatnonzero(row) + 21).tolist() for row in roll]


PARTS = {"train": 12, "valid": 4, "test": 4}
PIECES = {part: [piece(5 + number, 100 * place + number) for number in range(count)] for place, (part, count) in enumerate(PARTS.items())}


def cells(pieces: list[np.ndarray]) -> np.ndarray:
    array = np.empty((1, len(pieces)), object)
    for number, roll in enumerate(pieces):
        array[0, number] = roll
    return array


def mat(parts: dict[str, list[np.ndarray]]) -> bytes:
    out = io.BytesIO()
    savemat(out, {f"{part}data": cells(pieces) for part, pieces in parts.items()})
    return out.getvalue()


def npz(parts: dict[str, list[np.ndarray]]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **{f"{part}_{number}": roll for part, pieces in parts.items() for number, roll in enumerate(pieces)})
    return out.getvalue()


def song(notes: list[tuple[int, float, float]], ticks: int = 96, channel: int = 0) -> bytes:
    """(pitch, start, end) in quarter notes → a MIDI file of two tracks."""
    begun, ended = [(round(start * ticks), 1, pitch, 90) for pitch, start, _ in notes], [(round(end * ticks), 0, pitch, 0) for pitch, _, end in notes]
    events = sorted(begun + ended)
    track, now = mido.MidiTrack(), 0
    for tick, kind, pitch, velocity in events:
        track.append(mido.Message("note_on" if kind else "note_off", channel=channel, note=pitch, velocity=velocity, time=tick - now))
        now = tick
    file = mido.MidiFile(ticks_per_beat=ticks)
    file.tracks += [mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=400_000)]), track]
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


FORMS: dict[str, bytes] = {
    "chorales.mat": mat(PIECES), "chorales.npz": npz(PIECES),
    "chorales.json": json.dumps({part: list(map(steps, pieces)) for part, pieces in PIECES.items()}).encode(),
}
FORMS["chorales.json.gz"] = gzip.compress(FORMS["chorales.json"], mtime=0)


def read(path: Path, **options: Any) -> Source:
    return Music().read(Files.open(path), ReadOptions(**options))


@pytest.mark.parametrize("name", FORMS)
def test_the_same_pieces_come_from_every_format(name: str, tmp_path: Path, check: Check) -> None:
    (tmp_path / name).write_bytes(FORMS[name])
    loaded = check(tmp_path / name)
    assert (loaded.kind_name, loaded.task_name) == ("music", "predict")
    assert "as given" in loaded.record["how"]
    assert loaded.record["counts"] == {"train": 16, "val": 0, "test": 4}      # too few validate: folds inside train do
    assert (loaded.spec.sizes, loaded.spec.channels, loaded.spec.binary) == ((None,), 88, True)
    source = loaded.source
    wanted = [roll for pieces in PIECES.values() for roll in pieces]
    assert all(np.array_equal(one, other) for one, other in zip(source.items, wanted, strict=True))
    assert source.split == ["train"] * 12 + ["val"] * 4 + ["test"] * 4
    assert loaded.splits.test is not None
    assert loaded.splits.test.take([0, 3]).x.x.shape == (2, 8, 88)
    assert "5 … 8 … 16" in "\n".join(check_lines(loaded.record, 100)).replace("8.5", "8")


def test_midi_files_lie_in_folders_or_are_split_by_us(tmp_path: Path, check: Check) -> None:
    for number in range(10):
        (tmp_path / "one" / "deep").mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / "deep" / f"{number}.mid").write_bytes(song([(60 + number, 0, 1), (64, 1, 2)]))
        for part in ("train", "test"):
            (tmp_path / "split" / part).mkdir(parents=True, exist_ok=True)
            (tmp_path / "split" / part / f"{number}.midi").write_bytes(song([(60 + number, 0, 1), (64 + (part == "test"), 1, 2)]))
    loaded = check(tmp_path / "one")
    assert (loaded.kind_name, loaded.task_name, sum(loaded.record["counts"].values())) == ("music", "predict", 10)
    assert any("1/16 note" in note for note in loaded.record["notes"])
    assert check(tmp_path / "split").record["counts"] == {"train": 10, "val": 0, "test": 10}


def test_notes_stand_on_the_grid_that_is_asked_for_and_none_is_lost(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(song([(60, 0, 1), (64, 1, 1.02), (21, 2, 2.5), (108, 2, 4)]))
    fine = read(tmp_path / "a.mid", want_targets=False).items[0]
    assert fine.shape == (16, 88)
    assert steps(fine)[:5] == [[60]] * 4 + [[64]]
    assert steps(fine)[5:8] == [[]] * 3
    assert steps(fine)[8:] == [[21, 108]] * 2 + [[108]] * 6
    source = read(tmp_path / "a.mid", settings={"music.step": "4"})
    assert steps(source.items[0]) == [[60], [64], [21, 108], [108]]
    assert source.reading == {"settings": {"music.step": 4}}
    for wrong in ("3", "quarter", "0", "-4"):
        with pytest.raises(OptionError, match=f"music.step={wrong}"):
            read(tmp_path / "a.mid", settings={"music.step": wrong})


@pytest.mark.parametrize("per_quarter", [0.25, 1, 4, 8])
def test_what_is_written_is_read_again(per_quarter: float, tmp_path: Path) -> None:
    roll = piece(40, 3)
    midi.write(tmp_path / "a.mid", roll, per_quarter, 30)
    assert np.array_equal(midi.roll_of((tmp_path / "a.mid").read_bytes(), per_quarter, Pieces()), roll)
    messages = list(mido.MidiFile(tmp_path / "a.mid").tracks[0])
    assert [message.text for message in messages if message.type == "marker"] == ["continued"]
    assert sum(message.time for message in messages) == 40 * round(480 / per_quarter)


def test_silence_can_be_written(tmp_path: Path) -> None:
    midi.write(tmp_path / "a.mid", np.zeros((4, 88), np.uint8), 4)
    with pytest.raises(Unreadable, match="no notes"):
        midi.roll_of((tmp_path / "a.mid").read_bytes(), 4, Pieces())


def test_notes_without_an_end_last_and_those_without_a_key_are_told(tmp_path: Path) -> None:
    track = mido.MidiTrack([mido.Message("note_on", note=60, velocity=80, time=0), mido.Message("note_on", note=12, velocity=80, time=0),
                            mido.Message("note_on", note=40, velocity=80, time=0, channel=9), mido.MetaMessage("end_of_track", time=192)])
    file = mido.MidiFile(ticks_per_beat=96)
    file.tracks.append(track)
    file.save(tmp_path / "a.mid")
    source = read(tmp_path / "a.mid")
    assert steps(source.items[0]) == [[60]] * 8
    assert any("1 notes outside the 88 keys" in note for note in source.notes)
    assert any("1 notes of percussion" in note for note in source.notes)
    table = {"train": [[[60], [20, 60, 109]]] * 2, "test": [[[61], [60]]]}
    (tmp_path / "b.json").write_text(json.dumps(table))
    assert any("4 notes outside" in note for note in read(tmp_path / "b.json").notes)


def late() -> bytes:
    return song([(60, 0, 1), (61, 1e6, 1e6 + 1)])


@pytest.mark.parametrize(("content", "words"), [
    (song([]), "no notes"), (song([(40, 0, 1)], channel=9), "but drums"), (song([(5, 0, 1), (120, 1, 2)]), "88 keys"),
    (song([(60, 0, 1)])[:-6], "ends too early"), (b"", "ends too early"), (b"RIFF and more of it", "no MIDI file"), (late(), "steps, more than"),
    (song([(60, 0, 1)]).replace(b"\x00\x01\x00\x02\x00\x60", b"\x00\x01\x00\x02\xe2\x50"), "SMPTE"),
    (song([(60, 0, 1)]).replace(b"\x00\x01\x00\x02\x00\x60", b"\x00\x02\x00\x02\x00\x60"), "type 2")])
def test_a_broken_midi_file_is_set_aside_by_name(content: bytes, words: str, tmp_path: Path, check: Check) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.mid").write_bytes(song([(60 + number, 0, 1), (61, 1, 2)]))
    (tmp_path / "bad.mid").write_bytes(content)
    loaded = check(tmp_path)
    assert [(found["where"], words in found["what"]) for found in loaded.record["set_aside"]] == [("bad.mid", True)]
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "bad.mid").write_bytes(content)
    with pytest.raises(DataError, match=words):
        check(tmp_path / "alone")


@pytest.mark.parametrize(("wrong", "words"), [
    ([], "empty"), ([[60]], "single step"), ([[60], 61], "step 2 is no list"), ([[60], ["x"]], "step 2 has 'x'"), ([[60], [128]], "step 2 has '128'"),
    ([[60], [-1]], "step 2 has '-1'"), ([[60], [60.5]], "60.5"), ([[60], [True]], "True"), ("text", "no list of steps"), (None, "no list of steps")])
def test_a_broken_piece_is_set_aside_by_file_and_number(wrong: Any, words: str, tmp_path: Path, check: Check) -> None:
    table = {"train": [*map(steps, PIECES["train"]), *map(steps, PIECES["valid"])], "test": [*map(steps, PIECES["test"]), wrong]}
    (tmp_path / "a.json").write_text(json.dumps(table))
    loaded = check(tmp_path / "a.json", max_bad="10%")
    (found,) = loaded.record["set_aside"]
    assert words in found["what"]
    assert found["where"] in ("a.json, test piece 5", "test 5")
    assert loaded.record["counts"]["test"] == 4


@pytest.mark.parametrize("array", [np.zeros((0, 88)), np.zeros((4, 87)), np.full((4, 88), np.nan), np.full((4, 88), -1), np.zeros(88),
                                   np.array([["a"] * 88])], ids=["empty", "87 keys", "nan", "negative", "flat", "words"])
def test_an_array_that_is_no_roll_is_told(array: np.ndarray) -> None:
    with pytest.raises(Unreadable):
        rolls.roll_of(array, Pieces())


def test_strengths_are_sounds_and_128_pitches_are_cut_to_the_keys() -> None:
    pieces = Pieces()
    wide = np.zeros((3, 128), np.float32)
    wide[0, [20, 21, 108, 109]] = 0.7
    roll = rolls.roll_of(wide, pieces)
    assert steps(roll) == [[21, 108], [], []]
    assert pieces.outside == 2


@pytest.mark.parametrize(("name", "content", "words"), [
    ("a.json", b'{"train": [[[60', "no JSON"), ("a.json", b'{"train": [[[60]]], "test": 5}', "no lists of pieces"),
    ("a.mat", b"MATLAB 5.0 and nothing", "cannot be read"), ("a.mat", FORMS["chorales.mat"][:2000], "cannot be read"),
    ("a.npz", b"PK nothing", "cannot be read"), ("a.json", b"[" * 100_000, "no JSON")])
def test_a_broken_file_of_rolls_is_told(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words) as told:
        read(tmp_path / name)
    assert told.value.where == name


def test_objects_are_not_unpacked(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", train=cells(PIECES["train"]))
    with pytest.raises(DataError, match="no objects"):
        read(tmp_path / "a.npz")


def test_boxes_of_pieces_say_how_long_each_is(tmp_path: Path, check: Check) -> None:
    boxes = {}
    for part, pieces in PIECES.items():
        boxes[part] = np.zeros((len(pieces), 20, 88), np.uint8)
        for box, roll in zip(boxes[part], pieces, strict=True):
            box[:len(roll)] = roll
    np.savez(tmp_path / "a.npz", **boxes, **{f"{part}_lengths": np.array(list(map(len, pieces))) for part, pieces in PIECES.items()})
    source = check(tmp_path / "a.npz").source
    assert [len(item) for item in source.items] == [len(roll) for pieces in PIECES.values() for roll in pieces]
    np.savez(tmp_path / "b.npz", **boxes, train_lengths=np.array([3]))
    with pytest.raises(DataError, match="train_lengths"):
        check(tmp_path / "b.npz")


def test_several_collections_are_told_apart_and_formats_of_one_are_not(tmp_path: Path, check: Check) -> None:
    for name, content in FORMS.items():
        (tmp_path / name).write_bytes(content)
    assert sum(check(tmp_path).record["counts"].values()) == 20
    (tmp_path / "jigs.json").write_bytes(FORMS["chorales.json"])
    with pytest.raises(DataError, match="2 collections here: chorales, jigs"):
        check(tmp_path)


def test_files_of_a_split_each_are_one_collection(tmp_path: Path, check: Check) -> None:
    for part, pieces in PIECES.items():
        (tmp_path / f"tunes_{part}.json").write_text(json.dumps({part: list(map(steps, pieces))}))
    assert check(tmp_path).record["counts"] == {"train": 16, "val": 0, "test": 4}


def test_other_json_and_arrays_are_not_taken_for_music(tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text('{"images": [], "annotations": []}')
    np.savez(tmp_path / "images.npz", x_train=np.zeros((3, 10, 88), np.uint8), y_train=np.zeros(3))
    (tmp_path / "deep.json").write_text('{"train": [{"text": "a"}]}')
    for name in ("boxes.json", "images.npz", "deep.json"):
        assert Music().claims(Files.open(tmp_path / name)) is None


def test_new_pieces_are_read_as_those_of_the_training(tmp_path: Path, check: Check) -> None:
    (tmp_path / "a.json").write_bytes(FORMS["chorales.json"])
    state = check(tmp_path / "a.json").folds[0].kind_state
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1.mid").write_bytes(song([(60, 0, 1), (62, 1, 3)]))
    (tmp_path / "new" / "2.mid").write_bytes(b"broken")
    (tmp_path / "new" / "3.mid").write_bytes(song([(64, 0, 1)]))                  # one step is enough to go on from
    found = load_new(tmp_path / "new", "music", state)
    assert found.keys == ["1.mid", "2.mid", "3.mid"]
    assert found.rows.tolist() == [0, 2]
    assert found.dataset.arrays.shapes.tolist() == [[3], [1]]                     # type: ignore[union-attr]


def test_genres_can_be_told_apart_where_that_is_asked(tmp_path: Path, check: Check) -> None:
    for number in range(20):
        for genre, pitch in (("low", 30), ("high", 80)):
            (tmp_path / genre).mkdir(exist_ok=True)
            (tmp_path / genre / f"{number}.mid").write_bytes(song([(pitch, 0, 1 + number / 4), (pitch + 1, 1, 2)]))
    assert check(tmp_path).task_name == "predict"
    assert set(check(tmp_path, task="classify").record["classes"]) == {"low", "high"}


def test_a_piece_is_shown_as_a_roll_and_in_words(tmp_path: Path, check: Check) -> None:
    (tmp_path / "a.json").write_bytes(FORMS["chorales.json"])
    loaded = check(tmp_path / "a.json")
    shown = loaded.shown("train 3")
    assert shown["words"].startswith("7 steps, about 4 s, ")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown["png"]))))
    assert picture.ndim == 3
    one = np.zeros((10, 88), np.uint8)
    one[2:5, 39] = 1
    ink = np.asarray(Image.open(io.BytesIO(drawn(one))))[..., 0] < 100
    across = ink.shape[1] // 10
    assert np.flatnonzero(ink.any(0)).tolist()[0] == 2 * across
    assert np.flatnonzero(ink.any(0)).tolist()[-1] < 5 * across
    assert pitch_name(39) == "C4"
    assert drawn(np.zeros((3, 88), np.uint8))
    assert Music().told(one, {})[2] == [60]
    json.dumps(loaded.record)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys
    (tmp_path / "a.mid").write_bytes(song([(60, 0, 1)]))
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(DataError, match="pip install 'bakeoff\\[music\\]'"):
        read(tmp_path / "a.mid")


@cache
def seeds() -> dict[str, bytes]:
    few = {part: pieces[:2] for part, pieces in PIECES.items()}
    return {"a.mat": mat(few), "a.npz": npz(few), "a.json": json.dumps({part: list(map(steps, pieces)) for part, pieces in few.items()}).encode(),
            "a.mid": song([(60, 0, 1), (64, 1, 2), (67, 1, 3)])}


@pytest.mark.parametrize("name", ["a.mat", "a.npz", "a.json", "a.mid"])
@settings(max_examples=200, deadline=5000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_are_sound_or_told(name: str, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever bytes come, there is an answer within seconds: rolls of 0 and 1, or a sentence."""
    content = bytearray(seeds()[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(content) - 1, 200)) | st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change":
                content[place] = data.draw(st.integers(0, 255))
            case "cut":
                del content[max(1, place):]
            case "insert":
                content[place:place] = data.draw(st.binary(max_size=20))
            case _:
                content += content[place:place + 100]
    (tmp_path / name).write_bytes(bytes(content))
    try:
        files = Files.open(tmp_path / name)
        Music().claims(files)
        source = Music().read(files, ReadOptions())
    except DataError:
        return
    for roll in source.items:
        assert roll.dtype == np.uint8
        assert roll.shape[1] == 88
        assert len(roll) > 1
        assert set(np.unique(roll)) <= {0, 1}
    assert all(problem.what and problem.where for problem in source.problems)
    assert len(source.items) == len(source.keys) == len(set(source.keys))


@settings(max_examples=60, deadline=5000)
@given(rolled=st.lists(st.sets(st.integers(21, 108), max_size=6), min_size=1, max_size=30), step=st.sampled_from([1, 4, 16, 32]))
def test_any_roll_survives_being_written_and_read(rolled: list[set[int]], step: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    rolled[-1].add(60)                                # silence at the end is not written
    roll = rolls.of_steps([sorted(pitches) for pitches in rolled], Pieces())
    path = tmp_path_factory.mktemp("midi") / "a.mid"
    midi.write(path, roll, step / 4)
    assert np.array_equal(midi.roll_of(path.read_bytes(), step / 4, Pieces()), roll)
