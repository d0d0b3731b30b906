"""A whole run on plain text: figures, what is written, predictions behind prompts, the report."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

import bakeoff
from bakeoff.errors import OptionError
from bakeoff.report.render import render
from bakeoff.use.predict import predict
from bakeoff.use.sample import Drawing, drawn, sample

VERSE = "".join(f"<b>Line {number % 7}</b> of & many,\nit goes {'on ' * (number % 3 + 1)}still.\n" for number in range(220))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("verse") / "verse.txt"
    path.write_text(VERSE)
    out = tmp_path_factory.mktemp("run") / "whole"
    bakeoff.run(path, slate="gru", trials=1, examples=600, seeds=1, jobs=1, set={"text.window": 32, "width": 32}, out=out)
    return out


def test_the_records_hold_nats_of_every_character(finished) -> None:
    data, plan = (json.loads((finished / name).read_text()) for name in ("data.json", "plan.json"))
    assert (data["kind"], data["task"], plan["metric"]) == ("text", "generate", "nats")
    assert {"majority", "linear", "nearest"} <= set(plan["absent"])
    board = pd.read_csv(finished / "leaderboard.csv").set_index("contender")["value"]
    assert set(board.index) == {"gru", "ngram"}
    assert board["ngram"] < 0.5
    assert board["gru"] < 2.5
    answers = pd.read_parquet(finished / "finals/ngram/seed-0/answers.parquet")
    assert answers["answer"].sum() / answers["target"].sum() == pytest.approx(board["ngram"])
    beside = json.loads((finished / "comparison.json").read_text())["beside"]
    assert beside["ngram"]["bpc"] == pytest.approx(board["ngram"] / 0.6931472, rel=1e-6)


def test_what_is_written_is_on_record_and_escaped_in_the_report(finished) -> None:
    record = json.loads((finished / "written.json").read_text())
    assert set(record["written"]) == {"gru", "ngram"}
    assert record["prompt"] in VERSE
    page = render(finished)
    assert page == (finished / "report.html").read_text()
    assert "What they write" in page
    assert "</b> of &amp; many" in page.replace("&lt;/b&gt;", "</b>")
    assert "<b>Line" not in page


def test_prompts_are_gone_on_with_the_same_way_twice(finished, tmp_path) -> None:
    (tmp_path / "prompts.txt").write_text("<b>Line 3\n\nit goes on\n")
    for name in ("ngram", "gru"):
        table, problems = predict(finished, tmp_path / "prompts.txt", tmp_path / f"{name}.csv", contender=name)
        assert table["key"].tolist() == ["prompts.txt:1", "prompts.txt:3"]
        assert problems == []
        assert [len(answer) for answer in table["answer"]] == [300, 300]
        assert predict(finished, tmp_path / "prompts.txt", contender=name)[0].equals(table)
    assert pd.read_csv(tmp_path / "ngram.csv")["answer"].str.contains("still").all()


def test_sampling_takes_temperature_and_its_limits(finished) -> None:
    cold = sample(finished, "<b>Line 2", contender="ngram", length=40, temperature=0)
    assert cold.startswith("</b> of & many,\nit goes on")
    assert cold == sample(finished, "<b>Line 2", contender="ngram", length=40, top_k=1, seed=5)
    assert cold == sample(finished, "<b>Line 2", contender="ngram", length=40, top_p=1e-9, seed=6)
    wild = [sample(finished, "<b>Line 2", contender="gru", length=60, temperature=2.0, seed=seed) for seed in (0, 0, 1)]
    assert wild[0] == wild[1] != wild[2]
    assert len(sample(finished, "", contender="gru", length=50)) == 50
    with pytest.raises(OptionError, match="-1 is no temperature"):
        sample(finished, "a", temperature=-1)


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    logits = torch.tensor([9.0, 9.0, 1.0, 2.0, 3.0])
    chance = torch.Generator().manual_seed(0)
    counts = torch.bincount(torch.tensor([drawn(logits, Drawing(temperature=1.0), chance) for _ in range(4000)]), minlength=5) / 4000
    torch.testing.assert_close(counts[2:], logits[2:].softmax(-1), atol=0.03, rtol=0)
    assert counts[:2].sum() == 0, "padding and unknown are never written"
    assert {drawn(logits, Drawing(top_k=2), chance) for _ in range(200)} == {3, 4}
    assert {drawn(logits, Drawing(temperature=1.0, top_p=0.7), chance) for _ in range(200)} == {3, 4}
