"""How fast and how small confident learning is, beside cleanlab and beside merely reading the file.

    python -m benchmarks.confident_learning                    the four matrices of the table
    python -m benchmarks.confident_learning wide half          some of them
    python -m benchmarks.confident_learning --full DIR         50,426,266 x 345 in half precision, 35 GB in DIR

Matrices are made here (softmax of noisy logits, 5 % class-conditional flips, fixed seed). Every measurement is a
process of its own, so that its peak memory is its own; ours, the peers and the reading take turns, and medians are
printed.
Ours is timed from the closed file to the flagged set; cleanlab from arrays already in memory (its batched mode from
memory maps, as it is meant to be used); "reading" reads the file once into one reused buffer. Ours and cleanlab use the
cores as they do when nobody says anything, and ours its compiled code where there was a compiler.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
MATRICES = {
    "wide": (50_000, 1_000, "float32"),
    "tall": (1_000_000, 100, "float32"),
    "half": (1_000_000, 345, "float16"),
    "small": (10_000, 10, "float64"),
}
FULL = (50_426_266, 345, "float16")

_ROWS = 50_000
_BUFFER = 4_000_000


def make(folder: Path, n: int, m: int, dtype: str, *, distinct: int | None = None) -> None:
    """Write probs.npy and labels.npy. Of the full size only ``distinct`` rows are drawn, and repeated in turn."""
    rng = np.random.default_rng(2021)
    drawn = n if distinct is None else distinct
    truth = rng.integers(0, m, drawn).astype(np.uint16)
    with (folder / "probs.npy").open("wb") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": (n, m)}
        )
        start = stream.tell()
        for row in range(0, drawn, _ROWS):
            here = truth[row : row + _ROWS]
            logits = rng.standard_normal((len(here), m), dtype=np.float32)
            logits[np.arange(len(here)), here] += np.log(m) + 3
            logits -= logits.max(axis=1, keepdims=True)
            np.exp(logits, out=logits)
            logits /= logits.sum(axis=1, keepdims=True, dtype=np.float64)
            stream.write(logits.astype(dtype).tobytes())
        stream.flush()
        repeated = memoryview(np.fromfile(folder / "probs.npy", np.uint8, offset=start)) if drawn < n else b""
        for row in range(drawn, n, drawn):
            stream.write(repeated[: (n - row) * m * np.dtype(dtype).itemsize])
    labels = np.tile(truth, -(-n // drawn))[:n]
    flipped = rng.random(n) < 0.05
    labels[flipped] = (labels[flipped] + 1) % m
    np.save(folder / "labels.npy", labels)


def ours(folder: Path, workers: int | None) -> Callable[[], int]:
    from app.domain.confident_learning.joint import FlagRule
    from ingest.flagging.engine import flag
    from ingest.flagging.executors import in_pool
    from ingest.matrices.matrix import open_matrix
    from ingest.matrices.npy import open_npy

    labels = np.load(folder / "labels.npy")

    def run() -> int:
        _, m = open_npy(folder / "probs.npy").shape
        matrix = open_matrix([folder / "probs.npy"], len(labels), m)
        if workers is None:
            return flag(labels, matrix, FlagRule.CALIBRATED, lambda _: None).n_flagged
        with in_pool(workers) as executor:
            return flag(labels, matrix, FlagRule.CALIBRATED, lambda _: None, executor).n_flagged

    return run


def ours_with_numpy_alone(folder: Path) -> Callable[[], int]:
    """As it is where there is no compiler."""
    sys.modules["ingest._row_look"] = None  # type: ignore[assignment]
    return ours(folder, None)


def cleanlab(folder: Path, filter_by: str) -> Callable[[], int]:
    from cleanlab.filter import find_label_issues

    labels, probs = np.load(folder / "labels.npy"), np.load(folder / "probs.npy")
    return lambda: int(find_label_issues(labels, probs, filter_by=filter_by).sum())


def batched(folder: Path) -> Callable[[], int]:
    from cleanlab.experimental.label_issues_batched import find_label_issues_batched

    labels = np.load(folder / "labels.npy", mmap_mode="r")
    probs = np.load(folder / "probs.npy", mmap_mode="r")
    return lambda: len(find_label_issues_batched(labels=labels, pred_probs=probs, verbose=False))


def reading(folder: Path) -> Callable[[], int]:
    buffer = bytearray(_BUFFER)

    def run() -> int:
        total = 0
        with (folder / "probs.npy").open("rb", buffering=0) as stream:
            while found := stream.readinto(buffer):
                total += found
        return total

    return run


#: What is measured: name -> what prepares it. Preparation is not timed.
MEASURED: dict[str, Callable[[Path], Callable[[], int]]] = {
    "ours": lambda folder: ours(folder, None),
    "ours, one thread": lambda folder: ours(folder, 1),
    "ours, numpy alone": ours_with_numpy_alone,
    "reading": reading,
    "cleanlab": lambda folder: cleanlab(folder, "low_normalized_margin"),
    "cleanlab, default": lambda folder: cleanlab(folder, "prune_by_noise_rate"),
    "cleanlab, batched": batched,
}


def measure(what: str, folder: Path) -> dict[str, float]:
    """Seconds, peak MB and result of one thing in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.confident_learning", "--child", what, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"seconds": float("nan"), "peak": float("nan"), "result": float("nan")}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def child(what: str, folder: Path) -> None:
    if what in MATRICES:
        make(folder, *MATRICES[what])
        return
    run = MEASURED[what](folder)
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peak": peak(), "result": result}))


