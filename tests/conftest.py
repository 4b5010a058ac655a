"""Fixtures every test may use."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files. Absent on a user's machine: then, and only then, the tests that read it are skipped."""
    if not SHARED.is_dir():
        pytest.skip("the real release lies in ../shared, which is not here")
    return SHARED / "data"
