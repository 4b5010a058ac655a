"""The browser of tests and screenshots: Chromium as the machine has it."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str:
    """Where Chromium is: $CHROMIUM, or on the PATH. Raises FileNotFoundError saying what to install."""
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        wanted = f"CHROMIUM={named!r} is no program" if named else f"none of {', '.join(_NAMES)} is on the PATH"
        raise FileNotFoundError(
            f"Browser tests need Chromium, and {wanted}. Install it (Debian: `apt-get install chromium`), or set "
            "CHROMIUM to its path."
        )
    return found


def launch(playwright: Playwright, environment: dict[str, str] | None = None) -> Browser:
    """A headless browser that talks to nobody on its own account."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=_ARGUMENTS, env=environment)
