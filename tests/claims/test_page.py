"""The page: whole, plain, safe, and never wider than the window."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_claims import planted

from bakeoff.claims import settle

HOSTILE = "</script><script>alert(1)</script> | <img src=x onerror=alert(2)> {{ 7*7 }} `x` \u202e&amp; " + "long" * 40
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
VOID = {"meta", "link", "img", "br", "input", "path", "rect", "circle", "line"}


@pytest.fixture
def page(plant, tmp_path):
    """The folder of four planted claims, one verdict each."""
    def write(words: str = "recurrent networks are slower") -> Path:
        plant(*(planted(f"claim-{place}", verdict, words) for place, verdict in enumerate(("holds", "holds if", "does not hold", "cannot tell"))))
        return settle.settle(out=tmp_path)[0]
    return write


class Outline(HTMLParser):
    """Whether every element that opens also closes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.wrong.append(tag)


def test_everything_a_reader_needs_is_there(page):
    folder = page()
    html, markdown = ((folder / f"claims.{ending}").read_text(encoding="utf-8") for ending in ("html", "md"))
    assert "of four of these four a rule or the experiment was changed after a look at numbers" in html
    assert re.search(r">bakeoff claims\s*<", html.partition("Machine and versions</h2>")[2].partition("<footer")[0])      # all of them again
    for words in ("Four things said of convolutional and recurrent networks", "One holds, one holds under a condition, one does not hold, one cannot",
                  "It holds if sequences are long.", "What would tell: more seeds.", "a textbook", "a vendor", "One machine.", "The line rises.",
                  "Holds where the interval lies above 1.", "bakeoff claims claim-2", "1.25 – 2.5", "torch", "seed 0",
                  "Found: recurrent networks are slower.", "The mark was another", "†", "Words and names"):
        assert words in html, words
        assert words in markdown, words
    outline = Outline(html)
    assert (outline.wrong, outline.open) == ([], [])


def test_what_is_hostile_stays_text(page):
    folder = page(HOSTILE)
    html, markdown = ((folder / f"claims.{ending}").read_text(encoding="utf-8") for ending in ("html", "md"))
    assert html.count("<script>") == 1
    assert "<img" not in html + markdown
    assert "\u202e" not in html + markdown
    assert "{{ 7*7 }}" in html
    assert all(line.count("|") - line.count("\\|") in (0, 3, 6) for line in markdown.splitlines())
    assert "default-src 'none'" in unescape(html)
    json.loads((folder / "claims.json").read_text(encoding="utf-8"))


def test_nothing_is_fetched(page):
    html = (page() / "claims.html").read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]*|url\([^)]*|@import", html) == []


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_nothing_overflows_fails_or_is_too_small(page, width, scheme):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    folder, errors = page(HOSTILE), []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
        opened.goto((folder / "claims.html").as_uri())
        opened.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        wide = opened.evaluate("document.documentElement.scrollWidth")
        small = opened.evaluate("""() => [...document.querySelectorAll('svg.chart')].filter(one => one.getClientRects().length)
            .filter(one => one.getBoundingClientRect().width / one.viewBox.baseVal.width < .99).length""")
        shown = opened.evaluate("[...document.querySelectorAll('svg.chart')].filter(one => one.getClientRects().length).length")
        browser.close()
    assert wide <= width
    assert (small, shown, errors) == (0, 8, [])
