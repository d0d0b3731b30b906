"""What claims read of finished runs, and data-fit and use-cases on planted ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import bakeoff.run  # noqa: F401  so that it can be replaced
from bakeoff.claims import data_fit, runs, use_cases
from bakeoff.claims.base import Ask

GROUPS = {"gru": "recurrent", "tcn": "conv", "majority": "baseline", "linear": "baseline"}


def plant(folder: Path, kind: str, task: str, order: list[str], p: float = 0.001, best: str = "high", without: tuple[str, ...] = ()) -> Path:
    """A run's records: contenders by rank, each .1 apart from the next, every pair with the same p."""
    folder.mkdir(parents=True)
    order = [name for name in order if name not in without]
    sign = 1 if best == "high" else -1
    values = {name: 1.0 - sign * 0.1 * place for place, name in enumerate(order)}
    pairs = [{"a": a, "b": b, "difference": values[a] - values[b], "low": values[a] - values[b] - 0.05, "high": values[a] - values[b] + 0.05, "p": p}
             for place, a in enumerate(order) for b in order[place + 1:]]
    for name, record in {
        "plan.json": {"kind": kind, "task": task, "seeds": 3, "splits": {"test": 100},
                      "contenders": {name: {"group": GROUPS[name]} for name in order}},
        "comparison.json": {"metric": "accuracy", "best": best, "contenders": order, "values": {name: {"value": values[name]} for name in order},
                            "pairs": pairs},
        "verdict.json": {"best": order[0]},
    }.items():
        (folder / name).write_text(json.dumps(record))
    return folder


CONV, RECURRENT = ["tcn", "gru", "linear", "majority"], ["gru", "tcn", "linear", "majority"]


def planted(tmp_path: Path, images: list[str], sequences: list[str], count: int = 8, p: float = 0.001) -> dict[str, object]:
    for number in range(count):
        plant(tmp_path / "deep" / f"picture-{number}", "image", "classify", images, p)
        plant(tmp_path / f"words-{number}", "text", "classify", sequences, p)
    return runs.gathered(Ask(data=tmp_path))


@pytest.mark.parametrize(("images", "sequences", "count", "p", "verdict", "said"), [
    (CONV, RECURRENT, 8, 0.001, "holds", ""),
    (CONV, CONV, 8, 0.001, "holds if", "images"),
    (RECURRENT, RECURRENT, 8, 0.001, "holds if", "sequences"),
    (RECURRENT, CONV, 8, 0.001, "does not hold", ""),
    (CONV, RECURRENT, 8, 0.5, "does not hold", ""),            # ties, on many sets
    (CONV, RECURRENT, 3, 0.5, "cannot tell", "more sets"),     # ties, on few
    (CONV, RECURRENT, 2, 0.001, "cannot tell", "--data"),
])
def test_data_fit(tmp_path, images, sequences, count, p, verdict, said):
    numbers = planted(tmp_path, images, sequences, count, p)
    found = data_fit.judge(numbers)
    assert (found.verdict, said in found.condition) == (verdict, True)
    assert len(data_fit.draw(numbers)[0].rows) == 2 * count


def test_differences_are_signed_so_that_more_is_better(tmp_path):
    plant(tmp_path / "a", "series", "forecast", RECURRENT, best="low")
    (told,) = runs.gathered(Ask(data=tmp_path))["runs"]
    pair = told["conv_recurrent"]
    assert pair["difference"] == pytest.approx(-0.1)
    assert pair["low"] == pytest.approx(-0.15)
    assert pair["high"] == pytest.approx(-0.05)
    assert told["against_plain"]["recurrent"]["difference"] == pytest.approx(0.3)
    assert (told["plain"], told["baseline"]) == ("majority", "linear")


def test_a_use_is_told_by_kind_and_task_by_use_json_or_by_the_folder(tmp_path):
    plant(tmp_path / "plain", "image", "classify", CONV)
    plant(tmp_path / "medical-lungs", "image", "classify", CONV)
    plant(tmp_path / "ucr-MedicalImages", "series", "classify", CONV)         # series, whatever they are called
    plant(tmp_path / "sky" / "one", "image", "classify", CONV)
    (tmp_path / "sky" / "use.json").write_text('{"use": "satellite images"}')
    told = {run["name"]: use_cases.use_of(run) for run in runs.gathered(Ask(data=tmp_path))["runs"]}
    assert told == {"plain": "image classification", "medical-lungs": "medical images", "ucr-MedicalImages": "", "sky/one": "satellite images"}


