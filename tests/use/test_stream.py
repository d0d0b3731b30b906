"""What is written while it is heard is what is written of the whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bakeoff.errors import OptionError
from bakeoff.nn.network import Network, empty_batch
from bakeoff.registry import every
from bakeoff.tasks.classify import Classify
from bakeoff.tasks.transcribe import Transcribe
from bakeoff.train.choices import space_of
from bakeoff.types import Grid, Spec
from bakeoff.use.stream import Stream

SPEC = Spec("made", ("time", "mel"), (None, 6), 1, None, None, {"train": 100}, "", (100.0,), (30.0,), (40, 6), (30, 6))
TASK = Transcribe().fit(["one two", "two three one"] * 40, SPEC)
CAUSAL = {name: family for name, family in every("family").items() if family.can_be_causal and not family.pools}


def network(name: str, **more: Any) -> Network:
    torch.manual_seed(1)
    params = {**space_of(CAUSAL[name], SPEC, TASK, causal=True).defaults(), "width": 8, **more}
    made = Network(CAUSAL[name], SPEC, TASK, params)
    torch.nn.init.normal_(made.head.out.weight, std=2.0)      # says much, and often something else
    return made.eval()


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("ways", [("greedy", "words"), ("beam", "characters")])
def test_a_stream_ends_with_the_answer_for_the_whole(name: str, ways: tuple[str, str]) -> None:
    made = network(name, decoding=ways[0], units=ways[1])
    cells = torch.randint(0, 200, (14, 6, 1), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
    with torch.inference_mode():
        whole = TASK.decode(made.answer(empty_batch(Grid(cells[None], None))))[0].value
    stream, parts = Stream(made), []
    for start, end in ((0, 1), (1, 5), (5, 14)):
        parts.append(stream.feed(cells[start:end]))
    assert parts[-1] == stream.text == whole
    assert len(str(whole)) > 3
    if ways[0] == "greedy":
        assert all(str(whole).startswith(part) for part in parts), "what is written stays"


def test_what_cannot_be_streamed_says_why() -> None:
    for more in ({"causal": False}, {"scaling": "example"}):
        with pytest.raises(OptionError, match="hears the whole recording"):
            Stream(network("gru", **more))
    task = Classify(["a", "b"])
    labels = Network(CAUSAL["gru"], SPEC, task, {**space_of(CAUSAL["gru"], SPEC, task, causal=True).defaults(), "width": 8})
    with pytest.raises(OptionError, match="classify"):
        Stream(labels)


def test_a_contender_of_a_run_is_streamed_from_its_folder(tmp_path: Path) -> None:
    from bakeoff.train.contender import FittedNetwork
    made = network("gru")
    FittedNetwork(made, CAUSAL["gru"], SPEC, TASK, made.params, torch.device("cpu")).save(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["task"] == "transcribe"
    cells = torch.randint(0, 200, (9, 6, 1), dtype=torch.uint8)
    assert Stream.of(tmp_path).feed(cells) == Stream(made).feed(cells.numpy())
