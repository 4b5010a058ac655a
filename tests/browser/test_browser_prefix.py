"""What scripts do, behind a real proxy that shows the site at a path."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_browser_pages import tab
from tests.proxying import proxying
from tests.serving import serving


@pytest.fixture(scope="module")
def shown(sample_catalogue: Path) -> Iterator[str]:
    """Where the sample is shown, the path with it."""
    with serving(sample_catalogue, root_path="/labels") as site, proxying(site, "/labels", keeps=False) as shown:
        yield shown


def test_scripts_work_at_a_path(browser: Browser, shown: str):
    # ``tab`` fails where anything is refused, is not found or writes an error.
    with tab(browser, shown, viewport={"width": 1280, "height": 900}) as page:
        page.goto(f"{shown}/sample-digits")
        page.keyboard.press("j")
        page.keyboard.press("j")
        expect(page.locator(".current-card")).to_have_count(1)
        page.keyboard.press("/")
        expect(page.locator("#q")).to_be_focused()
        page.locator("#q").fill("seven")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{shown}/sample-digits?*q=seven*")
        page.goto(f"{shown}/sample-digits")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{shown}/sample-digits/issues/*")
        # Pictures are loaded as they come into view.
        page.locator("img").first.scroll_into_view_if_needed()
        page.wait_for_function("document.images[0].complete && document.images[0].naturalWidth > 0")
        assert page.evaluate("document.styleSheets.length") > 0


def test_the_slider_and_the_picker_work_at_a_path(browser: Browser, shown: str):
    with tab(browser, shown, viewport={"width": 1280, "height": 900}) as page:
        page.goto(f"{shown}/sample-digits/stability/prevalence?model=scikit-learn/small-tree")
        slider = page.locator("#prevalence-slider")
        slider.evaluate("s => { s.value = 60; s.dispatchEvent(new Event('input', { bubbles: true })); }")
        expect(page.locator(".at output")).to_have_text("60.00")
        page.get_by_text("Choose models").click()
        page.get_by_role("checkbox", name="scikit-learn/random-forest").check()
        expect(page.locator("svg.prevalence").first.locator("[class^='model-line']")).to_have_count(2)
        assert page.url.startswith(f"{shown}/sample-digits/stability/prevalence?")
