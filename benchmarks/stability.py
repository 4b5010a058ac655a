"""How long models take: a made-up set of ImageNet's shape, ingest to page, and an upload.

``python -m benchmarks.stability`` makes 34 models x 50,000 examples x 5 choices in the published layout and a catalogue
with 1,428 correctable examples, then runs the real command and serves the result.
"""

import argparse
import io
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import httpx
import numpy as np
from numpy.typing import NDArray

from tests.serving import serving

EXAMPLES, CLASSES, MODELS = 50_000, 1_000, 34
CORRECTABLE, UNKNOWN, CONFIRMED = 1_428, 1_488, 2_524
NAME = "made-up"

MANIFEST = f"""\
name = "{NAME}"
title = "Made up, of ImageNet's shape"
position = 1
modality = "image"
size = {EXAMPLES}
summary = "Labels, votes and predictions made up to measure with."

[licence]
name = "none"
source = "made up"
media = "none"

[classes]
names = [{", ".join(f'"class {c}"' for c in range(CLASSES))}]

[files]
labels = "labels.npy"
votes = "votes.json"

[votes]
dialect = "options"
options = ["given", "guessed", "both", "neither"]
"""


def write_dataset(folder: Path, rng: np.random.Generator) -> tuple[Path, NDArray[np.int64], NDArray[np.int64]]:
    """The manifest's path, the given labels, and the labels that reviewers agree on."""
    import json

    given = rng.integers(CLASSES, size=EXAMPLES)
    truth = given.copy()
    reviewed = rng.choice(EXAMPLES, CORRECTABLE + UNKNOWN + CONFIRMED, replace=False)
    truth[reviewed[:CORRECTABLE]] = (given[reviewed[:CORRECTABLE]] + 1) % CLASSES
    records = []
    for place, index in enumerate(reviewed.tolist()):
        votes = {"given": 5, "guessed": 0, "both": 0, "neither": 0}
        if place < CORRECTABLE:
            agreeing = 3 + place % 3
            votes = {"given": 5 - agreeing, "guessed": agreeing, "both": 0, "neither": 0}
        elif place < CORRECTABLE + UNKNOWN:
            votes = {"given": 1, "guessed": 2, "both": 2, "neither": 0}
        guess = int((given[index] + 1) % CLASSES)
        records.append(
            {
                "id": index,
                "given_original_label": int(given[index]),
                "given_original_label_name": f"class {given[index]}",
                "our_guessed_label": guess,
                "our_guessed_label_name": f"class {guess}",
                "mturk": votes,
            }
        )
    folder.mkdir(parents=True)
    np.save(folder / "labels.npy", given.astype(np.uint16))
    (folder / "votes.json").write_text(json.dumps(records))
    (folder / "made-up.toml").write_text(MANIFEST)
    return folder / "made-up.toml", given, truth


def write_models(folder: Path, given: NDArray[np.int64], truth: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Twins of files in the published layout: models of rising accuracy that repeat ever more of the wrong labels."""
    for place in range(MODELS):
        platform = "keras" if place % 3 == 0 else "pytorch"
        top = rng.integers(CLASSES, size=(EXAMPLES, 1)) + np.arange(5) * 190
        top %= CLASSES
        right = rng.random(EXAMPLES) < 0.55 + 0.008 * place
        repeats = rng.random(EXAMPLES) < 0.05 + 0.01 * place
        wanted = np.where(repeats, given, truth)
        column = rng.integers(5, size=EXAMPLES)
        rows = np.flatnonzero(right & ~(top == wanted[:, None]).any(axis=1))
        top[rows, column[rows]] = wanted[rows]
        weights = rng.random(top.shape)
        weights[rows, column[rows]] = 2
        target = folder / f"{platform}_{NAME}"
        target.mkdir(parents=True, exist_ok=True)
        np.save(target / f"net{place}_{platform}_{NAME}_top5preds.npy", top)
        np.save(target / f"net{place}_{platform}_{NAME}_top5probs.npy", weights.astype(np.float32))


def command(*arguments: object) -> tuple[float, float]:
    """Seconds and peak megabytes of ``python -m ingest ...``."""
    began = time.perf_counter()
    # What goes wrong is the reader's to see.
    subprocess.run([sys.executable, "-m", "ingest", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def timed(ask: Callable[[], httpx.Response], times: int) -> float:
    """Median milliseconds of a request that must succeed."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ask().raise_for_status()
        taken.append(1000 * (time.perf_counter() - began))
    return median(taken)


def measure(folder: Path) -> None:
    rng = np.random.default_rng(0)
    manifest, given, truth = write_dataset(folder / "data", rng)
    write_models(folder / "models", given, truth, rng)
    catalogue = folder / "catalogue.sqlite"
    seconds, _ = command("add", manifest, manifest.parent, "--catalogue", catalogue)
    print(f"dataset ingested in {seconds:.1f} s, {catalogue.stat().st_size / 1e6:.1f} MB")
    before = catalogue.stat().st_size
    seconds, peak = command("benchmarks", folder / "models", "--catalogue", catalogue)
    grown = (catalogue.stat().st_size - before) / 1e6
    print(
        f"{MODELS} models ingested in {seconds:.1f} s, 1,000 resamplings included; peak {peak:,.0f} MB, +{grown:.1f} MB"
    )
    uploads = {"CSV": ("mine.csv", _csv(truth)), ".npy": ("mine.npy", _npy(truth))}
    with serving(catalogue) as site, httpx.Client(base_url=site, timeout=60) as client:
        for path in (f"/{NAME}", f"/{NAME}/stability", f"/api/v1/datasets/{NAME}/stability"):
            began = time.perf_counter()
            first = client.get(path).raise_for_status()
            cold = 1000 * (time.perf_counter() - began)
            again = timed(lambda path=path: client.get(path), 20)  # type: ignore[misc]
            other = timed(lambda path=path: client.get(f"{path}?agreement=4"), 1)  # type: ignore[misc]
            size = len(first.content)
            print(f"{path}: first {cold:.0f} ms, again {again:.1f} ms, other threshold {other:.0f} ms, {size:,} B")
        began = time.perf_counter()
        client.post(f"/api/v1/datasets/{NAME}/evaluate", files={"file": uploads[".npy"]}).raise_for_status()
        print(f"first upload, the start of its process included: {1000 * (time.perf_counter() - began):.0f} ms")
        for words, file in uploads.items():
            taken = timed(lambda file=file: client.post(f"/api/v1/datasets/{NAME}/evaluate", files={"file": file}), 5)  # type: ignore[misc]
            print(f"upload of {EXAMPLES:,} predictions as {words}: {taken:.0f} ms")


def _csv(predictions: NDArray[np.int64]) -> bytes:
    return ("index,prediction\n" + "".join(f"{i},{c}\n" for i, c in enumerate(predictions.tolist()))).encode()


def _npy(predictions: NDArray[np.int64]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, predictions)
    return buffer.getvalue()


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="stability-") as folder:
        measure(Path(folder))


if __name__ == "__main__":
    main()
