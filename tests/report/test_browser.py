"""The page in a real browser: hostile names stay text, nothing is fetched, nothing overflows, everything can be read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDTHS = {"phone": (390, 844), "desk": (1440, 900)}
PAGES = ("hostile", "digits")
WIDEST = """() => { const wide = [], look = () => wide.push(document.documentElement.scrollWidth);
    look();
    document.querySelectorAll('details').forEach(one => one.open = true);
    look();
    document.querySelectorAll('.switch > label, table.board thead button').forEach(one => { one.click(); look(); });
    return Math.max(...wide); }"""
OVERLAPS = """() => [...document.querySelectorAll('svg.cost')].filter(chart => chart.getClientRects().length).flatMap(chart => {
    const boxes = [...chart.querySelectorAll('text.halo')].map(one => [one.textContent, one.getBBox()]);
    return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
        p.x < q.x + q.width && q.x < p.x + p.width && p.y + 2 < q.y + q.height - 2 && q.y + 2 < p.y + p.height - 2).map(([b]) => a + ' / ' + b));
})"""
SMALL = """() => { const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = walker.nextNode();) {
        const one = node.parentElement;
        if (!node.textContent.trim() || !one.getClientRects().length || one.closest('script,style')) continue;
        const svg = one.closest('svg'), scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
        if (parseFloat(getComputedStyle(one).fontSize) * scale < 11.9) found.push([one.textContent.slice(0, 30), scale]);
    }
    return found; }"""
FAINT = """() => { const found = [];
    const lin = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const light = c => .2126 * lin(c[0]) + .7152 * lin(c[1]) + .0722 * lin(c[2]);
    const rgb = text => text.match(/[\\d.]+/g).map(Number);
    const ground = one => { for (; one; one = one.parentElement) {
        const c = rgb(getComputedStyle(one).backgroundColor); if (c.length < 4 || c[3] > .99) return c; } return [255, 255, 255]; };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = walker.nextNode();) {
        const one = node.parentElement, style = getComputedStyle(one);
        if (!node.textContent.trim() || !one.getClientRects().length || style.visibility === 'hidden' || one.closest('script,style,.skip')) continue;
        const c = rgb(one.closest('svg') ? style.fill : style.color), [dark, bright] = [light(c), light(ground(one))].sort((a, b) => a - b);
        if ((bright + .05) / (dark + .05) < 4.5) found.push([one.textContent.slice(0, 30), c.join()]);
    }
    return found; }"""


@dataclass
class Seen:
    """What the browser told while a page was open."""

    page: Page
    asked: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(page_text: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    def write(name: str) -> Path:
        file = tmp_path_factory.getbasetemp() / f"{name}.html"
        file.write_text(page_text(name), encoding="utf-8")
        return file
    return write


@pytest.fixture
def open_page(browser: Browser, files: Callable[[str], Path]) -> Iterator[Callable[..., Seen]]:
    """Opens a report; every request beside the page itself is refused and counted."""
    contexts = []

    def opened(name: str, width: str = "desk", scheme: Any = "light", **options: Any) -> Seen:
        wide, high = WIDTHS[width]
        context = browser.new_context(viewport={"width": wide, "height": high}, color_scheme=scheme, **options)
        contexts.append(context)
        page, url = context.new_page(), files(name).as_uri()
        seen = Seen(page)

        def judge(route: Route) -> None:
            if route.request.url.split("#")[0] == url:
                route.continue_()
            else:
                seen.asked.append(route.request.url)
                route.abort()
        page.route("**/*", judge)
        page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("console", lambda message: seen.errors.append(message.text) if message.type in ("error", "warning") else None)
        page.goto(url)
        return seen
    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("name", "width", "scheme"), [("hostile", "phone", "light"), ("hostile", "phone", "dark"), ("hostile", "desk", "light"),
                                                       ("hostile", "desk", "dark"), ("digits", "phone", "dark"), ("wine", "desk", "light")])
def test_nothing_is_fetched_runs_or_overflows(open_page, name, width, scheme):
    seen = open_page(name, width, scheme)
    assert seen.page.evaluate(WIDEST) <= WIDTHS[width][0]
    assert (seen.asked, seen.dialogs, seen.errors) == ([], [], [])


def test_hostile_names_are_read_as_they_are_written(open_page):
    page = open_page("hostile").page
    text = page.evaluate("document.body.textContent")
    for name in ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "'; DROP TABLE classes; --", "{{ 7*7 }}{% raw %}", "&amp;&lt;b&gt;",
                 "</title></style></textarea>", "<img src=x onerror=alert(6)>", "الصنف العربي الطويل جدا", "👩‍👩‍👧‍👦 семья 🌹"):
        assert name in text, name
    assert page.evaluate("document.scripts.length") == 1
    assert page.evaluate("[...document.images].every(one => one.src.startsWith('data:image/png;base64,'))")
    assert page.evaluate("document.querySelectorAll('textarea, iframe, object, embed, form').length") == 0
    assert "\u202e" not in text


@pytest.mark.parametrize(("width", "scheme"), [("phone", "light"), ("desk", "dark")])
def test_all_text_is_large_and_dark_enough(open_page, width, scheme):
    page = open_page("digits", width, scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate(SMALL) == []
    assert page.evaluate(FAINT) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["hostile", "vowels"])
def test_names_in_the_cost_picture_do_not_overlap(open_page, name, width):
    page = open_page(name, width).page
    for place in range(page.locator("#cost .switch > label").count()):
        page.evaluate(f"document.querySelectorAll('#cost .switch > label')[{place}].click()")
        assert page.evaluate(OVERLAPS) == []


def test_verdict_and_ranking_stand_on_the_first_screen(open_page):
    for width in WIDTHS:
        page = open_page("digits", width).page
        high = WIDTHS[width][1]
        heading, picture = page.locator("h1").bounding_box(), page.locator("#verdict svg:visible").first.bounding_box()
        assert heading["y"] + heading["height"] < high / 2
        assert picture["y"] + picture["height"] <= high


def test_everything_is_there_without_javascript(open_page):
    page = open_page("digits", java_script_enabled=False).page
    tabs = page.locator("#cost .switch > label").all()
    panels = page.locator("#cost .panels > div").all()
    assert [panel.is_visible() for panel in panels] == [True] + [False] * (len(panels) - 1)
    tabs[2].click()
    assert [panel.is_visible() for panel in panels] == [k == 2 for k in range(len(panels))]
    assert page.locator("#failures .panels > div").first.is_visible()
    page.locator("#verdict summary").click()
    assert page.locator("#verdict .data").is_visible()
    assert page.locator(".js-only").first.is_hidden()


def test_a_click_on_a_head_sorts_and_another_turns_it_round(open_page):
    page = open_page("digits").page
    order = "[...document.querySelectorAll('table.board tbody tr')].map(row => row.cells[1].querySelector('.name').textContent)"
    by_rank = page.evaluate(order)
    page.get_by_role("button", name="parameters").click()
    by_size = page.evaluate(order)
    assert by_size[:2] == ["majority", "linear"]
    page.get_by_role("button", name="parameters").click()
    assert page.evaluate(order)[0] == "resnet"
    assert page.locator("th[aria-sort=descending]").count() == 1
    page.get_by_role("button", name="rank").click()
    assert page.evaluate(order) == by_rank != by_size


def test_the_switch_can_be_worked_with_the_keyboard(open_page):
    page = open_page("digits").page
    page.locator("#cost-1").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#cost .panels > div").nth(1).is_visible()


def test_hovering_shows_the_value_with_its_interval(open_page):
    page = open_page("digits").page
    page.locator("#verdict svg:visible .one").first.hover()
    assert "accuracy" in page.locator(".tip").inner_text()
    assert "95 %" in page.locator(".tip").inner_text()
    page.mouse.move(2, 2)
    assert page.locator(".tip").count() == 0


def test_a_command_can_be_copied(open_page):
    page = open_page("digits", permissions=["clipboard-read", "clipboard-write"]).page
    page.locator(".code button:visible").first.click()
    page.wait_for_function("[...document.querySelectorAll('.code button')].some(one => one.textContent !== 'copy')")


@pytest.mark.parametrize("name", PAGES)
def test_paper_is_white_and_wide_enough(open_page, name):
    page = open_page(name, scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 696, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= 696
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(28, 29, 32)"


def test_a_page_opens_in_a_moment(open_page):
    page = open_page("digits").page
    times = "performance.getEntriesByType('navigation')[0]"
    assert page.evaluate(f"{times}.domComplete - {times}.startTime") < 3000       # one second where nothing else runs
