"""A browser, and a site for it to visit."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import fonts
from tests.browser.browsing import launch

# How long a page takes says how busy the machine is.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, closed with its module: while it is open, an event loop runs in which other tests cannot run theirs.

    Its fonts are the same on every machine. One without it fails these tests with the reason; it does not skip them.
    """
    with sync_playwright() as playwright:
        browser = launch(playwright, fonts.only("dejavu", tmp_path_factory.mktemp("dejavu")))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(sample_site: str) -> str:
    """The address of the site over the embedded sample."""
    return sample_site


@pytest.fixture(scope="session")
def release(real_site: str) -> str:
    """The address of the site over the ten datasets."""
    return real_site
