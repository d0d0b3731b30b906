from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from bakeoff.live import Lines, Progress, Table
from bakeoff.plan import Plan, Share
from bakeoff.status import Standing, bar, telling
from bakeoff.types import Job, Spend, Trial

START = {"lr": 3e-3, "width": 64, "fold": "keep", "gru.depth": 1}


def share(group: str = "recurrent", trials: int = 4) -> Share:
    return Share(group, trials, 1000, START, 1e-3, 10.0, 1.0, 1.0, deterministic=group == "baseline")


@pytest.fixture
def plan() -> Plan:
    contenders = {"gru": share(), "resnet": share("conv", 8), "a-very-long-plugin-name": share("conv"), "majority": share("baseline", 1)}
    return Plan("image", "", "classify", "", "accuracy", "", "high", {"train": 100}, 60.0, "seconds", 2, 1, 3, 0, "tpe", contenders,
                {"boosting": "it reads tables"}, {}, False, True, 1, {}, {}, "")


def trial(contender: str, number: int, value: float | None, state: str = "done", seconds: float = 1.0, **params: object) -> Trial:
    job = Job(contender, number, "tune", 0, {**START, **params}, 1000)
    return Trial(job, state, "out of memory" if state == "failed" else "", (), value, value, 10, Spend(1000, 10, 0.0, seconds, 1000))


@pytest.fixture
def screen() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None, legacy_windows=False)


def printed(console: Console) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def drawn(watch: Table, console: Console) -> list[str]:
    with console.capture() as captured:
        console.print(watch)
    return captured.get().splitlines()


def test_the_table_shows_contender_trials_best_and_its_telling_choices(plan, screen, tmp_path):
    watch = Table(screen)
    watch.plan(plan, tmp_path)
    watch.stage = "tuning"
    watch.ended(trial("gru", 0, 0.7), None)
    watch.ended(trial("gru", 1, 0.861, lr=2e-3, width=32), 370.0)
    lines = drawn(watch, screen)
    gru = next(line for line in lines if "gru" in line)
    assert "2/4" in gru
    assert ".861  lr 2e-3, width 32" in gru
    assert "█" in gru
    assert any("left 6m 10s" in line for line in lines)


def test_the_table_fits_eighty_columns_even_with_long_names_and_choices(plan, screen, tmp_path):
    watch = Table(screen)
    watch.plan(plan, tmp_path)
    watch.ended(trial("a-very-long-plugin-name", 0, 0.5, lr=1.234e-4, width=128, fold="raster 8", **{"gru.depth": 3}), 12345.0)
    assert max(map(len, drawn(watch, screen))) <= 80


def test_a_failed_contender_shows_its_reason_instead_of_a_value(plan, screen, tmp_path):
    watch = Table(screen)
    watch.plan(plan, tmp_path)
    watch.ended(trial("gru", 0, None, "failed"), None)
    assert any("gru" in line and "out of memory" in line for line in drawn(watch, screen))


@pytest.mark.parametrize("left", [None, 0.0, -5.0])
def test_a_time_left_that_is_unknown_or_proved_wrong_is_not_printed(plan, screen, tmp_path, left):
    watch = Table(screen)
    watch.plan(plan, tmp_path)
    watch.stage = "tuning"
    watch.ended(trial("gru", 0, 0.7), left)
    assert not any("left" in line for line in drawn(watch, screen))


def test_the_time_left_counts_down_between_trainings_and_ends_with_them(plan, screen, tmp_path, monkeypatch):
    watch = Table(screen)
    watch.plan(plan, tmp_path)
    watch.stage = "finals"
    watch.ended(trial("gru", 0, 0.7), 100.0)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 39.8)
    assert watch.left() == "left 1m"
    watch.stage = "measuring"
    assert watch.left() == ""


def test_no_colour_is_written_where_it_is_not_wanted(plan, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), force_terminal=True, width=80, legacy_windows=False)
    watch = Table(console)
    watch.plan(plan, tmp_path)
    watch.ended(trial("gru", 0, 0.7), 10.0)
    with console.capture() as captured:
        console.print(watch)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", captured.get())


