"""The pages about models in a browser: accessible, at home on a phone, and the slider says what the server says."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_browser_pages import LOOKS, RULES, tab

PAGES = (
    "/sample-digits/stability",
    "/sample-digits/stability?agreement=5&top=5&scale=linear&prevalence=30",
    "/sample-digits/evaluate",
    "/reproduction",
)


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
        page.goto("/sample-digits/stability")
        before = rows(page)
        page.locator("#prevalence-slider").evaluate(
            "s => { s.value = 60; s.dispatchEvent(new Event('input', { bubbles: true })); }"
        )
        moved = rows(page)
        assert moved != before
        expect(page.locator(".at output")).to_have_text("60.00")
        rule = page.locator("svg.prevalence .here").first.get_attribute("d")
        page.goto("/sample-digits/stability?prevalence=60")
        assert rows(page) == moved
        drawn = page.locator("svg.prevalence .here").first.get_attribute("d")

        def place(path: str) -> float:
            return float(re.match(r"M([\d.]+)", path)[1])

        assert abs(place(rule) - place(drawn)) < 0.2


def test_the_rule_leaves_an_axis_that_ends_before_it(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/sample-digits/stability?reach=10&prevalence=5")
        rule = page.locator("svg.prevalence .here").first
        expect(rule).not_to_have_attribute("visibility", "hidden")
        for at, hidden in ((60, True), (8, False)):
            page.locator("#prevalence-slider").evaluate(
                "(s, at) => { s.value = at; s.dispatchEvent(new Event('input', { bubbles: true })); }", at
            )
            assert (rule.get_attribute("visibility") == "hidden") is hidden


def test_picking_a_model_redraws_the_charts(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/sample-digits/stability?model=scikit-learn/small-tree")
        expect(page.locator("svg.prevalence").first.locator("[class^=line]")).to_have_count(1)
        page.get_by_role("checkbox", name="scikit-learn/random-forest").check()
        expect(page.locator("svg.prevalence").first.locator("[class^=line]")).to_have_count(2)
        assert "random-forest" in page.url
        expect(page.get_by_role("checkbox", name="scikit-learn/random-forest")).to_be_focused()


def test_without_a_script_the_form_does_the_same(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 1280, "height": 900}, java_script_enabled=False) as page:
        page.goto("/sample-digits/stability?model=scikit-learn/small-tree")
        page.get_by_role("checkbox", name="scikit-learn/random-forest").check()
        page.get_by_role("button", name="Show").click()
        expect(page.locator("svg.prevalence").first.locator("[class^=line]")).to_have_count(2)


def test_a_file_is_sent_and_answered(browser: Browser, site: str):
    with tab(browser, site, viewport={"width": 390, "height": 900}) as page:
        page.goto("/sample-digits/evaluate")
        content = ("prediction\n" + "3\n" * 1_797).encode()
        page.locator("#upload-file").set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": content})
        page.get_by_role("button", name="Evaluate").click()
        expect(page.locator(".lede")).to_contain_text("examples of the pruned set your model is right on")
        require_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
