"""The samples are what they say: small, free to pass on, the same for the same seed, and with the truth that was planted."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bakeoff import samples
from bakeoff.data.load import load
from bakeoff.errors import OptionError
from bakeoff.options import Options

FOLDER = Path(samples.__file__).parent


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("name", samples.names())
def test_a_sample_is_read_as_what_it_says(name: str) -> None:
    sample = samples.names()[name]
    loaded = load(samples.place(name), Options())
    assert (loaded.kind_name, loaded.task_name) == (sample.kind, sample.task)
    assert not loaded.record["set_aside"]
    assert sample.sentence.endswith((".", "?"))
    assert sample.licence
    assert sample.citation or sample.generated


def test_the_sizes_are_those_of_the_sentences() -> None:
    counts = {name: sum(load(samples.place(name), Options()).record["counts"].values()) for name in ("digits", "vowels", "shakespeare")}
    assert counts == {"digits": 1797, "vowels": 640, "shakespeare": 2481}
    for name, count in counts.items():
        assert f"{count:,}" in samples.names()[name].sentence


@pytest.mark.parametrize("name", samples.names())
def test_the_same_seed_writes_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, again, other = (files(samples.write(name, tmp_path / str(number), seed)) for number, seed in enumerate((3, 3, 4)))
    assert first == again
    assert (first != other) == samples.names()[name].generated


def test_a_sample_is_written_once_and_found_again() -> None:
    first = samples.place("noise", 1)
    (first / "noise.npz").touch()
    stamp = (first / "noise.npz").stat().st_mtime_ns
    assert samples.place("noise", 1) == first
    assert (first / "noise.npz").stat().st_mtime_ns == stamp
    assert samples.place("noise", 2) != first


def test_an_unknown_sample_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Did you mean 'digits'"):
        samples.write("digit", tmp_path)


def test_the_sum_of_the_marked_numbers_is_the_target_and_no_mark_stands_near_the_end(tmp_path: Path) -> None:
    with np.load(samples.write("adding", tmp_path) / "adding.npz") as arrays:
        for split, count in (("train", 8000), ("val", 1000), ("test", 1000)):
            x, y = arrays[f"x_{split}"], arrays[f"y_{split}"]
            assert x.shape == (count, 2, 100)
            np.testing.assert_allclose((x[:, 0] * x[:, 1]).sum(1), y, rtol=1e-6)
            marks = np.argwhere(x[:, 1] == 1)[:, 1].reshape(count, 2)
            assert marks[:, 0].max() < 50 < 60 <= marks[:, 1].min()
            assert marks[:, 1].max() < 87
    assert samples.names()["adding"].settings == {"causal": True, "pool": "last"}


def test_a_tooth_hides_from_what_does_not_look_at_order(tmp_path: Path) -> None:
    with np.load(samples.write("motif", tmp_path) / "motif.npz") as arrays:
        x, y = arrays["x"][:, 0].astype(np.float64), arrays["y"]
    rising, falling = x[y == "rising"], x[y == "falling"]
    assert len(rising) == len(falling)
    for summary in (np.mean, np.std, np.max):                # within three standard errors of each other
        a, b = summary(rising, axis=1), summary(falling, axis=1)
        assert abs(a.mean() - b.mean()) < 3 * np.sqrt(a.var() / len(a) + b.var() / len(b))
    ramp = np.linspace(-1, 1, 16)
    match = [np.abs(np.correlate(series, ramp, "valid")).max() for series in x[:200]]
    signs = [np.correlate(series, ramp, "valid") for series in x[:200]]
    found = np.array(["rising" if sign[np.abs(sign).argmax()] > 0 else "falling" for sign in signs])
    assert np.mean(match) > 10
    assert np.mean(found == y[:200]) > 0.95


def test_words_alone_say_nothing_about_their_order(tmp_path: Path) -> None:
    with (samples.write("order", tmp_path) / "order.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    bags: Counter[tuple[str, str]] = Counter()
    for row in rows:
        words = row["text"].split()
        salt, pepper = words.index("salt"), words.index("pepper")
        assert row["label"] == ("salt first" if salt < pepper else "pepper first")
        assert 8 <= abs(salt - pepper) - 1 <= 12
        assert min(salt, pepper) > 0
        assert max(salt, pepper) < len(words) - 1
        bags[row["split"], " ".join(sorted(words))] += 1 if salt < pepper else -1
    assert not any(bags.values())                            # every bag of words has both labels, equally often, in one split


def test_importing_the_samples_loads_nothing_heavy() -> None:
    code = "import sys; import bakeoff.samples as s; s.names(); print({'torch', 'numpy', 'pandas', 'sklearn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_the_package_stays_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir() if file.suffix in (".npz", ".zip", ".csv")) < 1_000_000


def test_in_a_canon_the_second_voice_does_what_the_first_did(tmp_path: Path) -> None:
    pieces = json.loads((samples.write("canon", tmp_path) / "canon.json").read_text())
    assert {split: len(part) for split, part in pieces.items()} == {"train": 240, "valid": 120, "test": 120}
    for piece in (piece for part in pieces.values() for piece in part):
        first: list[int] = []
        for k, step in enumerate(piece):
            second = [first[k - 4] - 12] if k >= 4 else []
            (own,) = Counter(step) - Counter(second)                         # raises where the second voice is not there
            assert len(step) == 1 + len(second)
            first.append(own)
        assert all(abs(a - b) in (1, 2, 3, 4) for a, b in pairwise(first))
