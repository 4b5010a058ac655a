"""Pages with second opinions in a browser: accessible, and at home on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.test_browser_pages import LOOKS, tab
from tests.serving import serving

PAGES = (
    "/cifar10/opinions",
    "/imagenet/opinions?agreement=5",
    "/cifar10/stability",
    "/cifar10/stability/prevalence",
    "/cifar10/stability/repeated",
    "/cifar10/issues/6877",
    "/imagenet/corrected?confirmed_by=real&opposed=given",
    "/cifar10?opinion=opposed:cifar10h",
    "/imagenet/confidence",
    "/imagenet/issues/252",
    "/imagenet/corrected?confidence=0.9",
    "/imagenet?sort=-confidence",
)


@pytest.fixture(scope="module")
def site(opinions_catalogue: Path) -> Iterator[str]:
    """The address of the site over the release with two second opinions."""
    with serving(opinions_catalogue) as address:
        yield address


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_accessible_and_no_wider_than_the_window(browser: Browser, site: str, path: str, width: int, scheme: str):
    with tab(browser, site, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
