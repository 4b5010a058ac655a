"""Fixtures every test may use."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock

from tests import flowers
from tests.app.reviews.databases import own_store, postgresql, store_of_module  # noqa: F401 - fixtures of many folders
from tests.parsing import let_threads_parse
from tests.serving import serving

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# What a script starts in the background is deaf to Ctrl-C, and so would be all that tests start to interrupt it.
signal.signal(signal.SIGINT, signal.default_int_handler)

let_threads_parse()

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files. Absent on a user's machine: then, and only then, the tests that read it are skipped."""
    if not SHARED.is_dir():
        pytest.skip("the real release lies in ../shared, which is not here")
    return SHARED / "data"


def ingest(*arguments: str | Path) -> None:
    """Run ``python -m ingest`` as a user does; a warning is an error."""
    command = [sys.executable, "-W", "error", "-m", "ingest", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """A file that is built by the first process of a run that asks for it, and read by all. Nobody may change it."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    file = folder / "built" / f"{name}.sqlite"
    file.parent.mkdir(exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        if not file.exists():
            unfinished = folder / "unfinished" / file.name
            unfinished.parent.mkdir(exist_ok=True)
            build(unfinished)
            unfinished.rename(file)
    return file


@pytest.fixture(scope="session")
def sample_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded sample as a catalogue."""
    return built_once(tmp_path_factory, "sample", lambda file: ingest("sample", "--catalogue", file))


@pytest.fixture(scope="session")
def real_catalogue(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ten datasets of the release, with the media that are here, as a catalogue."""
    arguments = ("release", shared / "label-errors", "--media", shared / "media")
    return built_once(tmp_path_factory, "real", lambda file: ingest(*arguments, "--catalogue", file))


@pytest.fixture(scope="session")
def release_catalogue(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ten datasets of the release without media, as a catalogue."""
    arguments = ("release", shared / "label-errors")
    return built_once(tmp_path_factory, "release", lambda file: ingest(*arguments, "--catalogue", file))


@pytest.fixture(scope="session")
def mmlu_catalogue(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MMLU-Redux as cloned, with the answers of 14 models, as a catalogue."""
    arguments = ("release", shared / "mmlu-redux", "--dataset", "mmlu")
    return built_once(tmp_path_factory, "mmlu", lambda file: ingest(*arguments, "--catalogue", file))


@pytest.fixture(scope="session")
def models_catalogue(shared: Path, release_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ten datasets without media, and the thirteen models of CIFAR-10."""

    def build(file: Path) -> None:
        shutil.copyfile(release_catalogue, file)
        ingest("benchmarks", shared / "benchmarks", "--catalogue", file)

    return built_once(tmp_path_factory, "models", build)


@pytest.fixture(scope="session")
def opinions_catalogue(shared: Path, models_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ten datasets without media, the thirteen models of CIFAR-10, and the opinions ReaL and CIFAR-10H."""

    def build(file: Path) -> None:
        shutil.copyfile(models_catalogue, file)
        files = {"real": ("imagenet", "imagenet/real.json"), "cifar10h": ("cifar10", "cifar10/cifar10h-counts.npy")}
        for source, (dataset, name) in files.items():
            ingest("opinions", dataset, "--source", source, shared / "opinions" / name, "--catalogue", file)

    return built_once(tmp_path_factory, "opinions", build)


@pytest.fixture(scope="session")
def sample_site(sample_catalogue: Path) -> Iterator[str]:
    """The address of the site over the embedded sample."""
    with serving(sample_catalogue) as address:
        yield address


@pytest.fixture(scope="session")
def real_site(real_catalogue: Path) -> Iterator[str]:
    """The address of the site over the ten datasets."""
    with serving(real_catalogue) as address:
        yield address


@pytest.fixture(scope="session")
def rows_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of made-up flowers as a catalogue; see tests/flowers.py."""
    return built_once(tmp_path_factory, "rows", flowers.build)


@pytest.fixture(scope="session")
def rows_site(rows_catalogue: Path) -> Iterator[str]:
    """The address of the site over the made-up flowers."""
    with serving(rows_catalogue) as address:
        yield address
