"""The pages about models in a browser: accessible, at home on a phone, and the slider says what the server says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_browser_pages import LOOKS, RULES, tab
from tests.serving import serving

PAGES = (
    "/sample-digits/stability",
    "/sample-digits/stability?agreement=5&top=5",
    "/sample-digits/stability/prevalence",
    "/sample-digits/stability/prevalence?agreement=5&scale=linear&prevalence=30",
    "/sample-digits/stability/pair",
    "/sample-digits/stability/repeated",
    "/sample-digits/evaluate",
    "/reproduction",
)


@pytest.fixture(scope="module")
def release_models(models_catalogue: Path) -> Iterator[str]:
    """The address of the site over the release with the models of CIFAR-10."""
    with serving(models_catalogue) as address:
        yield address


def require_accessible(page: Page) -> None:
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_accessible_and_no_wider_than_the_window(browser: Browser, site: str, path: str, width: int, scheme: str):
    with tab(browser, site, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.goto(path)
        require_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def rows(page: Page) -> list[list[str]]:
    return page.locator("#standings tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.cells].map(c => c.textContent))"
    )


def test_the_slider_shows_what_the_server_would(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/sample-digits/stability/prevalence")
        before = rows(page)
        page.locator("#prevalence-slider").evaluate(
            "s => { s.value = 60; s.dispatchEvent(new Event('input', { bubbles: true })); }"
        )
        moved = rows(page)
        assert moved != before
        expect(page.locator(".at output")).to_have_text("60.00")
        rule = page.locator("svg.prevalence .here").first.get_attribute("d")
        page.goto("/sample-digits/stability/prevalence?prevalence=60")
        assert rows(page) == moved
        drawn = page.locator("svg.prevalence .here").first.get_attribute("d")

        def place(path: str) -> float:
            return float(re.match(r"M([\d.]+)", path)[1])

        assert abs(place(rule) - place(drawn)) < 0.2


def test_the_rule_leaves_an_axis_that_ends_before_it(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/sample-digits/stability/prevalence?reach=10&prevalence=5")
        rule = page.locator("svg.prevalence .here").first
        expect(rule).not_to_have_attribute("visibility", "hidden")
        for at, hidden in ((60, True), (8, False)):
            page.locator("#prevalence-slider").evaluate(
                "(s, at) => { s.value = at; s.dispatchEvent(new Event('input', { bubbles: true })); }", at
            )
            assert (rule.get_attribute("visibility") == "hidden") is hidden


def test_picking_a_model_redraws_the_charts(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/sample-digits/stability/prevalence?model=scikit-learn/small-tree")
        expect(page.locator("svg.prevalence").first.locator("[class^='model-line']")).to_have_count(1)
        page.get_by_text("Choose models").click()
        page.get_by_role("checkbox", name="scikit-learn/random-forest").check()
        expect(page.locator("svg.prevalence").first.locator("[class^='model-line']")).to_have_count(2)
        assert "random-forest" in page.url
        expect(page.get_by_role("checkbox", name="scikit-learn/random-forest")).to_be_focused()


def test_without_a_script_the_form_does_the_same(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 1280, "height": 900}, java_script_enabled=False) as page:
        page.goto("/sample-digits/stability/prevalence?model=scikit-learn/small-tree")
        page.get_by_text("Choose models").click()
        page.get_by_role("checkbox", name="scikit-learn/random-forest").check()
        page.get_by_role("button", name="Show").click()
        expect(page.locator("svg.prevalence").first.locator("[class^='model-line']")).to_have_count(2)


#: The ends of the words in a chart that reach beyond its drawing or the window.
CUT = """() => [...document.querySelectorAll('svg.slopes, svg.prevalence')].flatMap((s) => {
    if (!s.checkVisibility()) return [];
    const box = s.getBoundingClientRect();
    return [...s.querySelectorAll('text')].filter((t) => {
        const own = t.getBoundingClientRect();
        return own.left < box.left - 1 || own.right > Math.min(box.right, innerWidth) + 1;
    }).map((t) => t.textContent);
})"""


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_names_in_charts_are_in_view_and_large_enough_to_read(browser: Browser, site: str, width: int):
    with tab(browser, site, viewport={"width": width, "height": 900}) as page:
        for path in PAGES[:5]:
            page.goto(path)
            assert page.evaluate(CUT) == [], path
            drawn = page.locator("svg.slopes:visible, svg.prevalence:visible")
            assert drawn.count() == 2, path
            scale = drawn.first.evaluate("s => s.getBoundingClientRect().width / s.viewBox.baseVal.width")
            assert 12 * scale > 9, path


def test_a_search_among_many_models_shortens_the_list(browser: Browser, release_models: str):
    with tab(browser, release_models, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/cifar10/stability?model=pytorch/resnet18")
        page.get_by_text("Choose models").click()
        boxes = page.locator(".models label:visible")
        expect(boxes).to_have_count(13)
        page.get_by_label("Find a model").fill("VGG")
        expect(boxes).to_have_count(page.locator(".models input[value*=vgg]").count() + 1)
        # Typing asks nothing of the server; choosing does, and the address says all of it.
        page.get_by_role("checkbox", name="pytorch/vgg11_bn").check()
        expect(page.locator(".legend li")).to_have_count(2)
        assert page.url.endswith(
            "/cifar10/stability?model=pytorch/resnet18&model=pytorch/vgg11_bn".replace("/r", "%2Fr").replace(
                "/v", "%2Fv"
            )
        )


def test_a_row_that_is_named_opens_its_fold(browser: Browser, release_models: str):
    with tab(browser, release_models, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/reproduction")
        row = page.locator("details.published tr[id]").last
        expect(row).not_to_be_visible()
        name = row.get_attribute("id")
        page.goto("about:blank")
        page.goto(f"/reproduction#{name}")
        expect(page.locator(f"tr#{name}")).to_be_in_viewport()
        # On paper all is there.
        page.emulate_media(media="print")
        assert (
            page.locator("details.published tr[id]:visible").count() == page.locator("details.published tr[id]").count()
        )


def test_a_file_is_sent_and_answered(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 390, "height": 900}) as page:
        page.goto("/sample-digits/evaluate")
        content = ("prediction\n" + "3\n" * 1_797).encode()
        page.locator("#upload-file").set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": content})
        page.get_by_role("button", name="Evaluate").click()
        expect(page.locator(".lede")).to_contain_text("examples of the pruned set your model is right on")
        require_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
