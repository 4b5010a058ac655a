"""Fixtures every test may use."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import serving

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# What a script starts in the background is deaf to Ctrl-C, and so would be all that tests start to interrupt it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files. Absent on a user's machine: then, and only then, the tests that read it are skipped."""
    if not SHARED.is_dir():
        pytest.skip("the real release lies in ../shared, which is not here")
    return SHARED / "data"


def ingest(*arguments: str | Path) -> None:
    """Run ``python -m ingest`` as a user does."""
    command = [sys.executable, "-m", "ingest", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def sample_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded sample as a catalogue."""
    file = tmp_path_factory.mktemp("sample") / "catalogue.sqlite"
    ingest("sample", "--catalogue", file)
    return file


@pytest.fixture(scope="session")
def real_catalogue(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ten datasets of the release, with the media that are here, as a catalogue."""
    file = tmp_path_factory.mktemp("real") / "catalogue.sqlite"
    ingest("release", shared / "label-errors", "--media", shared / "media", "--catalogue", file)
    return file


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
def models_catalogue(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ten datasets without media, and the thirteen models of CIFAR-10."""
    file = tmp_path_factory.mktemp("models") / "catalogue.sqlite"
    ingest("release", shared / "label-errors", "--catalogue", file)
    ingest("benchmarks", shared / "benchmarks", "--catalogue", file)
    return file
