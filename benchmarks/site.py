"""Requests a second of the gallery and of the JSON list, beside a FastAPI route that returns a constant.

``python -m benchmarks.site`` makes two catalogues of made-up issues (25,000 and 7,000,000; kept in var/), serves each
with one worker, and asks with wrk over 16 connections for 200 pages of 48 issues in turn. Each size is served twice:
*made* with ``LABELERRORS_KEPT_ANSWERS=0``, so that every answer is read, rendered and serialised anew, and *kept* as
the site is by default, where an answer that was made once is sent again. Runs alternate, so that what else the
machine does falls on all alike; medians over the rounds are printed.
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from app.schema.tables import SCHEMA_VERSION
from benchmarks import made_up

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"25 thousand": 25_000, "7 million": 7_000_000}
WAYS = {"made": 0, "kept": 64}
FORMS = ("HTML", "JSON")
SITE = "app"  # served by its own command
CONNECTIONS = 16
ADDRESSES = 200


def constant() -> FastAPI:
    """The ceiling: what FastAPI and uvicorn reach when there is nothing to do."""
    app = FastAPI()

    @app.get("/constant")
    async def answer() -> dict[str, str]:
        return {"answer": "constant"}

    return app


@contextmanager
def served(factory: str, **settings: object) -> Iterator[str]:
    """The site, or another application by uvicorn alone, in a process of its own; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, **{f"LABELERRORS_{name.upper()}": str(value) for name, value in settings.items()}}
    plain = ["uvicorn", "--factory", factory, "--log-level", "warning", "--no-access-log"]
    command = [sys.executable, "-m", *(["app"] if factory == SITE else plain), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(address, timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def pages(site: str, form: str) -> list[str]:
    """Addresses of pages all through the gallery, as HTML or JSON."""
    found, cursor = [], ""
    step = f"{site}/api/v1/datasets/made-up/issues?limit=48"
    path = "/made-up" if form == "HTML" else "/api/v1/datasets/made-up/issues"
    with httpx.Client() as client:
        for _ in range(ADDRESSES):
            found.append(f"{path}?after={cursor}" if cursor else path)
            following = client.get(step).json()["next"]
            if following is None:
                break
            step = following
            cursor = re.search(r"after=([^&]+)", following)[1]  # type: ignore[index]
    return found


def wrk(site: str, addresses: list[str], seconds: int, folder: Path) -> tuple[float, float]:
    """Requests a second and the 99th percentile in milliseconds; raises RuntimeError when an answer was no 200."""
    script = folder / "visit.lua"
    listed = ", ".join(f'"{address}"' for address in addresses)
    script.write_text(
        f"local paths = {{{listed}}}\nlocal at = 0\n"
        "request = function() at = at % #paths + 1; return wrk.format('GET', paths[at]) end\n"
    )
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), site]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise RuntimeError(output)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])  # type: ignore[index]
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()  # type: ignore[union-attr]
    return rate, float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def catalogue_of(n_issues: int) -> Path:
    """The made-up catalogue of a size, made if it is not there."""
    path = ROOT / "var" / f"made-up-{n_issues}-schema-{SCHEMA_VERSION}.sqlite"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        print(f"making {n_issues:,} issues ...", file=sys.stderr)
        made_up.write(path, n_issues)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each kind (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of a run (default 4)")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed (Debian: apt-get install wrk)")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runs: dict[str, tuple[str, list[str]]] = {}
        ceiling = stack.enter_context(served("benchmarks.site:constant"))
        runs["constant"] = (ceiling, ["/constant"])
        for size, n_issues in SIZES.items():
            catalogue = catalogue_of(n_issues)
            for way, megabytes in WAYS.items():
                site = stack.enter_context(served(SITE, catalogue=catalogue, kept_answers=megabytes, page_size=48))
                for form in FORMS:
                    runs[f"{form}, {way}, {size}"] = (site, pages(site, form))
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for _ in range(arguments.rounds):
            for name, (site, addresses) in runs.items():
                rates[name].append(wrk(site, addresses, arguments.seconds, folder))
    report(rates)
    return 0


def report(rates: dict[str, list[tuple[float, float]]]) -> None:
    top = statistics.median(rate for rate, _ in rates["constant"])
    print(f"{'':38}{'requests/s':>11}{'of ceiling':>12}{'p99 ms':>9}")
    for name, measured in rates.items():
        rate = statistics.median(r for r, _ in measured)
        # A ratio within one round compares what ran side by side.
        ratio = statistics.median(r / c for (r, _), (c, _) in zip(measured, rates["constant"], strict=True))
        slow = statistics.median(p for _, p in measured)
        print(f"{name:38}{rate:11,.0f}{ratio:12.3f}{slow:9.1f}")
    print(f"ceiling: {top:,.0f} requests/s")
    for form in FORMS:
        for way in WAYS:
            small, large = (rates[f"{form}, {way}, {size}"] for size in SIZES)
            ratio = statistics.median(b / a for (a, _), (b, _) in zip(small, large, strict=True))
            print(f"{form}, {way}: 7 million at {ratio:.2f} of the rate of 25 thousand")


if __name__ == "__main__":
    sys.exit(main())
