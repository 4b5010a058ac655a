"""The map of issues in a browser: a box drawn with a pointer, or fields without a script, choose issues."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_browser_pages import LOOKS, RULES, assert_fits, tab


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_is_accessible_and_fits(browser: Browser, site: str, width: int, scheme: str):
    with tab(browser, site, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.goto("/sample-digits/map")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
        assert found.violations_count == 0, found.generate_report()
        assert_fits(page, "/sample-digits/map")


def corner(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where scores lie on the screen."""
    ground = page.locator(".map-ground").bounding_box()
    return ground["x"] + x * ground["width"], ground["y"] + (1 - y) / 2 * ground["height"]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_drawn_box_is_the_gallery_of_its_issues(browser: Browser, site: str, width: int):
    with tab(browser, site, viewport={"width": width, "height": 1200}) as page:
        page.goto("/sample-digits/map")
        page.locator("svg.map").scroll_into_view_if_needed()
        page.mouse.move(*corner(page, 0.01, -0.99))
        page.mouse.down()
        page.mouse.move(*corner(page, 0.3, -0.2), steps=4)
        page.mouse.up()
        told = page.locator(".map-form output").text_content()
        n = int(re.match(r"\d+", told)[0])
        assert n > 1
        assert page.get_by_label("from").first.input_value() == "0"
        page.get_by_role("button", name="Show issues").click()
        page.wait_for_url("**/sample-digits?category=any&self_confidence=0..*")
        expect(page.locator("#sentence")).to_contain_text(re.compile(rf"^{n} issues"))


def test_fields_do_the_same_without_a_script(browser: Browser, site: str):
    with tab(browser, site, java_script_enabled=False) as page:
        page.goto("/sample-digits/map")
        expect(page.get_by_text("Draw a box")).not_to_be_visible()
        page.locator("[name=margin_to]").fill("-0.5")
        page.get_by_role("button", name="Show issues").click()
        page.wait_for_url("**/sample-digits?category=any&margin=-1..-0.5")
        expect(page.locator("#sentence")).to_contain_text("with a normalized margin below −0.5")