def peak() -> float:
    """MB that this process had resident at most. (What getrusage tells includes the process that started this one.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def table(name: str, rounds: int) -> None:
    n, m, dtype = MATRICES[name]
    with tempfile.TemporaryDirectory(prefix="label-errors-benchmark-") as there:
        folder = Path(there)
        # Elsewhere, for what this process has resident would count as its children's.
        subprocess.run([sys.executable, "-m", "benchmarks.confident_learning", "--child", name, there], check=True)
        names = list(MEASURED)
        measure("reading", folder)
        found: dict[str, list[dict[str, float]]] = {what: [] for what in names}
        for turn in range(rounds):
            for what in names:
                # A peer that takes half a minute is not asked more often than needed to see its median hold.
                if turn < 1 or turn < 3 or found[what][0]["seconds"] < 30:
                    found[what].append(measure(what, folder))
        print(f"\n{n:,} x {m:,} {dtype}; memory allowed {60 + 40 * n / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}")
        own = [one["seconds"] for one in found["ours"]]
        for what in names:
            seconds = [one["seconds"] for one in found[what]]
            ratio = statistics.median(theirs / mine for theirs, mine in zip(seconds, own, strict=False))
            most = statistics.median(one["peak"] for one in found[what])
            print(
                f"  {what:20} {statistics.median(seconds):9.3f} s  {ratio:8.2f} x ours"
                f"  peak {most:7.0f} MB  ({found[what][0]['result']:,.0f})"
            )
        if name == "small":
            whole_processes(folder, rounds)


def whole_processes(folder: Path, rounds: int) -> None:
    """The command as a user runs it, beside the shortest script that does the same with cleanlab."""
    load = (
        f"import numpy as np; l = np.load({str(folder / 'labels.npy')!r}); p = np.load({str(folder / 'probs.npy')!r});"
    )
    one = "from cleanlab.filter import find_label_issues as f; f(l, p, filter_by='low_normalized_margin', n_jobs=1)"
    many = "from cleanlab.experimental.label_issues_batched import find_label_issues_batched as f; "
    many += "f(labels=l, pred_probs=p, verbose=False)"
    commands = {
        "ingest flag": ["-m", "ingest", "flag", str(folder / "probs.npy"), "--labels", str(folder / "labels.npy")],
        "cleanlab": ["-W", "ignore", "-c", f"{load} {one}"],
        "cleanlab, batched": ["-W", "ignore", "-c", f"{load} {many}"],
    }
    found: dict[str, list[tuple[float, float]]] = {what: [] for what in commands}
    for _ in range(rounds):
        for what, arguments in commands.items():
            found[what].append(whole_process([sys.executable, *arguments]))
    own = [seconds for seconds, _ in found["ingest flag"]]
    for what, measured in found.items():
        ratio = statistics.median(theirs / mine for (theirs, _), mine in zip(measured, own, strict=True))
        seconds, most = (statistics.median(values) for values in zip(*measured, strict=True))
        print(f"  whole process {what:20} {seconds:6.3f} s  {ratio:6.2f} x ours  peak {most:5.0f} MB")


def whole_process(command: list[str]) -> tuple[float, float]:
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1e3


def full(folder: Path) -> None:
    """Make 35 GB, read them, flag them here and on Dask with two local workers, delete them."""
    n, m, dtype = FULL
    with tempfile.TemporaryDirectory(prefix="label-errors-full-", dir=folder) as there:
        inside = Path(there)
        start = time.perf_counter()
        make(inside, n, m, dtype, distinct=1_000_000)
        size = (inside / "probs.npy").stat().st_size / 1e9
        _tell(f"made {size:.1f} GB in {time.perf_counter() - start:.0f} s")
        plain = measure("reading", inside)["seconds"]
        _tell(f"plain sequential reading: {plain:.0f} s, {size / plain:.2f} GB/s")
        for how in ([], ["--workers", "1"], ["--dask", "local", "--workers", "2"]):
            _full_run(inside, size, how)
        plain = measure("reading", inside)["seconds"]
        _tell(f"plain sequential reading, again: {plain:.0f} s, {size / plain:.2f} GB/s")


def _full_run(folder: Path, size: float, how: list[str]) -> None:
    command = [sys.executable, "-m", "ingest", "flag", str(folder / "probs.npy")]
    command += ["--labels", str(folder / "labels.npy"), "--rule", "uncalibrated", *how]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    most = [0.0]
    watch = threading.Thread(target=_watch, args=(process, most), daemon=True)
    watch.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - start
    watch.join()
    name = " ".join(how) or "as it comes"
    _tell(f"{name}: exit {process.returncode}, {seconds / 60:.1f} minutes, {size / seconds:.2f} GB/s")
    _tell(f"  peak of all its processes together {most[0]:.0f} MB; load {os.getloadavg()[0]:.1f}")
    _tell("\n".join(f"  {line}" for line in output.splitlines()))


def _watch(process: "subprocess.Popen[Any]", most: list[float]) -> None:
    """The most memory that a process and all it started had resident together, looked at ten times a second.

    Shared pages count once for each process, so this errs upwards.
    """
    while process.poll() is None:
        pages = 0
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    session = (entry / "stat").read_text().rpartition(")")[2].split()[3]
                    if session == str(process.pid):
                        pages += int((entry / "statm").read_text().split()[1])
                except (OSError, IndexError):
                    continue
        most[0] = max(most[0], pages * resource.getpagesize() / 1e6)
        time.sleep(0.1)


def _tell(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="MATRIX", help=f"some of {', '.join(MATRICES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--full", metavar="DIR", type=Path)
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "DIR"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child[0], Path(arguments.child[1]))
    elif arguments.full:
        full(arguments.full)
    else:
        for name in arguments.names or MATRICES:
            table(name, arguments.rounds)


if __name__ == "__main__":
    main()
