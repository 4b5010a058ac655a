"""The issues of a filter as files: what the pages show, in their order, whatever the format."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from app.site.gallery import issue_downloads
from app.site.gallery.issue_files import ISSUE_FORMATS
from tests.app.reading import Page
from tests.ingest.conftest import Tiny
from tests.serving import serving

#: They begin as formulas do, and need quotes.
NAMES = ["=ant()", "-bee", "@cat"]
KEYS = [f"{'-+=@'[i % 4]}nQ9,{i}" for i in range(40)]

FILTERS = [
    ("sample-digits", ""),
    ("sample-digits", "category=correctable&sort=-margin"),
    ("sample-digits", "category=error&agreement=5&sort=disagreement"),
    ("sample-texts", "given=cooking&sort=index"),
    ("sample-texts", "q=the"),
    ("sample-sounds", "category=any&sort=-index"),
]


def rows_of(client: httpx.Client, name: str, query: str, suffix: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/datasets/{name}/issues.{suffix}?{query}")
    assert answer.status_code == 200, answer.text
    if suffix == "csv":
        return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))
    if suffix == "jsonl":
        return [json.loads(line) for line in answer.text.splitlines()]
    return pq.read_table(io.BytesIO(answer.content)).to_pylist()


def shown(client: httpx.Client, name: str, query: str) -> Iterator[int]:
    """The indices on all pages of the gallery, by following its links."""
    address: str | None = f"/{name}?{query}"
    while address:
        page = Page(client.get(address).text)
        yield from (int(i[1:]) for i in page.ids if re.fullmatch(r"i\d+", i))
        address = next((link.href for link in page.links if link.attributes.get("rel") == "next"), None)


def listed(client: httpx.Client, name: str, query: str) -> list[dict[str, Any]]:
    address, found = f"/api/v1/datasets/{name}/issues?limit=200&{query}", []
    while address:
        body = client.get(address).json()
        found += body["items"]
        address = body["next"]
    return found


@pytest.mark.parametrize(("name", "query"), FILTERS)
def test_every_file_has_the_rows_of_the_pages_in_their_order(client: httpx.Client, name: str, query: str) -> None:
    expected = list(shown(client, name, query if "category" in query else f"{query}&category=any"))
    assert len(expected) > 3
    for form in ISSUE_FORMATS:
        assert [int(row["index"]) for row in rows_of(client, name, query, form.suffix)] == expected, form.suffix


@pytest.mark.parametrize(("name", "query"), FILTERS[1:])
def test_every_row_says_what_the_api_says(client: httpx.Client, name: str, query: str) -> None:
    items = listed(client, name, query)
    for form in ISSUE_FORMATS:
        rows = rows_of(client, name, query, form.suffix)
        assert len(rows) == len(items)
        for row, item in zip(rows, items, strict=True):
            for role in ("given", "guessed", "corrected"):
                label = item[role] or {"id": None, "name": None}
                expected = (label["id"], label["name"])
                if form.suffix == "csv":
                    expected = tuple("" if value is None else str(value) for value in expected)
                assert (row[role], row[f"{role}_name"]) == expected
            votes = json.loads(row["votes"] or "null") if isinstance(row["votes"], str) else row["votes"]
            assert votes == item["votes"]
            assert row["category"] == item["category"]
            assert float(row["self_confidence"]) == item["self_confidence"]
            assert str(row["flagged"]).lower() == str(item["flagged"]).lower()


def test_sets_of_labels_are_lists_or_joined(real: httpx.Client) -> None:
    items = listed(real, "audioset", "category=error")
    assert any(len(item["given"]) > 1 for item in items)
    for suffix in ("csv", "jsonl", "parquet"):
        rows = rows_of(real, "audioset", "category=error", suffix)
        names = [row["given_name"].split("|") if suffix == "csv" else row["given_name"] for row in rows]
        assert names == [[c["name"] for c in item["given"]] for item in items]
        assert [row["source"] for row in rows] == [item["links"]["source"] for item in items]


def test_a_page_links_to_files_of_what_it_shows(real: httpx.Client) -> None:
    """54 errors, where the API's default would be all 275 issues."""
    page = Page(real.get("/cifar10").text)
    files = [link for link in page.links if "/issues." in link.href]
    assert [link.words for link in files] == ["CSV", "Parquet", "JSON Lines"]
    assert all(link.href.endswith("?category=error") for link in files)
    answer = real.get(files[0].href)
    assert answer.headers["content-disposition"] == 'attachment; filename="cifar10-issues-error.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert len(answer.text.splitlines()) == 55
    table = pq.read_table(io.BytesIO(real.get(files[1].href).content))
    about = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert about["filter"].startswith("54 errors of CIFAR-10")
    assert about["query"] == "category=error"


def test_no_more_than_a_file_holds(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issue_downloads, "MOST_ROWS", 10)
    answer = client.get("/api/v1/datasets/sample-texts/issues.csv")
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "a file holds at most 10" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("nothing/issues.csv", 404, "There is no dataset"),
        ("sample-digits/issues.csv?category=wrong", 400, "category is 'wrong'"),
        ("sample-digits/issues.parquet?limit=5", 400, "'limit' is no parameter"),
        ("sample-digits/issues.xlsx", 404, "There is nothing at"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_byte(
    client: httpx.Client, address: str, status: int, said: str
) -> None:
    answer = client.get(f"/api/v1/datasets/{address}")
    assert answer.status_code == status
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("suffix", [form.suffix for form in ISSUE_FORMATS])
def test_a_file_that_one_has_is_not_sent_again(client: httpx.Client, suffix: str) -> None:
    address = f"/api/v1/datasets/sample-digits/issues.{suffix}?category=error"
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"{address}&agreement=5")
    assert other.headers["etag"] != first.headers["etag"]
    head = client.head(address)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])
    assert client.get(address).content == first.content


def test_a_filter_without_issues_is_a_file_without_rows(client: httpx.Client) -> None:
    for suffix in ("csv", "jsonl", "parquet"):
        assert rows_of(client, "sample-texts", "q=nothing-has-this", suffix) == []


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue whose keys and class names begin as formulas do."""
    folder = tmp_path_factory.mktemp("awkward")
    tiny = Tiny(folder / "tiny")
    tiny.classes, tiny.files, tiny.examples = NAMES, 'index = "index.json"', 'key = "entry"'
    tiny.extra = {"index.json": KEYS}
    assert tiny.add(folder / "catalogue.sqlite") == 0
    return folder / "catalogue.sqlite"


def test_keys_and_names_stand_as_they_are(awkward: Path) -> None:
    """As in corrected test sets: what a spreadsheet makes of a cell must not keep a key from joining."""
    with serving(awkward) as site, httpx.Client(base_url=site) as client:
        rows = rows_of(client, "tiny", "", "csv")
        assert len(rows) >= 8
        assert all(row["key"] == KEYS[int(row["index"])] for row in rows)
        assert all(row["given_name"] == NAMES[int(row["given"])] for row in rows)
        assert {row["key"][0] for row in rows} & set("-+=@")


def test_a_public_site_does_not_tell_by_its_files_what_texts_hold(real_catalogue: Path) -> None:
    """Where the texts may not be shown whole, no word of them is found, on the page or in a file."""
    with serving(real_catalogue, public=True) as site, httpx.Client(base_url=site) as client:
        query = "q=clipper"
        assert listed(client, "20news", query) == []
        assert rows_of(client, "20news", query, "csv") == []
        kept = rows_of(client, "20news", "category=error", "csv")
        assert len(kept) == client.get("/api/v1/datasets/20news/issues?category=error").json()["total"]
