"""Fixtures of tests that run on both databases: a PostgreSQL of their own, and stores named by the environment.

Commands and servers read ``LABELERRORS_REVIEWS``; without it the store is a file beside the catalogue.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.reviews.store import Store, store_url

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """A PostgreSQL for all tests of a process."""
    from tests.app.reviews.postgresql import Cluster  # needs psycopg, which not every test has to

    folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir="/tmp"))  # one that another user may enter
    folder.chmod(0o755)
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def named_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let commands and servers use a new store of the database that the fixture is parametrized by."""
    if request.param == "sqlite":
        yield
        return
    url = request.getfixturevalue("postgresql").database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELERRORS_REVIEWS", url)
        yield


@pytest.fixture(scope="module", params=BOTH)
def store_of_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """A store for the tests of a module, of either database."""
    with named_store(request):
        yield


@pytest.fixture(params=BOTH)
def own_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """A store for one test, of either database."""
    with named_store(request):
        yield


def store_at(catalogue: Path) -> Store:
    """The store that commands about a catalogue use."""
    return Store(store_url(os.environ.get("LABELERRORS_REVIEWS", ""), catalogue))
