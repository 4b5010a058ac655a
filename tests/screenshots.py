"""Pictures of the site: ``python -m tests.screenshots OUTDIR [--catalogue FILE] [--page NAME=PATH ...]``.

Every kind of page, at the width of a phone and of a desk, light and dark. ``--page home=/`` takes only the pages named.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.settings import Settings
from tests.browser.browsing import launch
from tests.serving import serving

_WIDTHS = (390, 1280)
_SCHEMES = ("light", "dark")
_TALLEST = 2400


def pages_of(site: str, browser: Browser) -> dict[str, str]:
    """Name -> path of one page of each kind, for the first dataset and those whose examples look different."""
    pages = {
        "home": "/",
        "method": "/method",
        "about": "/about",
        "api": "/api",
        "docs": "/docs",
        "missing": "/nothing-here",
    }
    request = browser.new_context().request
    modalities = set()
    for dataset in request.get(f"{site}/api/v1/datasets").json()["items"]:
        name = dataset["name"]
        if dataset["modality"] in modalities:
            continue
        modalities.add(dataset["modality"])
        first = request.get(f"{site}/api/v1/datasets/{name}/issues?category=correctable&limit=1").json()["items"]
        pages |= {f"{name}-gallery": f"/{name}", f"{name}-corrected": f"/{name}/corrected"}
        pages[f"{name}-ranks"] = f"/{name}/ranks"
        pages |= {f"{name}-classes": f"/{name}/classes", f"{name}-confusions": f"/{name}/confusions"}
        if first:
            pages[f"{name}-issue"] = f"/{name}/issues/{first[0]['index']}"
    return pages


def shoot(site: str, browser: Browser, pages: dict[str, str], folder: Path, widths: Sequence[int]) -> None:
    """Write OUTDIR/NAME-WIDTH-SCHEME.png for every page, and print how tall each is."""
    for scheme in _SCHEMES:
        for width in widths:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            tab = context.new_page()
            for name, path in pages.items():
                tab.goto(site + path, wait_until="networkidle")
                height = tab.evaluate("document.documentElement.scrollHeight")
                print(f"{height:>7,} px {width:>5} {scheme:<5} {path}", flush=True)
                tab.set_viewport_size({"width": width, "height": max(min(height, _TALLEST), 900)})
                tab.wait_for_load_state("networkidle")
                tab.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
                tab.set_viewport_size({"width": width, "height": 900})
            context.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description="Take pictures of the site.")
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--catalogue", type=Path, default=Settings.from_environment().catalogue)
    parser.add_argument("--page", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--width", action="append", type=int, metavar="PX", help="instead of 390 and 1280")
    arguments = parser.parse_args()
    if not arguments.catalogue.is_file():
        parser.error(f"there is no catalogue at {arguments.catalogue}")
    arguments.outdir.mkdir(parents=True, exist_ok=True)
    named = dict(page.partition("=")[::2] for page in arguments.page)
    with serving(arguments.catalogue) as site, sync_playwright() as playwright:
        browser = launch(playwright)
        shoot(site, browser, named or pages_of(site, browser), arguments.outdir, arguments.width or _WIDTHS)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
