"""A client of the site over the ten datasets with models of CIFAR-10 and two second opinions."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving import serving


@pytest.fixture(scope="session")
def site(opinions_catalogue: Path) -> Iterator[httpx.Client]:
    with (
        serving(opinions_catalogue, requests_a_minute=0) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client
