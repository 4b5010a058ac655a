"""How fast and how small an ingest is, beside SQLite alone storing the very same rows.

    python -m benchmarks.ingest                 2,500,000 x 345: rates, memory, sizes, a second dataset
    python -m benchmarks.ingest --full DIR      50,426,266 x 345, 35 GB in DIR, from the matrix to a served page
    python -m benchmarks.ingest --models        carrying models along, the change log, and the check of the file

Matrices are made here, with labels of which one in seven is wrong, so that one in seven examples is flagged, as in
QuickDraw. Every measurement is a process of its own. The peer, "sqlite3", is the driver's ``executemany`` of rows that
are in memory already, and the same indexes, in the same run; times are those of the processor, since other work
disturbs them least, and of the clock. Each aim is told as reached or missed. Times mean little where other work goes
on; memory is all that was resident at the peak, with the code of libraries.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.confident_learning import FULL, ROOT, make, peak, reading

SMALL = (2_500_000, 345, "float16")
#: Rows drawn; the others repeat them.
DISTINCT = 250_000
#: Pages asked for while nothing else runs, and turns of what is compared by the clock.
_PAGES = 40
_ROUNDS = 5
#: The share of labels that are wrong: ``make`` flips one in twenty, the others are flipped here.
WRONG = 0.135
MANIFEST = """\
name = "{name}"
title = "Made up"
modality = "image"
summary = "Made up to measure with."
[licence]
name = "CC0"
source = "made up"
media = "none"
[classes]
file = "classes.json"
[files]
labels = "labels.npy"
pred_probs = "probs.npy"
"""


def prepare(folder: Path, n: int, m: int, dtype: str) -> None:
    """A dataset of n examples and m classes, with its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    make(folder, n, m, dtype, distinct=min(n, DISTINCT))
    labels, rng = np.load(folder / "labels.npy"), np.random.default_rng(5)
    wrong = rng.random(n) < WRONG - 0.05
    labels[wrong] = (labels[wrong] + 1 + rng.integers(0, m - 1, int(wrong.sum()))) % m
    np.save(folder / "labels.npy", labels)
    (folder / "classes.json").write_text(json.dumps([f"class {c}" for c in range(m)]))
    for name in ("made-up", "second"):
        (folder / f"{name}.toml").write_text(MANIFEST.format(name=name))


