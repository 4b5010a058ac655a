"""How fast corrected test sets leave the site, and in how little memory.

``python -m benchmarks.downloads`` makes catalogues of made-up labels (5 million examples, and 50,426,266, as many as in
QuickDraw; kept in var/), serves each with one worker, and takes the files with curl. Beside it: ``sqlite3`` dumping
the very same rows as CSV from a table that holds them, and a plain copy of the file. Runs alternate; medians are
printed. Needs curl and sqlite3.
"""

import argparse
import os
import random
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import numpy as np

from app.schema.packing import pack_labels
from app.schema.tables import EXAMPLES_PER_BLOCK, SCHEMA_VERSION
from benchmarks import made_up

ROOT = Path(__file__).resolve().parent.parent
QUICKDRAW = 50_426_266
COMPARED = 5_000_000
ISSUES = 25_000
API = "/api/v1/datasets/made-up"


def catalogue_of(n_examples: int) -> Path:
    """A catalogue of one test set with made-up labels, made once."""
    path = ROOT / "var" / f"made-up-labels-{n_examples}-{SCHEMA_VERSION}.sqlite"
    if path.is_file():
        return path
    part = path.with_suffix(".part")
    path.parent.mkdir(exist_ok=True)
    made_up.write(part, ISSUES)
    rng = np.random.default_rng(0)
    with closing(sqlite3.connect(part)) as connection:
        connection.execute("UPDATE datasets SET labels_known = 1, size = ?", (n_examples,))
        # Issues lie all over the test set, not at its beginning.
        apart = n_examples // ISSUES
        connection.execute("UPDATE issues SET idx = -idx - 1")
        connection.execute("UPDATE issues SET idx = (-idx - 1) * ?", (apart,))
        for start in range(0, n_examples, EXAMPLES_PER_BLOCK):
            count = min(EXAMPLES_PER_BLOCK, n_examples - start)
            labels = pack_labels(rng.integers(made_up.CLASSES, size=count))
            connection.execute("INSERT INTO examples VALUES (1, ?, ?, ?, NULL)", (start, count, labels))
        connection.commit()
    part.rename(path)
    return path


@contextmanager
def served(catalogue: Path) -> Iterator[tuple[str, int]]:
    """The site in a process of its own: its address and process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning"]
    environment = os.environ | {"LABELERRORS_CATALOGUE": str(catalogue), "LABELERRORS_KEPT_ANSWERS": "0"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                httpx.get(f"{address}/healthz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def taken(address: str) -> tuple[float, float, int]:
    """Seconds to the first byte, seconds in all, bytes."""
    told = "%{time_starttransfer} %{time_total} %{size_download} %{http_code}"
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", told, address]
    first, whole, size, status = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    if status != "200":
        raise RuntimeError(f"{address} answered {status}")
    return float(first), float(whole), int(size)


def memory(pid: int, field: str = "VmHWM") -> float:
    """Megabytes of a process: VmRSS now, VmHWM at most."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition(f"{field}:")[2].split()[0]) / 1024


def compare_csv(site: str, rounds: int, folder: Path) -> None:
    """Rows a second of the CSV, beside the shell of SQLite on the same rows."""
    file, table = folder / "rows.csv", folder / "rows.sqlite"
    subprocess.run(["curl", "--silent", "--output", str(file), f"{site}{API}/corrected.csv"], check=True)
    n_rows = sum(piece.count(b"\n") for piece in iter_pieces(file)) - 1
    imported = f".mode csv\n.import {file} rows\n"
    subprocess.run(["sqlite3", str(table)], input=imported, text=True, check=True)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(n_rows / taken(f"{site}{API}/corrected.csv")[1])
        began = time.perf_counter()
        dump = ["sqlite3", "-header", "-csv", str(table), "SELECT * FROM rows"]
        subprocess.run(dump, stdout=subprocess.DEVNULL, check=True)
        theirs.append(n_rows / (time.perf_counter() - began))
    mine, shell = statistics.median(ours), statistics.median(theirs)
    print(f"CSV of {n_rows:,} rows: {mine:,.0f} rows/s; sqlite3 shell {shell:,.0f} rows/s; ratio {mine / shell:.2f}")


def iter_pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(1 << 20):
            yield piece


def compare_copies(site: str, rounds: int, folder: Path) -> None:
    """Megabytes a second of files with a length, the first time and again, beside a copy."""
    for suffix in ("npy", "parquet"):
        file = folder / f"corrected.{suffix}"
        address = f"{site}{API}/corrected.{suffix}"
        first = taken(address)
        subprocess.run(["curl", "--silent", "--head", "--output", "/dev/null", address], check=True)
        subprocess.run(["curl", "--silent", "--output", str(file), address], check=True)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(taken(address)[1])
            began = time.perf_counter()
            shutil.copyfile(file, folder / "copy")
            theirs.append(time.perf_counter() - began)
        mb = file.stat().st_size / 1e6
        mine, copy = mb / statistics.median(ours), mb / statistics.median(theirs)
        print(
            f".{suffix} of {mb:,.0f} MB: first time {mb / first[1]:,.0f} MB/s, then {mine:,.0f} MB/s; "
            f"a copy {copy:,.0f} MB/s; ratio {mine / copy:.2f}"
        )


def look_up(site: str, n_examples: int) -> None:
    """Labels a second, ten thousand at a time and one at a time."""
    chosen = random.Random(0)
    with httpx.Client(base_url=site, timeout=60) as client:
        for n in (n_examples, min(n_examples, EXAMPLES_PER_BLOCK)):
            indices = [chosen.randrange(n) for _ in range(10_000)]
            client.post(f"{API}/labels", json=indices[:1]).raise_for_status()
            began = time.perf_counter()
            client.post(f"{API}/labels", json=indices).raise_for_status()
            many = 10_000 / (time.perf_counter() - began)
            began = time.perf_counter()
            for index in indices[:500]:
                client.get(f"{API}/labels/{index}").raise_for_status()
            one = 500 / (time.perf_counter() - began)
            print(f"labels among {n:,} examples: {many:,.0f}/s in one request, {one:,.0f} requests/s of one")


def watch_memory(site: str, pid: int, n_examples: int) -> None:
    """Rows a second, first byte and memory at the size of QuickDraw."""
    for suffix in ("csv", "jsonl", "npy", "parquet"):
        before = memory(pid, "VmRSS")
        first, whole, size = taken(f"{site}{API}/corrected.{suffix}")
        print(
            f".{suffix} of {n_examples:,} examples: first byte {1000 * first:.0f} ms, {whole:.1f} s, "
            f"{n_examples / whole:,.0f} rows/s, {size / 1e6:,.0f} MB; memory {before:.0f} MB before, "
            f"at most {memory(pid):.0f} MB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.downloads", description="Measure downloads.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="without the test set of QuickDraw's size")
    arguments = parser.parse_args()
    small = catalogue_of(COMPARED)
    with served(small) as (site, _), tempfile.TemporaryDirectory() as folder:
        compare_csv(site, arguments.rounds, Path(folder))
        compare_copies(site, arguments.rounds, Path(folder))
    if not arguments.small:
        with served(catalogue_of(QUICKDRAW)) as (site, pid):
            watch_memory(site, pid, QUICKDRAW)
            look_up(site, QUICKDRAW)


if __name__ == "__main__":
    main()
