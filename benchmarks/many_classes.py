"""Datasets of many classes: how long they take to ingest and to flag, how much memory, and how large their pages are.

    python -m benchmarks.many_classes              10,000 classes: ingest and pages; 21,841 and 65,535: flagging
    python -m benchmarks.many_classes --rows 1000  fewer rows of the matrices that are flagged

Everything is made here, with a fixed seed. Times stand beside what the machine took in the same run to read the same
bytes, and to ingest as many examples of 100 classes; memory beside what is allowed: 60 MB, 40 bytes for each row and 16
for each cell of the confident joint that is not empty.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.confident_learning import ROOT, peak, reading, whole_process

EXAMPLES, CLASSES, FEW = 4_000, 10_000, 100
FLAGGED = (21_841, 65_535)
_AT_A_TIME = 200
_MANIFEST = """
name = "many"
title = "Many"
modality = "image"
summary = "Made up."
[licence]
name = "Ours"
source = "Made up."
media = "none"
[classes]
file = "classes.txt"
[files]
labels = "labels.npy"
pred_probs = "probs.npy"
"""
_PAGES = (
    "classes",
    "classes?sort=-given",
    "classes?page=2&sort=name&q=9",
    "classes/names?q=77",
    "confusions?kind=joint",
    "confusions?kind=guessed&page=2",
    "?sort=index",
    "evaluate",
    "corrected",
)


def make(folder: Path, n: int, m: int, dtype: str) -> None:
    """A dataset whose model is sure of one class and thinks of another, and whose labels are wrong in a fifth."""
    rng = np.random.default_rng(2021)
    truth = rng.integers(0, m, n)
    with (folder / "probs.npy").open("wb") as stream:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": (n, m)}
        np.lib.format.write_array_header_1_0(stream, header)
        for start in range(0, n, _AT_A_TIME):
            here = truth[start : start + _AT_A_TIME]
            rows = np.full((len(here), m), 0.25 / m, np.float32)
            rows[np.arange(len(here)), here] += rng.uniform(0.4, 0.75, len(here))
            rows[np.arange(len(here)), rng.integers(0, m, len(here))] += 0.25
            rows /= rows.sum(axis=1, keepdims=True)
            stream.write(rows.astype(dtype).tobytes())
    wrong = rng.random(n) < 0.2
    np.save(folder / "labels.npy", np.where(wrong, rng.integers(0, m, n), truth).astype(np.uint16))
    (folder / "classes.txt").write_text("".join(f"kind {i} of many\n" for i in range(m)))
    (folder / "dataset.toml").write_text(_MANIFEST)


def ingest(folder: Path) -> float:
    """Seconds of ``add`` as a user runs it."""
    catalogue = folder / "catalogue.sqlite"
    catalogue.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ingest", "add", str(folder / "dataset.toml"), str(folder)]
    return whole_process([*command, "--catalogue", str(catalogue)])[0]


def pages(folder: Path, rounds: int) -> None:
    """Times and sizes of the pages that tell of classes; the first answer of a server, and the median of the next."""
    import httpx

    from tests.serving import serving

    first: dict[str, list[float]] = {path: [] for path in _PAGES}
    again: dict[str, list[float]] = {path: [] for path in _PAGES}
    sizes = {}
    for _ in range(rounds):
        with (
            serving(folder / "catalogue.sqlite", requests_a_minute=0) as site,
            httpx.Client(base_url=site, timeout=60, headers={"Accept-Encoding": "identity"}) as client,
        ):
            client.get("/about")  # templates are compiled for the first page of a server
            for path in _PAGES:
                for times in (first[path], again[path]):
                    start = time.perf_counter()
                    sizes[path] = len(client.get(f"/many/{path}".replace("/?", "?")).raise_for_status().content)
                    times.append(1e3 * (time.perf_counter() - start))
    for path in _PAGES:
        told = [statistics.median(times) for times in (first[path], again[path])]
        print(f"  {path:32} first {told[0]:6.1f} ms, again {told[1]:6.1f} ms, {sizes[path] / 1e3:6.1f} kB")


def flagging(folder: Path, rule: str) -> dict[str, Any]:
    """Seconds, peak MB and non-empty cells of flagging in this process."""
    from app.domain.confident_learning.joint import FlagRule
    from ingest.flagging.engine import flag
    from ingest.matrices.matrix import open_matrix
    from ingest.matrices.npy import open_npy

    labels = np.load(folder / "labels.npy")
    start = time.perf_counter()
    matrix = open_matrix([folder / "probs.npy"], len(labels), open_npy(folder / "probs.npy").shape[1])
    found = flag(labels, matrix, FlagRule(rule), lambda _: None)
    return {"seconds": time.perf_counter() - start, "peak": peak(), "cells": len(found.counted), "n": len(labels)}


def flagged(folder: Path, m: int, rows: int, rounds: int) -> None:
    make(folder, rows, m, "float32")
    size = (folder / "probs.npy").stat().st_size / 1e9
    print(f"\n{rows:,} x {m:,} float32, {size:.1f} GB; the joint as a table would take {8 * m * m / 1e9:.1f} GB")
    for rule in ("calibrated", "prune_by_class", "prune_by_noise_rate", "both"):
        ratios, found = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            reading(folder)()
            plain = time.perf_counter() - start
            command = [sys.executable, "-m", "benchmarks.many_classes", "--child", rule, str(folder)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            found.append(json.loads(done.stdout))
            ratios.append(found[-1]["seconds"] / plain)
        seconds, most = (statistics.median(one[what] for one in found) for what in ("seconds", "peak"))
        allowed = 60 + 40e-6 * rows + 16e-6 * found[0]["cells"]
        print(
            f"  {rule:20} {seconds:7.2f} s, {statistics.median(ratios):6.2f} x reading;"
            f"  peak {most:4.0f} MB, {most / allowed:.2f} of what is allowed ({found[0]['cells']:,} cells)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000, help="rows of the matrices that are flagged")
    parser.add_argument("--child", nargs=2, metavar=("RULE", "DIR"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(flagging(Path(arguments.child[1]), arguments.child[0])))
        return
    with tempfile.TemporaryDirectory(prefix="label-errors-many-") as there:
        many, few = Path(there, "many"), Path(there, "few")
        for folder, m in ((many, CLASSES), (few, FEW)):
            folder.mkdir()
            make(folder, EXAMPLES, m, "float32")
        pairs = [(ingest(many), ingest(few)) for _ in range(arguments.rounds)]
        seconds = [statistics.median(times) for times in zip(*pairs, strict=True)]
        print(
            f"ingest {EXAMPLES:,} examples: {CLASSES:,} classes {seconds[0]:.2f} s, {FEW} classes {seconds[1]:.2f} s,"
        )
        print(f"  {statistics.median(one / other for one, other in pairs):.2f} x as long")
        pages(many, arguments.rounds)
    for m in FLAGGED:
        with tempfile.TemporaryDirectory(prefix="label-errors-many-") as there:
            flagged(Path(there), m, arguments.rows, arguments.rounds)


if __name__ == "__main__":
    main()
