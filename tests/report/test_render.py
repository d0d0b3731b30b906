"""The page as text: pure, whole, small, and the golden one to the last letter."""

from __future__ import annotations

import base64
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from make_run import make
from recipes import GOLDEN, recipes

from bakeoff.report.render import render

ALL = ("digits", "vowels", "plays", "wine", "hostile", "tiny", "golden")
VOID = {"meta", "link", "img", "br", "input", "path", "rect", "circle", "line"}


class Outline(HTMLParser):
    """Elements in order, and whether every one that opens also closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.wrong: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> in {self.open[-3:]}")
        else:
            self.open.pop()


def copied(folder: Path, into: Path) -> Path:
    return Path(shutil.copytree(folder, into / "run"))


def changed(folder: Path, name: str, **fields: object) -> None:
    file = folder / name
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def words(page: str) -> str:
    """What is read, without marks."""
    import html
    body = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", body))).replace("\u00a0", " ")


def test_the_page_of_a_small_run_is_the_golden_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = render(make(Path("runs/golden"), recipes()["golden"]))
    if page != GOLDEN.read_text(encoding="utf-8"):
        (tmp_path / "report.html").write_text(page, encoding="utf-8")
        pytest.fail(f"the page has changed: compare {tmp_path / 'report.html'} with {GOLDEN}; "
                    "where the change is meant: python tests/report/recipes.py --golden")


def test_rendering_twice_gives_the_same_and_touches_nothing(run_folder):
    folder = run_folder("golden")
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert render(folder) == render(folder)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("name", ALL)
def test_every_page_is_small_and_well_formed(page_text, name):
    page = page_text(name)
    assert len(page.encode()) < 1_500_000
    outline = Outline(page)
    assert (outline.wrong, outline.open) == ([], [])
    assert len(outline.ids) == len(set(outline.ids))


@pytest.mark.parametrize("name", ALL)
def test_nothing_on_a_page_is_fetched(page_text, name):
    outline = Outline(page_text(name))
    for tag, attributes in outline.tags:
        for name, value in attributes.items():
            if name in ("src", "href", "action", "data", "poster", "srcset", "formaction", "xlink:href"):
                assert value is not None
                assert value.startswith(("data:", "#")), (tag, name, value)
            assert not name.startswith("on"), (tag, name)
            if name == "style":
                assert "url(" not in str(value)
    style = re.search(r"<style>(.*?)</style>", page_text(name if name in ALL else "golden"), re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.parametrize("name", ALL)
def test_there_is_one_script_and_the_policy_lets_no_other_run(page_text, name):
    page = page_text(name)
    assert page.count("<script>") == 1
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe-inline&#39;; script-src &#39;sha256-" in policy[1]


def test_seven_sections_stand_in_their_order(page_text):
    found = re.findall(r'<section id="(\w+)"', page_text("digits"))
    assert found == ["verdict", "cost", "leaderboard", "differences", "learning", "failures", "records"]


@pytest.mark.parametrize("name", ALL)
def test_the_verdicts_sentence_stands_word_for_word_on_the_first_screen(page_text, run_folder, name):
    sentence = json.loads((run_folder(name) / "verdict.json").read_text())["sentence"]
    screen, place = words(re.search(r'<section id="verdict".*?</section>', page_text(name), re.DOTALL)[0]), 0
    for part in re.split(r"(?<=\.) (?=[A-Za-z<])", sentence):
        assert part in screen[place:], part
        place = screen.index(part, place) + len(part)


def test_every_chart_has_a_label_and_every_figure_a_table_behind_it(page_text):
    page = page_text("digits")
    charts = [attributes for tag, attributes in Outline(page).tags if tag == "svg"]
    assert all(chart.get("aria-hidden") == "true" or (chart.get("role") == "img" and chart.get("aria-label")) for chart in charts)
    for figure in re.findall(r"<figure>.*?</figure>", page, re.DOTALL):
        assert "<table" in figure
        assert '<p class="finding">' in figure


def test_the_verdict_is_set_by_what_its_sentences_are_about(page_text):
    topics = re.findall(r"<dt>(.*?)</dt>", re.search(r'<dl class="said">.*?</dl>', page_text("hostile"), re.DOTALL)[0])
    assert topics == ["The others", "Recommended", "Baseline", "More examples", "Limits"]
    assert "The clock cut the plan once: see the ledger." in words(page_text("hostile"))


def test_a_sentence_about_nothing_known_is_set_without_a_topic(run_folder, tmp_path):
    folder = copied(run_folder("golden"), tmp_path)
    changed(folder, "verdict.json", said=[{"topic": topic, "text": text} for topic, text in (
        ("Best", "resnet it is."), ("", "Elephants never forget."), ("", "Nobody knows why."))])
    page = render(folder)
    assert '<h1><b class="name g-conv">resnet</b> it is.</h1>' in page
    assert "<dt></dt><dd><span>Elephants never forget.</span> <span>Nobody knows why.</span>" in page


def test_cards_tell_what_every_contender_answered(run_folder, tmp_path):
    folder = copied(run_folder("golden"), tmp_path)
    shown = json.loads((folder / "shown.json").read_text())
    for item in shown["disagree"]:
        item["answers"] = {name: item["answers"][name] for name in ("resnet", "gru")}
    changed(folder, "shown.json", **shown)
    first = re.search(r'<li class="card">.*?</table>', render(folder), re.DOTALL)[0]
    assert all(name in words(first) for name in ("resnet", "gru", "crnn", "rocket", "majority"))


def test_each_row_has_the_command_that_repeats_it(page_text, run_folder):
    folder = run_folder("digits")
    for name in ("resnet", "gru", "majority"):
        assert f"bakeoff run digits/ --set image.size=28 --plan {folder.as_posix()}/plan.json --slate {name}" in words(page_text("digits"))


def test_commands_are_quoted_for_the_shell(page_text, run_folder):
    assert "bakeoff run '/data/<script>alert(1)</script>' --set" in words(page_text("hostile"))


def test_unknown_columns_groups_and_forms_do_no_harm(run_folder, tmp_path):
    folder = copied(run_folder("golden"), tmp_path)
    item = {"key": "k", "target": "left", "shown": {"form": "smell"}, "answers": {}, "why": ""}
    changed(folder, "shown.json", hardest=[item, {**item, "shown": {"form": "picture", "png": "no"}}], disagree=[item])
    table = folder / "leaderboard.csv"
    table.write_text(table.read_text().replace(",recurrent,", ",quantum,"))
    text = words(render(folder))
    assert "This example cannot be shown (smell)." in text
    assert "The picture cannot be shown." in text


def test_too_many_pictures_are_left_out(run_folder, tmp_path):
    folder = copied(run_folder("golden"), tmp_path)
    big = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8) + (64).to_bytes(4, "big") * 2 + bytes(200_000)).decode()
    item = {"key": "k", "target": "left", "shown": {"form": "picture", "png": big}, "answers": {"gru": {"answer": "left", "score": 0.5}}, "why": ""}
    changed(folder, "shown.json", hardest=[item] * 12, disagree=[item] * 12)
    changed(folder, "data.json", first=[{**item, "split": "train"}] * 5)
    page = render(folder)
    assert len(page.encode()) < 3_000_000
    assert page.count("<img") == 2 * 2 + 1


def test_a_run_without_trials_answers_or_examples_still_has_a_page(run_folder, tmp_path):
    folder = copied(run_folder("golden"), tmp_path)
    shutil.rmtree(folder / "finals")
    for name in ("shown.json", "trials.jsonl"):
        (folder / name).unlink()
    text = words(render(folder))
    assert "No answers were kept." in text
    assert "No trials were recorded." in text


def test_intervals_without_an_end_are_drawn_without_a_bar(run_folder, tmp_path):
    folder = copied(run_folder("golden"), tmp_path)
    record = json.loads((folder / "comparison.json").read_text())
    for one in (*record["pairs"], *record["against_best"].values(), *record["values"].values()):
        one["low"] = one["high"] = None
    changed(folder, "comparison.json", **record)
    changed(folder, "verdict.json", recommended_difference=None, margin=None, p_baseline=None, low=None, high=None)
    table = folder / "leaderboard.csv"
    lines = [line.split(",") for line in table.read_text().splitlines()]
    table.write_text("\n".join(",".join("" if k in (5, 6) and row else cell for k, cell in enumerate(line)) for row, line in enumerate(lines)))
    assert "None" not in words(render(folder))


@pytest.mark.parametrize("name", ALL)
def test_no_page_shows_what_only_a_program_would_say(page_text, name):
    text = words(page_text(name))
    for wrong in ("None", "nan", "NaN", "inf ", "[]", "{}", "Undefined", "0x"):
        assert wrong not in text.replace("{{ 7*7 }}", "").replace("None that is cheaper", ""), wrong
