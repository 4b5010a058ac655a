"""Stores of votes, on SQLite and on PostgreSQL."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.reviews.store import Store
from tests.app.reviews.making import FakeClock


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty store, of either database."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgresql").database()
        return
    # Every commit waits for the disk, which takes as long as it takes; a disk in memory does not.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield f"sqlite:///{folder}/reviews.sqlite"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(url: str, clock: FakeClock) -> Iterator[Store]:
    opened = Store(make_url(url), clock)
    yield opened
    opened.close()
