"""Rows of tables in a browser: accessible, and at home on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.test_browser_pages import LOOKS, RULES, tab
from tests.flowers import WRONG


@pytest.mark.parametrize("path", ["/flowers", f"/flowers/issues/{WRONG[0]}", "/"])
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_rows_are_accessible_and_fit_a_phone(
    browser: Browser, rows_site: str, path: str, width: int, scheme: str
) -> None:
    with tab(browser, rows_site, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.goto(path)
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