def measure(what: str, *arguments: str | Path) -> dict[str, Any]:
    """What a process of its own finds."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--child", what, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def timed(run: Callable[[], Any]) -> dict[str, Any]:
    clock, processor = time.perf_counter(), time.process_time()
    result = run()
    return {
        "seconds": time.perf_counter() - clock,
        "processor": time.process_time() - processor,
        "peak": peak(),
        "result": result,
    }


def ingested(folder: str, catalogue: str, name: str, dask: str = "") -> dict[str, Any]:
    """Ingest a dataset; what follows reading and flagging is told apart."""
    from ingest import pipeline
    from ingest.manifest.parse import read_manifest
    from ingest.progress import Lines

    parts: dict[str, Any] = {}
    load = pipeline.load

    def loading(*given: Any, **told: Any) -> Any:
        parts["inputs"] = timed(lambda: load(*given, **told))
        return parts["inputs"].pop("result")

    pipeline.load = loading
    job = pipeline.IngestJob(read_manifest(Path(folder, f"{name}.toml")), Path(folder), None, complete=True)
    how: dict[str, Any] = {"wait": 1, "progress": Lines(), "dask": dask or None}
    whole = timed(lambda: len(pipeline.run([job], Path(catalogue), **how)[0].build.issues))
    stored = {key: whole[key] - parts["inputs"][key] for key in ("seconds", "processor")}
    return {**whole, "stored": stored, "inputs": parts["inputs"], "bytes": Path(catalogue).stat().st_size}


def sqlite_alone(catalogue: str, target: str) -> dict[str, Any]:
    """The rows of the issues and of what is counted of them in memory, stored once more by the driver alone."""
    tables: dict[str, tuple[list[str], list[Any]]] = {}
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as source:
        for table in ("issues", "facets", "unreviewed"):
            ddl = source.execute("SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", [table])
            tables[table] = [text for (text,) in ddl], source.execute(f"SELECT * FROM {table}").fetchall()

    def run() -> int:
        with closing(sqlite3.connect(target)) as connection:
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16384"):
                connection.execute(f"PRAGMA {pragma}")
            for table, (ddl, rows) in tables.items():
                connection.execute(ddl[0])
                if rows:
                    places = ", ".join("?" * len(rows[0]))
                    connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
                for index in ddl[1:]:
                    connection.execute(index)
            connection.commit()
        return len(tables["issues"][1])

    return timed(run)


def copied(catalogue: str, target: str) -> dict[str, Any]:
    """A copy of a file, on the disk when it is done."""
    from ingest.catalogue.atomic_file import _sync

    return timed(lambda: (shutil.copyfile(catalogue, target), _sync(Path(target)), 0)[-1])


def read_once(folder: str) -> dict[str, Any]:
    """The matrix, read into one buffer."""
    return timed(reading(Path(folder)))


def checked(catalogue: str) -> dict[str, Any]:
    """The check of a whole catalogue."""
    from app.schema.engine import reading_engine
    from ingest.catalogue.guard.verify import require_whole

    with reading_engine(Path(catalogue)).connect() as connection:
        return timed(lambda: require_whole(connection))


def modelled(folder: str, catalogue: str, n_models: str) -> dict[str, Any]:
    """Add models that are right about most labels to a catalogue."""
    from ingest.catalogue.models import add_models
    from ingest.progress import Lines

    labels = np.load(Path(folder, "labels.npy"))
    with tempfile.TemporaryDirectory(dir=folder) as there:
        for place in range(int(n_models)):
            rng = np.random.default_rng(place)
            np.save(
                Path(there, f"model-{place}.npy"), np.where(rng.random(len(labels)) < 0.8, labels, (labels + 1) % 345)
            )
        return timed(lambda: len(add_models(Path(there), "made-up", Path(catalogue), wait=1, progress=Lines())))


MEASURED: dict[str, Callable[..., dict[str, Any]]] = {
    "ingest": ingested,
    "sqlite3": sqlite_alone,
    "copy": copied,
    "reading": read_once,
    "check": checked,
    "models": modelled,
}


def pages(catalogue: Path, name: str, m: int, during: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of pages of a served catalogue: the first after the start, then the median of others, first while
    nothing else runs, then while something does.
    """
    from tests.serving import serving

    with serving(catalogue) as address:

        def ask(given: int | str) -> float:
            began = time.perf_counter()
            urllib.request.urlopen(f"{address}/{name}?given={given}").read()
            return 1000 * (time.perf_counter() - began)

        first, alone, beside = ask(""), [ask(given % m) for given in range(_PAGES)], list[float]()
        thread = threading.Thread(target=during)
        thread.start()
        while thread.is_alive():
            beside.append(ask((_PAGES + len(beside)) % m))
            time.sleep(0.1)
        return {"first": first, "alone": float(np.median(alone)), "beside": float(np.median(beside))}


def aim(what: str, found: float, *, most: float | None = None, least: float | None = None) -> None:
    """Print what was found beside what is aimed at, and which of the two is better."""
    reached = (most is None or found <= most) and (least is None or found >= least)
    bound = f"at most {most:,g}" if least is None else f"at least {least:,g}"
    print(f"  {'reached' if reached else 'MISSED '} {what}: {found:,.2f} (aim: {bound})", flush=True)


