"""A browser, and a site for it to visit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.browsing import launch
from tests.serving import serving


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. A machine without it fails these tests with the reason; it does not skip them."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(sample_catalogue: Path) -> Iterator[str]:
    """The address of the site over the embedded sample."""
    with serving(sample_catalogue) as address:
        yield address


@pytest.fixture(scope="session")
def release(real_catalogue: Path) -> Iterator[str]:
    """The address of the site over the ten datasets."""
    with serving(real_catalogue) as address:
        yield address
