"""A client of the site over the ten datasets and the thirteen models of CIFAR-10."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from app.evaluation.predictions_store import read_subject
from app.schema.engine import reading_engine
from tests.serving import serving


@pytest.fixture(scope="session")
def site(models_catalogue: Path) -> Iterator[httpx.Client]:
    """A client of the site over the ten datasets and the thirteen models of CIFAR-10."""
    with (
        serving(models_catalogue, requests_a_minute=0) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def given(models_catalogue: Path) -> np.ndarray:
    with reading_engine(models_catalogue).connect() as connection:
        return read_subject(connection, "cifar10").given