def one_size(folder: Path, shape: tuple[int, int, str]) -> None:
    """Ingest a matrix, and tell it beside the peers."""
    n, m, _ = shape
    catalogue = folder / "catalogue.sqlite"
    read = measure("reading", folder)
    ours = measure("ingest", folder, catalogue, "made-up")
    bare = measure("sqlite3", catalogue, folder / "bare.sqlite")
    (folder / "bare.sqlite").unlink()
    k, mb = ours["result"], ours["peak"]
    print(f"{n:,} x {m}: {k:,} issues, {ours['seconds']:.1f} s, {ours['processor']:.0f} s of the processor")
    told = f"read and flagged in {ours['inputs']['seconds']:.1f} s, stored in {ours['stored']['seconds']:.1f} s"
    print(f"  {told}; merely reading the matrix took {read['seconds']:.1f} s")
    for unit in ("seconds", "processor"):
        mine, theirs = ours["stored"][unit], bare[unit]
        print(f"  stored, by {unit}: {k / mine:,.0f} issues a second, sqlite3 alone {k / theirs:,.0f}")
        aim(f"rate of sqlite3 alone, by {unit}", theirs / mine, least=0.45)
    print(f"  memory {mb:,.0f} MB, all that was resident at the peak; catalogue {ours['bytes'] / 1e6:,.0f} MB")
    aim("bytes of memory an issue above 150 MB", 1e6 * (mb - 150) / k, most=120)
    aim("bytes of the catalogue an issue", ours["bytes"] / k, most=300)
    if shape == FULL:
        aim("whole ingest, in readings of the matrix", ours["seconds"] / read["seconds"], most=10)
        aim("gigabytes of memory", mb / 1000, most=1.5)
    other = folder / "second"
    prepare(other, *SMALL)
    times = pages(catalogue, "made-up", m, lambda: beside(other, folder, catalogue))
    aim("milliseconds of the first page after the start", times["first"], most=50)
    print(f"  other pages {times['alone']:.0f} ms; while another ingest ran {times['beside']:.0f} ms")
    second(other, folder, catalogue)
    print(f"  check of the whole file: {measure('check', catalogue)['seconds']:.1f} s")
    if shape == FULL:
        on_dask = measure("ingest", folder, folder / "dask.sqlite", "made-up", "local:2")
        print(f"  flagged on two Dask workers: {on_dask['seconds']:.0f} s, memory {on_dask['peak']:,.0f} MB here")


def beside(other: Path, folder: Path, catalogue: Path) -> tuple[float, float]:
    """Seconds to copy a catalogue, and then to ingest another dataset into the copy."""
    copy = measure("copy", catalogue, folder / "copy.sqlite")
    found = measure("ingest", other, folder / "copy.sqlite", "second")
    (folder / "copy.sqlite").unlink()
    return copy["seconds"], found["seconds"]


def second(other: Path, folder: Path, catalogue: Path) -> None:
    """A second dataset, of the small size, into an empty catalogue and beside what there is, and the file copied, in
    turn.
    """
    os.sync()  # what was written before is on the disk, so that it is idle
    measure("reading", other)
    rounds = []
    for _ in range(_ROUNDS):
        alone = measure("ingest", other, folder / "alone.sqlite", "second")
        (folder / "alone.sqlite").unlink()
        rounds.append((alone["seconds"], *beside(other, folder, catalogue)))
    alone_s, copy_s, beside_s = np.median(rounds, axis=0)
    print(f"  a second dataset: {alone_s:.1f} s into an empty catalogue, {beside_s:.1f} s beside this one, ", end="")
    print(f"copying the file {copy_s:.1f} s (medians of {_ROUNDS})")
    more = np.median([(with_it - without) / copy for without, copy, with_it in rounds])
    aim("a second dataset's further time, in copies of the file", more, most=1)


def with_models(folder: Path) -> None:
    """Models added, carried along by an ingest of the same dataset with other labels, and the change log."""
    catalogue = folder / "catalogue.sqlite"
    measure("ingest", folder, catalogue, "made-up")
    added = measure("models", folder, catalogue, "3")
    print(f"three models added: {added['seconds']:.1f} s, {added['peak']:,.0f} MB")
    labels = np.load(folder / "labels.npy")
    labels[::1000] = (labels[::1000] + 1) % 345
    np.save(folder / "labels.npy", labels)
    again = measure("ingest", folder, catalogue, "made-up")
    print(f"again, with changes told and models carried along: {again['seconds']:.1f} s, {again['peak']:,.0f} MB")


def full(folder: Path) -> None:
    """Make 35 GB, ingest them, ingest them with Dask, delete them."""
    there = folder / "label-errors-full"
    try:
        prepare(there, *FULL)
        one_size(there, FULL)
    finally:
        shutil.rmtree(there)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", metavar="DIR", type=Path)
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(MEASURED[arguments.child[0]](*arguments.child[1:])))
    elif arguments.full:
        full(arguments.full)
    else:
        with tempfile.TemporaryDirectory(prefix="label-errors-benchmark-") as there:
            prepare(Path(there), *SMALL)
            with_models(Path(there)) if arguments.models else one_size(Path(there), SMALL)


if __name__ == "__main__":
    main()