def uses(tmp_path: Path, orders: dict[str, list[str]], p: float = 0.001, without: tuple[str, ...] = (), count: int = 10) -> dict[str, object]:
    """A run of each of the first ten uses; those of convolution with its own order."""
    for use in use_cases.USES[:count]:
        kind, task = use.cells[0] if use.cells else (use.kinds[0], "")
        plant(tmp_path / use.name, kind, task or "classify", orders[use.said], p, without=without)
    return runs.gathered(Ask(data=tmp_path))


ONLY_CONV, ONLY_RECURRENT = ["tcn", "majority", "gru"], ["gru", "majority", "tcn"]


@pytest.mark.parametrize(("orders", "p", "without", "verdict"), [
    ({"conv": ONLY_CONV, "recurrent": ONLY_RECURRENT}, 0.001, (), "holds"),
    ({"conv": ONLY_CONV, "recurrent": CONV}, 0.001, (), "holds if"),
    ({"conv": CONV, "recurrent": CONV}, 0.001, (), "does not hold"),
    ({"conv": CONV, "recurrent": CONV}, 0.5, (), "does not hold"),
    ({"conv": CONV, "recurrent": CONV}, 0.001, ("gru",), "cannot tell"),
])
def test_use_cases(tmp_path, orders, p, without, verdict):
    numbers = uses(tmp_path, orders, p, without)
    assert use_cases.judge(numbers).verdict == verdict
    rows = {row[0]: row for row in use_cases.draw(numbers)[0].rows}
    assert "cannot tell: no data" in rows["music"]


def test_each_statement_of_use_cases_is_answered_in_counts(tmp_path):
    numbers = uses(tmp_path, {"conv": ONLY_CONV, "recurrent": CONV})
    first, second, third, video = use_cases.CLAIM.answers(numbers)
    assert first == "They can do 4 of the 4 tried here, recurrent networks can do 0 of the 4 tried here."           # video was not run
    assert second == "They can do 5 of the 5 tried here, convolutional ones can do 5 of the 5 tried here."
    assert third == "They can do 2 of the 2 tried here, recurrent networks can do 2 of the 2 tried here."
    assert video == "They were not tried here, convolutional ones were not tried here."
    assert not use_cases.CLAIM.answers(use_cases.measure(Ask()))


def test_a_run_that_is_of_no_use_is_said_to_have_been_read(tmp_path):
    plant(tmp_path / "ucr-one", "series", "classify", CONV)
    assert "Runs that are of none of these uses: 1 (ucr-one)." in use_cases.judge(use_cases.measure(Ask(data=tmp_path))).sentence


def test_open_uses_count_both_ways(tmp_path):
    """Of twelve, none as said of nine: with the other three it might be a quarter."""
    found = use_cases.judge(uses(tmp_path, {"conv": CONV, "recurrent": CONV}, count=9))
    assert found.verdict == "cannot tell"
    assert "runs of detection, video and music" in found.condition
    assert "of 25 % of the uses" in found.sentence


def test_without_data_nothing_can_be_told():
    for claim in (data_fit.CLAIM, use_cases.CLAIM):
        found = claim.judge(claim.measure(Ask()))
        assert found.verdict == "cannot tell"
        assert "--data" in found.condition
        assert claim.needs_data


def test_data_sets_are_run_where_there_are_no_runs(tmp_path, monkeypatch):
    asked = []

    def run(data, out, **options):
        asked.append((Path(data).name, options["slate"]))
        plant(out, "text", "classify", CONV)
    monkeypatch.setattr(sys.modules["bakeoff.run"], "run", run)
    (tmp_path / "words.csv").write_text("text,label\n" + "".join(f"good {n},a\nbad {n},b\n" for n in range(60)))
    (tmp_path / "README.md").write_text("What these are.")
    numbers = runs.gathered(Ask(data=tmp_path))
    assert asked == [("words.csv", "quick")]
    assert (numbers["made"], [run["name"] for run in numbers["runs"]], list(numbers["skipped"])) == (1, ["words.csv"], ["README.md"])
    runs.gathered(Ask(data=tmp_path))
    assert len(asked) == 1                    # the second claim that asks reads the same run
