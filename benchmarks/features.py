"""How long ``label-errors predict --features`` takes on made-up features, and how much memory.

    python -m benchmarks.features [--rows 50000] [--columns 768] [--classes 10] [--threads 2]

Features are noise around a centre for each class; one label in twenty is wrong. Printed is a line of JSON: seconds of
the processor and on the clock, the peak of resident memory, and what came out.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MANIFEST = """\
name = "features"
title = "Features"
modality = "image"
summary = "Made up."
[licence]
name = "CC0"
source = "made up"
media = "none"
[classes]
names = {names}
[files]
labels = "labels.npy"
"""


def make_up(folder: Path, n: int, d: int, m: int) -> None:
    """Write a dataset of n rows of d features of m classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, m, n)
    centres = rng.standard_normal((m, d), np.float32) * np.float32(0.12)
    features = rng.standard_normal((n, d), np.float32)
    features += centres[labels]
    np.save(folder / "features.npy", features)
    wrong = rng.random(n) < 0.05
    labels[wrong] = (labels[wrong] + rng.integers(1, m, int(wrong.sum()))) % m
    np.save(folder / "labels.npy", labels)
    (folder / "dataset.toml").write_text(MANIFEST.format(names=json.dumps([f"class {k}" for k in range(m)])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 50_000), ("columns", 768), ("classes", 10), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_up(folder, options.rows, options.columns, options.classes)
        command = [sys.executable, "-m", "ingest", "predict", str(folder / "dataset.toml")]
        command += ["--features", str(folder / "features.npy"), "--threads", str(options.threads)]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        quality = json.loads((folder / "pred_probs.json").read_text())["quality"]
    told = {
        **vars(options),
        "seconds": round(seconds),
        "processor": round(used.ru_utime + used.ru_stime),
        "peak_mb": round(used.ru_maxrss / 1024),
        "accuracy": quality["accuracy"],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
