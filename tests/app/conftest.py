"""Clients of the real site over real catalogues, by real HTTP."""

from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture(scope="session")
def client(sample_site: str) -> Iterator[httpx.Client]:
    """A client of the site over the embedded sample."""
    with httpx.Client(base_url=sample_site, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def real(real_site: str) -> Iterator[httpx.Client]:
    """A client of the site over the ten datasets."""
    with httpx.Client(base_url=real_site, timeout=30) as client:
        yield client
