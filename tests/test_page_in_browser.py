"""The page in a real browser: no error, no request, no fault that axe calls serious, nothing wider than the screen."""

import itertools
import shutil
from contextlib import suppress

import pytest
from report.page_reports import card_of, drawn, hostile_report, whole_report

from benchmarks.page import ASIDE, BROWSERS
from pipelines.report.page.build import html

FIGURES = ("roc.svg", "calibration.svg", "gaps.svg", "mlp/learning_curves.svg")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra `test` brings playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser is installed here ({', '.join(BROWSERS)})")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=list(ASIDE))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page with every part and one with the worst of names, as files."""
    folder, (svg, png) = tmp_path_factory.mktemp("pages"), drawn("<script>alert(1)</script>")
    figures = {**dict.fromkeys(FIGURES, svg), "bias_tpr.png": png}
    found = {"whole": folder / "whole.html", "hostile": folder / "hostile.html"}
    found["whole"].write_text(html(card_of(whole_report()), figures), encoding="utf-8")
    found["hostile"].write_text(html(card_of(hostile_report()), figures), encoding="utf-8")
    return {name: path.as_uri() for name, path in found.items()}


@pytest.fixture
def shown(browser, pages):
    """Open a page on a screen that is so wide and so bright, without a network; what it says aloud is kept."""
    contexts = []

    def show(name, width=1280, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce", offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.heard, page.asked = [], []
        page.on("console", lambda message: page.heard.append(message.text))
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.on("dialog", lambda dialog: (page.heard.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(pages[name])
        return page

    yield show
    for context in contexts:
        with suppress(Exception):
            context.close()


@pytest.mark.parametrize("name", ["whole", "hostile"])
def test_it_says_nothing_aloud_and_asks_nobody(shown, pages, name):
    page = shown(name)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.heard == []
    assert [url for url in page.asked if not url.startswith("data:")] == [pages[name]]


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [*itertools.product(["whole"], ["light", "dark"], [1280, 360]), ("hostile", "dark", 360)],
)
def test_axe_finds_no_serious_fault(shown, name, scheme, width):
    axe = pytest.importorskip("axe_core_python.sync_playwright", reason="the extra `test` brings axe-core-python")
    page = shown(name, width, scheme)
    if name == "whole":  # of the other, 186 more rows of the same kind are folded, which axe takes a minute for
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = axe.Axe().run(page)
    grave = [fault for fault in found["violations"] if fault["impact"] in ("serious", "critical")]
    assert [(fault["id"], [node["target"] for node in fault["nodes"]][:3]) for fault in grave] == []
    assert len(found["passes"]) > 20


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("name", ["whole", "hostile"])
def test_the_page_never_scrolls_sideways(shown, name, width):
    page = shown(name, width)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("window.scrollTo(500, 0)")
    assert page.evaluate("window.scrollX") == 0


def test_wide_tables_and_figures_scroll_within_themselves(shown):
    page = shown("whole", 320)
    inside = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length"
    )
    assert inside > 5


def test_the_keyboard_reaches_the_answer_first_then_every_region(shown):
    page = shown("whole")
    page.keyboard.press("Tab")
    skip = page.evaluate("[document.activeElement.className, document.activeElement.getBoundingClientRect().top >= 0]")
    assert skip == ["skip", True]
    regions = page.evaluate("[...document.querySelectorAll('[role=region]')].filter(e => e.checkVisibility()).length")
    reached, outlined = set(), set()
    for _ in range(3 * regions + 60):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            "(e => [e.getAttribute('role'), e.getAttribute('aria-label'), getComputedStyle(e).outlineStyle, e.tagName])"
            "(document.activeElement)"
        )
        if focus[3] == "BODY":
            break
        outlined.add(focus[2])
        if focus[0] == "region":
            reached.add(focus[1])
    assert len(reached) == regions
    assert outlined == {"solid"}


def test_a_link_of_the_contents_goes_to_its_section(shown):
    page = shown("whole")
    page.click("nav a[href='#groups']")
    assert abs(page.evaluate("document.getElementById('groups').getBoundingClientRect().top")) < 40


def test_the_dark_is_dark_and_figures_follow(shown):
    def colours(scheme):
        page = shown("whole", scheme=scheme)
        return page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, "
            "getComputedStyle(document.querySelector('figure svg path[stroke]')).stroke]"
        )

    light, dark = colours("light"), colours("dark")
    assert light[0] == "rgb(246, 245, 242)"
    assert dark[0] == "rgb(15, 17, 20)"
    assert light[1] != dark[1]


def test_a_screen_reader_hears_numbers_and_what_figures_show(shown):
    page = shown("whole")
    assert page.get_by_role("img", name="Positives found against false alarms").count() == 1
    table = page.get_by_role("table", name="All contenders, the best first")
    assert (
        table.get_by_role("rowheader", name="mlp").count() == 3
    )  # the network, and what mitigation and privacy made of it
    assert table.get_by_role("columnheader", name="AUROC").count() == 1
    assert page.get_by_role("heading", level=1).inner_text().startswith("Inconclusive:")
    assert page.get_by_role("navigation", name="Contents").get_by_role("link").count() > 15
