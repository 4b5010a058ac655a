"""A round over digits of the sample, for the commands of reviews."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.commands.main import main
from tests.app.site.review.rounds import review


@pytest.fixture
def catalogue(sample_catalogue: Path, tmp_path: Path) -> Path:
    """A copy of the sample's catalogue, whose store of votes is a test's own."""
    return Path(shutil.copy(sample_catalogue, tmp_path / "catalogue.sqlite"))


@pytest.fixture
def digits(catalogue: Path) -> str:
    """A round over the two most suspicious digits."""
    return str(json.loads(review(catalogue, "open", "sample-digits", "--lowest", "2", "--json"))["round"])


@pytest.fixture
def refused(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The error of a command of reviews."""

    def error_of(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["review", *arguments, "--catalogue", str(catalogue)]) == 1
        return capsys.readouterr().err

    return error_of
