"""A site and a browser for tests and screenshots: Chromium as the machine has it, a server on a free port."""

import contextlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, Playwright

from app.main import create_app
from app.settings import Settings

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


def launch(playwright: Playwright) -> Browser:
    """A headless browser that talks to nobody on its own account."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=_ARGUMENTS)


@contextlib.contextmanager
def serving(catalogue: Path) -> Iterator[str]:
    """The address of a site over ``catalogue``, served from a thread until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        config = uvicorn.Config(create_app(Settings(catalogue=catalogue)), log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise TimeoutError(f"the site over {catalogue} did not start within 10 s")
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