def test_the_live_table_is_taken_away_when_the_run_ends(plan, screen, tmp_path):
    watch = Table(screen)
    watch.phase("calibrating")
    watch.plan(plan, tmp_path)
    watch.phase("tuning")
    watch.ended(trial("gru", 0, 0.7), 10.0)
    watch.close()
    watch.close()
    assert watch.screen is None
    assert "plan: 1m on 2 workers → 4 contenders" in printed(screen)


def test_off_a_terminal_there_are_plain_lines_for_what_changes_the_answer(plan, tmp_path):
    console = Console(file=io.StringIO(), force_terminal=False, width=80)
    watch = Lines(console)
    watch.phase("calibrating")
    watch.plan(plan, tmp_path)
    watch.phase("tuning")
    watch.ended(trial("gru", 0, 0.7), 30.0)
    watch.ended(trial("gru", 1, 0.6), 25.0)
    watch.ended(trial("resnet", 0, None, "failed"), 20.0)
    watch.cut({"when": "tuning", "why": "trainings took 1.40 × the predicted time", "what": {"trials": {"resnet": "8 → 6"}}})
    text = console.file.getvalue()
    assert "\x1b" not in text
    assert "gru          1/4  .700  as it starts" in text
    assert ".600" not in text                                      # no better than before: it changes nothing
    assert "resnet tune 1 failed: out of memory" in text
    assert "absent: boosting: it reads tables" in text
    assert "1 contender will have fewer trials than planned: trainings took 1.40 ×" in text


def test_names_from_the_data_cannot_act_on_the_terminal(screen):
    watch = Progress(screen)
    watch.data({"path": "\x1b[31m[bold]x[/bold]", "kind": "image", "task": "classify", "kept": 3, "seen": 4, "notes": [],
                "counts": {"train": 1, "val": 1, "test": 1}, "set_aside": [{"what": "evil\x1b[2J", "where": "b.png", "fix": ""}]})
    assert "\x1b[31m" not in screen.file.getvalue()
    assert "\x1b[2J" not in screen.file.getvalue()
    assert "[bold]x[/bold]" in printed(screen)


def test_a_cut_plan_shows_the_new_count(plan, screen, tmp_path):
    watch = Table(screen)
    watch.plan(plan, tmp_path)
    plan.contenders["resnet"].trials = 3
    watch.cut({"why": "it is late", "what": {"trials": {"resnet": "8 → 3"}}})
    assert any("resnet" in line and "0/3" in line for line in drawn(watch, screen))


def test_lower_is_better_where_the_score_says_so(plan):
    standing = Standing(plan)
    job = Job("gru", 0, "tune", 0, START, 1000)
    assert standing.add(Trial(job, "done", "", (), 2.0, -2.0, 10, Spend()))
    assert standing.add(Trial(job, "done", "", (), 1.0, -1.0, 10, Spend()))
    assert not standing.add(Trial(job, "done", "", (), 3.0, -3.0, 10, Spend()))
    assert standing.rows["gru"].best.value == 1.0


def test_the_predicted_time_left_shrinks_as_trainings_end(plan):
    standing = Standing(plan)
    before = standing.left_seconds()
    standing.add(trial("gru", 0, 0.5))
    assert 0 < standing.left_seconds() < before
    standing.add(trial("gru", 1, 0.5, seconds=9.0))
    assert standing.plan.lateness(standing.trials) == 1                                # one that was held up moves nothing
    for number in range(2, 8):
        standing.add(trial("gru", number, 0.5, seconds=2.0))
    assert standing.plan.lateness(standing.trials) == pytest.approx(2, abs=0.1)        # they took 2 s where 1 s was predicted


@pytest.mark.parametrize(("share", "drawn"), [(0.0, "········"), (0.5, "████····"), (1.0, "████████"), (0.0625, "▌·······")])
def test_a_bar_is_drawn_to_the_eighth_of_a_cell(share, drawn):
    assert bar(share, 8) == drawn


def test_telling_choices_are_those_that_differ_from_the_start():
    assert telling({**START}, START) == "as it starts"
    assert telling({**START, "gru.depth": 3, "lr": 0.012}, START) == "lr 0.012, depth 3"
