"""Docs are run: the tutorial's commands and code, the examples, the generated pages, links and options."""

from __future__ import annotations

import inspect
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import bakeoff
from bakeoff import estimators, registry
from bakeoff.cli import MEANINGS, app, outcome

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NEEDED = {"sounds": ("soundfile",), "texts": ("sacrebleu",)}        # what tutorials want beside the package
TINY: dict[str, Any] = {"trials": 1, "examples": 200, "seeds": 1, "jobs": 1, "budget": None}


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def tiny_runs(tmp_path, monkeypatch):
    """Every run takes the smallest budget, in an empty folder."""
    whole = bakeoff.run

    def tiny(data: str, **options: Any) -> Any:
        own = "shift" in options.get("slate", "")            # examples/my_family.py
        return whole(data, **{**options, **TINY, "slate": "shift" if own else "mlp"})
    monkeypatch.setattr(bakeoff, "run", tiny)
    monkeypatch.setattr(estimators, "run", tiny)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["example"])


def current(page: str, written: str) -> bool:
    """Told as yes or no: a difference between long pages takes pytest minutes to draw."""
    return (ROOT / page).read_text(encoding="utf-8") == written


def test_the_page_of_commands_is_what_the_commands_say():
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert current("docs/reference/cli.md", generate["page"]()), "run scripts/docs"


def test_the_page_of_who_enters_what_is_what_the_contenders_say():
    pytest.importorskip("soundfile")
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert current("docs/reference/entries.md", generate["entries"]()), "run scripts/docs"


def test_the_page_of_speed_is_what_the_benchmarks_found():
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert current("docs/performance.md", generate["performance"]()), "run scripts/docs"


def test_the_page_of_families_is_what_the_contenders_say():
    pytest.importorskip("statsmodels")
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert current("docs/families.md", generate["families"]()), "run scripts/docs"


def test_the_page_of_published_results_is_what_the_scores_found():
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert (ROOT / "docs/reproduction.md").read_text(encoding="utf-8") == generate["reproduction"](), "run scripts/docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_and_commands_that_are_named_exist(page):
    group = typer.main.get_command(app)
    options = {name for command in group.commands.values() for parameter in command.params for name in parameter.opts}
    text = page.read_text(encoding="utf-8")
    if page.stem == "reproduction":                                       # shows the commands of scripts, which share their options
        options |= set(re.findall(r'add_argument\("(--[a-z]+)"', (ROOT / "benchmarks/scores/row.py").read_text(encoding="utf-8")))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - {"--help", "--version"}
    assert named <= options
    in_blocks = "\n".join(blocks(page, "sh"))
    assert set(re.findall(r"`bakeoff ([a-z]+)", text)) | set(re.findall(r"bakeoff ([a-z]+)", in_blocks)) <= set(group.commands)


@pytest.mark.parametrize("page", sorted((ROOT / "docs/tutorial").glob("*.md")), ids=lambda page: page.stem)
def test_the_tutorials_can_be_followed_word_by_word(page, tmp_path, monkeypatch, capsys):
    for module in NEEDED.get(page.stem, ()):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    made = []
    for language, block in re.findall(r"^```(sh|python)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        if language == "python":
            exec(compile(block, str(page), "exec"), {})
            continue
        for line in block.splitlines():
            words = shlex.split(line)
            assert words[0] == "bakeoff"
            if "--budget" in words:
                place = words.index("--budget")
                words[place:place + 2] = ["--trials", "1", "--examples", "200", "--seeds", "1", "--jobs", "1"]
            made += [words[place + 1] + "/report.html" * (word == "--out") for place, word in enumerate(words) if word in ("--out", "-o")]
            if page.stem == "first-run":                                     # once as a program, then in here: starting it takes seconds
                done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{line}\n{done.stderr}"
            else:
                assert outcome(words[1:]) == 0, f"{line}\n{capsys.readouterr().err}"
    assert made
    assert [name for name in made if not (tmp_path / name).exists()] == []
    if page.stem in ("first-run", "generate"):
        assert (tmp_path / "answers.csv").read_text().startswith("key,answer,score:0" if page.stem == "first-run" else "key,answer\n")


@pytest.mark.parametrize("page", sorted((ROOT / "docs/howto").glob("*.md")), ids=lambda page: page.name)
def test_code_in_the_how_tos_runs(page, tiny_runs):
    for code in blocks(page, "python"):
        exec(compile(code, str(page), "exec"), {})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_run_and_are_short(path, tiny_runs, capsys, monkeypatch):
    registry.every("family")
    monkeypatch.setattr(registry, "_known", {what: dict(known) for what, known in registry._known.items()})      # its family leaves with it
    assert len(path.read_text(encoding="utf-8").splitlines()) <= (60 if path.name == "my_family.py" else 40)
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()


def test_every_public_name_is_there_and_says_what_it_is():
    for name in bakeoff.__all__:
        thing = getattr(bakeoff, name)
        assert name == "__version__" or (thing.__doc__ or "").strip(), name


def test_every_option_of_run_is_told_in_the_commands_and_in_no_other_words():
    parameters = set(inspect.signature(bakeoff.run).parameters) - {"data", "watch", "born"}
    assert set(MEANINGS) == parameters


def test_the_readme_names_both_commands_and_every_picture_it_shows_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert pictures
    assert all((ROOT / picture).exists() for picture in pictures)


@pytest.mark.parametrize("script", ["scripts/check", "scripts/test", "scripts/docs", "scripts/bench", ".ci/run"])
def test_scripts_can_be_run_and_are_sound_shell(script):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / script)], check=True)


def test_no_host_of_a_registry_is_named():
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "constraints.txt", "pyproject.toml", ".ci/run"))
    assert "index-url" not in text
    assert not re.search(r"https?://", text)


def test_fragments_of_changes_are_named_by_what_they_are():
    for path in (ROOT / "changes.d").iterdir():
        assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed)\.md", path.name)
        assert path.read_text(encoding="utf-8").strip()
