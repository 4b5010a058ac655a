"""How soon a phone on a slow line shows each kind of page, and how many bytes that takes.

``python -m benchmarks.phone CATALOGUE`` serves a catalogue and opens one page of each kind in Chromium, each with an
empty cache, on a screen of 390 px, at 1.6 Mbit/s with 150 ms of latency and a processor slowed down to a quarter.
Printed are the largest contentful paint (LCP), what was transferred without pictures and sounds, and the height of the
page. ``*`` marks what misses an aim: 1,500 ms, 150 kB. ``--width 1280`` measures a desk on the same line.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from playwright.sync_api import Browser, CDPSession, sync_playwright

from tests.browser.browsing import launch
from tests.serving import serving

#: Bytes a second, milliseconds, and how many times slower the processor is.
DOWN, UP, LATENCY, SLOWER = 1_600_000 // 8, 750_000 // 8, 150, 4
MOST_MS, MOST_BYTES = 1_500, 150_000
_MEDIA = ("Image", "Media")
_SITE = ("/", "/figures", "/method", "/about", "/api", "/docs", "/docs/operating", "/reproduction", "/media-coverage")
_OF_DATASET = (
    "",
    "?category=any",
    "/map",
    "/classes",
    "/classes/3",
    "/confusions",
    "/confusions?kind=joint",
    "/corrected",
    "/changes",
    "/opinions",
    "/slices",
    "/ranks",
    "/stability",
    "/stability/prevalence",
    "/stability/pair",
    "/stability/repeated",
    "/evaluate",
)
_PAINT = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
        .observe({ type: 'largest-contentful-paint', buffered: true });
    setTimeout(() => resolve(null), 2000);
})"""


class Measured(NamedTuple):
    """One page: milliseconds until its largest part was painted, bytes by kind, and its height in pixels."""

    paint: float | None
    sent: dict[str, int]  # kind of resource, as Chromium calls it -> bytes
    height: int

    @property
    def total(self) -> int:
        """The bytes without those of pictures and sounds."""
        return sum(n for kind, n in self.sent.items() if kind not in _MEDIA)


def pages_of(site: str) -> Iterator[str]:
    """The addresses of one page of each kind: of the site, of each dataset, and of an issue of each."""
    with httpx.Client(base_url=site, timeout=60) as client:
        datasets = client.get("/api/v1/datasets").raise_for_status().json()["items"]
        wanted = [*_SITE]
        for dataset in datasets:
            name = dataset["name"]
            wanted += [f"/{name}{tail}" for tail in _OF_DATASET]
            for category in ("correctable", "unreviewed"):
                issues = client.get(f"/api/v1/datasets/{name}/issues", params={"category": category, "limit": 1}).json()
                wanted += [f"/{name}/issues/{one['index']}" for one in issues["items"]]
        for path in wanted:
            if client.get(path).status_code == 200:
                yield path


def measured(browser: Browser, site: str, path: str, width: int) -> Measured:
    """Open a page for the first time, on a slow line."""
    context = browser.new_context(viewport={"width": width, "height": 844}, device_scale_factor=2)
    try:
        page = context.new_page()
        session = context.new_cdp_session(page)
        sent = _listening(session)
        session.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": LATENCY, "downloadThroughput": DOWN, "uploadThroughput": UP},
        )
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(site + path, wait_until="load", timeout=120_000)
        paint = page.evaluate(_PAINT)
        return Measured(paint, sent, page.evaluate("document.documentElement.scrollHeight"))
    finally:
        context.close()


def _listening(session: CDPSession) -> dict[str, int]:
    """What is transferred from now on, by kind of resource."""
    kinds: dict[str, str] = {}
    sent: dict[str, int] = {}

    def begun(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = event.get("type", "Other")

    def finished(event: dict[str, Any]) -> None:
        kind = kinds.get(event["requestId"], "Other")
        sent[kind] = sent.get(kind, 0) + int(event["encodedDataLength"])

    session.send("Network.enable")
    session.on("Network.responseReceived", begun)
    session.on("Network.loadingFinished", finished)
    return sent


def line(path: str, runs: list[Measured]) -> str:
    """A row of the table: medians, and an asterisk where an aim is missed."""
    paints = [one.paint for one in runs if one.paint is not None]
    paint = statistics.median(paints) if paints else None
    last = runs[-1]
    late = paint is None or paint >= MOST_MS
    parts = [last.sent.get(kind, 0) for kind in ("Document", "Stylesheet", "Script")]
    columns = [f"{'-' if paint is None else round(paint):>6}{'*' if late else ' '}"]
    columns.append(f"{last.total / 1000:>7.1f}{'*' if last.total >= MOST_BYTES else ' '}")
    columns += [f"{n / 1000:>7.1f}" for n in parts]
    return " ".join([*columns, f"{last.height:>8,}", path])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phone", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--runs", type=int, default=1, help="openings of each page; medians are printed")
    parser.add_argument("--width", type=int, default=390)
    parser.add_argument("--page", action="append", default=[], help="only this address; may be given several times")
    arguments = parser.parse_args()
    if not arguments.catalogue.is_file():
        parser.error(f"there is no catalogue at {arguments.catalogue}")
    with serving(arguments.catalogue, requests_a_minute=0) as site, sync_playwright() as playwright:
        browser = launch(playwright)
        print(f"{'LCP ms':>7} {'kB':>8} {'HTML':>7} {'CSS':>7} {'JS':>7} {'px':>8} page")
        for path in arguments.page or list(pages_of(site)):
            runs = [measured(browser, site, path, arguments.width) for _ in range(arguments.runs)]
            print(line(path, runs), flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
