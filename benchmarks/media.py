"""Media: how fast they are read at ingest, beside bare Pillow, and served, beside a constant route.

``python -m benchmarks.media [--images 10000] [--photographs 1000] [--serve [CATALOGUE]]`` prints a line a measurement.

Bare Pillow does the same work with nothing around it: decode, make both sizes, encode them as they are stored; and, as
a second yardstick, decode and resize alone, which leaves out what a picture has to be encoded for. Memory is the peak
of this process and its workers. Serving needs wrk; without a catalogue it is measured on the embedded sample, which has
pictures, texts and sounds with their waveforms and spectrograms.
"""

import argparse
import io
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

from app.site.media import KINDS
from benchmarks.site import ROOT, SITE, served, wrk
from ingest.media import MediaItem, MediaProblem, MediaSource, open_media
from ingest.media.images.thumbnails import LARGE_SIDE, SMALL_SIDE

#: Stands for the embedded sample among the arguments.
SAMPLE = Path()
_SECONDS = 3
_RUNS = 3


def cifar(folder: Path, count: int) -> None:
    """A CIFAR-10 batch of so many pictures of plain shapes and noise, as photographs have both."""
    rng = np.random.default_rng(0)
    with (folder / "test_batch.bin").open("wb") as file:
        for start in range(0, count, 500):
            rows = np.empty((min(500, count - start), 3_073), np.uint8)
            rows[:, 0] = rng.integers(0, 10, len(rows))
            walks = np.cumsum(rng.integers(-6, 7, (len(rows), 3_072)), axis=1)
            rows[:, 1:] = np.clip(128 + walks // 2, 0, 255)
            file.write(rows.tobytes())


def photographs(folder: Path, count: int) -> None:
    """So many JPEGs of 500 x 375 in a tar, of Caltech-256's names."""
    rng = np.random.default_rng(0)
    smooth = np.cumsum(np.cumsum(rng.normal(size=(420, 560, 3)), axis=0), axis=1)
    smooth = (smooth - smooth.min()) / np.ptp(smooth) * 200
    with tarfile.open(folder / "256_ObjectCategories.tar", "w") as tar:
        for n in range(count):
            y, x = n % 45, n % 60
            pixels = smooth[y : y + 375, x : x + 500] + rng.integers(0, 40, (375, 500, 3))
            file = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=90)
            info = tarfile.TarInfo(f"256_ObjectCategories/001.ak47/001_{n:04}.jpg")
            info.size = file.tell()
            tar.addfile(info, io.BytesIO(file.getvalue()))


def bare(image: Image.Image, *, encode: bool) -> None:
    """Both sizes of a picture, with Pillow and nothing else."""
    longest = max(image.size)
    small = longest <= SMALL_SIDE
    if small:
        factor = SMALL_SIDE // longest
        card = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    else:
        size = (LARGE_SIDE, round(image.height * LARGE_SIDE / image.width))
        card = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if not encode:
        return
    for picture, effort in ((image, 6), (card, 1)):
        if small:
            picture.save(io.BytesIO(), "PNG", compress_level=effort)
        else:
            picture.save(io.BytesIO(), "WEBP", quality=84, method=1)


def bare_records(data: bytes, encode: bool) -> None:
    rows = np.frombuffer(data, np.uint8).reshape(-1, 3_073)[:, 1:]
    for row in rows:
        bare(Image.fromarray(np.ascontiguousarray(row.reshape(3, 32, 32).transpose(1, 2, 0))), encode=encode)


def bare_files(files: list[bytes], encode: bool) -> None:
    for data in files:
        with Image.open(io.BytesIO(data)) as opened:
            opened.load()
            bare(opened, encode=encode)


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def drained(items: Iterable[MediaItem | MediaProblem]) -> None:
    for item in items:
        if isinstance(item, MediaProblem):
            raise SystemExit(f"not read: {item}")


def ingesting(
    what: str, source: MediaSource, wanted: dict[int, str | None], megabytes: float, yardstick: Callable[[], None]
) -> None:
    """Pairs of the yardstick and of the real thing, one after the other, so that a busy machine slows both."""
    for workers in (1, 2):
        pairs = [(timed(yardstick), timed(lambda w=workers: drained(source.items(wanted, w)))) for _ in range(_RUNS)]  # type: ignore[misc]
        seconds = statistics.median(ours for _, ours in pairs)
        share = statistics.median(bare / ours for bare, ours in pairs)
        line = f"{what}, {workers} worker{'s' if workers > 1 else ''}: {len(wanted) / seconds:,.0f} images/s"
        print(f"{line}, {megabytes / seconds:.1f} MB/s, {share:.2f} of bare Pillow on one", flush=True)


