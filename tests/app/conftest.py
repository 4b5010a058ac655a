"""Clients of the real site over real catalogues."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings


@pytest.fixture(scope="session")
def client(sample_catalogue: Path) -> Iterator[TestClient]:
    """The site over the embedded sample."""
    with TestClient(create_app(Settings(catalogue=sample_catalogue))) as client:
        yield client


@pytest.fixture(scope="session")
def real(real_catalogue: Path) -> Iterator[TestClient]:
    """The site over the ten datasets."""
    with TestClient(create_app(Settings(catalogue=real_catalogue))) as client:
        yield client
