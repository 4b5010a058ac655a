"""A round that tests of one module share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.site.review.replay import Texts
from tests.app.site.review.rounds import Open, open_round


@pytest.fixture(scope="module")
def quick_folder() -> Iterator[Path]:
    """A folder in memory, where there is such a disk: a commit waits for it."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def digits(sample_catalogue: Path, quick_folder: Path) -> Iterator[Open]:
    """A round over all suspects of the sample's digits, with twelve raters."""
    with open_round(sample_catalogue, quick_folder, "sample-digits", raters=12) as found:
        yield found


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    """The sample's texts, with votes and without."""
    return Texts.made(tmp_path_factory.mktemp("texts"))