def scaling(what: str, run: Callable[..., None], halves: list[object], alone: float) -> None:
    """What two processes of bare Pillow gain on this machine: nothing above it can be asked for."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(abs, [1, 2]))
        seconds = min(timed(lambda: list(pool.map(run, halves, [True, True]))) for _ in range(2))
    print(f"{what}, bare Pillow on two processes: {alone / seconds:.2f} times as fast as on one")


def images(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cifar(folder, count)
        data = (folder / "test_batch.bin").read_bytes()
        yardstick = min(timed(lambda: bare_records(data, True)) for _ in range(2))
        resized = timed(lambda: bare_records(data, False))
        print(f"CIFAR-10: bare Pillow {count / yardstick:,.0f} images/s; without encoding {count / resized:,.0f}")
        source = open_media("cifar10", folder, {})
        if source is not None:
            ingesting(
                "CIFAR-10", source, dict.fromkeys(range(count)), len(data) / 1e6, lambda: bare_records(data, True)
            )
        half = count // 2 * 3_073
        scaling("CIFAR-10", bare_records, [data[:half], data[half:]], yardstick)


def large_images(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs(folder, count)
        archive = folder / "256_ObjectCategories.tar"
        with tarfile.open(archive) as tar:
            files = [file.read() for info in tar if (file := tar.extractfile(info)) is not None]
        yardstick = min(timed(lambda: bare_files(files, True)) for _ in range(2))
        resized = timed(lambda: bare_files(files, False))
        print(f"500 x 375 JPEG: bare Pillow {count / yardstick:,.0f} images/s; without encoding {count / resized:,.0f}")
        source = open_media("caltech256", folder, {})
        wanted: dict[int, str | None] = {n: f"001.ak47/001_{n:04}.jpg" for n in range(count)}
        if source is not None:
            ingesting("500 x 375 JPEG", source, wanted, archive.stat().st_size / 1e6, lambda: bare_files(files, True))
        scaling("500 x 375 JPEG", bare_files, [files[: count // 2], files[count // 2 :]], yardstick)


def memory() -> None:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory: {own:.0f} MB in this process, {workers:.0f} MB in the largest worker")


def serving(catalogue: Path | None) -> None:
    """One medium of each kind, asked for at fifty addresses, beside a route of FastAPI that returns a constant."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ceiling = stack.enter_context(served("benchmarks.site:constant"))
        site = stack.enter_context(served(SITE, catalogue=catalogue or sample(folder)))
        found = media_addresses(site)
        for kind in KINDS - found.keys():
            print(f"{kind}: none in this catalogue")
        for kind, addresses in sorted(found.items()):
            pairs = [
                (wrk(ceiling, ["/constant"], _SECONDS, folder)[0], wrk(site, addresses, _SECONDS, folder)[0])
                for _ in range(_RUNS)
            ]
            constant = statistics.median(top for top, _ in pairs)
            rate = statistics.median(rate for _, rate in pairs)
            share = statistics.median(rate / top for top, rate in pairs)
            size = statistics.mean(len(httpx.get(site + address).content) for address in addresses)
            line = f"{kind}, {size / 1000:,.1f} kB: {rate:,.0f} requests/s, {rate * size / 1e6:,.0f} MB/s"
            print(f"{line}, {share:.2f} of the constant route's {constant:,.0f}", flush=True)


def sample(folder: Path) -> Path:
    """The embedded sample as a catalogue."""
    catalogue = folder / "sample.sqlite"
    command = [sys.executable, "-m", "ingest", "sample", "--catalogue", str(catalogue)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return catalogue


def media_addresses(site: str) -> dict[str, list[str]]:
    """Kind -> paths of media of that kind, of the first dataset that has any."""
    found: dict[str, list[str]] = {}
    with httpx.Client(base_url=site) as client:
        for dataset in client.get("/api/v1/datasets").json()["items"]:
            paths: dict[str, list[str]] = {}
            for issue in client.get(f"/api/v1/datasets/{dataset['name']}/issues?limit=50").json()["items"]:
                for kind, address in issue["links"]["media"].items():
                    paths.setdefault(kind, []).append(urlsplit(address).path)
            for kind, some in paths.items():
                found.setdefault(kind, some)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.media", description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=10_000, help="pictures of CIFAR-10's kind (0: none)")
    parser.add_argument("--photographs", type=int, default=1_000, help="JPEGs of 500 x 375 (0: none)")
    parser.add_argument(
        "--serve",
        type=Path,
        nargs="?",
        const=SAMPLE,
        metavar="CATALOGUE",
        help="measure the serving of its media as well; of the embedded sample's if none is named",
    )
    arguments = parser.parse_args()
    if arguments.images:
        images(arguments.images)
        memory()
    if arguments.photographs:
        large_images(arguments.photographs)
        memory()
    if arguments.serve is not None:
        serving(None if arguments.serve == SAMPLE else arguments.serve)
    return 0


if __name__ == "__main__":
    sys.exit(main())
