"""The command: what it keeps, what it measures again, and how it ends."""

from __future__ import annotations

import json

import pytest
from made_claims import planted

from bakeoff.claims import settle
from bakeoff.claims.base import VERDICTS
from bakeoff.cli import outcome
from bakeoff.errors import OptionError, RunError


def stopping(ask):
    raise KeyboardInterrupt


def breaking(ask):
    raise ValueError("<b>no such</b> data set")


def test_every_claim_has_a_file_an_order_and_all_its_words():
    claims = settle.known()
    places = [settle.ORDER.index(name) for name in claims if name in settle.ORDER]
    assert places == sorted(places)
    for name, claim in claims.items():
        assert name == claim.id
        assert len(claim.asserted) >= 2, name
        assert all(map(str.strip, (claim.statement, claim.experiment, claim.rule, claim.limits))), name


def test_the_list_has_exactly_the_fields_that_people_script_against(plant, tmp_path):
    plant(planted("one"), planted("two", "does not hold"))
    settle.settle(out=tmp_path)
    found = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert [list(one) for one in found] == [["id", "statement", "verdict", "value", "low", "high", "seconds"]] * 2
    assert found[0] | {"seconds": 0} == {"id": "one", "statement": "It is said that recurrent networks are slower", "verdict": "holds",
                                         "value": 1.5, "low": 1.25, "high": 2.5, "seconds": 0}
    assert {one["verdict"] for one in found} <= set(VERDICTS)


def test_a_stop_loses_nothing_and_the_same_line_goes_on(plant, tmp_path, capsys):
    plant(planted("one"), planted("two", measure=stopping))
    assert outcome(["claims", "--out", str(tmp_path), "--seed", "3"]) == 130
    assert f"bakeoff claims --seed 3 --out {tmp_path}" in capsys.readouterr().err
    assert (tmp_path / "numbers" / "one.json").exists()
    assert "one" in (tmp_path / "claims.md").read_text(encoding="utf-8")
    plant(planted("one", measure=breaking), planted("two"))
    assert outcome(["claims", "--out", str(tmp_path), "--seed", "3"]) == 0
    assert "measured already" in capsys.readouterr().err
    assert [one["verdict"] for one in json.loads((tmp_path / "claims.json").read_text())] == ["holds", "holds"]


def test_another_seed_or_version_or_data_is_measured_again(plant, tmp_path, monkeypatch):
    plant(planted("one", needs_data=True))
    _, (first,) = settle.settle(out=tmp_path / "out")
    _, (second,) = settle.settle(out=tmp_path / "out", seed=1)
    assert (first.finding.value, second.finding.value) == (1.5, 2.5)
    said = []
    settle.settle(out=tmp_path / "out", seed=1, say=said.append)
    assert "measured already" in said[0]
    (tmp_path / "sets").mkdir()
    _, (third,) = settle.settle(out=tmp_path / "out", seed=1, data=tmp_path / "sets", say=said.append)
    assert "measured already" not in said[1]
    assert third.record["data"] == "sets"
    monkeypatch.setattr(settle, "__version__", "99")
    settle.settle(out=tmp_path / "out", seed=1, data=tmp_path / "sets", say=said.append)
    assert "measured already" not in said[4]


def test_an_experiment_that_raises_cannot_tell_says_why_and_is_tried_again(plant, tmp_path):
    plant(planted("one", measure=breaking), planted("two"))
    _, (failed, fine) = settle.settle(out=tmp_path)
    assert failed.finding.verdict == "cannot tell"
    assert "ValueError: <b>no such</b> data set" in failed.finding.sentence
    assert fine.finding.verdict == "holds"
    assert "Traceback" in (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert "<b>no such" not in (tmp_path / "claims.html").read_text(encoding="utf-8")
    plant(planted("one"), planted("two"))
    assert [one.finding.verdict for one in settle.settle(out=tmp_path)[1]] == ["holds", "holds"]


@pytest.mark.parametrize("part", ["judge", "draw"])
def test_a_rule_or_a_plot_that_raises_does_not_take_the_page_with_it(plant, tmp_path, part):
    plant(planted("one", **{part: breaking}))
    _, (one,) = settle.settle(out=tmp_path)
    assert one.finding.verdict == ("cannot tell" if part == "judge" else "holds")
    assert one.plots == ()
    assert "one, " in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_answers_that_raise_are_left_out_and_noted(plant, tmp_path):
    plant(planted("one", answers=breaking))
    _, (one,) = settle.settle(out=tmp_path)
    assert (one.answers, one.finding.verdict, len(one.plots)) == ((), "holds", 2)
    assert "one, answers" in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_some_claims_are_asked_for_and_those_there_already_stay_on_the_page(plant, tmp_path):
    plant(planted("one"), planted("two"), planted("three"))
    assert [one.claim.id for one in settle.settle(["three"], out=tmp_path)[1]] == ["three"]
    assert [one.claim.id for one in settle.settle(["one"], out=tmp_path)[1]] == ["one", "three"]


def test_numbers_that_are_none_become_none_in_the_list(plant, tmp_path):
    plant(planted("one", measure=lambda ask: {"value": float("nan"), "per length": [[1, 1.0]], "words": "x"}))
    settle.settle(out=tmp_path)
    assert json.loads((tmp_path / "claims.json").read_text())[0]["value"] is None


def test_what_the_user_can_mend(plant, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plant(planted("training-time"))
    assert outcome(["claims", "training-tme"]) == 2
    assert "there is no claim 'training-tme' – bakeoff claims – Did you mean 'training-time'?" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    with pytest.raises(OptionError, match="nothing here"):
        settle.settle(data=tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="a file"):
        settle.settle(out=tmp_path / "file")
    assert outcome(["claims", "--out", str(tmp_path / "file" / "below")]) == 2
    assert "Choose another --out." in capsys.readouterr().err
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "plan.json").write_text("{}")
    with pytest.raises(RunError, match="folder of a run"):
        settle.settle(out=tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["plan.json"]


def test_results_go_to_stdout_and_progress_to_stderr(plant, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plant(planted("one"), planted("two", "holds if"))
    assert outcome(["claims"]) == 0
    out, err = capsys.readouterr()
    assert "two  holds if" in out
    assert "It holds if sequences are long." in " ".join(out.split())
    assert "one (1 of 2): holds" in err
    assert "half way" in err
    assert (tmp_path / "runs" / "claims-1" / "claims.html").exists()
    assert outcome(["claims", "two", "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = json.loads(out)
    assert found["page"].endswith("claims.html")
    assert [one["id"] for one in found["claims"]] == ["two"]
    assert (tmp_path / "runs" / "claims-2" / "claims.json").exists()
