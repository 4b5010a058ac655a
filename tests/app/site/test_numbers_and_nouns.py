"""One of something is written in the singular, on every page."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.app.site.test_percent_signs import GENERAL, OF_A_DATASET, Prose
from tests.ingest.conftest import Tiny
from tests.serving import serving

NOUNS = (
    "datasets classes images texts sounds questions examples issues errors labels corrections votes reviewers raters "
    "models opinions versions rows files pages pairs changes others"
)
#: "1 of 3 errors" is of three; "1 of 1 errors" is of one.
WRONG = re.compile(
    rf"(?<![\d.,/-])(?<!of )1 (?:[a-z-]+ )?(?:{NOUNS.replace(' ', '|')})\b|\bof 1 (?:[a-z-]+ )?[a-z]+s\b"
)


def wrong(client: httpx.Client, address: str) -> list[str]:
    answer = client.get(address)
    words = Prose(answer.text).words  # what stands apart, such as cells of a table, is on lines of its own
    return [f"{address}: {words[max(0, m.start() - 30) : m.end() + 20]!r}" for m in WRONG.finditer(words)]


def of_dataset(client: httpx.Client, name: str) -> list[str]:
    issues = client.get(f"/api/v1/datasets/{name}/issues", params={"limit": 3}).json()["items"]
    paths = (*OF_A_DATASET, *(f"/issues/{one['index']}" for one in issues), "?q=nothing+like+it", "?category=neither")
    pages = [f"/{name}{path}" for path in paths]
    return [page for page in pages if client.get(page).status_code == 200]


@pytest.fixture(scope="module")
def ones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A site with one dataset, of which one example is flagged, and checked by one reviewer, who corrected it."""
    tiny = Tiny(tmp_path_factory.mktemp("ones"), classes=["ant", "bee"], top="flag = 1\nraters = 1")
    tiny.labels, tiny.probs = np.array([0, 1], np.uint16), np.array([[0.1, 0.9], [0.2, 0.8]])
    tiny.records = [tiny.record(0, 0, 1, 0, 0)]
    catalogue: Path = tiny.folder / "catalogue.sqlite"
    assert tiny.add(catalogue) == 0
    with serving(catalogue, requests_a_minute=0) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_where_there_is_one_of_everything(ones: httpx.Client) -> None:
    pages = of_dataset(ones, "tiny")
    assert len(pages) > 10
    assert [said for page in (*GENERAL, *pages) for said in wrong(ones, page)] == []
    assert "are wrong in the dataset here." in " ".join(Prose(ones.get("/").text).words.split())


def test_in_the_sample(client: httpx.Client) -> None:
    pages = [page for name in ("sample-digits", "sample-texts", "sample-sounds") for page in of_dataset(client, name)]
    assert len(pages) > 40
    assert [said for page in (*GENERAL, *pages) for said in wrong(client, page)] == []
