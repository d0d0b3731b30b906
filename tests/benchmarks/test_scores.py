"""A row of published results: its parts, bars, result file and exit code; and that every script and result file says what is shown of it."""

from __future__ import annotations

import ast
import importlib.util
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCORES = ROOT / "benchmarks" / "scores"
SCRIPTS = sorted(SCORES.glob("[0-9][0-9]_*.py"))
RESULTS = sorted((SCORES / "results").glob("*.json"))
RECORD = {"row", "script", "parts", "reached", "seconds", "machine", "versions", "revision"}
PART = {"name", "published", "bar", "best", "values", "unit", "how", "value", "low", "high", "reached", "reduced", "counts", "setting", "seconds"}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """row.py, whose result files go into an empty folder."""
    spec = importlib.util.spec_from_file_location("row", SCORES / "row.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "row", found)
    spec.loader.exec_module(found)
    monkeypatch.setattr(found, "RESULTS", tmp_path / "results")
    return found


@pytest.fixture
def row(module: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def start(*line: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["99_any.py", *line])
        return module.Row(99, "any", "Row 99: any.")
    return start


def kept(tmp_path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((tmp_path / "results" / "99_any.json").read_text(encoding="utf-8"))
    return record


def test_a_part_is_held_against_its_bar(module: Any) -> None:
    def reached(bar: float | None, best: str, *values: float, **more: Any) -> bool | None:
        found: bool | None = module.Part("gru", "", bar, best, list(values), "mse", **more).reached
        return found
    assert reached(0.5, "low", 0.4, 0.6) is True                              # the mean lies on the bar
    assert reached(0.5, "low", 0.51) is False
    assert reached(0.5, "high", 0.51) is True
    assert reached(0.5, "high", 0.4) is False
    assert reached(0.01, "equal", 1.009, target=1.0) is True
    assert reached(0.01, "equal", 0.98, target=1.0) is False
    assert reached(0.5, "low", 0.4, 9.0, how="best") is True
    assert reached(0.5, "high", 0.4, 0.6, how="best") is True
    assert reached(None, "low", 9.0) is None


def test_the_interval_is_of_the_mean_and_the_extremes_stand_beside_the_best(module: Any) -> None:
    mean = module.Part("gru", "", None, "high", [1.0, 2.0, 3.0], "accuracy")
    assert (mean.value, mean.low, mean.high) == pytest.approx((2.0, 2 - 4.30265 / 3 ** 0.5, 2 + 4.30265 / 3 ** 0.5), abs=1e-4)     # t of two
    best = module.Part("gru", "", None, "high", [1.0, 2.0, 3.0], "accuracy", how="best")
    assert (best.value, best.low, best.high) == (3.0, 1.0, 3.0)
    one = module.Part("gru", "", None, "high", [2.0], "accuracy")
    assert (one.value, one.low, one.high) == (2.0, 2.0, 2.0)


def test_the_exit_code_is_that_of_the_parts_that_count(module: Any, row: Callable[..., Any]) -> None:
    good, bad = {"bar": 0.5, "best": "low", "values": [0.4], "unit": "mse"}, {"bar": 0.5, "best": "low", "values": [0.6], "unit": "mse"}
    passed = row()
    passed.add(module.Part("gru", "", **good))
    passed.add(module.Part("lstm", "", **{**bad, "bar": None}))
    passed.add(module.Part("tcn", "", **bad, counts=False, reduced="a tenth of the steps"))
    assert passed.finish() == 0
    passed.add(module.Part("rnn", "", **bad))
    assert passed.finish() == 1
    nothing = row()
    nothing.add(module.Part("lstm", "", **{**good, "bar": None}))
    assert nothing.finish() == 1                                              # nothing was held against a bar


def test_a_stop_keeps_what_was_measured_and_only_takes_a_part_again(module: Any, row: Callable[..., Any], tmp_path: Path) -> None:
    first = row()
    first.add(module.Part("gru T=200", "5e-5", 1e-3, "low", [1e-4, 2e-4], "mse"))
    first.add(module.Part("tcn T=200", "5e-5", 1e-3, "low", [1.0], "mse"))    # and here the script is stopped
    assert [part["name"] for part in kept(tmp_path)["parts"]] == ["gru T=200", "tcn T=200"]
    assert kept(tmp_path)["reached"] is False
    again = row("--only", "tcn, lstm")
    assert [again.wants(name) for name in ("tcn T=200", "lstm T=600", "gru T=200")] == [True, True, False]
    assert [part["name"] for part in again.parts] == ["gru T=200"]
    again.add(module.Part("tcn T=200", "5e-5", 1e-3, "low", [5e-4], "mse"))
    record = kept(tmp_path)
    assert [(part["name"], part["values"]) for part in record["parts"]] == [("gru T=200", [1e-4, 2e-4]), ("tcn T=200", [5e-4])]
    assert record["reached"] is True
    assert again.finish() == 0


def test_a_row_that_reads_files_asks_for_their_folder(row: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="--data"):
        row().folder()
    with pytest.raises(SystemExit, match="--data"):
        row("--data", str(tmp_path / "nowhere")).folder()
    assert row("--data", str(tmp_path)).folder() == tmp_path


def test_no_row_stands_twice() -> None:
    numbers = [script.name[:2] for script in SCRIPTS]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_says_what_it_repeats_and_how_and_trains_nothing_by_itself(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    said = ast.get_docstring(ast.parse(text)) or ""
    assert said.startswith(f"Row {int(script.stem[:2])}: ")
    head = runpy.run_path(str(ROOT / "docs" / "generate.py"))["head_of"](script)
    assert {"what", "paper", "command", "expected"} <= set(head)
    assert "http" in head["paper"]
    assert f"python benchmarks/scores/{script.name}" in head["command"]
    assert [word for word in ("torch.optim", ".backward(", "(nn.Module)") if word in text] == []


@pytest.fixture
def page() -> dict[str, Any]:
    """docs/generate.py."""
    return runpy.run_path(str(ROOT / "docs" / "generate.py"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_row_that_missed_a_bar_says_what_was_tried(path: Path, page: dict[str, Any]) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    head = page["head_of"](SCORES / f"{path.stem}.py")
    assert page["standing"](record) != "missed" or head.get("tried"), f"{path.stem} is under a bar, and its head says nothing of it"


def part(**more: Any) -> dict[str, Any]:
    """A part that counts and is at its bar."""
    given = {"name": "ntm copy", "published": "", "bar": 0.01, "best": "low", "values": [0.0], "unit": "bits", "how": "mean", "value": 0.0,
             "low": 0.0, "high": 0.0, "reached": True, "reduced": None, "counts": True, "setting": "", "seconds": 1.0, "target": None}
    return {**given, **more}


def record(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"parts": list(parts), "seconds": 9.0, "machine": {"cpu": "any", "cores": 2}, "threads": 1, "versions": {"torch": "2"}, "load": [0.5],
            "revision": "abc"}


def test_what_is_reduced_is_shown_as_such_and_counted_only_where_it_counts(page: dict[str, Any]) -> None:
    small, missed = {"reduced": "ten epochs"}, {"reached": False}
    shown = {"reached": part(), "**missed**": part(**missed), "reported": part(bar=None, reached=None), "reached, reduced": part(**small),
             "**missed, reduced**": part(**missed, **small), "reported, reduced": part(bar=None, reached=None, counts=False, **small)}
    assert {said: page["state"](one) for said, one in shown.items()} == {said: said for said in shown}
    alone = [part(counts=False, reached=reached, **small) for reached in (True, False)]
    assert [page["state"](one) for one in alone] == ["reduced", "reduced"]
    assert page["verdict"](record(part(), part(**missed), *alone)) == "1 of 2 at their bars"
    assert page["verdict"](record(part(), part(**small))) == "2 of 2 at their bars, 1 of them reduced"
    assert page["verdict"](record(part(**missed, **small), *alone)) == "0 of 1 at its bar, reduced"
    assert [page["standing"](one) for one in (record(part(), *alone), record(*alone), record(part(), part(**missed)), None)] == [
        "reached", "reported", "missed", "not run"]
    assert all(f"**{state.strip('*')}**" in page["REPRODUCTION_HEAD"] for state in (*shown, "reduced"))               # the legend knows them


def test_a_title_says_nothing_that_was_missed_or_not_run(page: dict[str, Any]) -> None:
    head = {"what": "Two numbers are added: a TCN learns it", "paper": "Bai 2018", "command": "`any`", "expected": "a lot",
            "tried": "Two rates.\n\nA third."}
    good, bad = record(part()), record(part(), part(reached=False))
    assert "## 3. Two numbers are added: a TCN learns it – 1 of 1 at its bar" in page["row_of"](3, head, good)
    missed, unrun = page["row_of"](3, head, bad), page["row_of"](3, head, None)
    assert "## 3. Two numbers are added – 1 of 2 at their bars" in missed
    assert "## 3. Two numbers are added – not run" in unrun
    assert "learns it" not in "\n".join(missed + unrun)
    for lines in (missed, unrun):
        assert lines[-5:] == ["**Expected**: a lot", "", "**How, and what was tried**", "", "Two rates.\n\nA third."]
    assert len([line for line in unrun if line.startswith("|")]) == 0


def test_all_that_a_head_says_beside_its_labels_is_what_was_tried(page: dict[str, Any], tmp_path: Path) -> None:
    script = tmp_path / "03_any.py"
    script.write_text('"""Row 3: two numbers\nare added.\n\nPapers: one,\n    two\nPublished values: of a table.\n'
                      'Command: python any.py   (FOLDER: one)\nExpected: much. Ten\nminutes.\n'
                      'Tried: a rate,\nand another.\n\nAlike: all.\n"""\n', encoding="utf-8")
    assert page["head_of"](script) == {"what": "Two numbers are added", "paper": "one, two", "command": "`python any.py` (FOLDER: one)",
                                       "expected": "much. Ten minutes.",
                                       "tried": "Published values: of a table.\n\nTried: a rate, and another.\n\nAlike: all."}


def test_an_interval_ends_where_the_quantity_does_and_few_values_are_shown(page: dict[str, Any]) -> None:
    def shown(values: list[float], low: float, high: float, unit: str, **more: Any) -> str:
        found: str = page["measured"](part(values=values, value=sum(values) / len(values), low=low, high=high, unit=unit, **more))
        return found
    assert shown([1.0, 0.0, 0.0], -1.1, 1.77, "share") == "0.3333 [0, 1] share (1, 0, 0)"
    assert shown([0.0, 0.619, 21.715], -23.3, 38.15, "bits per episode") == "7.445 [0, 38.15] bits per episode (0, 0.619, 21.71)"
    assert shown([0.98, 1.0], 0.9, 1.05, "accuracy") == "0.99 [0.9, 1] accuracy (0.98, 1)"
    assert shown([0.01, 0.03], -0.1, 0.14, "accuracy", name="senet − resnet") == "0.02 [-0.1, 0.14] accuracy (0.01, 0.03)"
    assert shown([0.5] * 6, 0.5, 0.5, "mse") == "0.5 [0.5, 0.5] mse"
    assert shown([0.5], 0.5, 0.5, "mse") == "0.5 mse"
    assert shown([1.0, 3.0], 1.0, 3.0, "mse", how="best") == "best of 2: 2 [1, 3] mse (1, 3)"


def test_the_page_counts_the_rows_and_shows_every_one(page: dict[str, Any]) -> None:
    text, found = page["reproduction"](), [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS]
    missed = [record["row"] for record in found if any(one["reached"] is False and one["counts"] for one in record["parts"])]
    assert f"Of {len(SCRIPTS)} experiments:" in text
    assert f"- **not run**: {len(SCRIPTS) - len(RESULTS)}\n" in text
    assert f"- **missed**, at least one bar that counts: {len(missed)}\n" in text
    assert text.count("\n## ") == len(SCRIPTS)
    for script in SCRIPTS:
        own = text.partition(f"\n## {int(script.stem[:2])}. ")[2].partition("\n## ")[0]
        assert own.partition("\n")[0].endswith("not run") == (not (SCORES / "results" / f"{script.stem}.json").exists())
        assert "**Expected**: " in own


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_result_file_holds_all_that_is_shown_of_it(path: Path) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    assert (SCORES / f"{path.stem}.py").exists()
    assert set(record) >= RECORD
    assert (record["row"], record["script"]) == (int(path.stem[:2]), f"benchmarks/scores/{path.stem}.py")
    assert record["parts"]
    for part in record["parts"]:
        assert set(part) >= PART, part["name"]
        assert part["values"]
        assert part["low"] <= part["value"] <= part["high"]
        assert part["counts"] or part["reduced"], f"{part['name']} does not count and does not say what was reduced"
        assert (part["bar"] is None) == (part["reached"] is None)
