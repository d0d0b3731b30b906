"""Tables with what is said in each recording: recognised, asked for, and told with file and line where something is wrong."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bakeoff.data.audio import Audio
from bakeoff.data.base import ReadOptions
from bakeoff.data.load import Loaded, files_of, load_new
from bakeoff.errors import DataError, OptionError

Check = Callable[..., Loaded]
RATE = 8000
SAID = ["one two", "three", "two two one", "no"]


def sound(seconds: float = 0.3, rate: int = RATE, tone: float = 440) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, 0.3 * np.sin(2 * np.pi * tone * np.arange(round(seconds * rate)) / rate), rate, format="WAV")
    return out.getvalue()


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    (tmp_path / "talk" / "clips").mkdir(parents=True)
    for number in range(40):
        (tmp_path / "talk" / "clips" / f"{number:02}.wav").write_bytes(sound(0.2 + number / 100, tone=300 + 10 * number))
    return tmp_path / "talk"


def frame(**more: Any) -> pd.DataFrame:
    return pd.DataFrame({"path": [f"clips/{number:02}.wav" for number in range(40)], "text": [SAID[number % 4] for number in range(40)], **more})


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("column", ["text", "transcript", "transcription", "Sentence"])
def test_what_is_said_is_to_be_transcribed(form: str, column: str, clips: Path, check: Check) -> None:
    table = frame(duration=0.3, speaker=[f"s{number % 5}" for number in range(40)]).rename(columns={"text": column})
    write: dict[str, Callable[[Path], Any]] = {
        "csv": lambda file: table.to_csv(file, index=False), "tsv": lambda file: table.to_csv(file, sep="\t", index=False),
        "jsonl": lambda file: table.to_json(file, orient="records", lines=True), "parquet": lambda file: table.to_parquet(file)}
    write[form](clips / f"manifest.{form}")
    loaded = check(clips, **({"group": "speaker"} if form == "csv" else {}))
    assert (loaded.kind_name, loaded.task_name) == ("audio", "transcribe")
    assert f"column {column!r}" in loaded.kind_why
    assert loaded.record["first"][2]["target"] == "two two one"
    assert loaded.metric == "wer"
    assert (loaded.splits.train.groups is not None) == (form == "csv")
    assert set(loaded.splits.train.targets) <= set(SAID)


def test_options_say_which_column_and_which_task(clips: Path, check: Check) -> None:
    frame(label=["a", "b"] * 20, heard=[f"all said {number} then" for number in range(40)]).to_csv(clips / "list.csv", index=False)
    assert check(clips).task_name == "classify", "a label goes first"
    assert check(clips, task="transcribe").record["first"][0]["target"] == "one two"
    assert check(clips, target="text").task_name == "transcribe"
    heard = check(clips, target="heard")
    assert (heard.task_name, heard.record["first"][1]["target"]) == ("transcribe", "all said 1 then")
    assert check(clips, target="text", task="classify").record["classes"].keys() == set(SAID)
    with pytest.raises(DataError, match="no column 'words'"):
        check(clips, target="words")


def test_a_folder_per_class_may_be_transcribed_when_asked(clips: Path, check: Check) -> None:
    for number, name in enumerate(sorted((clips / "clips").iterdir())):
        (clips / SAID[number % 2 * 2]).mkdir(exist_ok=True)
        name.rename(clips / SAID[number % 2 * 2] / name.name)
    assert check(clips, task="transcribe").record["first"][0]["target"] == "one two"


def test_bad_examples_are_named_with_file_and_line(clips: Path, check: Check) -> None:
    whole = sound(0.4)
    (clips / "clips/cut.wav").write_bytes(whole[:-1000])
    (clips / "clips/none.wav").write_bytes(sound(0))
    (clips / "clips/fast.wav").write_bytes(sound(0.05))
    (clips / "clips/other.wav").write_bytes(sound(0.3, rate=16000))
    rows = [f"clips/{number:02}.wav,{SAID[number % 4]}" for number in range(40)]
    rows += ["clips/cut.wav,one", "clips/none.wav,one", "clips/fast.wav,eeeeeee", "clips/other.wav,three", "clips/03.wav,", "clips/gone.wav,two"]
    (clips / "manifest.csv").write_text("path,text\n" + "\n".join(rows) + "\n")
    loaded = check(clips, max_bad="20%")
    aside = {one["where"]: one["what"] for one in loaded.record["set_aside"]}
    assert aside == {"manifest.csv, line 42": "the file is cut off: 1,000 bytes of its sound are missing",
                     "manifest.csv, line 43": "there is no sound in it: 0 samples",
                     "manifest.csv, line 44": "the transcript needs 13 steps, a step per character, and the example has 6",
                     "manifest.csv, line 46, column 'text'": "the target is missing",
                     "manifest.csv, line 47": "the recording cannot be read: there is no such file"}
    assert loaded.record["kept"] == 41
    assert [note for note in loaded.record["notes"] if "recordings are resampled to 8,000 Hz: 1 of 16,000 Hz" in note]
    with pytest.raises(DataError, match=r"4 of 46 examples cannot be used.*--max-bad"):
        check(clips)
    fine = check(clips, max_bad="20%", set={"audio.hop": "2"})
    assert "manifest.csv, line 44" not in {one["where"] for one in fine.record["set_aside"]}, "finer steps hold it"


def test_a_number_that_is_none_is_named_with_its_line(clips: Path, check: Check) -> None:
    rows = [f"clips/{number:02}.wav,{number / 7}" for number in range(39)]
    (clips / "manifest.csv").write_text("path,label\n" + "\n".join([*rows, "clips/39.wav,much"]) + "\n")
    assert [one["where"] for one in check(clips, task="regress").record["set_aside"]] == ["manifest.csv, line 41"]


def test_new_recordings_need_no_transcripts(clips: Path, check: Check, tmp_path: Path) -> None:
    frame().to_csv(clips / "manifest.csv", index=False)
    loaded = check(clips)
    (tmp_path / "new").mkdir()
    (tmp_path / "new/a.wav").write_bytes(sound(0.5))
    new = load_new(tmp_path / "new", "audio", loaded.folds[0].kind_state)
    assert new.keys == ["a.wav"]
    table = tmp_path / "new/list.csv"
    table.write_text("path\na.wav\n")
    assert load_new(table, "audio", loaded.folds[0].kind_state).keys == ["a.wav"]


SEEDS = {
    "csv": b'path,text,split\nclips/a.wav,one two,train\nclips/b.wav,"three, four",test\nclips/a.wav,five,train\n',
    "tsv": b"file\tsentence\nclips/a.wav\tone two\nclips/b.wav\tthree\n",
    "jsonl": b'{"audio_filepath": "clips/a.wav", "text": "one two", "duration": 0.1}\n{"audio_filepath": "clips/b.wav", "text": "three"}\n',
    "parquet": (lambda out: (pd.DataFrame({"path": ["clips/a.wav", "clips/b.wav"], "text": ["one two", "three"]}).to_parquet(out),
                             out.getvalue())[1])(io.BytesIO()),
}
WAV = sound(0.05)


@pytest.mark.parametrize("form", SEEDS)
@settings(max_examples=200, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_mutated_manifests_are_read_or_told(form: str, data: st.DataObject) -> None:
    """Whatever stands in the table, there are transcripts for recordings that are there, or one message."""
    content = bytearray(SEEDS[form])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(0, len(content) - 1)))
        match data.draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change" if content:
                content[min(place, len(content) - 1)] = data.draw(st.integers(0, 255))
            case "cut":
                del content[place:place + data.draw(st.integers(1, 40))]
            case "insert":
                content[place:place] = data.draw(st.sampled_from([b'"', b"\n", b",", b"\t", b"\x00", b"\xff", b"{", b"../", b"null"]))
            case _:
                content += content[place:place + 60]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "clips").mkdir()
        for name in ("a", "b"):
            (Path(folder) / "clips" / f"{name}.wav").write_bytes(WAV)
        (Path(folder) / f"manifest.{form}").write_bytes(content)
        try:
            source = Audio().read(files_of(folder), ReadOptions(task="transcribe"))
        except (DataError, OptionError):
            return
        assert len(source.items) == len(source.targets) == len(source.keys) == len(source.where or [])
        assert all(item.shape[1] == 40 for item in source.items)
        assert all(problem.what and problem.where for problem in source.problems if problem.bad)
        json.dumps(source.targets)
